//! Passwords that are not in the URI: of `PGPASSWORD`, or of a file with lines
//! `HOST:PORT:DATABASE:USER:PASSWORD` that `passfile`, `PGPASSFILE` or `~/.pgpass` names.
//!
//! Source: PostgreSQL's documentation, chapters 34.15 and 34.16.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Once;

use nix::fcntl::OFlag;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::error::with_causes;

/// The file of passwords cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// It cannot be read.
    #[error("cannot read the passwords in {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may have read it, or it is no file.
    #[error("{path} is no file of passwords for its owner alone: its mode must be 0600")]
    Open {
        /// The file.
        path: PathBuf,
    },
}

/// Where libpq has its sockets unless it is told otherwise, as it is built by its authors and by
/// distributions. In a file of passwords, `localhost` is another name for it.
const SOCKETS: [&str; 3] = ["/tmp", "/run/postgresql", "/var/run/postgresql"];

/// The passwords that are known.
#[derive(Debug, Default)]
pub(super) struct Passwords {
    /// That of the environment, for every host.
    common: Option<Vec<u8>>,
    /// The lines of a file; the first that fits a host counts for it.
    lines: String,
}

impl Passwords {
    /// Reads them. As in libpq, a file that only the environment names, or nobody, is passed over if
    /// it is not there, or if others may have read it.
    ///
    /// # Errors
    /// `passfile` cannot be used.
    pub(super) fn read(passfile: Option<&Path>) -> Result<Self, PasswordError> {
        if let Some(path) = passfile {
            return read(path).map(Self::of_lines);
        }
        if let Some(password) = env::var_os("PGPASSWORD") {
            return Ok(Self {
                common: Some(password.into_vec()),
                lines: String::new(),
            });
        }
        let named = env::var_os("PGPASSFILE").map(PathBuf::from);
        let lines = match named.or_else(of_home) {
            Some(path) => read_if_safe(&path),
            None => String::new(),
        };
        Ok(Self::of_lines(lines))
    }

    fn of_lines(lines: String) -> Self {
        Self {
            common: None,
            lines,
        }
    }

    /// The password for a database on a host, of which there is one.
    pub(super) fn of(&self, config: &Config) -> Option<Vec<u8>> {
        let mut lines = self.lines.lines();
        let of_file = || {
            lines
                .find_map(|line| password(line, config))
                .map(String::into_bytes)
        };
        self.common.clone().or_else(of_file)
    }
}

fn of_home() -> Option<PathBuf> {
    env::var_os("HOME").map(|home| Path::new(&home).join(".pgpass"))
}

/// What a file holds that need not be used.
fn read_if_safe(path: &Path) -> String {
    read(path).unwrap_or_else(|error| {
        if !error.is_of_absence() {
            // Each connection reads it again.
            static TOLD: Once = Once::new();
            TOLD.call_once(|| log::warn!("{}; it is not used", with_causes(&error)));
        }
        String::new()
    })
}

fn read(path: &Path) -> Result<String, PasswordError> {
    let failed = |source| PasswordError::Read {
        path: path.to_owned(),
        source,
    };
    // One that is a pipe must not be waited for.
    let flags = OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path);
    let mut file = opened.map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let is_safe = metadata.is_file() && metadata.mode() & 0o077 == 0;
    if !is_safe {
        let path = path.to_owned();
        return Err(PasswordError::Open { path });
    }
    let mut lines = String::new();
    file.read_to_string(&mut lines).map_err(failed)?;
    Ok(lines)
}

/// The password of a line, if it is for this database.
fn password(line: &str, config: &Config) -> Option<String> {
    let fields: [String; 5] = fields(line).try_into().ok()?;
    let [host, port, database, user, password] = fields;
    let user_is = config.get_user().is_some_and(|name| fits(&user, name));
    let name = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    let is_meant = user_is && fits(&database, name) && fits_place(&host, &port, config);
    (is_meant && !line.starts_with('#')).then_some(password)
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern == "*" || pattern == text
}

fn fits_place(host: &str, port: &str, config: &Config) -> bool {
    let number = config.get_ports().first().copied().unwrap_or(5432);
    let is_host = config.get_hosts().first().is_some_and(|place| match place {
        Host::Tcp(name) => fits(host, name),
        Host::Unix(path) => path.to_str().is_some_and(|path| {
            fits(host, path) || (host == "localhost" && SOCKETS.contains(&path))
        }),
    });
    is_host && fits(port, &number.to_string())
}

impl PasswordError {
    fn is_of_absence(&self) -> bool {
        let absence = io::ErrorKind::NotFound;
        matches!(self, Self::Read { source, .. } if source.kind() == absence)
    }
}

/// What is between the colons; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let taken = match character {
            ':' => None,
            '\\' => characters.next(),
            other => Some(other),
        };
        match (taken, fields.last_mut()) {
            (Some(taken), Some(last)) => last.push(taken),
            _ => fields.push(String::new()),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::super::hosts;
    use super::*;

    fn found(lines: &str, uri: &str) -> Option<String> {
        let config = uri.parse().unwrap();
        let found = Passwords::of_lines(lines.to_owned()).of(&config);
        found.map(|password| String::from_utf8(password).unwrap())
    }

    #[test]
    fn the_first_line_that_fits_counts() {
        let lines = "# db:5432:proxy:u:comment\n\
            db:5433:proxy:u:other port\n\
            db:5432:proxy:u:a\\:b\\\\c\n\
            *:*:*:v:any\n\
            /run/pg:*:*:*:socket\n\
            localhost:*:*:*:this machine\n";
        let cases = [
            ("postgresql://u@db/proxy", Some("a:b\\c")),
            ("postgresql://u@db:5433/proxy", Some("other port")),
            ("postgresql://u@db/other", None),
            ("postgresql://v@elsewhere/other", Some("any")),
            ("postgresql:///proxy?host=/run/pg&user=u", Some("socket")),
            (
                "postgresql:///proxy?host=/run/postgresql&user=u",
                Some("this machine"),
            ),
            ("postgresql:///proxy?host=/srv/other&user=u", None),
        ];
        for (uri, expected) in cases {
            assert_eq!(found(lines, uri).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn each_host_has_the_password_that_is_meant_for_it() {
        let lines = "two:*:*:*:second\none:1:*:*:first\n*:*:*:*:others\n";
        let passwords = Passwords::of_lines(lines.to_owned());
        let config = "postgresql://u@one:1,two:2,three:3/proxy".parse().unwrap();
        let found: Vec<_> = hosts::each(&config)
            .iter()
            .map(|host| passwords.of(host).unwrap())
            .collect();
        assert_eq!(found, ["first", "second", "others"].map(str::as_bytes));
    }

    #[test]
    fn a_password_may_be_of_any_bytes() {
        let passwords = Passwords {
            common: Some(b"\xFF".to_vec()),
            lines: String::new(),
        };
        let config = "postgresql://u@db/proxy".parse().unwrap();
        assert_eq!(passwords.of(&config).unwrap(), b"\xFF");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_or_passed_over() {
        use std::fs;
        use std::os::unix::fs::PermissionsExt;

        use nix::sys::stat::Mode;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pass");
        fs::write(&path, "*:*:*:u:secret\n").unwrap();
        for (mode, good) in [(0o644, false), (0o640, false), (0o600, true)] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(Passwords::read(Some(&path)).is_ok(), good, "{mode:o}");
            assert_eq!(!read_if_safe(&path).is_empty(), good, "{mode:o}");
        }
        fs::remove_file(&path).unwrap();
        let error = Passwords::read(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("pass"), "{error}");
        assert_eq!(read_if_safe(&path), "");
        // A pipe would be waited for.
        nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        assert!(Passwords::read(Some(&path)).is_err());
        let error = Passwords::read(Some(Path::new("/dev/null"))).unwrap_err();
        assert!(error.to_string().contains("/dev/null"), "{error}");
    }
}
