//! Which promises an instance has.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::partition::confined::{ConfinedDirectory, ConfinedError};

/// Bits of a mode that let somebody execute a file.
const EXECUTABLE: u32 = 0o111;

/// How a promise is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An executable in `etc/promise`.
    Program,
    /// A Python module in `etc/plugin`.
    Plugin,
}

impl Kind {
    /// The name of the directory below `etc`.
    fn directory(self) -> &'static str {
        match self {
            Kind::Program => "promise",
            Kind::Plugin => "plugin",
        }
    }
}

/// A promise of an instance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Promise {
    /// Its file name.
    pub(crate) name: String,
    /// The file name without its extension, by which its files are called.
    pub(crate) title: String,
    pub(crate) kind: Kind,
    pub(crate) path: PathBuf,
    /// When its file was changed last, as Unix time.
    pub(crate) modified: f64,
}

/// What the directories of promises hold.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Plugins, then programs, both by name.
    pub(crate) promises: Vec<Promise>,
    /// What is there by mistake, and why it is no promise.
    pub(crate) strays: Vec<String>,
}

impl Listing {
    /// Lists the promises of a partition.
    pub(crate) fn read(partition: &ConfinedDirectory) -> Result<Self, ConfinedError> {
        let mut listing = Listing::default();
        for kind in [Kind::Plugin, Kind::Program] {
            let Some(directory) = partition.below(&["etc", kind.directory()])? else {
                continue;
            };
            for name in directory.names()? {
                listing.add(&directory, kind, &name)?;
            }
        }
        Ok(listing)
    }

    fn add(
        &mut self,
        directory: &ConfinedDirectory,
        kind: Kind,
        name: &OsString,
    ) -> Result<(), ConfinedError> {
        if kind == Kind::Plugin && !is_plugin_name(name) {
            return Ok(());
        }
        let Some(found) = directory.metadata(name)? else {
            return Ok(());
        };
        let can_run = kind == Kind::Plugin || found.permissions().mode() & EXECUTABLE != 0;
        let is_promise = found.is_symlink() || (found.is_file() && can_run);
        let problem = match (is_promise, name.to_str()) {
            (true, Some(text)) => {
                self.promises.push(Promise {
                    name: text.to_owned(),
                    title: title(text),
                    kind,
                    path: directory.path().join(name),
                    modified: unix_time(found.mtime(), found.mtime_nsec()),
                });
                return Ok(());
            }
            (true, None) => "its name is not UTF-8",
            (false, _) if kind == Kind::Plugin => "it is no file",
            (false, _) => "it is not executable",
        };
        let place = kind.directory();
        self.strays
            .push(format!("{name:?} in etc/{place} is no promise: {problem}"));
        Ok(())
    }
}

/// Beside plugins lie what Python compiles, and what makes the directory a package.
fn is_plugin_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.ends_with(".py") && !name.starts_with("__init__")
}

fn title(name: &str) -> String {
    let stem = Path::new(name).file_stem();
    stem.and_then(OsStr::to_str).unwrap_or(name).to_owned()
}

fn unix_time(seconds: i64, nanoseconds: i64) -> f64 {
    // Microseconds are exact for thousands of years, and more than is compared.
    seconds as f64 + nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    fn partition(files: &[(&str, u32)]) -> (tempfile::TempDir, ConfinedDirectory) {
        let directory = tempfile::tempdir().unwrap();
        for (name, mode) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        let opened = ConfinedDirectory::open(directory.path()).unwrap();
        (directory, opened)
    }

    fn names(listing: &Listing) -> Vec<(&str, &str)> {
        let names = listing.promises.iter();
        names
            .map(|promise| (promise.name.as_str(), promise.title.as_str()))
            .collect()
    }

    #[test]
    fn plugins_come_first_and_names_give_titles() {
        let (_directory, partition) = partition(&[
            ("etc/promise/web.sh", 0o700),
            ("etc/promise/.hidden", 0o755),
            ("etc/plugin/zope.py", 0o600),
            ("etc/plugin/a.b.py", 0o644),
            ("etc/plugin/__init__.py", 0o644),
            ("etc/plugin/__pycache__/zope.cpython-311.pyc", 0o644),
            ("etc/plugin/zope.py~", 0o644),
        ]);
        let listing = Listing::read(&partition).unwrap();
        let expected = [
            ("a.b.py", "a.b"),
            ("zope.py", "zope"),
            (".hidden", ".hidden"),
            ("web.sh", "web"),
        ];
        assert_eq!(names(&listing), expected);
        assert_eq!(listing.strays, [""; 0]);
    }

    #[test]
    fn what_cannot_be_a_promise_is_named() {
        let (directory, partition) = partition(&[("etc/promise/plain", 0o644)]);
        fs::create_dir_all(directory.path().join("etc/plugin/folder.py")).unwrap();
        let odd = OsStr::from_bytes(b"etc/promise/\xff");
        fs::write(directory.path().join(odd), "").unwrap();
        fs::set_permissions(
            directory.path().join(odd),
            fs::Permissions::from_mode(0o755),
        )
        .unwrap();
        let listing = Listing::read(&partition).unwrap();
        assert!(listing.promises.is_empty());
        let expected = [
            "\"folder.py\" in etc/plugin is no promise: it is no file",
            "\"plain\" in etc/promise is no promise: it is not executable",
            "\"\\xFF\" in etc/promise is no promise: its name is not UTF-8",
        ];
        assert_eq!(listing.strays, expected);
    }

    #[test]
    fn a_partition_without_promises_has_none() {
        let (_directory, partition) = partition(&[]);
        assert!(Listing::read(&partition).unwrap().promises.is_empty());
    }
}
