//! `slapproxy show` beside the peer's `slapos proxy show`, on the same databases.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use slap_client::InstanceRequest;
use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{COMPUTER, Node, Outcome, Side, places, population};

/// The options that both know, each of which chooses one section.
const SECTIONS: [&str; 6] = [
    "--computers",
    "--software",
    "--partitions",
    "--slaves",
    "--params",
    "--network",
];

fn ours(node: &Node, options: &[&str]) -> Outcome {
    let mut command = node.ours("slapproxy");
    command.arg("show").arg(node.configuration());
    Outcome::of(command.args(options))
}

fn peers(node: &Node, options: &[&str]) -> Outcome {
    let mut command = node.peer(&["proxy", "show", "--cfg"]);
    Outcome::of(command.arg(node.configuration()).args(options))
}

/// The lines that tell something, in which both agree but for the justified differences:
/// - the peer centres its columns, draws a rule above and below, too, and does not indent the
///   further lines of a text: blanks and rules are not compared;
/// - the peer names the database first: whoever asks has named it;
/// - an empty parameter is Python's `None` there.
fn comparable(output: &str) -> Vec<String> {
    let lines = output
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|line| {
            line.strip_suffix("= None")
                .map_or(line.clone(), |line| format!("{line}="))
        })
        .filter(|line| !line.starts_with("Using database: "))
        .filter(|line| line.contains(|character| character != '-' && character != ' '));
    lines.collect()
}

/// A node whose database was written by a master of one side, which has ended.
fn node_of(side: Side) -> Node {
    let mut node = Node::new();
    node.start_master(side);
    population::three(&node.slap());
    node.stop_master();
    node
}

#[test]
fn both_show_the_same_of_a_database_of_either() {
    for side in [Ours, Peer] {
        let node = node_of(side);
        let everything = comparable(&ours(&node, &SECTIONS).expect(0).stdout);
        assert!(everything.len() > 25, "{everything:?}");
        assert_eq!(everything, comparable(&peers(&node, &[]).expect(0).stdout));
    }
}

#[test]
fn an_option_chooses_the_same_section_of_both() {
    let node = node_of(Ours);
    for section in SECTIONS {
        let shown = comparable(&ours(&node, &[section]).expect(0).stdout);
        assert_eq!(
            shown,
            comparable(&peers(&node, &[section]).expect(0).stdout)
        );
        assert!(!shown.is_empty(), "{section}");
    }
}

#[test]
fn both_say_that_tables_are_empty() {
    let mut node = Node::new();
    node.start_master(Ours);
    node.stop_master();
    let shown = comparable(&ours(&node, &SECTIONS).expect(0).stdout);
    assert_eq!(shown, comparable(&peers(&node, &[]).expect(0).stdout));
    assert!(
        shown.contains(&"table computer18: empty".to_owned()),
        "{shown:?}"
    );
}

#[test]
fn reports_are_shown_also_while_a_server_runs_and_nothing_is_changed() {
    let mut node = Node::new();
    node.start_master(Ours);
    population::three(&node.slap());
    let everything = ours(&node, &[]).expect(0).stdout;
    assert!(everything.starts_with("table computer18\n"), "{everything}");
    let reports = ours(&node, &["--reports"]).expect(0).stdout;
    assert!(everything.contains(&reports), "{everything}");
    assert!(
        everything.ends_with("\n\ntable unrequested18: empty\n"),
        "{everything}"
    );
    let row = |parts: [&str; 3]| {
        let mut lines = reports.lines();
        assert!(
            lines.any(|line| parts.iter().all(|part| line.contains(part))),
            "{parts:?}: {reports}"
        );
    };
    row(["software", population::FAILING, "Error: System error"]);
    row(["instance", "slappart0", "started"]);
    row(["instance", "slappart1", "is wrong: <b>example</b>"]);
    node.stop_master();
    let before = fs::read(node.database()).unwrap();
    assert_eq!(ours(&node, &[]).expect(0).stdout, everything);
    assert_eq!(fs::read(node.database()).unwrap(), before);
}

#[test]
fn instances_that_nobody_requests_any_more_are_told() {
    let mut node = Node::new();
    node.start_master(Ours);
    let slap = node.slap();
    population::describe(&slap, COMPUTER, 2);
    let request = |name| InstanceRequest::new(population::INSTALLED, name);
    let root = population::partition(&slap, 0);
    slap.register_open_order()
        .request(&request("root"))
        .unwrap();
    root.request(&request("dropped child")).unwrap();
    root.update_related_instance_list(&[]).unwrap();
    let shown = ours(&node, &["--unrequested"]).expect(0).stdout;
    let row = shown.lines().last().unwrap();
    assert!(
        row.starts_with("slappart1") && row.contains("dropped child"),
        "{shown}"
    );
}

#[test]
fn programs_read_one_object() {
    let node = node_of(Ours);
    let everything: Value =
        serde_json::from_str(&ours(&node, &["--json"]).expect(0).stdout).unwrap();
    let sections = everything.as_object().unwrap();
    assert_eq!(sections.len(), SECTIONS.len() + 2);
    assert_eq!(everything["computers"][0]["reference"], COMPUTER);
    assert_eq!(everything["software"].as_array().unwrap().len(), 3);
    assert_eq!(
        everything["partitions"][1]["partition_reference"],
        "<script>alert(1)</script>"
    );
    assert_eq!(everything["slaves"].as_array().unwrap().len(), 3);
    let params = &everything["params"][0];
    assert_eq!(params["parameters"]["comment"], "Grüße & <Küsse>");
    assert_eq!(params["connection"]["empty"], "");
    assert_eq!(everything["network"][0]["addresses"][1], "2001:db8:42:0::1");
    let report = &everything["reports"][4];
    assert_eq!(report["state"], "error");
    assert!(
        report["message"].as_str().unwrap().starts_with("Traceback"),
        "{report}"
    );
    let one = ours(&node, &["--json", "--network"]).expect(0).stdout;
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one, serde_json::json!({"network": everything["network"]}));
}

#[test]
fn what_instances_publish_cannot_command_the_terminal() {
    let mut node = Node::new();
    node.start_master(Ours);
    population::describe(&node.slap(), COMPUTER, 1);
    node.stop_master();
    let published = "<instance><parameter id=\"a\">x\u{9b}2J\u{7f}\ny</parameter></instance>";
    let script = "import sqlite3, sys\n\
        with sqlite3.connect(sys.argv[1]) as database:\n    \
        database.execute(\"UPDATE partition18 SET slap_state = 'busy', connection_xml = ?, \
        partition_reference = ?\", sys.argv[2:])";
    let mut python = Command::new(places::peer_program("python"));
    let name = "\u{1b}]0;owned\u{7}\nslappart9: forged";
    Outcome::of(
        python
            .args(["-c", script])
            .arg(node.database())
            .args([published, name]),
    )
    .expect(0);
    for options in [&[][..], &["--json"]] {
        let shown = ours(&node, options).expect(0).stdout;
        let commands = |character: char| character.is_control() && character != '\n';
        assert!(!shown.contains(commands), "{shown:?}");
        assert!(!shown.contains("\nslappart9"), "{shown}");
    }
}

#[track_caller]
fn refused(arguments: &[&str], code: i32, part: &str) {
    let outcome = Outcome::of(Command::new(places::tool("slapproxy")).args(arguments));
    let outcome = outcome.expect(code);
    assert!(outcome.stderr.contains(part), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
}

#[test]
fn mistakes_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let bare = write("bare.cfg", "[slapos]\n[slapproxy]\nport = 1\n");
    let broken = write("broken.cfg", "[slapproxy]\nno parameter\n");
    let photos = write("photos.db", &"my photos ".repeat(1000));
    let empty = write("empty.db", "");
    let absent = directory.path().join("absent.db");
    refused(&["show"], 2, "CONFIGURATION_FILE");
    refused(&["show", &bare, "--computer-s"], 2, "--computer-s");
    refused(&["show", &bare, &bare], 2, "unexpected argument");
    refused(&[&bare, "show"], 2, "show");
    refused(&["show", "/no/such.cfg"], 1, "/no/such.cfg");
    refused(&["show", &broken], 1, "broken.cfg, line 2");
    refused(&["show", &bare], 1, "database_uri of [slapproxy]");
    refused(&["show", &bare, "-u", &photos], 1, "photos.db");
    refused(&["show", &bare, "-u", &empty], 1, "it holds nothing yet");
    refused(
        &["show", &bare, "-u", absent.to_str().unwrap()],
        1,
        "absent.db",
    );
    refused(&["show", &bare, "-u", "/tmp"], 1, "/tmp");
    assert!(!absent.exists());
    assert_eq!(fs::read(Path::new(&empty)).unwrap(), b"");
}

#[test]
fn no_computer_id_is_needed_and_options_may_be_spelt_as_the_peers() {
    let node = node_of(Ours);
    let configuration = node.path().join("bare.cfg");
    node.write("bare.cfg", "[slapos]\n");
    let mut command = node.ours("slapproxy");
    command.arg("show").arg(configuration);
    command
        .arg("--database_uri")
        .arg(node.database())
        .arg("--comp");
    let shown = Outcome::of(&mut command).expect(0).stdout;
    assert!(shown.contains(COMPUTER), "{shown}");
}
