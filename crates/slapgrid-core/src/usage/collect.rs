//! The usage of one partition: its programs run, its reports read.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use slap_proto::usage::Consumption;

use super::reports::{self, Place, Report};
use super::scripts;
use crate::context::PartitionContext;
use crate::layout::PartitionLayout;
use crate::outcome::{Done, Failure, Severity, error_chain};
use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::partition::directory::{self, DirectoryError};
use crate::plan::usage::{ObservedUsage, UsageSources};

/// A journal takes no more of a partition once it has that many bytes of its reports; the others
/// wait for the next one.
const MOST_BYTES: usize = 512 << 10;

/// What there is of one partition.
pub(super) struct Collected {
    pub(super) reports: Vec<Report>,
    /// Already logged and reported.
    pub(super) result: Result<Done, Failure>,
    /// How long that took.
    pub(super) elapsed: Duration,
}

/// The usage of a partition could not be collected, or not wholly.
#[derive(Debug, thiserror::Error)]
enum CollectError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("cannot collect the usage reports")]
    File(#[from] ConfinedError),
    #[error("{}", .0.join("\n"))]
    Scripts(Vec<String>),
    #[error("the collection of the usage reports was interrupted")]
    Interrupted,
}

impl CollectError {
    fn severity(&self) -> Severity {
        match self {
            Self::Interrupted => Severity::Interrupted,
            _ => Severity::Failed,
        }
    }
}

/// Where the usage of a partition would come from; [`None`] where that cannot be told.
pub(super) fn sources(layout: &PartitionLayout) -> ObservedUsage {
    let (directory, _) = directory::open(layout.directory()).ok()?;
    let shown = |name: OsString| name.to_string_lossy().into_owned();
    let programs = scripts::names(&directory).ok()?;
    let mut sources = UsageSources {
        programs: programs.into_iter().map(shown).collect(),
        ..UsageSources::default()
    };
    for place in Place::ALL {
        let Some(directory) = place.open(layout).ok()? else {
            continue;
        };
        for name in directory.names().ok()? {
            match read_one(layout, place, &directory, name.to_str()) {
                Ok(Some(_)) => sources.reports.push(shown(name)),
                Ok(None) => {}
                Err(_) => sources.invalid.push(shown(name)),
            }
        }
    }
    Some(sources)
}

/// Has a partition report its usage, and reads what it and the node have reported.
pub(super) fn collect(context: &PartitionContext<'_>) -> Collected {
    let clock = Instant::now();
    let mut reports = Vec::new();
    let result = fill(context, &mut reports);
    Collected {
        reports,
        elapsed: clock.elapsed(),
        result: result.map_err(|error| context.fail(error.severity(), &error, None)),
    }
}

/// Reports that were read count whatever goes wrong with others.
fn fill(context: &PartitionContext<'_>, reports: &mut Vec<Report>) -> Result<Done, CollectError> {
    let (directory, account) = directory::open(context.layout.directory())?;
    let failures = scripts::run_all(context, &directory, &account)?;
    if context.interruption.is_requested() {
        return Err(CollectError::Interrupted);
    }
    let mut done = Done::Wholly;
    for place in Place::ALL {
        if let Some(directory) = place.open(&context.layout)?
            && !read_all(context, place, &directory, reports)?
        {
            let why = "some usage reports wait for the next run";
            log::info!(target: context.layout.reference(), "{why}");
            done = Done::NotYet(why.to_owned());
        }
    }
    if failures.is_empty() {
        Ok(done)
    } else {
        Err(CollectError::Scripts(failures))
    }
}

/// Reads as many as a journal takes of one partition: whether that was all.
fn read_all(
    context: &PartitionContext<'_>,
    place: Place,
    directory: &ConfinedDirectory,
    reports: &mut Vec<Report>,
) -> Result<bool, ConfinedError> {
    let mut bytes = 0;
    for name in directory.names()? {
        if bytes >= MOST_BYTES {
            return Ok(false);
        }
        match read_one(&context.layout, place, directory, name.to_str()) {
            Ok(Some((report, length))) => {
                bytes += length;
                reports.push(report);
            }
            Ok(None) => {}
            Err(problem) => {
                let path = directory.path().join(&name);
                let reference = context.layout.reference();
                log::warn!(target: reference, "{} is no usage report and left as it is: {problem}", path.display());
            }
        }
    }
    Ok(true)
}

/// A valid report and its length, or what is wrong with the file; `None` if it went away.
fn read_one(
    layout: &PartitionLayout,
    place: Place,
    directory: &ConfinedDirectory,
    name: Option<&str>,
) -> Result<Option<(Report, usize)>, String> {
    let name = name.ok_or("its name is not UTF-8")?;
    let read = reports::read(directory, layout.reference(), place, name);
    let Some((key, contents)) = read.map_err(|error| error_chain(&error))? else {
        return Ok(None);
    };
    let consumption = Consumption::from_xml(&contents).map_err(|error| error.to_string())?;
    Ok(Some((Report { key, consumption }, contents.len())))
}
