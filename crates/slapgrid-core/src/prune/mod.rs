//! Removing shared parts that nothing uses: `slapgrid-sr --prune`.
//!
//! Releases share what they have built in `SHARED/NAME/SIGNATURE`, below the last directory of
//! `shared_part_list`. A part is used while its signature stands anywhere in what tells of releases or
//! of other parts ([`sources`]): the rule of `slapos node prune`. In doubt a part is kept.

mod signatures;
mod sources;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use slapos_fs::{RemoveError, remove_tree};

use crate::outcome::error_chain;
use crate::run::{RunError, lock};
use crate::settings::Settings;
use signatures::Signatures;

/// How the name of a part begins that is being removed: neither buildout nor slapos.core takes such a
/// directory for a part, whole or not.
const REMOVED: &str = ".slapos-removed-";

/// It cannot be told which parts are unused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// There is nothing to look at.
    #[error("slapos.cfg has no shared_part_list")]
    NoSharedParts,
    /// What may use a part cannot be read; nothing is removed then.
    #[error("cannot tell what {} uses", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A part that cannot be removed.
#[derive(Debug, thiserror::Error)]
enum PartError {
    #[error("cannot rename {}", path.display())]
    Rename { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Remove(#[from] RemoveError),
}

/// What is to be removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PrunePlan {
    /// The directories of parts that nothing uses.
    pub unused: Vec<PathBuf>,
    /// What a run that was cut off has left of others.
    pub unfinished: Vec<PathBuf>,
}

impl PrunePlan {
    /// What would be done, for people: a text for each step.
    pub fn steps(&self) -> Vec<String> {
        let unused = self.unused.iter();
        let unused = unused.map(|path| format!("remove {}: nothing uses it", path.display()));
        let unfinished = self.unfinished.iter();
        let unfinished = unfinished.map(|path| format!("finish to remove {}", path.display()));
        unused.chain(unfinished).collect()
    }
}

/// What [`prune`] would remove. Releases in `more` count, too, as those of the software root.
///
/// # Errors
/// There are no shared parts, or something that may use one cannot be read.
pub fn plan_prune(settings: &Settings, more: &[PathBuf]) -> Result<PrunePlan, RunError> {
    Ok(plan(settings, more)?)
}

/// Removes the parts that nothing uses, while no release is installed. Says whether all could be
/// removed: what could not is logged.
///
/// # Errors
/// As [`plan_prune`], or another run holds the pid file; nothing is removed then.
pub fn prune(settings: &Settings, more: &[PathBuf]) -> Result<bool, RunError> {
    let _lock = lock(settings)?;
    let plan = plan(settings, more)?;
    let mut all = true;
    for path in &plan.unused {
        log::info!("removing {}: nothing uses it", path.display());
        all &= is_done(remove(path));
    }
    for path in &plan.unfinished {
        all &= is_done(remove_tree(path).map_err(PartError::from));
    }
    Ok(all)
}

fn is_done(result: Result<(), PartError>) -> bool {
    if let Err(error) = &result {
        log::error!("{}", error_chain(error));
    }
    result.is_ok()
}

/// Killed in between, it leaves nothing that has the name of a part.
fn remove(part: &Path) -> Result<(), PartError> {
    let name = part.file_name().unwrap_or_default();
    let mut removed = std::ffi::OsString::from(REMOVED);
    removed.push(name);
    let removed = part.with_file_name(removed);
    remove_tree(&removed)?;
    fs::rename(part, &removed).map_err(|source| PartError::Rename {
        path: part.to_owned(),
        source,
    })?;
    Ok(remove_tree(&removed)?)
}

fn plan(settings: &Settings, more: &[PathBuf]) -> Result<PrunePlan, PruneError> {
    let shared = settings.shared_part_list.last();
    let shared = Path::new(shared.ok_or(PruneError::NoSharedParts)?);
    let (unfinished, parts): (Vec<_>, Vec<_>) = sources::parts(shared)?
        .into_iter()
        .partition(|path| sources::has_prefix(path, REMOVED));
    let signatures = Signatures::of(&parts);
    let mut used = BTreeSet::new();
    let roots = more.iter().chain([&settings.software_root]);
    for root in roots {
        // One that is mistyped must not pass for one without releases.
        root.read_dir().map_err(|source| PruneError::Read {
            path: root.clone(),
            source,
        })?;
        sources::of_releases(root, &signatures, &mut used)?;
    }
    sources::of_instances(&settings.instance_root, &signatures, &mut used);
    let mut uses = Vec::new();
    for part in &parts {
        let mut of_part = BTreeSet::new();
        sources::of_part(part, &signatures, &mut of_part)?;
        uses.push(of_part);
    }
    let unused = unused(&used, &uses);
    let parts = parts.into_iter().enumerate();
    let unused = parts.filter(|(number, _)| unused.contains(number));
    Ok(PrunePlan {
        unused: unused.map(|(_, path)| path).collect(),
        unfinished,
    })
}

/// Of parts that each use others, those that nothing uses any more, once these are gone, too.
fn unused(used: &BTreeSet<usize>, uses: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut left: BTreeSet<usize> = (0..uses.len()).collect();
    loop {
        let by_parts = left.iter().filter_map(|part| uses.get(*part)).flatten();
        let wanted: BTreeSet<usize> = used.iter().chain(by_parts).copied().collect();
        let count = left.len();
        left.retain(|part| wanted.contains(part));
        if left.len() == count {
            return (0..uses.len())
                .filter(|part| !left.contains(part))
                .collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_unused_parts_use_is_unused() {
        let set = |numbers: &[usize]| numbers.iter().copied().collect::<BTreeSet<_>>();
        // 0 is used and uses 1; 2 uses 3, which uses 4 and 1.
        let uses = [set(&[1]), set(&[]), set(&[3]), set(&[4, 1]), set(&[])];
        assert_eq!(unused(&set(&[0]), &uses), set(&[2, 3, 4]));
        assert_eq!(unused(&set(&[0, 2]), &uses), set(&[]));
        assert_eq!(unused(&set(&[]), &uses), set(&[0, 1, 2, 3, 4]));
    }

    #[test]
    fn a_part_loses_its_name_before_its_files() {
        let root = tempfile::tempdir().unwrap();
        let part = root.path().join("part");
        fs::create_dir_all(part.join("bin")).unwrap();
        fs::create_dir(root.path().join(format!("{REMOVED}part"))).unwrap();
        remove(&part).unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
