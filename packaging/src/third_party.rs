//! The report on the licenses of crates is of the crates that the tools are made of today.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_license_report_names_every_crate_of_the_tools() {
    let reported = reported();
    let used = used();
    assert!(used.len() > 100, "only {} crates", used.len());
    let missing: Vec<_> = used.difference(&reported).collect();
    assert!(
        missing.is_empty(),
        "not in the report: {missing:?}: run cargo xtask licenses"
    );
}

#[test]
fn the_license_report_names_crates_that_are_locked() {
    let locked = locked();
    let reported = reported();
    assert!(reported.len() > 100, "only {} crates", reported.len());
    let gone: Vec<_> = reported.difference(&locked).collect();
    assert!(
        gone.is_empty(),
        "not in Cargo.lock: {gone:?}: run cargo xtask licenses"
    );
}

/// `NAME VERSION` of every crate of Cargo.lock.
fn locked() -> BTreeSet<String> {
    let text = read("../Cargo.lock");
    let values = |key: &'static str| {
        let lines = text.lines().filter_map(move |line| line.strip_prefix(key));
        lines.map(|value| value.trim_matches('"').to_owned())
    };
    // The file itself has a version, without quotes.
    let versions = values("version = ").skip(1);
    let pairs = values("name = ").zip(versions);
    pairs
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

/// The same of every crate that the tools link to, as cargo resolves it for this machine.
fn used() -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--locked", "--workspace"])
        .args(["--edges", "normal,no-proc-macro"])
        .args(["--prefix", "none", "--format", "{p}"]);
    for ours_alone in ["slapos-tests", "xtask*", "packaging", "slap-testing"] {
        tree.args(["--exclude", ours_alone]);
    }
    let output = tree.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    // Crates of the workspace have a path behind their version.
    let crates = text.lines().filter(|line| !line.contains("(/"));
    let pairs = crates.filter_map(|line| line.split_once(" v"));
    pairs
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default()))
        .filter(|(_, version)| !version.is_empty())
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

/// The same of the list at the report's beginning: lines `NAME VERSION: LICENSE`.
fn reported() -> BTreeSet<String> {
    let text = read("third-party-licenses.txt");
    let list = text.lines().take_while(|line| !line.starts_with("---"));
    let crates = list.filter_map(|line| line.split_once(": "));
    crates
        .map(|(name_and_version, _)| name_and_version.to_owned())
        .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
