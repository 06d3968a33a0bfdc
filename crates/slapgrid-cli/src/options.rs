//! The options of the slapgrid tools.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use slapgrid_core::Phase;
use slapgrid_core::options::{CacheUse, Mode, Options};
use slapos_cli::{LogFormat, LogOptions, Verbosity};

use crate::Caller;

/// For the help of whoever takes [`RunOptions`].
pub const EXIT_CODES: &str = "\
Exit codes:
   0  all is as the master wants it; with --dry-run: there is nothing to change
   1  something failed
   2  only promises failed; or the command line is wrong, or a parameter is missing
   3  the master failed, and the services that are known were started
   4  with --dry-run: something is to be changed
  10  another run is under way";

/// What was typed; each tool says itself what it does
#[derive(Debug, clap::Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: RunOptions,
    #[command(flatten)]
    log: LogArguments,
    /// slapos.cfg
    pub(crate) configuration_file: PathBuf,
}

/// Where and how the tools log.
#[derive(Debug, clap::Args)]
struct LogArguments {
    /// Log to this file
    #[arg(long, value_name = "FILE")]
    logfile: Option<PathBuf>,
    /// Log to standard error, too
    #[arg(short, long)]
    console: bool,
    /// Log details
    #[arg(short, long)]
    verbose: bool,
    /// Log warnings and errors only, and show no progress
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// How a line of the log looks
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

impl Arguments {
    /// As the log wants it.
    pub(crate) fn log_options(&self) -> LogOptions {
        let log = &self.log;
        LogOptions {
            verbosity: Verbosity::from_flags(log.quiet, log.verbose),
            console: log.console,
            file: log.logfile.clone(),
            format: log.log_format,
        }
    }
}

/// What a run shall do, where slapos.cfg does not say it.
#[derive(Debug, Default, clap::Args)]
pub struct RunOptions {
    /// Where partitions are
    #[arg(long, value_name = "DIRECTORY")]
    instance_root: Option<PathBuf>,
    /// Where software releases are installed
    #[arg(long, value_name = "DIRECTORY")]
    software_root: Option<PathBuf>,
    /// URL of the master
    #[arg(long, value_name = "URL")]
    master_url: Option<String>,
    /// Reference of this computer
    #[arg(long, value_name = "ID")]
    computer_id: Option<String>,
    /// Socket of supervisord
    #[arg(long, value_name = "FILE")]
    supervisord_socket: Option<PathBuf>,
    /// Configuration of supervisord
    #[arg(long, value_name = "FILE")]
    supervisord_configuration_path: Option<PathBuf>,
    /// The buildout that bootstraps releases
    #[arg(long, value_name = "FILE")]
    buildout: Option<PathBuf>,
    /// Held locked, so that only one run is under way
    #[arg(long, value_name = "FILE")]
    pidfile: Option<PathBuf>,
    /// Private key of the computer
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Certificate of the computer
    #[arg(long, value_name = "FILE")]
    cert_file: Option<PathBuf>,
    /// Key that signs what is uploaded to the binary cache
    #[arg(long, value_name = "FILE")]
    signature_private_key_file: Option<PathBuf>,
    /// Trust only the authorities of this file
    #[arg(long, value_name = "FILE")]
    master_ca_file: Option<PathBuf>,
    /// Where certificates of partitions are kept
    #[arg(long, value_name = "DIRECTORY")]
    certificate_repository_path: Option<PathBuf>,
    /// Write figures of the runs to this file, for the textfile collector of Prometheus
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
    /// Process instances again after this time; negative: never
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    maximum_periodicity: Option<i64>,
    /// Time for each promise
    #[arg(long, value_name = "SECONDS")]
    promise_timeout: Option<u64>,
    /// Time for the buildout of each partition
    #[arg(long, value_name = "SECONDS")]
    partition_timeout: Option<u64>,
    /// Longest delay of a run without terminal
    #[arg(long, value_name = "SECONDS")]
    maximal_delay: Option<u64>,
    /// How many releases (else one) or partitions (else one for each core) are worked on at the
    /// same time
    #[arg(long, value_name = "NUMBER", value_parser = jobs)]
    jobs: Option<NonZeroUsize>,
    /// At once, without the random delay of a run without terminal
    #[arg(long)]
    pub(crate) now: bool,
    /// Process what is up to date, and let buildout look for newer versions
    #[arg(long)]
    develop: bool,
    /// Process what is up to date
    #[arg(long, visible_alias = "all")]
    force: bool,
    /// Stop the services, whatever the master wants
    #[arg(long)]
    force_stop: bool,
    /// Remove releases that the master does not name
    #[arg(long)]
    garbage_collect: bool,
    /// Let buildout start its debugger on errors, on the terminal, one at a time
    #[arg(long)]
    buildout_debug: bool,
    /// Only say what a run would do: exit code 0 if nothing, 4 if something is to be changed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only check the promises of the instances that shall run; the master is told nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) promises_only: bool,
    /// After the start of the machine, when slapformat has run: starts the services that are known,
    /// waits for the master, tells it, and has every instance processed again
    #[arg(long, conflicts_with_all = ["dry_run", "promises_only"])]
    pub(crate) boot: bool,
    /// Only show what runs here and which promises are kept: exit code 1 if something does not run,
    /// 2 if only promises are broken
    #[arg(long, conflicts_with_all = ["boot", "dry_run", "promises_only"])]
    pub(crate) status: bool,
    /// Print what became of the run as one JSON document; with --dry-run the plan, with --status
    /// the status
    #[arg(long)]
    pub(crate) json: bool,
    /// Stay, and work again after this time, 60 seconds unless another is given; at once on SIGHUP,
    /// which has slapos.cfg read again
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "60",
        value_parser = interval,
        conflicts_with_all = [
            "dry_run", "status", "json", "develop", "force", "force_stop", "buildout_debug",
            "only_sr", "only_cp", "only",
        ]
    )]
    pub(crate) watch: Option<Duration>,
    /// slapgrid-sr only: write the installed releases into a file, signed, for nodes without network
    #[arg(long, value_name = "FILE", conflicts_with_all = EXCLUSIVE)]
    pub(crate) export_bundle: Option<PathBuf>,
    /// slapgrid-sr only: install the releases of such a file that are for this node, without a master;
    /// the next run tells it
    #[arg(long, value_name = "FILE", conflicts_with_all = EXCLUSIVE, conflicts_with = "export_bundle")]
    pub(crate) import_bundle: Option<PathBuf>,
    /// slapgrid-sr only: only remove the shared parts that nothing uses
    #[arg(long, conflicts_with_all = ["boot", "promises_only", "status", "watch", "json",
        "export_bundle", "import_bundle"])]
    pub(crate) prune: bool,
    /// With --prune: releases in this directory use shared parts, too; may be given several times
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) additional_software_directory: Vec<PathBuf>,
    /// Only these releases (MD5 or URL), even if they are installed
    #[arg(long, value_name = "RELEASES", value_delimiter = ',')]
    only_sr: Vec<String>,
    /// Only these partitions, even if they are up to date
    #[arg(long, value_name = "PARTITIONS", value_delimiter = ',')]
    only_cp: Vec<String>,
    /// As --only-sr for slapgrid-sr, as --only-cp for the other tools
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
}

fn jobs(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse()
        .map_err(|_| "expected a whole number, 1 or more")
}

/// Longest interval of passes, in seconds: longer ones are a mistake.
const LONGEST_INTERVAL: f64 = 7.0 * 86400.0;

fn interval(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok();
    let seconds = seconds.filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST_INTERVAL);
    let interval = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    interval.ok_or("expected a number of seconds, more than 0 and at most a week")
}

/// What has a run of its own.
const EXCLUSIVE: [&str; 5] = ["boot", "dry_run", "promises_only", "status", "watch"];

impl RunOptions {
    /// Those of a run after the start of the machine that leaves the rest to slapos.cfg.
    pub fn boot() -> Self {
        Self {
            boot: true,
            ..Self::default()
        }
    }

    /// Has promises checked, and nothing else done.
    pub fn only_promises(&mut self) {
        self.promises_only = true;
    }

    /// Has unused shared parts removed, and nothing else done.
    pub fn only_prune(&mut self) {
        self.prune = true;
    }

    /// Whether buildout may need the terminal.
    pub(crate) fn debugs_buildout(&self) -> bool {
        self.buildout_debug
    }

    /// What is typed by mistake for a tool that does these phases.
    pub(crate) fn contradiction(&self, phases: &[Phase]) -> Option<&'static str> {
        let is_software = phases == [Phase::Software];
        let bundle = self.export_bundle.is_some() || self.import_bundle.is_some();
        if bundle && !is_software {
            Some("only slapgrid-sr exports and imports bundles")
        } else if self.prune && !is_software {
            Some("only slapgrid-sr prunes shared parts")
        } else if !self.prune && !self.additional_software_directory.is_empty() {
            Some("--additional-software-directory is for --prune only")
        } else {
            None
        }
    }

    /// Of the binary cache, what a tool that does these phases needs.
    fn cache_use(&self, phases: &[Phase]) -> CacheUse {
        let elsewhere = self.status || self.promises_only || self.prune;
        if self.export_bundle.is_some() {
            CacheUse::Export
        } else if self.import_bundle.is_some() {
            CacheUse::Import
        } else if phases.contains(&Phase::Software) && !elsewhere {
            CacheUse::Servers
        } else {
            CacheUse::None
        }
    }

    /// As the core wants them, for whoever calls.
    pub(crate) fn of(&self, caller: &Caller) -> Options {
        let phases = caller.tool().phases;
        let (mut only_sr, mut only_cp) = (self.only_sr.clone(), self.only_cp.clone());
        let only = match phases {
            [Phase::Software] => &mut only_sr,
            _ => &mut only_cp,
        };
        only.extend(self.only.iter().cloned());
        Options {
            instance_root: self.instance_root.clone(),
            software_root: self.software_root.clone(),
            master_url: self.master_url.clone(),
            computer_id: self.computer_id.clone(),
            supervisord_socket: self.supervisord_socket.clone(),
            supervisord_configuration_path: self.supervisord_configuration_path.clone(),
            watchdog: crate::watchdog::program(),
            buildout: self.buildout.clone(),
            pidfile: self.pidfile.clone(),
            pidfile_key: caller.pidfile_key(),
            default_pidfile: caller.default_pidfile(),
            key_file: self.key_file.clone(),
            cert_file: self.cert_file.clone(),
            signature_private_key_file: self.signature_private_key_file.clone(),
            cache: self.cache_use(phases),
            master_ca_file: self.master_ca_file.clone(),
            certificate_repository_path: self.certificate_repository_path.clone(),
            promise_timeout: self.promise_timeout,
            partition_timeout: self.partition_timeout,
            maximal_delay: self.maximal_delay,
            default_maximal_delay: caller.default_maximal_delay(),
            maximum_periodicity: self.maximum_periodicity,
            jobs: self.jobs,
            metrics_file: self.metrics_file.clone(),
            only_sr,
            only_cp,
            mode: Mode {
                force: self.force,
                develop: self.develop,
                force_stop: self.force_stop,
                garbage_collect: self.garbage_collect,
                buildout_debug: self.buildout_debug,
                boot: self.boot,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_jobs_are_none() {
        assert_eq!(jobs("3"), Ok(NonZeroUsize::new(3).unwrap()));
        for text in ["0", "-1", "many", ""] {
            assert!(jobs(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_interval_of_no_use_is_refused() {
        for text in ["0", "-1", "nan", "inf", "1e9", "soon", ""] {
            assert!(interval(text).is_err(), "{text:?}");
        }
    }
}
