//! What was typed on the command line, as plain data: nothing here is checked yet.

use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The options of slapgrid. Those that are `None` or empty leave the word to slapos.cfg.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where partitions are.
    pub instance_root: Option<PathBuf>,
    /// Where software releases are installed.
    pub software_root: Option<PathBuf>,
    /// The URL of the master.
    pub master_url: Option<String>,
    /// What the master calls this computer.
    pub computer_id: Option<String>,
    /// The socket of supervisord.
    pub supervisord_socket: Option<PathBuf>,
    /// supervisord.conf.
    pub supervisord_configuration_path: Option<PathBuf>,
    /// The program that supervisord starts to watch services; without it they are not watched.
    pub watchdog: Option<PathBuf>,
    /// The buildout that bootstraps releases.
    pub buildout: Option<PathBuf>,
    /// Held locked while slapgrid runs.
    pub pidfile: Option<PathBuf>,
    /// The key of slapos.cfg that names it in place of `pidfile`: `pidfile_software`,
    /// `pidfile_instance` or `pidfile_report`.
    pub pidfile_key: Option<&'static str>,
    /// The same, where neither that nor slapos.cfg names it.
    pub default_pidfile: Option<PathBuf>,
    /// The private key of the computer's certificate.
    pub key_file: Option<PathBuf>,
    /// The computer's certificate.
    pub cert_file: Option<PathBuf>,
    /// Signs what is uploaded to the binary cache.
    pub signature_private_key_file: Option<PathBuf>,
    /// What the binary cache is wanted for.
    pub cache: CacheUse,
    /// The certificate authorities that the master's certificate is checked against.
    pub master_ca_file: Option<PathBuf>,
    /// Where the partitions' certificates are kept.
    pub certificate_repository_path: Option<PathBuf>,
    /// Seconds that each promise may take.
    pub promise_timeout: Option<u64>,
    /// Seconds that the buildout of each partition may take.
    pub partition_timeout: Option<u64>,
    /// Seconds that the start is delayed by at most.
    pub maximal_delay: Option<u64>,
    /// The same, where neither that nor slapos.cfg says it.
    pub default_maximal_delay: Option<u64>,
    /// Seconds after which an instance is processed although nothing changed; negative: never.
    pub maximum_periodicity: Option<i64>,
    /// How many releases or partitions are worked on at the same time.
    pub jobs: Option<NonZeroUsize>,
    /// Where figures of the runs are written.
    pub metrics_file: Option<PathBuf>,
    /// MD5 names or URLs of the only releases to look at; they are installed even if completed.
    pub only_sr: Vec<String>,
    /// The only partitions to look at; they are processed even if up to date.
    pub only_cp: Vec<String>,
    /// Work: what to do, beyond what slapos.cfg can say.
    pub mode: Mode,
}

/// What the binary cache is wanted for: that much of its configuration must be usable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// For nothing: no releases are worked on.
    #[default]
    None,
    /// For releases from and to its servers.
    Servers,
    /// For a bundle that is written, and signed.
    Export,
    /// For a bundle that is read, and verified.
    Import,
}

/// Switches that exist on the command line only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// Process what is up to date too.
    pub force: bool,
    /// Like `force`; moreover buildout may look for newer versions.
    pub develop: bool,
    /// Stop the services of the partitions, whatever the master says.
    pub force_stop: bool,
    /// Remove releases that the master does not name.
    pub garbage_collect: bool,
    /// Let buildout start its debugger on errors.
    pub buildout_debug: bool,
    /// The machine was just started: nothing of what was processed before holds.
    pub boot: bool,
}
