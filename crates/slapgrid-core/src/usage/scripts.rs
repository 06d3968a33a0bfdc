//! The programs by which an instance reports its usage.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;

use slapos_fs::{FileAttributes, Owner};

use crate::context::PartitionContext;
use crate::environment::Environment;
use crate::outcome::error_chain;
use crate::partition::confined::{ConfinedDirectory, ConfinedError};
use crate::process::{self, Account, ProcessError, Program};
use crate::random;

/// Bits of a mode that let somebody execute a file.
const EXECUTABLE: u32 = 0o111;

/// The names of the programs of `etc/report`.
pub(super) fn names(directory: &ConfinedDirectory) -> Result<Vec<OsString>, ConfinedError> {
    match directory.below(&["etc", "report"])? {
        Some(place) => programs(&place),
        None => Ok(Vec::new()),
    }
}

/// Runs the programs of `etc/report`, each with the path of the file that it is to write. Returns
/// what went wrong, one message for each program that failed.
pub(super) fn run_all(
    context: &PartitionContext<'_>,
    directory: &ConfinedDirectory,
    account: &Account,
) -> Result<Vec<String>, ConfinedError> {
    let Some(place) = directory.below(&["etc", "report"])? else {
        return Ok(Vec::new());
    };
    let names = programs(&place)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (uid, gid) = account.ids();
    let attributes = FileAttributes {
        mode: 0o750,
        owner: Some(Owner { uid, gid }),
    };
    let reports = directory
        .ensure("var", attributes)?
        .ensure("xml_report", attributes)?;
    let mut failures = Vec::new();
    for name in names {
        if context.interruption.is_requested() {
            break;
        }
        let file = reports.path().join(format!("slapreport.{:08x}", random()));
        let run = run(context, &place, &name, file.into_os_string(), account);
        if let Err(error) = run {
            let name = name.to_string_lossy();
            failures.push(format!("Script {name:?} failed: {}", error_chain(&error)));
        }
    }
    Ok(failures)
}

/// Programs, and links, which may lead to some; other files are none.
fn programs(place: &ConfinedDirectory) -> Result<Vec<OsString>, ConfinedError> {
    let mut programs = Vec::new();
    for name in place.names()? {
        let Some(found) = place.metadata(&name)? else {
            continue;
        };
        let can_run = found.is_file() && found.permissions().mode() & EXECUTABLE != 0;
        if can_run || found.is_symlink() {
            programs.push(name);
        }
    }
    Ok(programs)
}

fn run(
    context: &PartitionContext<'_>,
    place: &ConfinedDirectory,
    name: &OsStr,
    file: OsString,
    account: &Account,
) -> Result<(), ProcessError> {
    let environment = Environment::clean(context.layout.directory());
    let mut program = Program::new(place.path().join(name), [file], place.path(), environment);
    program.account = Some(account.clone());
    program.timeout = context.settings.partition.timeout;
    let finished = process::run(&program, context.interruption, &mut |line| {
        log::info!(target: context.layout.reference(), "{}", line.text);
    })?;
    finished.into_success().map(drop)
}

/// Two runs shall not write to the same file.
fn random() -> u32 {
    let [.., a, b, c, d] = random::number().to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
