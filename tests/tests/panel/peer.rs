//! What the panel has in common with the peer's: the ways there, and public files.

use std::fs;
use std::os::unix::fs::symlink;

use super::{Node, Ours};
use slapos_tests::Side::Peer;

/// Paths that both answer alike: with the same status, and the same body where there is a file.
const ALIKE: [&str; 10] = [
    "/",
    "/panel",
    "/panel/public/",
    "/panel/public/a.txt",
    "/panel/public/sub/b%20%C3%A9.json",
    "/panel/public/link",
    "/panel/public/sub",
    "/panel/public/none",
    "/panel/public/..%2fslapos.cfg",
    "/panel/public/%2fetc/hostname",
];

/// A file elsewhere, by a link that lies in the directory: the peer follows it, ours does not.
const OUTSIDE: &str = "/panel/public/outside";

#[test]
fn the_ways_in_and_public_files_are_as_the_peers() {
    let mut node = Node::new();
    let public = node.path().join("public");
    fs::create_dir_all(public.join("sub")).unwrap();
    fs::write(public.join("a.txt"), "hello\n").unwrap();
    fs::write(public.join("sub/b é.json"), "{}").unwrap();
    symlink("a.txt", public.join("link")).unwrap();
    symlink("../slapos.cfg", public.join("outside")).unwrap();
    let settings = fs::read_to_string(node.configuration()).unwrap();
    let settings = format!("{settings}public_directory_path = {}\n", public.display());
    node.write("slapos.cfg", &settings);
    let [ours, peers] = [Ours, Peer].map(|side| {
        node.start_master(side);
        let answers = ALIKE.map(|path| node.ask_master(path));
        let outside = node.ask_master(OUTSIDE).0;
        node.stop_master();
        (answers, outside)
    });
    for ((path, ours), peers) in ALIKE.iter().zip(ours.0).zip(peers.0) {
        assert_eq!(ours.0, peers.0, "{path}");
        if ours.0 == 200 {
            assert_eq!(ours.1, peers.1, "{path}");
        }
    }
    assert_eq!((ours.1, peers.1), (404, 200));
}

#[test]
fn without_a_public_directory_both_say_403() {
    let mut node = Node::new();
    for side in [Ours, Peer] {
        node.start_master(side);
        assert_eq!(node.ask_master("/panel/public/a").0, 403, "{side:?}");
        node.stop_master();
    }
}
