//! Whatever an archive holds, it stays in its place.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use netcache::{Limits, unpack};

/// The name of the release.
const NAME: &str = "0ed9dbf3c96339c19e6494c2309cf282";
/// Small, so that no input takes long.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    entries: 200,
};
/// Unpacks an archive beside something precious. What is no compressed archive is taken for a tar file.
pub(crate) fn check(data: &[u8]) {
    let place = Place::new();
    let release = place.soft().join(NAME);
    let compressed = match data {
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => data.to_vec(),
        tar => stored(tar),
    };
    let unpacked = unpack(&*compressed, &release, LIMITS, None, &|| false);
    place.check_outside();
    match unpacked {
        Ok(()) => check_inside(&release, &release),
        Err(_) => assert_eq!(
            names(&place.soft()),
            Vec::<PathBuf>::new(),
            "something is left"
        ),
    }
}

/// A directory with a software root, and something beside it that nothing may change.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        // In memory where that is possible: much is written.
        let memory = Path::new("/dev/shm");
        let directory = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let place = Self(directory.expect("a directory can be made"));
        fs::create_dir(place.soft()).expect("the directory is ours");
        fs::write(place.precious(), "precious").expect("the directory is ours");
        place
    }

    fn soft(&self) -> PathBuf {
        self.0.path().join("soft")
    }

    fn precious(&self) -> PathBuf {
        self.0.path().join("precious")
    }

    fn check_outside(&self) {
        let mut precious = String::new();
        let mut file = fs::File::open(self.precious()).expect("the file is there");
        file.read_to_string(&mut precious).expect("it is a text");
        assert_eq!(precious, "precious");
        assert_eq!(file.metadata().expect("it has some").nlink(), 1);
        assert_eq!(names(self.0.path()).len(), 2, "something lies outside");
        let name = Path::new(NAME);
        assert!(names(&self.soft()).iter().all(|one| one == name));
    }
}

/// No link leads out, and nothing is there but files, directories and links.
fn check_inside(directory: &Path, top: &Path) {
    for name in names(directory) {
        let path = directory.join(name);
        let metadata = path.symlink_metadata().expect("it is there");
        if metadata.is_symlink() {
            // What leads nowhere, or in circles, leads nowhere else.
            if let Ok(real) = path.canonicalize() {
                let top = top.canonicalize().expect("it is there");
                assert!(real.starts_with(top), "{} leads out", path.display());
            }
        } else {
            assert!(metadata.is_dir() || metadata.is_file());
            assert_eq!(metadata.mode() & 0o7000, 0, "{}", path.display());
        }
        if metadata.is_dir() {
            check_inside(&path, top);
        }
    }
}

fn names(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory is readable");
    let names = entries.map(|entry| entry.expect("it is readable").file_name().into());
    names.collect()
}

/// gzip without compression: what changes in a tar file changes in it as well.
fn stored(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(tar).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
