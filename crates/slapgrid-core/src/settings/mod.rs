//! What slapgrid was told, by its options and slapos.cfg: merged, complete and checked.

mod from_config;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::options::Mode;
use crate::plan::partition::Periodicity;

pub use from_config::SettingsError;

/// Everything that a run of slapgrid depends on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the master calls this computer.
    pub computer_id: String,
    /// How the master is reached.
    pub master: MasterSettings,
    /// Where software releases are installed.
    pub software_root: PathBuf,
    /// Where partitions are.
    pub instance_root: PathBuf,
    /// supervisord's files and program.
    pub supervisord: supervisor::Settings,
    /// Whether supervisord is launched when it does not answer.
    pub launch_supervisord: bool,
    /// Held locked while slapgrid runs.
    pub pidfile: Option<PathBuf>,
    /// The start is delayed by a random time below this.
    pub maximal_delay: Duration,
    /// Where the partitions' certificates are kept; without it none are fetched.
    pub certificate_repository: Option<PathBuf>,
    /// What concerns software releases.
    pub software: SoftwareSettings,
    /// What concerns partitions.
    pub partition: PartitionSettings,
    /// Directories of parts that releases share, in the order in which they are searched.
    pub shared_part_list: Vec<String>,
    /// Prefixes of parts that are needed at build time only.
    pub build_time_part_list: Vec<String>,
    /// Holds a directory for each event, whose programs are told of it.
    pub hooks_directory: Option<PathBuf>,
    /// Where figures of the runs are written, for Prometheus.
    pub metrics_file: Option<PathBuf>,
    /// What to do, beyond what slapos.cfg can say.
    pub mode: Mode,
}

/// How the master is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterSettings {
    /// Its URL, as it was given.
    pub url: String,
    /// Checks its certificate, in place of the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// The computer's own certificate.
    pub certificate: Option<CertificateFiles>,
}

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What concerns software releases.
#[derive(Clone, Debug)]
pub struct SoftwareSettings {
    /// The buildout that bootstraps releases; without it, the one found in PATH.
    pub buildout: Option<PathBuf>,
    /// Bytes that must be free where a release is installed.
    pub minimum_free_space: u64,
    /// The only releases to look at, as MD5 names or URLs; none: all.
    pub only: Vec<String>,
    /// `name=value` pairs of the section networkcache that buildout is given.
    pub networkcache_options: Vec<(String, String)>,
    /// The binary cache.
    pub cache: netcache::Settings,
    /// How many releases are installed at the same time.
    pub jobs: NonZeroUsize,
}

/// What concerns partitions.
#[derive(Clone, Debug)]
pub struct PartitionSettings {
    /// Bytes that must be free where a partition is installed.
    pub minimum_free_space: u64,
    /// The only partitions to look at; none: all.
    pub only: Vec<String>,
    /// Time for each promise.
    pub promise_timeout: Duration,
    /// Time for the buildout of a partition; `None`: as long as it takes.
    pub timeout: Option<Duration>,
    /// When instances of releases that do not say are processed again.
    pub maximum_periodicity: Periodicity,
    /// How many partitions are processed at the same time.
    pub jobs: NonZeroUsize,
    /// Where instances keep data, told to their profiles.
    pub storage_home: Option<PathBuf>,
    /// The IPv4 network of the partitions, told to their profiles.
    pub ipv4_network: Option<String>,
}
