//! `cargo xtask reproduce`: two builds in different directories, compared byte by byte.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use super::build;
use super::dist::{copy_sources, emptied};
use crate::places;

/// Builds tools here and from a copy of the sources, all of them unless some are named.
pub(crate) fn reproduce(tools: &[String]) -> Result<ExitCode> {
    let tools = match tools {
        [] => build::all(),
        named => named.to_vec(),
    };
    let (workspace, target) = (places::workspace(), places::target());
    let here = build::build(&workspace, &target, &tools)?;
    let copy = target.join("reproduce/of-another-length");
    emptied(&copy)?;
    copy_sources(&workspace, &copy)?;
    let there = build::build(&copy, &target.join("reproduce/build"), &tools)?;
    let mut differing = 0;
    for tool in &tools {
        let hashes = [hash(&here.join(tool))?, hash(&there.join(tool))?];
        println!("{} {}", hashes[0], here.join(tool).display());
        println!("{} {}", hashes[1], there.join(tool).display());
        differing += usize::from(hashes[0] != hashes[1]);
    }
    println!("{differing} of {} tools differ", tools.len());
    Ok(match differing {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn hash(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let digest = Sha256::digest(bytes);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
