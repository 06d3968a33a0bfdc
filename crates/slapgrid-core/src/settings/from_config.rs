//! From slapos.cfg and options to settings: all defaults are here.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use slapos_config::{ConfigFile, MissingParameters, Section, ValueError};
use supervisor::Paths;

use super::{CertificateFiles, MasterSettings, PartitionSettings, Settings, SoftwareSettings};
use crate::options::{CacheUse, Options};
use crate::plan::partition::Periodicity;
use crate::watchdog::Watchdog;

/// Below the instance root.
const WATCHDOG_LOG: &str = "var/log/watchdog.log";
const DEFAULT_MAXIMAL_DELAY: u64 = 300;
const DEFAULT_PROMISE_TIMEOUT: u64 = 20;
const DEFAULT_PERIODICITY: i64 = 86400;
/// For a release and for an instance.
const DEFAULT_FREE_SPACE: [&str; 2] = ["1000M", "1000M"];

/// Options of `[networkcache]` that buildout is given: those that it needs to upload. From where it
/// downloads is for the profile to say.
const NETWORKCACHE_OPTIONS: [&str; 9] = [
    "signature-private-key-file",
    "upload-cache-url",
    "upload-dir-url",
    "shacache-ca-file",
    "shacache-cert-file",
    "shacache-key-file",
    "shadir-ca-file",
    "shadir-cert-file",
    "shadir-key-file",
];

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A parameter cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Something must be given and is not.
    #[error(transparent)]
    Missing(#[from] MissingParameters),
    /// The binary cache cannot be used as it is configured.
    #[error(transparent)]
    Cache(#[from] netcache::SettingsError),
    /// A file or directory that a parameter names is not there.
    #[error("{parameter}: {} does not exist", path.display())]
    NoSuchFile {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        path: PathBuf,
    },
    /// It cannot be told whether it is there.
    #[error("{parameter}: cannot look for {}", path.display())]
    Unseen {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The machine has not been prepared, or by another configuration.
    #[error("{parameter}: {} does not exist; slapformat makes it", path.display())]
    NoSuchRoot {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        path: PathBuf,
    },
}

impl Settings {
    /// Merges options over `[slapos]`; checks that what must exist exists.
    ///
    /// # Errors
    /// A parameter is missing or wrong, or a file that it names does not exist.
    pub fn from_config(file: &ConfigFile, options: &Options) -> Result<Self, SettingsError> {
        let section = file.section("slapos");
        let Required {
            computer_id,
            master_url,
            software_root,
            instance_root,
        } = required(&section, options)?;
        for (parameter, path) in [
            ("software_root", &software_root),
            ("instance_root", &instance_root),
        ] {
            if !exists(parameter, path)? {
                let path = path.clone();
                return Err(SettingsError::NoSuchRoot { parameter, path });
            }
        }
        let (certificate, certificate_repository) = certificates(&section, options)?;
        let ca_file = path(
            &section,
            "master_ca_file",
            options.master_ca_file.as_deref(),
        )?;
        check_exists("master_ca_file", ca_file.as_deref())?;
        let whole = "a whole number of seconds";
        let delay = section.get_parsed("maximal_delay", whole)?;
        let delay = options
            .maximal_delay
            .or(delay)
            .or(options.default_maximal_delay)
            .unwrap_or(DEFAULT_MAXIMAL_DELAY);
        let mut supervisord = supervisord(&section, options, &instance_root)?;
        let watchdog = Watchdog {
            master_url: master_url.clone(),
            computer_id: computer_id.clone(),
            master_ca_file: ca_file.clone(),
            certificate_repository: certificate_repository.clone(),
            instance_root: Some(instance_root.clone()),
        };
        let log_file = instance_root.join(WATCHDOG_LOG);
        let program = options.watchdog.as_deref();
        supervisord.event_listener = program.map(|program| watchdog.listener(program, log_file));
        Ok(Self {
            computer_id,
            master: MasterSettings {
                url: master_url,
                ca_file,
                certificate,
            },
            supervisord,
            launch_supervisord: !section
                .get_bool("forbid_supervisord_automatic_launch")?
                .unwrap_or(false),
            pidfile: pidfile(&section, options)?,
            maximal_delay: Duration::from_secs(delay),
            certificate_repository,
            software: software(file, &section, options)?,
            partition: partition(&section, options)?,
            shared_part_list: section.get_lines("shared_part_list")?,
            build_time_part_list: section.get_lines("build_time_part_list")?,
            hooks_directory: hooks_directory(&section)?,
            metrics_file: metrics_file(&section, options)?,
            mode: options.mode,
            software_root,
            instance_root,
        })
    }
}

/// Tools that do one part of the work may have a pid file of their own.
fn pidfile(section: &Section<'_>, options: &Options) -> Result<Option<PathBuf>, ValueError> {
    let own = match (&options.pidfile, options.pidfile_key) {
        (Some(path), _) => return Ok(Some(path.clone())),
        (None, Some(key)) => section.get_path(key)?,
        (None, None) => None,
    };
    let configured = match own {
        Some(path) => Some(path),
        None => section.get_path("pidfile")?,
    };
    Ok(configured.or_else(|| options.default_pidfile.clone()))
}

fn hooks_directory(section: &Section<'_>) -> Result<Option<PathBuf>, SettingsError> {
    let directory = section.get_path("hooks_directory")?;
    check_exists("hooks_directory", directory.as_deref())?;
    Ok(directory)
}

fn metrics_file(
    section: &Section<'_>,
    options: &Options,
) -> Result<Option<PathBuf>, SettingsError> {
    let file = path(section, "metrics_file", options.metrics_file.as_deref())?;
    // A bare name is in the directory where we are.
    let directory = file.as_deref().and_then(Path::parent);
    let directory = directory.filter(|directory| !directory.as_os_str().is_empty());
    check_exists("metrics_file", directory)?;
    Ok(file)
}

struct Required {
    computer_id: String,
    master_url: String,
    software_root: PathBuf,
    instance_root: PathBuf,
}

/// The parameters without which nothing works; all that are missing are named at once.
fn required(section: &Section<'_>, options: &Options) -> Result<Required, SettingsError> {
    let text = |key: &str, option: Option<&String>| match option {
        Some(value) => Ok(Some(value.clone())),
        None => section.get_text(key),
    };
    let computer_id = text("computer_id", options.computer_id.as_ref())?;
    let master_url = text("master_url", options.master_url.as_ref())?;
    let software_root = path(section, "software_root", options.software_root.as_deref())?;
    let instance_root = path(section, "instance_root", options.instance_root.as_deref())?;
    match (computer_id, master_url, software_root, instance_root) {
        (Some(computer_id), Some(master_url), Some(software_root), Some(instance_root)) => {
            Ok(Required {
                computer_id,
                master_url,
                software_root,
                instance_root,
            })
        }
        (computer_id, master_url, software_root, instance_root) => {
            let missing = [
                computer_id.is_none().then_some("computer_id"),
                master_url.is_none().then_some("master_url"),
                software_root.is_none().then_some("software_root"),
                instance_root.is_none().then_some("instance_root"),
            ];
            Err(MissingParameters(missing.into_iter().flatten().collect()).into())
        }
    }
}

/// The computer's certificate, which needs its key and a place for those of the partitions.
fn certificates(
    section: &Section<'_>,
    options: &Options,
) -> Result<(Option<CertificateFiles>, Option<PathBuf>), SettingsError> {
    let certificate = path(section, "cert_file", options.cert_file.as_deref())?;
    let key = path(section, "key_file", options.key_file.as_deref())?;
    let option = options.certificate_repository_path.as_deref();
    let repository = path(section, "certificate_repository_path", option)?;
    let files = [
        ("cert_file", &certificate),
        ("key_file", &key),
        ("certificate_repository_path", &repository),
    ];
    for (parameter, path) in files {
        check_exists(parameter, path.as_deref())?;
    }
    let wanted = certificate.is_some() || key.is_some();
    let missing: Vec<_> = files
        .iter()
        .filter(|(_, path)| wanted && path.is_none())
        .map(|(name, _)| *name)
        .collect();
    if !missing.is_empty() {
        return Err(MissingParameters(missing).into());
    }
    let pair = certificate
        .zip(key)
        .map(|(certificate, key)| CertificateFiles { certificate, key });
    Ok((pair, repository))
}

fn supervisord(
    section: &Section<'_>,
    options: &Options,
    instance_root: &Path,
) -> Result<supervisor::Settings, SettingsError> {
    let mut paths = Paths::detect(instance_root);
    let socket = path(
        section,
        "supervisord_socket",
        options.supervisord_socket.as_deref(),
    )?;
    paths.socket = socket.unwrap_or(paths.socket);
    let option = options.supervisord_configuration_path.as_deref();
    let configuration = path(section, "supervisord_configuration_path", option)?;
    paths.configuration = configuration.unwrap_or(paths.configuration);
    let mut settings = supervisor::Settings::new(paths);
    if let Some(program) = section.get_path("supervisord")? {
        settings.program = program;
    }
    Ok(settings)
}

fn software(
    file: &ConfigFile,
    section: &Section<'_>,
    options: &Options,
) -> Result<SoftwareSettings, SettingsError> {
    let networkcache = file.section("networkcache");
    let mut networkcache_options = Vec::new();
    for key in NETWORKCACHE_OPTIONS {
        if let Some(value) = networkcache.get_text(key)? {
            networkcache_options.push((key.to_owned(), value));
        }
    }
    Ok(SoftwareSettings {
        buildout: path(section, "buildout", options.buildout.as_deref())?,
        minimum_free_space: space(section, "software_min_free_space", DEFAULT_FREE_SPACE[0])?,
        only: options.only_sr.clone(),
        networkcache_options,
        cache: cache(file, options)?,
        jobs: jobs(options, NonZeroUsize::MIN),
    })
}

/// Only one debugger at a time can have the terminal.
fn jobs(options: &Options, default: NonZeroUsize) -> NonZeroUsize {
    match options.mode.buildout_debug {
        true => NonZeroUsize::MIN,
        false => options.jobs.unwrap_or(default),
    }
}

/// Who has nothing to do with releases needs no cache that can be used.
fn cache(file: &ConfigFile, options: &Options) -> Result<netcache::Settings, SettingsError> {
    let key = options.signature_private_key_file.as_deref();
    if options.cache != CacheUse::None {
        check_exists("signature_private_key_file", key)?;
    }
    Ok(match options.cache {
        CacheUse::None => netcache::Settings::default(),
        CacheUse::Servers => netcache::Settings::from_config(file, key)?,
        CacheUse::Export => netcache::Settings::for_signing(file, key)?,
        CacheUse::Import => netcache::Settings::for_reading(file)?,
    })
}

fn partition(section: &Section<'_>, options: &Options) -> Result<PartitionSettings, SettingsError> {
    let whole = "a whole number of seconds";
    let promise_timeout = section.get_parsed("promise_timeout", whole)?;
    let promise_timeout = options.promise_timeout.or(promise_timeout);
    let timeout = section.get_parsed("partition_timeout", whole)?;
    let timeout = options.partition_timeout.or(timeout);
    let periodicity = section.get_parsed("maximum_periodicity", whole)?;
    let periodicity = options.maximum_periodicity.or(periodicity);
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(PartitionSettings {
        minimum_free_space: space(section, "instance_min_free_space", DEFAULT_FREE_SPACE[1])?,
        only: options.only_cp.clone(),
        promise_timeout: Duration::from_secs(promise_timeout.unwrap_or(DEFAULT_PROMISE_TIMEOUT)),
        timeout: timeout.map(Duration::from_secs),
        maximum_periodicity: Periodicity::from_seconds(periodicity.unwrap_or(DEFAULT_PERIODICITY)),
        jobs: jobs(options, cores),
        storage_home: section.get_path("instance_storage_home")?,
        ipv4_network: section.get_text("ipv4_global_network")?,
    })
}

fn path(
    section: &Section<'_>,
    key: &str,
    option: Option<&Path>,
) -> Result<Option<PathBuf>, ValueError> {
    match option {
        Some(path) => Ok(Some(path.to_owned())),
        None => section.get_path(key),
    }
}

/// Whether a path is there, as far as this user may see.
fn exists(parameter: &'static str, path: &Path) -> Result<bool, SettingsError> {
    let exists = path.try_exists();
    exists.map_err(|source| SettingsError::Unseen {
        parameter,
        path: path.to_owned(),
        source,
    })
}

fn check_exists(parameter: &'static str, path: Option<&Path>) -> Result<(), SettingsError> {
    match path {
        Some(path) if !exists(parameter, path)? => Err(SettingsError::NoSuchFile {
            parameter,
            path: path.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Bytes, or a number with one of the units K, M, G, T.
fn space(section: &Section<'_>, key: &str, default: &str) -> Result<u64, ValueError> {
    let text = section.get_text(key)?.unwrap_or_else(|| default.to_owned());
    let (digits, exponent) = match text.to_ascii_uppercase().chars().last() {
        Some('K') => (&text[..text.len() - 1], 1),
        Some('M') => (&text[..text.len() - 1], 2),
        Some('G') => (&text[..text.len() - 1], 3),
        Some('T') => (&text[..text.len() - 1], 4),
        _ => (text.as_str(), 0),
    };
    let bytes = digits
        .trim()
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(1024_u64.pow(exponent)));
    bytes.ok_or_else(|| section.wrong(key, text.clone(), "a size such as 1000M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(extra: &str) -> Result<Settings, SettingsError> {
        let text = format!(
            "[slapos]\ncomputer_id = C\nmaster_url = http://m/\nsoftware_root = /tmp\ninstance_root = /tmp\n{extra}"
        );
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
        Settings::from_config(&file, &Options::default())
    }

    #[test]
    fn defaults() {
        let settings = settings("").unwrap();
        assert_eq!(settings.partition.promise_timeout, Duration::from_secs(20));
        assert_eq!(settings.software.minimum_free_space, 1000 << 20);
        assert_eq!(settings.supervisord.paths.socket, Path::new("/tmp/sv.sock"));
        assert!(settings.launch_supervisord);
    }

    #[test]
    fn options_win() {
        let file = ConfigFile::parse(
            Path::new("slapos.cfg"),
            b"[slapos]\ncomputer_id = C\nmaster_url = http://m/\nsoftware_root = /nowhere\ninstance_root = /tmp",
        );
        let options = Options {
            software_root: Some("/tmp".into()),
            computer_id: Some("D".to_owned()),
            ..Options::default()
        };
        let settings = Settings::from_config(&file.unwrap(), &options).unwrap();
        assert_eq!(settings.computer_id, "D");
        assert_eq!(settings.software_root, Path::new("/tmp"));
    }

    #[test]
    fn each_part_of_the_work_may_have_its_pid_file() {
        let text = "[slapos]\ncomputer_id = C\nmaster_url = http://m/\nsoftware_root = /tmp\n\
            instance_root = /tmp\npidfile = /run/all.pid\npidfile_report = /run/ur.pid\n";
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
        for (key, option, expected) in [
            (None, None, "/run/all.pid"),
            (Some("pidfile_software"), None, "/run/all.pid"),
            (Some("pidfile_report"), None, "/run/ur.pid"),
            (
                Some("pidfile_report"),
                Some("/run/mine.pid"),
                "/run/mine.pid",
            ),
        ] {
            let options = Options {
                pidfile_key: key,
                pidfile: option.map(PathBuf::from),
                ..Options::default()
            };
            let settings = Settings::from_config(&file, &options).unwrap();
            assert_eq!(settings.pidfile.as_deref(), Some(Path::new(expected)));
        }
    }

    #[test]
    fn a_root_that_is_not_there_is_slapformats_to_make() {
        let text = "[slapos]\ncomputer_id = C\nmaster_url = http://m/\nsoftware_root = /tmp\n\
                    instance_root = /no/such";
        let file = ConfigFile::parse(Path::new("f"), text.as_bytes()).unwrap();
        let error = Settings::from_config(&file, &Options::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "instance_root: /no/such does not exist; slapformat makes it"
        );
    }

    #[test]
    fn mistakes_are_named() {
        let table = [
            (
                "key_file = /etc/passwd",
                "cert_file, certificate_repository_path",
            ),
            ("cert_file = /no/such", "cert_file: /no/such does not exist"),
            (
                "cert_file = /etc/passwd/x",
                "cert_file: cannot look for /etc/passwd/x",
            ),
            ("promise_timeout = soon", "soon"),
            ("software_min_free_space = much", "much"),
            ("hooks_directory = /no/such", "hooks_directory: /no/such"),
            ("forbid_supervisord_automatic_launch = perhaps", "perhaps"),
        ];
        for (extra, part) in table {
            let error = settings(extra).unwrap_err().to_string();
            assert!(error.contains(part), "{extra:?}: {error}");
        }
        let file = ConfigFile::parse(Path::new("f"), b"[other]\n").unwrap();
        let error = Settings::from_config(&file, &Options::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "missing parameters: computer_id, master_url, software_root, instance_root"
        );
    }
}
