//! `slapgrid-sr --prune` beside `slapos node prune`: shared parts that nothing uses are removed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use slapos_tests::Side::{Ours, Peer};
use slapos_tests::faults::says;
use slapos_tests::{Node, Outcome, Side};

/// The parts of [`node`] that something uses.
const USED: [&str; 6] = [
    "recorded",
    "program",
    "linked",
    "by-part",
    "inner",
    "elsewhere",
];
const UNUSED: [&str; 3] = ["unused", "by-unused", "last"];

/// What the directory of a part is called.
fn signature(name: &str) -> String {
    format!("{name:x<32}")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn part(node: &Node, name: &str) -> PathBuf {
    node.path().join("shared").join(name).join(signature(name))
}

/// The parts that are there.
fn parts(node: &Node) -> BTreeSet<String> {
    let names = USED.iter().chain(&UNUSED);
    let present = names.filter(|name| part(node, name).join("lib/file").exists());
    present.map(ToString::to_string).collect()
}

fn used() -> BTreeSet<String> {
    USED.map(str::to_owned).into()
}

/// A node with shared parts, used in every way that there is, or not.
fn node() -> Node {
    let node = Node::new();
    let shared = node.path().join("shared").display().to_string();
    node.configure(&[("shared_part_list", &format!("/elsewhere\n  {shared}"))]);
    for name in USED.iter().chain(&UNUSED) {
        write(&part(&node, name).join("lib/file"), "");
    }
    let release = node.software_root().join("0123");
    let path = |name| part(&node, name).display().to_string();
    write(
        &release.join(".installed.cfg"),
        &format!("__installed__ = {}", path("recorded")),
    );
    write(
        &release.join("bin/start"),
        &format!("#!{}/bin/sh", path("program")),
    );
    write(
        &part(&node, "linked").join("bin/tool"),
        &signature("linked"),
    );
    symlink(
        part(&node, "linked").join("bin/tool"),
        release.join("bin/tool"),
    )
    .unwrap();
    write(
        &part(&node, "recorded").join(".recorded.signature"),
        &path("by-part"),
    );
    write(
        &part(&node, "unused").join(".buildout-shared.json"),
        &path("by-unused"),
    );
    write(
        &part(&node, "by-unused").join(".by-unused.signature"),
        &path("last"),
    );
    // A node that is an instance.
    node.make_partitions(1);
    let inner = node.partition(0).join("srv/runner");
    write(
        &inner.join("etc/slapos.cfg"),
        &format!(
            "[slapos]\nsoftware_root = {0}/software\ninstance_root = {0}/instance\n",
            inner.display()
        ),
    );
    write(&inner.join("software/1/.installed.cfg"), &path("inner"));
    fs::create_dir(inner.join("instance")).unwrap();
    write(
        &node.path().join("more/1/.installed.cfg"),
        &path("elsewhere"),
    );
    node
}

fn prune(node: &Node, side: Side, arguments: &[&str]) -> Outcome {
    let more = node.path().join("more").display().to_string();
    let mut all = vec!["--additional-software-directory", &more];
    all.extend((side == Ours).then_some("--prune"));
    all.extend(arguments);
    node.grid(side, "slapgrid-sr", "prune", &all)
}

#[test]
fn the_same_parts_go_as_at_the_peers() {
    for side in [Peer, Ours] {
        let node = node();
        prune(&node, side, &[]).expect(0);
        assert_eq!(parts(&node), used(), "{side:?}");
        for name in UNUSED {
            assert!(!part(&node, name).exists(), "{side:?}: {name}");
        }
        prune(&node, side, &[]).expect(0);
        assert_eq!(parts(&node), used(), "{side:?}");
    }
}

#[test]
fn a_dry_run_says_what_would_go() {
    let node = node();
    let dangling = node.software_root().join("0123/bin/dangling");
    symlink("/nowhere", dangling).unwrap();
    let all = parts(&node);
    let text = prune(&node, Ours, &["--dry-run"]).expect(4).stdout;
    for name in UNUSED {
        let line = format!("  remove {}: nothing uses it", part(&node, name).display());
        assert!(
            text.lines().any(|known| known == line),
            "{line:?} in {text}"
        );
    }
    assert_eq!(text.lines().count(), 1 + UNUSED.len(), "{text}");
    assert_eq!(parts(&node), all);
    prune(&node, Ours, &[]).expect(0);
    let after = prune(&node, Ours, &["--dry-run"]).expect(0).stdout;
    assert_eq!(after, "nothing to do\n");
}

#[test]
fn nothing_goes_unless_all_that_may_use_it_was_read() {
    let node = node();
    let all = parts(&node);
    let missing = node.path().join("typo").display().to_string();
    let more = ["--additional-software-directory", &missing];
    let outcome = prune(&node, Ours, &more).expect(1);
    says(&outcome, &format!("cannot tell what {missing} uses"));
    assert_eq!(parts(&node), all);
    node.configure(&[]);
    says(&prune(&node, Ours, &[]).expect(1), "no shared_part_list");
}

#[test]
fn what_instances_have_put_there_holds_nobody_up() {
    let node = node();
    let place = node.partition(0).join("var");
    write(&place.join("slapos.cfg"), "no configuration");
    write(
        &place.join("other/slapos.cfg"),
        "[slapos]\nsoftware_root = relative\n",
    );
    symlink("/", place.join("root")).unwrap();
    fs::create_dir(place.join("pipe")).unwrap();
    nix::unistd::mkfifo(
        &place.join("pipe/slapos.cfg"),
        nix::sys::stat::Mode::S_IRWXU,
    )
    .unwrap();
    prune(&node, Ours, &[]).expect(0);
    assert_eq!(parts(&node), used());
}

#[cfg(feature = "root-tests")]
#[test]
fn instances_cannot_have_directories_of_others_looked_through() {
    let node = node();
    let foreign = node.path().join("foreign");
    write(&foreign.join("1/.installed.cfg"), &signature("unused"));
    let text = format!("[slapos]\nsoftware_root = {}\n", foreign.display());
    node.write_in_partition(0, "var/slapos.cfg", &text, 0o644);
    prune(&node, Ours, &[]).expect(0);
    assert_eq!(parts(&node), used());
}

#[test]
fn only_slapgrid_sr_prunes() {
    let node = node();
    let outcome = node.grid(Ours, "slapgrid", "", &["--prune"]).expect(2);
    says(&outcome, "only slapgrid-sr prunes shared parts");
}
