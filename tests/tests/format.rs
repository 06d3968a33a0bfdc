//! slapformat through its binary.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use slapos_tests::Side::Ours;
use slapos_tests::{COMPUTER, Node, Outcome, Tree};

fn format(node: &Node, options: &[&str]) -> Outcome {
    let mut command = node.ours("slapformat");
    Outcome::of(
        command
            .args(["--now", "--console"])
            .args(options)
            .arg(node.configuration()),
    )
}

#[test]
fn partitions_are_made_and_the_master_is_told() {
    let mut node = Node::new();
    node.start_master(Ours);
    format(&node, &[]).expect(0);
    for number in 0..2 {
        let metadata = node.partition(number).metadata().unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o750);
        assert_ne!(
            metadata.uid(),
            0,
            "nothing may run in a partition of root's"
        );
        let resource = fs::read_to_string(node.partition(number).join(".slapos-resource")).unwrap();
        assert!(resource.contains("\"addr\": \"127.0.0.1\""), "{resource}");
    }
    let answer = node
        .ask_master(&format!(
            "/getFullComputerInformation?computer_id={COMPUTER}"
        ))
        .1;
    assert!(answer.contains("slappart1"), "{answer}");
}

#[test]
fn a_second_run_has_nothing_to_do() {
    let mut node = Node::new();
    node.start_master(Ours);
    format(&node, &[]).expect(0);
    let before = Tree::read(
        node.path(),
        &[".log", "proxy.db", "proxy.db-wal", "proxy.db-shm"],
    );
    let outcome = format(&node, &[]).expect(0);
    let after = Tree::read(
        node.path(),
        &[".log", "proxy.db", "proxy.db-wal", "proxy.db-shm"],
    );
    assert!(
        outcome.stderr.contains("nothing to do"),
        "{}",
        outcome.stderr
    );
    assert_eq!(before.differences(&after), Vec::<PathBuf>::new());
}

#[test]
fn a_dry_run_says_everything_and_changes_nothing() {
    let node = Node::new();
    let before = Tree::read(node.path(), &["format.log"]);
    let outcome = format(&node, &["--dry_run"]).expect(0);
    assert_eq!(
        before.differences(&Tree::read(node.path(), &["format.log"])),
        Vec::<PathBuf>::new()
    );
    for part in [
        "slappart0 (750",
        "slappart1 (750",
        "computer.xml",
        ".slapos-resource",
    ] {
        assert!(
            outcome.stdout.contains(part),
            "{part} is not in {}",
            outcome.stdout
        );
    }
}

#[test]
fn a_master_that_is_away_is_exit_code_2_and_the_partitions_are_there() {
    let node = Node::new();
    let outcome = format(&node, &[]).expect(2);
    assert!(
        outcome.stderr.contains("the master was not told"),
        "{}",
        outcome.stderr
    );
    assert!(node.partition(1).exists());
    assert!(node.path().join("computer.xml").exists());
}

#[test]
fn a_corrupt_computer_xml_is_refused_and_kept() {
    let node = Node::new();
    node.write("computer.xml", "<marshal><dictio");
    let outcome = format(&node, &[]).expect(1);
    assert!(
        outcome
            .stderr
            .contains("computer.xml does not describe a computer"),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        fs::read_to_string(node.path().join("computer.xml")).unwrap(),
        "<marshal><dictio"
    );
    assert!(!node.partition(0).exists());
}

#[test]
fn partitions_are_never_removed() {
    let mut node = Node::new();
    node.start_master(Ours);
    format(&node, &[]).expect(0);
    let definition = fs::read_to_string(node.path().join("definition.cfg")).unwrap();
    let end = definition.find("[partition_1]").unwrap();
    node.write("definition.cfg", &definition[..end]);
    let outcome = format(&node, &[]).expect(1);
    assert!(
        outcome.stderr.contains("partitions are never removed"),
        "{}",
        outcome.stderr
    );
    assert!(node.partition(1).exists());
}

#[test]
fn a_wrong_mode_is_corrected() {
    let mut node = Node::new();
    node.start_master(Ours);
    format(&node, &[]).expect(0);
    fs::set_permissions(node.partition(0), fs::Permissions::from_mode(0o777)).unwrap();
    format(&node, &[]).expect(0);
    assert_eq!(node.partition(0).metadata().unwrap().mode() & 0o7777, 0o750);
}

#[test]
fn the_definition_that_is_written_can_be_read() {
    let mut node = Node::new();
    node.start_master(Ours);
    let output = node.path().join("written.cfg");
    format(
        &node,
        &["--output_definition_file", output.to_str().unwrap()],
    )
    .expect(0);
    let outcome = format(
        &node,
        &["--input_definition_file", output.to_str().unwrap()],
    )
    .expect(0);
    assert!(
        outcome.stderr.contains("nothing to do"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn only_root_may_make_users_and_change_interfaces() {
    let node = Node::unprivileged();
    for option in ["--alter_user=True", "--alter_network=True"] {
        let outcome = format(&node, &[option]).expect(1);
        assert!(
            outcome.stderr.contains("only root may make users"),
            "{}",
            outcome.stderr
        );
    }
    assert!(!node.partition(0).exists());
}

#[test]
fn a_definition_with_a_gap_or_without_partitions_is_refused() {
    let node = Node::new();
    let definition = fs::read_to_string(node.path().join("definition.cfg")).unwrap();
    let gap = definition.replace("[partition_0]", "[partition_2]");
    let end = definition.find("[partition_0]").unwrap();
    for (text, part) in [
        (gap.as_str(), "has no [partition_0]"),
        (&definition[..end], "defines no partition"),
    ] {
        node.write("definition.cfg", text);
        let outcome = format(&node, &[]).expect(1);
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
        assert!(!node.path().join("computer.xml").exists());
    }
}

#[test]
fn an_amount_that_differs_from_the_definition_is_warned_of() {
    let node = Node::new();
    let settings = fs::read_to_string(node.configuration()).unwrap();
    let settings = settings.replace(
        "partition_amount = 2",
        "partition_amount = 5\nbridge_name = lo",
    );
    node.write("slapos.cfg", &settings);
    let outcome = format(&node, &["--dry_run"]).expect(0);
    for part in [
        "the definition has 2 partitions",
        "bridge_name is deprecated",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
}

#[test]
fn a_dry_run_tells_programs_what_it_would_do() {
    let node = Node::new();
    let outcome = format(&node, &["--dry_run", "--json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let paths: Vec<_> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["path"].as_str())
        .collect();
    let expected = node.path().join("computer.xml");
    assert!(paths.contains(&expected.to_str().unwrap()), "{paths:?}");
    assert!(!node.path().join("format.log").exists());
    format(&node, &["--json"]).expect(2);
}

#[test]
fn a_master_that_does_not_know_the_computer_is_explained() {
    let node = Node::new();
    let listener = TcpListener::bind(("127.0.0.1", node.master_port)).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1 << 16];
        let mut read = 0;
        // The body ends with the marshalled document.
        while !String::from_utf8_lossy(&request[..read]).contains("%2Fmarshal%3E") {
            read += stream.read(&mut request[read..]).unwrap();
        }
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let outcome = format(&node, &[]).expect(1);
    answering.join().unwrap();
    assert!(
        outcome.stderr.contains(&format!(
            "does not know the computer {COMPUTER}: is computer_id right"
        )),
        "{}",
        outcome.stderr
    );
}
