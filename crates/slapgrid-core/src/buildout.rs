//! Running buildout, of a release or of an instance.

use std::path::{Path, PathBuf};

use crate::process::{Program, ShebangError, interpreter};

/// Makes a program start through the interpreter that its first line names: the kernel reads only
/// the beginning of that line, which is long in deep directories.
pub(crate) fn through_interpreter(mut program: Program) -> Result<Program, ShebangError> {
    program.interpreter = interpreter(&program.path)?;
    Ok(program)
}

/// The file of a program in PATH; the name itself if it is a path or is not found.
pub(crate) fn in_path(name: &Path) -> PathBuf {
    if name.components().count() > 1 {
        return name.to_owned();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join(name));
    found
        .into_iter()
        .find(|file| file.is_file())
        .unwrap_or_else(|| name.to_owned())
}
