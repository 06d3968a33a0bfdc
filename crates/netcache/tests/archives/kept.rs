//! What is packed and unpacked, and what of it is kept.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use netcache::{Format, UNPACKED_MARK, pack, unpack};
use tar::{Builder, EntryType, Header};

use crate::entries::{archive, below, directory, entry, file, gzip, hard_link, link, noise};
use crate::root::{LIMITS, NAME, Root, contents};

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
            let mark = format!("soft/{NAME}/{UNPACKED_MARK} ");
            let lines = lines
                .iter()
                .filter(|line| line.starts_with(&format!("soft/{NAME}")))
                .filter(|line| !line.starts_with(&mark));
            lines.cloned().collect()
        };
        assert_eq!(release(&after), release(&before), "{format:?}");
        assert!(after.iter().any(|line| line.contains(UNPACKED_MARK)));
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
    for name in [
        ".netrc",
        ".completed",
        UNPACKED_MARK,
        "inner/.netrc",
        "file",
    ] {
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
    // In the middle of a file, too.
    let asked = AtomicU64::new(0);
    let later = || asked.fetch_add(1, Ordering::Relaxed) > 100;
    let error = pack(&root.release(), Format::Gzip, &later).unwrap_err();
    assert_eq!(error.to_string(), "interrupted");
    assert!(asked.into_inner() > 100);
    let error = pack(&root.release(), Format::Gzip, &|| true).unwrap_err();
    assert_eq!(error.to_string(), "interrupted");
    slapos_fs::remove_tree(&root.release()).unwrap();
    let inner = archive(&[file(&below("f"))]);
    let error = unpack(&*inner, &root.release(), LIMITS, None, &|| true).unwrap_err();
    assert_eq!(error.to_string(), "interrupted");
    assert_eq!(fs::read_dir(root.soft()).unwrap().count(), 0);
    // While it passes over what has no use, too.
    let tail = gzip(&[directory(NAME), vec![0; 16 << 20]].concat());
    let asked = AtomicU64::new(0);
    let later = || asked.fetch_add(1, Ordering::Relaxed) > 100;
    let error = unpack(&*tail, &root.release(), LIMITS, None, &later).unwrap_err();
    assert_eq!(error.to_string(), "interrupted");
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

#[test]
fn directories_that_come_again_keep_what_they_were_given() {
    let root = Root::new();
    let closed = |path: &str| entry(EntryType::Directory, &below(path), "", 0o555, b"");
    let again = archive(&[
        closed("a"),
        directory(&below("b")),
        file(&below("a/one")),
        file(&below("b/two")),
        hard_link(&below("b/three"), &below("a/one")),
        file(&below("a/four")),
        closed("b"),
    ]);
    root.unpack(&again).unwrap();
    for name in ["a", "b"] {
        let metadata = root.release().join(name).metadata().unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o555, "{name}");
        assert_eq!(metadata.mtime(), 1_000_000_000, "{name}");
    }
}
