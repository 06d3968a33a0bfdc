//! Carrying out steps; decisions were made in the plan.

use slapos_fs::{DirectoryError, FileAttributes, WriteError, ensure_directory, write_file};

use crate::plan::{Plan, Step};

/// A step failed. Those before it are done; the next run does the rest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// A directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A file.
    #[error(transparent)]
    Write(#[from] WriteError),
}

pub(crate) fn execute(plan: &Plan) -> Result<(), ExecuteError> {
    for step in &plan.steps {
        log::info!("{step}");
        match step {
            Step::Directory { path, mode, owner } => {
                ensure_directory(
                    path,
                    FileAttributes {
                        mode: *mode,
                        owner: *owner,
                    },
                )?;
            }
            Step::File {
                path,
                mode,
                contents,
            } => {
                let attributes = FileAttributes {
                    mode: *mode,
                    owner: None,
                };
                write_file(path, contents.as_bytes(), attributes)?;
            }
        }
    }
    Ok(())
}
