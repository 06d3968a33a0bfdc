//! Archives: what is packed is what is unpacked, and what should not be unpacked is not.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use netcache::{Format, Limits, UnpackError, pack, unpack};
use tar::{Builder, EntryType, Header};

const NAME: &str = "0123456789abcdef";
const LIMITS: Limits = Limits {
    bytes: 64 << 20,
    entries: 1000,
};

/// A software root, with a file beside it that nothing must change.
struct Root {
    directory: tempfile::TempDir,
}

impl Root {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("soft")).unwrap();
        fs::write(directory.path().join("precious"), "precious").unwrap();
        Self { directory }
    }

    fn soft(&self) -> PathBuf {
        self.directory.path().join("soft")
    }

    fn release(&self) -> PathBuf {
        self.soft().join(NAME)
    }

    fn unpack(&self, archive: &[u8]) -> Result<(), UnpackError> {
        unpack(archive, &self.release(), LIMITS, None, &|| false)
    }

    /// Everything below, with contents and targets.
    fn listing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(self.directory.path(), Path::new(""), &mut lines);
        lines
    }
}

fn list(root: &Path, below: &Path, lines: &mut Vec<String>) {
    let mut names: Vec<_> = fs::read_dir(root.join(below))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    for name in names {
        let path = below.join(name);
        let full = root.join(&path);
        let metadata = full.symlink_metadata().unwrap();
        let what = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(&full).unwrap().display())
        } else if metadata.is_dir() {
            "/".to_owned()
        } else {
            format!("{:?}", fs::read(&full).unwrap().len())
        };
        let (mode, time) = (metadata.mode() & 0o7777, metadata.mtime());
        lines.push(format!("{} {what} {mode:o} {time}", path.display()));
        if metadata.is_dir() {
            list(root, &path, lines);
        }
    }
}

/// One entry as bytes, with names that the library would refuse to write.
fn entry(kind: EntryType, path: &str, link: &str, mode: u32, contents: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(1_000_000_000);
    header.set_size(contents.len() as u64);
    let fields = header.as_gnu_mut().unwrap();
    fields.name[..path.len()].copy_from_slice(path.as_bytes());
    fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(path: &str) -> Vec<u8> {
    entry(EntryType::Regular, path, "", 0o644, b"contents")
}

fn directory(path: &str) -> Vec<u8> {
    entry(EntryType::Directory, path, "", 0o755, b"")
}

fn link(path: &str, target: &str) -> Vec<u8> {
    entry(EntryType::Symlink, path, target, 0o777, b"")
}

fn hard_link(path: &str, target: &str) -> Vec<u8> {
    entry(EntryType::Link, path, target, 0o644, b"")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = directory(NAME);
    tar.extend(entries.concat());
    tar.extend([0; 1024]);
    gzip(&tar)
}

fn below(path: &str) -> String {
    format!("{NAME}/{path}")
}

/// What is tried, the archive, and a part of the message that refuses it.
fn hostile(root: &Root) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let outside = root.directory.path().join("precious");
    let outside = outside.to_str().unwrap();
    let file_of = |path: &str| archive(&[file(path)]);
    let mut truncated = archive(&[entry(
        EntryType::Regular,
        &below("f"),
        "",
        0o644,
        &noise(100_000),
    )]);
    truncated.truncate(truncated.len() / 2);
    let mut garbage = archive(&[]);
    garbage.extend(b"garbage ".repeat(8));
    let mut flipped = file(&below("f"));
    flipped[0] ^= 1;
    let mut endless = entry(
        EntryType::GNULongName,
        "././@LongLink",
        "",
        0o644,
        &[b'x'; 5000],
    );
    endless.extend(file(&below("f")));
    let deep = below(&"d/".repeat(40));
    vec![
        (
            "an absolute name",
            file_of("/tmp/slapos-evil"),
            "does not lie below",
        ),
        (
            "a name with ..",
            file_of(&below("../precious")),
            "does not lie below",
        ),
        (
            "a name that begins with ..",
            file_of("../precious"),
            "does not lie below",
        ),
        (
            "another directory",
            file_of("fedcba9876543210/x"),
            "does not lie below",
        ),
        (
            "an absolute link out",
            archive(&[link(&below("l"), outside)]),
            "out of the release",
        ),
        (
            "a relative link out",
            archive(&[link(&below("l"), "../../precious")]),
            "out of the release",
        ),
        (
            "a link through a link to the top",
            archive(&[
                link(&below("d"), "."),
                link(&below("e"), "d/../../precious"),
            ]),
            "out of the release",
        ),
        (
            "a file through a link",
            archive(&[
                directory(&below("d")),
                link(&below("l"), "d"),
                file(&below("l/f")),
            ]),
            "which is no directory",
        ),
        (
            "a file over a link",
            archive(&[link(&below("l"), "f"), file(&below("l"))]),
            "comes twice",
        ),
        (
            "a directory over a link",
            archive(&[link(&below("l"), "d"), directory(&below("l"))]),
            "which is no directory",
        ),
        (
            "a hard link out",
            archive(&[hard_link(&below("h"), outside)]),
            "does not lie below",
        ),
        (
            "a hard link with ..",
            archive(&[hard_link(&below("h"), &below("../../precious"))]),
            "does not lie below",
        ),
        (
            "a hard link to a link",
            archive(&[link(&below("l"), "f"), hard_link(&below("h"), &below("l"))]),
            "which is no file",
        ),
        (
            "a hard link to nothing",
            archive(&[hard_link(&below("h"), &below("missing"))]),
            "which is no file",
        ),
        (
            "a hard link through a link",
            archive(&[
                directory(&below("d")),
                file(&below("d/f")),
                link(&below("l"), "d"),
                hard_link(&below("h"), &below("l/f")),
            ]),
            "which is no directory",
        ),
        (
            "a device",
            archive(&[entry(EntryType::Char, &below("null"), "", 0o666, b"")]),
            "is a device",
        ),
        (
            "a named pipe",
            archive(&[entry(EntryType::Fifo, &below("fifo"), "", 0o666, b"")]),
            "is a named pipe",
        ),
        (
            "a setuid file",
            archive(&[entry(EntryType::Regular, &below("su"), "", 0o4755, b"x")]),
            "is setuid or setgid",
        ),
        (
            "a setgid file",
            archive(&[entry(EntryType::Regular, &below("sg"), "", 0o2755, b"x")]),
            "is setuid or setgid",
        ),
        (
            "the same file twice",
            archive(&[file(&below("f")), file(&below("f"))]),
            "comes twice",
        ),
        (
            "a bomb of gzip",
            archive(&[entry(
                EntryType::Regular,
                &below("zeros"),
                "",
                0o644,
                &vec![0; 65 << 20],
            )]),
            "more than 67108864 bytes",
        ),
        (
            "too many entries",
            archive(
                &(0..1001)
                    .map(|n| file(&below(&n.to_string())))
                    .collect::<Vec<_>>(),
            ),
            "more than 1000 entries",
        ),
        (
            "too many directories without entries",
            archive(
                &(0..30)
                    .map(|n| file(&below(&format!("{n}/{}f", "d/".repeat(36)))))
                    .collect::<Vec<_>>(),
            ),
            "more than 1000 entries",
        ),
        (
            "directories too deep",
            archive(&nested()),
            "deeper than 128",
        ),
        ("a truncated stream", truncated, "truncated"),
        ("garbage at the end of the stream", garbage, "damaged"),
        (
            "garbage at the end of the archive",
            gzip(&[directory(NAME), vec![0; 1024], b"garbage".to_vec()].concat()),
            "follows the end",
        ),
        ("no end", gzip(&directory(NAME)), "truncated"),
        (
            "an end in the middle of a file",
            gzip(&file(&below("f"))[..515]),
            "truncated",
        ),
        ("a wrong checksum", archive(&[flipped]), "checksum"),
        ("a name without end", archive(&[endless]), "too long"),
        (
            "an unknown kind",
            archive(&[entry(EntryType::new(b'Z'), &deep, "", 0o644, b"")]),
            "not known",
        ),
        ("no entries", gzip(&[0; 1024]), "is empty"),
        ("not compressed", directory(NAME), "neither gzip nor zstd"),
        ("nothing", Vec::new(), "neither gzip nor zstd"),
    ]
}

/// A file below more directories than may be; each header's name is too short for it.
fn nested() -> Vec<Vec<u8>> {
    let path = below(&("d/".repeat(130) + "f"));
    let name = entry(
        EntryType::GNULongName,
        "././@LongLink",
        "",
        0o644,
        path.as_bytes(),
    );
    vec![name, file("short")]
}

fn noise(length: u32) -> Vec<u8> {
    let numbers = (0..length).map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n % 31));
    numbers.map(|n| (n >> 13) as u8).collect()
}

#[test]
fn hostile_archives_are_refused_and_leave_nothing() {
    let root = Root::new();
    let before = without_times(&root.listing());
    for (what, archive, expected) in hostile(&root) {
        let error = root.unpack(&archive).expect_err(what);
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
        let message = causes
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ");
        println!("| {what} | {message} |");
        assert!(message.contains(expected), "{what}: {message}");
        assert_eq!(without_times(&root.listing()), before, "{what}");
    }
    assert!(!Path::new("/tmp/slapos-evil").exists());
}

fn without_times(listing: &[String]) -> Vec<String> {
    let lines = listing.iter().filter_map(|line| line.rsplit_once(' '));
    lines.map(|(line, _)| line.to_owned()).collect()
}

#[test]
fn links_inside_are_kept() {
    let root = Root::new();
    let absolute = root.release().join("d/f");
    let inside = archive(&[
        directory(&below("d")),
        file(&below("d/f")),
        link(&below("relative"), "d/f"),
        link(&below("d/up"), "../relative"),
        link(&below("absolute"), absolute.to_str().unwrap()),
        link(&below("dangling"), "d/missing"),
        hard_link(&below("hard"), &below("d/f")),
    ]);
    root.unpack(&inside).unwrap();
    for name in ["relative", "d/up", "absolute", "hard"] {
        assert_eq!(
            fs::read(root.release().join(name)).unwrap(),
            b"contents",
            "{name}"
        );
    }
    let inode = |name: &str| root.release().join(name).metadata().unwrap().ino();
    assert_eq!(inode("hard"), inode("d/f"));
}

/// A release with what releases have: modes, links, long names, empty, large and sparse files.
fn make_release(root: &Root) {
    let release = root.release();
    let long = "a-rather-long-name-of-a-directory/".repeat(6);
    fs::create_dir_all(release.join(&long)).unwrap();
    fs::create_dir_all(release.join("bin")).unwrap();
    fs::write(release.join(&long).join("file"), "deep").unwrap();
    fs::write(release.join("empty"), "").unwrap();
    fs::write(release.join("large"), noise(3_000_000)).unwrap();
    fs::write(release.join("bin/tool"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(release.join("bin/tool"), Permissions::from_mode(0o750)).unwrap();
    fs::hard_link(release.join("large"), release.join("same")).unwrap();
    symlink("bin/tool", release.join("tool")).unwrap();
    symlink(release.join("bin"), release.join("absolute")).unwrap();
    symlink("a".repeat(150), release.join("dangling")).unwrap();
    let sparse = File::create(release.join("sparse")).unwrap();
    sparse.set_len(10 << 20).unwrap();
    fs::set_permissions(release.join("bin"), Permissions::from_mode(0o555)).unwrap();
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for name in ["empty", "sparse", "large", "bin", "bin/tool", "."] {
        File::open(release.join(name))
            .unwrap()
            .set_modified(old)
            .unwrap();
    }
}

#[test]
fn what_is_packed_is_unpacked() {
    for format in [Format::Gzip, Format::Zstd] {
        let root = Root::new();
        make_release(&root);
        let before = root.listing();
        let packed = pack(&root.release(), format, &|| false).unwrap();
        let archive = contents(packed.file);
        assert_eq!(archive.len() as u64, packed.length);
        assert_eq!(netcache::Digest::of(&*archive).unwrap(), packed.digest);
        slapos_fs::remove_tree(&root.release()).unwrap();
        root.unpack(&archive).unwrap();
        let after = root.listing();
        let release = |lines: &[String]| -> Vec<_> {
            let lines = lines
                .iter()
                .filter(|line| line.starts_with(&format!("soft/{NAME}")));
            lines.cloned().collect()
        };
        assert_eq!(release(&after), release(&before), "{format:?}");
        let metadata = |name: &str| root.release().join(name).metadata().unwrap();
        assert_eq!(metadata("large").ino(), metadata("same").ino());
        assert!(metadata("sparse").blocks() < 100, "holes stay holes");
        assert_eq!(
            fs::read(root.release().join("large")).unwrap(),
            noise(3_000_000)
        );
    }
}

#[test]
fn the_same_release_makes_the_same_bytes() {
    for format in [Format::Gzip, Format::Zstd] {
        let digests = [(); 2].map(|()| {
            let root = Root::new();
            fs::create_dir(root.release()).unwrap();
            let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
            for name in ["b", "a", "c"] {
                let path = root.release().join(name);
                fs::write(&path, name.repeat(100_000)).unwrap();
                File::open(&path).unwrap().set_modified(old).unwrap();
            }
            File::open(root.release())
                .unwrap()
                .set_modified(old)
                .unwrap();
            pack(&root.release(), format, &|| false).unwrap().digest
        });
        assert_eq!(digests[0], digests[1], "{format:?}");
    }
}

#[test]
fn credentials_and_marks_stay_here() {
    let root = Root::new();
    fs::create_dir_all(root.release().join("inner")).unwrap();
    for name in [".netrc", ".completed", "inner/.netrc", "file"] {
        fs::write(root.release().join(name), "").unwrap();
    }
    let packed = pack(&root.release(), Format::Gzip, &|| false).unwrap();
    slapos_fs::remove_tree(&root.release()).unwrap();
    root.unpack(&contents(packed.file)).unwrap();
    let has = |name: &str| root.release().join(name).exists();
    assert!(!has(".netrc") && !has(".completed"));
    assert!(has("inner/.netrc") && has("file"));
}

/// Makes something that must not be packed.
type Spoil = fn(&Path);

#[test]
fn what_no_reader_takes_is_not_packed() {
    let cases: [(&str, Spoil); 3] = [
        ("leads out of the release", |path| {
            symlink("/usr/bin", path).unwrap()
        }),
        ("leads out of the release", |path| {
            symlink("../other", path).unwrap()
        }),
        ("is setuid or setgid", |path| {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o4755)).unwrap();
        }),
    ];
    for (expected, make) in cases {
        let root = Root::new();
        fs::create_dir(root.release()).unwrap();
        make(&root.release().join("evil"));
        let error = pack(&root.release(), Format::Gzip, &|| false).unwrap_err();
        let path = root.release().join("evil");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(
            error.to_string().starts_with(path.to_str().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn the_rest_of_a_killed_attempt_is_removed_and_what_is_there_is_left_alone() {
    let root = Root::new();
    let rest = root.soft().join(format!(".slapos-new-{NAME}"));
    fs::create_dir_all(rest.join("d")).unwrap();
    fs::write(rest.join("d/file"), "").unwrap();
    root.unpack(&archive(&[file(&below("f"))])).unwrap();
    assert!(!rest.exists());
    fs::write(root.release().join("own"), "").unwrap();
    let error = root.unpack(&archive(&[file(&below("g"))])).unwrap_err();
    assert!(error.to_string().contains("cannot make"), "{error}");
    assert!(root.release().join("own").exists());
    assert!(!root.release().join("g").exists());
    assert!(!rest.exists());
}

#[test]
fn packing_and_unpacking_stop_when_told() {
    let root = Root::new();
    make_release(&root);
    let error = pack(&root.release(), Format::Gzip, &|| true).unwrap_err();
    assert_eq!(error.to_string(), "interrupted");
    slapos_fs::remove_tree(&root.release()).unwrap();
    let inner = archive(&[file(&below("f"))]);
    let error = unpack(&*inner, &root.release(), LIMITS, None, &|| true).unwrap_err();
    assert_eq!(error.to_string(), "interrupted");
    assert_eq!(fs::read_dir(root.soft()).unwrap().count(), 0);
}

fn contents(mut file: File) -> Vec<u8> {
    use std::io::Seek;
    file.rewind().unwrap();
    let mut contents = Vec::new();
    file.read_to_end(&mut contents).unwrap();
    contents
}

#[test]
fn archives_of_the_library_are_read() {
    // GNU and POSIX extensions, as other programs write them.
    let root = Root::new();
    let mut builder = Builder::new(Vec::new());
    let long = below(&("n".repeat(200) + "/" + &"m".repeat(200)));
    builder
        .append_pax_extensions([("path", long.as_bytes()), ("mtime", b"1.5")])
        .unwrap();
    let mut header = Header::new_ustar();
    header.set_size(4);
    header.set_mode(0o600);
    header.set_path("short").unwrap();
    header.set_cksum();
    builder.append(&header, &b"text"[..]).unwrap();
    root.unpack(&gzip(&builder.into_inner().unwrap())).unwrap();
    assert_eq!(fs::read(root.soft().join(long)).unwrap(), b"text");
}
