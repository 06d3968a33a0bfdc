//! The report on the licenses of crates is of the crates that the tools are made of today.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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
