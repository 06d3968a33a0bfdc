//! The figures that slapgrid writes for the textfile collector of Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use slap_proto::documents::SoftwareState;
use slapos_tests::Side::Ours;
use slapos_tests::promises::add_program;
use slapos_tests::{Instance, Misbehaviour, Node, Outcome, ScriptedMaster, instance_script};

const RELEASE: &str = "http://releases.invalid/a\\b/software.cfg";

/// The figures of a page by name and labels, if every line is as Prometheus demands it.
fn parse(page: &str) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    let mut families = BTreeSet::new();
    let mut family = "";
    assert!(page.ends_with('\n'));
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            (family, _) = help.split_once(' ').expect("a help has a text");
            assert!(families.insert(family), "{family} comes twice");
            assert_eq!(
                lines.next(),
                Some(format!("# TYPE {family} gauge").as_str())
            );
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
        let name = series.split('{').next().unwrap();
        assert_eq!(name, family, "{line}");
        assert!(is_name(name), "{line}");
        check_labels(&series[name.len()..]);
        let value = value
            .parse()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(figures.insert(series.to_owned(), value).is_none(), "{line}");
    }
    figures
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// `{a="b",c="d\\e"}`, or nothing.
fn check_labels(labels: &str) {
    if labels.is_empty() {
        return;
    }
    let mut rest = labels.strip_prefix('{').expect(labels);
    loop {
        let (name, value) = rest.split_once("=\"").expect(labels);
        assert!(is_name(name), "{labels}");
        let mut escaped = false;
        let end = value.find(|letter| match letter {
            '"' if !escaped => true,
            _ => {
                let allowed = !escaped || matches!(letter, '\\' | '"' | 'n');
                assert!(allowed, "{labels}");
                escaped = letter == '\\' && !escaped;
                false
            }
        });
        rest = &value[end.expect(labels) + 1..];
        match rest {
            "}" => return,
            more => rest = more.strip_prefix(',').expect(labels),
        }
    }
}

/// A node with an instance, two promises and figures.
fn node() -> (Node, ScriptedMaster) {
    let node = Node::new();
    node.make_partitions(2);
    let bootstrap = node.fake_bootstrap("echo building");
    let file = file(&node).display().to_string();
    node.configure(&[("buildout", &bootstrap), ("metrics_file", &file)]);
    let script = instance_script("promise good 'exit 0'\npromise 'odd\"one' 'exit 0'");
    let url = node.install_release("web", &script);
    let master = ScriptedMaster::start(node.master_port);
    master.script().instances = vec![Instance::new("slappart0", &url)];
    master.script().free = vec!["slappart1".to_owned()];
    master.script().releases = vec![(RELEASE.to_owned(), SoftwareState::Available)];
    (node, master)
}

fn file(node: &Node) -> PathBuf {
    node.path().join("node.prom")
}

fn grid(node: &Node, tool: &str, arguments: &[&str]) -> Outcome {
    node.grid(Ours, tool, "", arguments)
}

fn figures(node: &Node) -> BTreeMap<String, f64> {
    parse(&fs::read_to_string(file(node)).unwrap())
}

#[test]
fn all_figures_are_told_and_stay_while_other_tools_run() {
    let (node, _master) = node();
    grid(&node, "slapgrid-sr", &[]).expect(0);
    let first = figures(&node);
    let build =
        r#"slapgrid_release_build_seconds{release="http://releases.invalid/a\\b/software.cfg"}"#;
    assert!(first[build] > 0.0);
    assert_eq!(first[r#"slapgrid_partitions{state="started"}"#], 1.0);
    assert!(!first.contains_key(r#"slapgrid_run_duration_seconds{phase="instances"}"#));

    grid(&node, "slapgrid-cp", &[]).expect(0);
    let second = figures(&node);
    assert_eq!(first[build], second[build], "another tool forgot it");
    for (series, value) in [
        (r#"slapgrid_partitions{state="started"}"#, 1.0),
        (r#"slapgrid_partitions{state="free"}"#, 1.0),
        (r#"slapgrid_partitions{state="unknown"}"#, 0.0),
        (r#"slapgrid_partition_failed{partition="slappart0"}"#, 0.0),
        (r#"slapgrid_releases{state="available"}"#, 1.0),
        (
            r#"slapgrid_promise_kept{partition="slappart0",promise="good"}"#,
            1.0,
        ),
        (
            r#"slapgrid_promise_kept{partition="slappart0",promise="odd\"one"}"#,
            1.0,
        ),
        (
            r#"slapgrid_failures{phase="instances",severity="failed"}"#,
            0.0,
        ),
        ("slapgrid_master_up", 1.0),
    ] {
        assert_eq!(second.get(series), Some(&value), "{series}");
    }
    for series in [
        "slapgrid_master_latency_seconds",
        r#"slapgrid_promise_duration_seconds{partition="slappart0",promise="good"}"#,
        r#"slapgrid_run_duration_seconds{phase="software"}"#,
        r#"slapgrid_last_success_timestamp_seconds{phase="instances"}"#,
    ] {
        assert!(second[series] >= 0.0, "{series}");
    }
    let mode = fs::metadata(file(&node)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "the collector is another user");
}

#[test]
fn failures_are_counted_and_the_last_success_is_remembered() {
    let (node, master) = node();
    grid(&node, "slapgrid-cp", &[]).expect(0);
    let success = r#"slapgrid_last_success_timestamp_seconds{phase="instances"}"#;
    let last_run = r#"slapgrid_last_run_timestamp_seconds{phase="instances"}"#;
    let before = figures(&node);

    add_program(&node, 0, "good", "exit 1");
    grid(&node, "slapgrid-cp", &["--promises-only"]).expect(2);
    grid(&node, "slapgrid-cp", &[]).expect(2);
    let broken = figures(&node);
    let promise = r#"slapgrid_promise_kept{partition="slappart0",promise="good"}"#;
    assert_eq!(broken[promise], 0.0);
    assert_eq!(
        broken[r#"slapgrid_failures{phase="instances",severity="promise"}"#],
        1.0
    );
    assert_eq!(
        broken[r#"slapgrid_partition_failed{partition="slappart0"}"#],
        1.0
    );
    assert!(
        broken[success] > before[success],
        "nothing but promises failed"
    );

    let away = Misbehaviour::Answer(503, "later".to_owned());
    master
        .script()
        .fail_always("getFullComputerInformation", away);
    grid(&node, "slapgrid-cp", &[]).expect(3);
    let failed = figures(&node);
    assert_eq!(failed["slapgrid_master_up"], 0.0);
    assert_eq!(
        failed[r#"slapgrid_failures{phase="instances",severity="master_failed"}"#],
        1.0
    );
    assert_eq!(failed[success], broken[success]);
    assert!(failed[last_run] > broken[last_run]);
    assert_eq!(
        failed[r#"slapgrid_partition_failed{partition="slappart0"}"#],
        1.0
    );
    let same = "slapgrid_partitions{state=\"started\"}";
    assert_eq!(failed[same], 1.0, "what was known is forgotten");
}

#[test]
fn what_is_no_more_has_no_figures() {
    let (node, master) = node();
    grid(&node, "slapgrid", &[]).expect(0);
    master.script().releases.clear();
    master.script().instance("slappart0").state = "destroyed".to_owned();
    master.script().instance("slappart0").timestamp = "1700000001".to_owned();
    grid(&node, "slapgrid", &[]).expect(0);
    grid(&node, "slapgrid", &[]).expect(0);
    let figures = figures(&node);
    assert_eq!(figures[r#"slapgrid_partitions{state="free"}"#], 2.0);
    let gone = |series: &&String| series.contains("build_seconds") || series.contains("promise=");
    assert_eq!(figures.keys().find(gone), None);
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let (node, _master) = node();
    let missing = node.path().join("missing/node.prom").display().to_string();
    let outcome = grid(&node, "slapgrid-cp", &["--metrics-file", &missing]).expect(1);
    assert!(outcome.stderr.contains("metrics_file: "), "{outcome:?}");
    assert!(
        !node.partition(0).join(".timestamp").exists(),
        "it ran all the same"
    );

    let directory = node.path().join("directory.prom");
    fs::create_dir(&directory).unwrap();
    let name = directory.display().to_string();
    let outcome = grid(&node, "slapgrid-cp", &["--json", "--metrics-file", &name]).expect(1);
    assert!(
        outcome.stderr.contains("cannot write the figures"),
        "{outcome:?}"
    );
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(
        document["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("directory.prom")
    );
    assert!(
        node.partition(0).join(".timestamp").exists(),
        "the run was not finished"
    );
    let left = fs::read_dir(node.path()).unwrap();
    let left = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".slapos-new")
    });
    assert_eq!(left.count(), 0, "an unfinished file is left");
}

#[test]
fn damaged_figures_of_earlier_runs_stop_nothing() {
    let (node, _master) = node();
    grid(&node, "slapgrid-cp", &[]).expect(0);
    let kept = node.instance_root().join("var/slapgrid/figures.json");
    for damage in ["{", "[5]", "{\"phases\": 5}"] {
        fs::write(&kept, damage).unwrap();
        let outcome = grid(&node, "slapgrid-cp", &[]).expect(0);
        assert!(
            outcome.stderr.contains("figures of earlier runs are lost"),
            "{outcome:?}"
        );
        assert_eq!(figures(&node)["slapgrid_master_up"], 1.0);
    }
}

#[test]
fn a_dry_run_writes_no_figures() {
    let (node, _master) = node();
    grid(&node, "slapgrid", &["--dry-run"]).expect(4);
    assert!(!file(&node).exists());
}
