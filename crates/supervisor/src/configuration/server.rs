//! supervisord.conf itself.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::RenderError;
use super::section::Section;

/// The socket's name since slapos.core 1.6; the old one counts if it is there.
const SOCKET: &str = "sv.sock";
const OLD_SOCKET: &str = "supervisord.socket";

/// A Unix socket's path has 107 bytes (sun_path, less the final NUL); supervisord adds `.PID`,
/// and process ids have up to 7 digits on 64-bit Linux.
const SOCKET_PATH_LIMIT: usize = 107 - ".4194304".len();

/// Where supervisord's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// supervisord.conf.
    pub configuration: PathBuf,
    /// The directory with one file for each group.
    pub include_directory: PathBuf,
    /// The Unix socket of the XML-RPC interface.
    pub socket: PathBuf,
    /// supervisord's own log.
    pub log_file: PathBuf,
    /// Holds supervisord's process id.
    pub pid_file: PathBuf,
}

impl Paths {
    /// The usual places in an instance root, with the socket `sv.sock`.
    pub fn under(instance_root: &Path) -> Self {
        Paths {
            configuration: instance_root.join("etc/supervisord.conf"),
            include_directory: instance_root.join("etc/supervisord.conf.d"),
            socket: instance_root.join(SOCKET),
            log_file: instance_root.join("var/log/supervisord.log"),
            pid_file: instance_root.join("var/run/supervisord.pid"),
        }
    }

    /// Like [`Paths::under`], but keeps to an existing `supervisord.socket` of an older version,
    /// because the supervisord that made it may still run.
    pub fn detect(instance_root: &Path) -> Self {
        let old_socket = instance_root.join(OLD_SOCKET);
        let mut paths = Paths::under(instance_root);
        if old_socket.symlink_metadata().is_ok() {
            paths.socket = old_socket;
        }
        paths
    }

    /// The file of one group, whose name must have passed [`GroupConfig::render`](crate::GroupConfig::render).
    pub fn group_file(&self, group: &str) -> PathBuf {
        self.include_directory.join(format!("{group}.conf"))
    }
}

/// A program that supervisord tells of events on its standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventListener {
    /// The name of the listener, which is also its group.
    pub name: String,
    /// The program, absolute, and its arguments.
    pub command: Vec<String>,
    /// Names of event types, e.g. `PROCESS_STATE_EXITED`.
    pub events: Vec<String>,
    /// Where its standard error goes; standard output is the protocol.
    pub log_file: PathBuf,
    /// Variables on top of supervisord's own.
    pub environment: Vec<(String, String)>,
}

/// What supervisord.conf and the command to start supervisord are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// supervisord's files.
    pub paths: Paths,
    /// The program to start: a path, or a name that is looked up in PATH.
    pub program: PathBuf,
    /// A listener that starts and restarts with supervisord.
    pub event_listener: Option<EventListener>,
}

impl Settings {
    /// `supervisord` from PATH, without an event listener.
    pub fn new(paths: Paths) -> Self {
        Settings {
            paths,
            program: PathBuf::from("supervisord"),
            event_listener: None,
        }
    }
}

/// The text of supervisord.conf. Errors name the setting that supervisord would misread.
pub fn render_supervisord_conf(settings: &Settings) -> Result<String, RenderError> {
    let paths = &settings.paths;
    let mut conf = interface().render();
    conf.push_str(&include(paths)?.render());
    conf.push_str(&control(paths)?.render());
    conf.push_str(&daemon(paths)?.render());
    conf.push_str(&http_server(paths)?.render());
    if let Some(listener) = &settings.event_listener {
        conf.push_str(&event_listener(listener)?.render());
    }
    Ok(conf)
}

fn interface() -> Section {
    let mut section = Section::fixed("rpcinterface:supervisor");
    section.fact(
        "supervisor.rpcinterface_factory",
        "supervisor.rpcinterface:make_main_rpcinterface",
    );
    section
}

fn include(paths: &Paths) -> Result<Section, RenderError> {
    let mut section = Section::fixed("include");
    section.path("files", &paths.include_directory, "/*.conf")?;
    Ok(section)
}

fn control(paths: &Paths) -> Result<Section, RenderError> {
    let mut section = Section::fixed("supervisorctl");
    section.text("serverurl", &format!("unix://{}", paths.socket.display()))?;
    Ok(section)
}

fn daemon(paths: &Paths) -> Result<Section, RenderError> {
    let mut section = Section::fixed("supervisord");
    section.fact("loglevel", "info");
    section.path("logfile", &paths.log_file, "")?;
    section.fact("logfile_maxbytes", "50MB");
    section.fact("logfile_backups", 10);
    section.fact("nodaemon", false);
    section.path("pidfile", &paths.pid_file, "")?;
    Ok(section)
}

fn http_server(paths: &Paths) -> Result<Section, RenderError> {
    let length = paths.socket.as_os_str().as_bytes().len();
    if length > SOCKET_PATH_LIMIT {
        let socket = paths.socket.clone();
        return Err(RenderError::SocketPathTooLong {
            socket,
            length,
            limit: SOCKET_PATH_LIMIT,
        });
    }
    let mut section = Section::fixed("unix_http_server");
    section.path("file", &paths.socket, "")?;
    section.fact("chmod", "0700");
    Ok(section)
}

fn event_listener(listener: &EventListener) -> Result<Section, RenderError> {
    let mut section = Section::named("eventlistener", &listener.name)?;
    section.command(&listener.command)?;
    section.text("events", &listener.events.join(","))?;
    section.log_path("stderr_logfile", &listener.log_file)?;
    section.fact("stderr_logfile_maxbytes", "100KB");
    section.fact("stderr_logfile_backups", 1);
    section.fact("stdout_logfile", "NONE");
    section.environment(&listener.environment)?;
    Ok(section)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;

    fn settings(instance_root: &str) -> Settings {
        Settings::new(Paths::under(Path::new(instance_root)))
    }

    #[test]
    fn has_the_sections_that_other_tools_know() {
        let conf = render_supervisord_conf(&settings("/srv/slapgrid")).unwrap();
        let expected = "\
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[include]
files = /srv/slapgrid/etc/supervisord.conf.d/*.conf

[supervisorctl]
serverurl = unix:///srv/slapgrid/sv.sock

[supervisord]
loglevel = info
logfile = /srv/slapgrid/var/log/supervisord.log
logfile_maxbytes = 50MB
logfile_backups = 10
nodaemon = false
pidfile = /srv/slapgrid/var/run/supervisord.pid

[unix_http_server]
file = /srv/slapgrid/sv.sock
chmod = 0700

";
        assert_eq!(conf, expected);
    }

    #[test]
    fn event_listener_is_rendered_when_there_is_one() {
        let mut settings = settings("/srv/slapgrid");
        settings.event_listener = Some(EventListener {
            name: "watchdog".to_owned(),
            command: vec!["/opt/watch dog".to_owned(), "--master".to_owned()],
            events: vec![
                "PROCESS_STATE_EXITED".to_owned(),
                "PROCESS_STATE_FATAL".to_owned(),
            ],
            log_file: PathBuf::from("/srv/slapgrid/var/log/watchdog.log"),
            environment: vec![],
        });
        let conf = render_supervisord_conf(&settings).unwrap();
        let section = "\
[eventlistener:watchdog]
command = '/opt/watch dog' --master
events = PROCESS_STATE_EXITED,PROCESS_STATE_FATAL
";
        assert!(conf.contains(section), "{conf}");
    }

    #[test]
    fn percent_in_paths_is_escaped_everywhere() {
        let conf = render_supervisord_conf(&settings("/srv/50%")).unwrap();
        assert!(!conf.replace("%%", "").contains('%'), "{conf}");
    }

    #[test]
    fn hostile_instance_roots_are_refused() {
        for (root, problem) in [
            (
                "/srv/a\n[program:x]\ncommand=/bin/id",
                Problem::ControlCharacter,
            ),
            ("/srv/a ;b", Problem::Comment),
            ("srv/a", Problem::RelativePath),
        ] {
            let error = render_supervisord_conf(&settings(root)).unwrap_err();
            assert!(
                matches!(error, RenderError::Value { problem: p, .. } if p == problem),
                "{error}"
            );
        }
    }

    #[test]
    fn socket_paths_beyond_the_kernel_limit_are_refused() {
        let fits = format!(
            "/{}/sv.sock",
            "a".repeat(SOCKET_PATH_LIMIT - "//sv.sock".len())
        );
        let mut settings = settings("/srv/slapgrid");
        settings.paths.socket = PathBuf::from(&fits);
        assert!(render_supervisord_conf(&settings).is_ok());
        settings.paths.socket = PathBuf::from(format!("{fits}x"));
        let error = render_supervisord_conf(&settings).unwrap_err();
        assert!(
            matches!(
                error,
                RenderError::SocketPathTooLong {
                    length: 100,
                    limit: 99,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn an_old_socket_is_kept() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(
            Paths::detect(root.path()).socket,
            root.path().join("sv.sock")
        );
        std::os::unix::net::UnixListener::bind(root.path().join("supervisord.socket")).unwrap();
        assert_eq!(
            Paths::detect(root.path()).socket,
            root.path().join("supervisord.socket")
        );
    }
}
