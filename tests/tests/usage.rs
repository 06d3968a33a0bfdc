//! slapgrid-ur: usage reports reach the master once, and are removed only then.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use slap_proto::usage::Journal;
use slapos_tests::Side::Ours;
use slapos_tests::faults::consumption;
use slapos_tests::{Instance, Misbehaviour, Node, Outcome, ScriptedMaster, instance_script, poll};

/// A node with an instance that was built by this script.
fn node(script: &str) -> (Node, ScriptedMaster) {
    let node = Node::new();
    let master = ScriptedMaster::start(node.master_port);
    node.make_partitions(1);
    let script = format!("mkdir -p var/xml_report\n{script}");
    let url = node.install_release("metered", &instance_script(&script));
    master.script().instances = vec![Instance::new("slappart0", &url)];
    node.grid(Ours, "slapgrid-cp", "instance", &[]).expect(0);
    master.calls();
    (node, master)
}

fn report(node: &Node) -> Outcome {
    node.grid(Ours, "slapgrid-ur", "report", &[])
}

fn reports(node: &Node) -> PathBuf {
    node.partition(0).join("var/xml_report")
}

fn write_report(node: &Node, name: &str, resource: &str) {
    fs::write(reports(node).join(name), consumption(resource)).unwrap();
}

fn left(node: &Node) -> Vec<String> {
    let entries = fs::read_dir(reports(node)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The journals that the master got, and what is charged in each: partition and resource.
fn journals(master: &ScriptedMaster) -> Vec<(String, Vec<(String, String)>)> {
    let calls = master.calls();
    let usage = calls.iter().filter(|call| call.endpoint == "useComputer");
    usage
        .map(|call| {
            let text = call.field("use_string").to_owned();
            let journal = Journal::from_xml(text.as_bytes()).unwrap();
            let movements = journal
                .transactions
                .into_iter()
                .flat_map(|sale| sale.movements);
            let charged = movements
                .map(|movement| (movement.reference.unwrap_or_default(), movement.resource));
            (text, charged.collect())
        })
        .collect()
}

fn charged(master: &ScriptedMaster) -> Vec<(String, String)> {
    journals(master)
        .into_iter()
        .flat_map(|(_, charged)| charged)
        .collect()
}

fn pair(resource: &str) -> (String, String) {
    ("slappart0".to_owned(), resource.to_owned())
}

#[test]
fn reports_are_joined_escaped_and_removed() {
    let program = format!(
        "program report usage 'echo \"{}\" > $1'",
        consumption("A &amp; B")
    );
    let (node, master) = node(&program);
    write_report(&node, "own", "<![CDATA[<C>]]>");
    let of_node = node.instance_root().join("var/xml_report/slappart0");
    fs::create_dir_all(&of_node).unwrap();
    fs::write(of_node.join("disk"), consumption("DISK")).unwrap();
    report(&node).expect(0);
    assert_eq!(charged(&master), [pair("<C>"), pair("A & B"), pair("DISK")]);
    assert!(left(&node).is_empty(), "{:?}", left(&node));
    assert_eq!(fs::read_dir(of_node).unwrap().count(), 0);
    report(&node).expect(0);
    assert_eq!(
        charged(&master),
        [pair("A & B")],
        "the program reports again, the others do not"
    );
}

#[test]
fn what_is_no_report_is_warned_of_and_left() {
    let (node, master) = node("true");
    for (name, text) in [
        ("text", "no XML".to_owned()),
        ("root", consumption("A").replace("consumption", "usage")),
        ("number", consumption("A").replace("42", "many")),
        (
            "entity",
            format!(
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"/etc/passwd\">]>{}",
                consumption("&e;")
            ),
        ),
        ("long", consumption(&"A".repeat(1 << 20))),
    ] {
        fs::write(reports(&node).join(name), text).unwrap();
    }
    symlink("/etc/passwd", reports(&node).join("link")).unwrap();
    nix::unistd::mkfifo(&reports(&node).join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::create_dir(reports(&node).join("directory")).unwrap();
    write_report(&node, "good", "GOOD");
    let before = left(&node);
    let outcome = report(&node).expect(0);
    assert_eq!(charged(&master), [pair("GOOD")]);
    let after: Vec<String> = before.into_iter().filter(|name| name != "good").collect();
    assert_eq!(left(&node), after);
    for name in after {
        assert!(
            outcome
                .text()
                .contains(&format!("xml_report/{name} is no usage report")),
            "{name}"
        );
    }
}

#[test]
fn reports_are_not_sought_through_links() {
    let (node, master) = node("true");
    fs::remove_dir(reports(&node)).unwrap();
    let elsewhere = node.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("one"), consumption("STOLEN")).unwrap();
    symlink(&elsewhere, reports(&node)).unwrap();
    report(&node).expect(1);
    assert_eq!(charged(&master), []);
    assert!(elsewhere.join("one").exists());
}

#[test]
fn a_program_that_fails_or_hangs_is_told_and_the_others_count() {
    let program = format!(
        "program report good 'echo \"{}\" > $1'",
        consumption("GOOD")
    );
    let (node, master) = node(&format!(
        "program report bad 'echo oops >&2; exit 3'; program report slow 'exec sleep 100'; {program}; \
         touch etc/report/README"
    ));
    let outcome = node
        .grid(Ours, "slapgrid-ur", "report", &["--partition-timeout", "1"])
        .expect(1);
    for part in [
        "oops",
        "\"bad\" failed",
        "\"slow\" failed",
        "longer than 1 seconds",
    ] {
        assert!(outcome.text().contains(part), "{part}: {}", outcome.text());
    }
    let told = master.calls();
    let error = told
        .iter()
        .find(|call| call.endpoint == "softwareInstanceError")
        .unwrap();
    assert!(error.field("error_log").contains("oops"), "{error:?}");
    assert!(told.iter().any(|call| call.to_string().contains("GOOD")));
}

#[test]
fn a_refused_journal_leaves_its_reports_for_the_next_one() {
    let (node, master) = node("true");
    write_report(&node, "one", "ONE");
    for misbehaviour in [
        Misbehaviour::Answer(400, "no".to_owned()),
        Misbehaviour::Answer(403, "no".to_owned()),
    ] {
        master.script().fail_once("useComputer", misbehaviour);
        report(&node).expect(1);
        assert_eq!(left(&node), ["one"]);
        master.calls();
    }
    write_report(&node, "two", "TWO");
    report(&node).expect(0);
    assert_eq!(charged(&master), [pair("ONE"), pair("TWO")]);
    assert!(left(&node).is_empty());
}

#[test]
fn a_journal_without_answer_is_sent_again_unchanged() {
    for misbehaviour in [Misbehaviour::Cut, Misbehaviour::Answer(502, String::new())] {
        let (node, master) = node("true");
        write_report(&node, "one", "ONE");
        master.script().fail_once("useComputer", misbehaviour);
        report(&node).expect(1);
        assert_eq!(left(&node), ["one"]);
        write_report(&node, "two", "TWO");
        let first = journals(&master);
        report(&node).expect(0);
        let then = journals(&master);
        assert_eq!(then[0].0, first[0].0, "the master could not know it");
        assert_eq!(then[1].1, [pair("TWO")]);
        assert!(left(&node).is_empty());
    }
}

#[test]
fn a_kill_between_the_sending_and_the_answer_loses_nothing() {
    let (node, master) = node("true");
    write_report(&node, "one", "ONE");
    let late = Misbehaviour::Late(Duration::from_secs(30));
    master.script().fail_once("useComputer", late);
    let mut command = node.ours_with("slapgrid-ur", &["--now"]);
    let mut tool = command.stderr(Stdio::null()).spawn().unwrap();
    let mut seen = Vec::new();
    poll::until("the journal is sent", Duration::from_secs(20), || {
        seen.extend(journals(&master));
        !seen.is_empty()
    });
    tool.kill().unwrap();
    tool.wait().unwrap();
    assert_eq!(left(&node), ["one"]);
    report(&node).expect(0);
    let again = journals(&master);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].0, seen[0].0);
    assert!(left(&node).is_empty());
    report(&node).expect(0);
    assert_eq!(charged(&master), []);
}

#[test]
fn an_instance_with_more_reports_than_a_journal_takes_is_destroyed_after_the_last() {
    let (node, master) = node("true");
    // A journal takes no more of a partition after 512 KiB, which three of these have.
    let movement = consumption("A");
    let movement = movement.trim_start_matches("<consumption>");
    let movement = movement.trim_end_matches("</consumption>");
    for name in ["1", "2", "3", "4"] {
        let text = format!("<consumption>{}</consumption>", movement.repeat(2000));
        fs::write(reports(&node).join(name), text).unwrap();
    }
    master.script().instance("slappart0").state = "destroyed".to_owned();
    report(&node).expect(0);
    assert_eq!(left(&node), ["4"]);
    assert_eq!(charged(&master).len(), 3 * 2000);
    report(&node).expect(0);
    assert_eq!(charged(&master).len(), 2000);
    assert_eq!(fs::read_dir(node.partition(0)).unwrap().count(), 0);
}

#[test]
fn a_program_that_slapgrid_ends_since_it_was_told_to_end_is_no_failure_of_the_instance() {
    let (node, _master) = node("program report slow 'touch begun; exec sleep 100'");
    let mut command = node.ours_with("slapgrid-ur", &["--now", "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let tool = command.spawn().unwrap();
    poll::until("the program runs", Duration::from_secs(20), || {
        node.partition(0).join("etc/report/begun").exists()
    });
    let pid = nix::unistd::Pid::from_raw(tool.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let output = tool.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let step = &outcome["usage"][0];
    assert_eq!(step["reference"], "slappart0", "{outcome}");
    assert_eq!(step["error"]["severity"], "interrupted", "{outcome}");
}

#[test]
fn an_instance_is_destroyed_after_its_usage_is_sent() {
    let program = format!(
        "program report usage 'echo \"{}\" > $1'",
        consumption("LAST")
    );
    let (node, master) = node(&program);
    master.script().instance("slappart0").state = "destroyed".to_owned();
    master.script().fail_once("useComputer", Misbehaviour::Cut);
    report(&node).expect(1);
    assert_eq!(left(&node).len(), 1);
    assert!(
        !master
            .calls()
            .iter()
            .any(|call| call.endpoint == "destroyedComputerPartition")
    );
    report(&node).expect(0);
    let calls = master.calls();
    let order: Vec<&str> = calls.iter().map(|call| call.endpoint.as_str()).collect();
    assert_eq!(
        order,
        [
            "getFullComputerInformation",
            "useComputer",
            "useComputer",
            "stoppedComputerPartition",
            "destroyedComputerPartition"
        ]
    );
    assert_eq!(fs::read_dir(node.partition(0)).unwrap().count(), 0);
}
