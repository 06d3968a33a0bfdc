//! Archives that must not be unpacked.

use std::path::Path;

use tar::EntryType;

use crate::entries::{archive, below, directory, entry, file, gzip, hard_link, link, noise};
use crate::root::{NAME, Root, without_times};

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
        (
            "garbage at the end of the stream",
            garbage,
            "cannot be read",
        ),
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

#[test]
fn a_file_over_the_mark_of_what_is_whole_is_refused() {
    let root = Root::new();
    let error = root.unpack(&archive(&[file(&below(netcache::UNPACKED_MARK))]));
    assert!(error.unwrap_err().to_string().contains("comes twice"));
    assert!(!root.release().exists());
}
