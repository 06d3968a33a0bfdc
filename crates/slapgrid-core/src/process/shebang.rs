//! The interpreter of a script, read from its first line.
//!
//! The kernel cuts `#!` lines (at 127 bytes before Linux 5.1, 255 since), and paths below a
//! software root are long: scripts are therefore run through their interpreter explicitly.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// First lines longer than this are not believed.
const LINE_LIMIT: usize = 4096;

/// A script's first line could not be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ShebangError {
    /// The script cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The script.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `#!` is followed by nothing, or by a line that does not end.
    #[error("the first line of {} names no interpreter", path.display())]
    NoInterpreter {
        /// The script.
        path: PathBuf,
    },
}

/// The interpreter of a script and, if there is one, its single argument; `None` for a file that
/// does not begin with `#!` and is run as it is.
///
/// # Errors
/// The file cannot be read, or names no interpreter after `#!`.
pub(crate) fn interpreter(
    script: &Path,
) -> Result<Option<(PathBuf, Option<OsString>)>, ShebangError> {
    let failed = |source| ShebangError::Read {
        path: script.to_owned(),
        source,
    };
    let mut beginning = Vec::new();
    let file = slapos_fs::open_regular(script).map_err(failed)?;
    let limit = LINE_LIMIT as u64;
    file.take(limit)
        .read_to_end(&mut beginning)
        .map_err(failed)?;
    let Some(rest) = beginning.strip_prefix(b"#!") else {
        return Ok(None);
    };
    parse(rest)
        .map(Some)
        .ok_or_else(|| ShebangError::NoInterpreter {
            path: script.to_owned(),
        })
}

/// As the kernel does: the first word is the interpreter, all the rest is one argument.
fn parse(rest: &[u8]) -> Option<(PathBuf, Option<OsString>)> {
    let end = rest.iter().position(|byte| *byte == b'\n');
    let whole_file = rest.len() + 2 < LINE_LIMIT;
    let line = rest[..end.or(whole_file.then_some(rest.len()))?].trim_ascii();
    let split = line
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(line.len());
    let (interpreter, argument) = line.split_at(split);
    let argument = argument.trim_ascii();
    if interpreter.is_empty() {
        return None;
    }
    let owned = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let argument = (!argument.is_empty()).then(|| owned(argument));
    Some((owned(interpreter).into(), argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8]) -> Result<Option<(PathBuf, Option<OsString>)>, ShebangError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        interpreter(file.path())
    }

    #[test]
    fn interpreter_and_argument() {
        for (content, interpreter, argument) in [
            ("#!/bin/sh\necho", "/bin/sh", None),
            ("#!/bin/sh", "/bin/sh", None),
            (
                "#! /usr/bin/env  python3 -S \n",
                "/usr/bin/env",
                Some("python3 -S"),
            ),
            ("#!/opt/python\t-S\r\n", "/opt/python", Some("-S")),
        ] {
            let expected = Some((PathBuf::from(interpreter), argument.map(OsString::from)));
            assert_eq!(of(content.as_bytes()).unwrap(), expected, "{content:?}");
        }
    }

    #[test]
    fn longer_than_the_kernel_reads() {
        let path = format!("/{}/python", "x".repeat(500));
        let found = of(format!("#!{path}\n").as_bytes()).unwrap();
        assert_eq!(found, Some((PathBuf::from(path), None)));
    }

    #[test]
    fn binaries_and_empty_files_have_none() {
        for content in [b"\x7fELF\x02".as_slice(), b"", b"#", b"echo"] {
            assert_eq!(of(content).unwrap(), None);
        }
    }

    #[test]
    fn lines_without_interpreter_or_end_are_refused() {
        let endless = format!("#!/{}", "x".repeat(LINE_LIMIT));
        for content in ["#!", "#!  \n/bin/sh", endless.as_str()] {
            assert!(matches!(
                of(content.as_bytes()),
                Err(ShebangError::NoInterpreter { .. })
            ));
        }
    }

    #[test]
    fn missing_script_is_named() {
        let error = interpreter(Path::new("/nonexistent/buildout")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nonexistent/buildout");
    }
}
