//! The tools of users: what they say and send, to both masters, and to one that is slow, away or silent.

mod instance;
mod masters;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value as Json, json};
use slap_proto::documents::SoftwareInstance;
use slap_proto::marshal::{Value, decode};
use slapos_tests::{Background, COMPUTER, Misbehaviour, Node, Outcome, ScriptedMaster, poll};

const RELEASE: &str = "/nowhere/software.cfg";
const REQUEST: &str = "requestComputerPartition";
/// How long a tool may take that has nothing to wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node's configuration and its master, which plays what a test says.
fn scripted() -> (Node, ScriptedMaster) {
    let node = Node::new();
    let master = ScriptedMaster::start(node.master_port);
    (node, master)
}

fn request(node: &Node, arguments: &[&str]) -> Command {
    let mut command = node.ours_with("slapos-request", &[RELEASE, "one"]);
    command.args(arguments);
    command
}

/// An answer of the master's: an instance that has published a URL, or nothing.
fn instance(url: Option<&str>) -> Misbehaviour {
    publishing(url.map(|url| ("url", url)))
}

/// As [`instance`], for any parameter.
fn publishing(parameter: Option<(&str, &str)>) -> Misbehaviour {
    let published = parameter.map(|(key, value)| (key.to_owned(), value.into()));
    let instance = SoftwareInstance {
        computer_id: Some(COMPUTER.to_owned()),
        partition_id: Some("slappart0".to_owned()),
        requested_state: Some("started".to_owned()),
        connection_dict: published.into_iter().collect(),
        ..SoftwareInstance::default()
    };
    Misbehaviour::Answer(200, instance.to_document().unwrap())
}

fn not_ready() -> Misbehaviour {
    Misbehaviour::Answer(408, String::new())
}

#[test]
fn waiting_goes_on_until_something_is_published_and_says_how_far_it_is() {
    let (node, master) = scripted();
    for answer in [
        not_ready(),
        instance(None),
        // No parameters, serialised as JSON.
        publishing(Some(("_", "{}"))),
        // The master is restarted meanwhile.
        Misbehaviour::Answer(503, "busy".to_owned()),
    ] {
        master.script().fail_once(REQUEST, answer);
    }
    master
        .script()
        .fail_always(REQUEST, instance(Some("http://x/")));
    let outcome = Outcome::of(&mut request(&node, &["--wait"])).expect(0);
    assert!(
        outcome.stdout.ends_with("  url  http://x/\n"),
        "{outcome:?}"
    );
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{outcome:?}");
    for (line, part) in lines.iter().zip([
        "waiting: the master is preparing one",
        "waiting: one shall be started in slappart0 of COMP-1 and has published nothing",
        "waiting: the master is away: ",
    ]) {
        assert!(line.contains(part), "{line}");
    }
    assert!(lines[2].contains("busy"), "{outcome:?}");
}

#[test]
fn a_request_that_is_not_waited_for_ends_at_once() {
    let (node, master) = scripted();
    master.script().fail_always(REQUEST, not_ready());
    let outcome = Outcome::of(&mut request(&node, &["--json"])).expect(2);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("run this again"), "{outcome:?}");
    assert_eq!(master.calls().len(), 1);
}

#[test]
fn the_time_is_over_once_it_is() {
    let (node, master) = scripted();
    master.script().fail_always(REQUEST, not_ready());
    let outcome = Outcome::of(&mut request(&node, &["--wait", "1"])).expect(2);
    let last = outcome.stderr.lines().last().unwrap();
    let expected = "slapos-request: the time is over: the master is preparing one";
    assert_eq!(last, expected);
    // At the beginning and at the end.
    assert_eq!(master.calls().len(), 2);
}

#[test]
fn the_time_is_over_where_nothing_is_answered() {
    let (node, master) = scripted();
    node.write("p.json", "{}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/software.cfg", silent.local_addr().unwrap());
    let product = "getSoftwareReleaseListFromSoftwareProduct";
    let (unrequested, unanswered) = (
        "the time is over, and nothing was requested yet: ",
        "the master has not answered about one; it may have taken the request",
    );
    for (silent_call, release, arguments, said) in [
        (Some(REQUEST), RELEASE, &[][..], unanswered),
        (Some(product), "product.demo", &[], unrequested),
        // The release does not tell how it takes parameters.
        (None, &silent, &["--parameters-file", "p.json"], unrequested),
    ] {
        if let Some(call) = silent_call {
            master.script().fail_always(call, Misbehaviour::Silence);
        }
        let mut command = node.ours_with("slapos-request", &[release, "one", "--wait=1"]);
        let begin = Instant::now();
        let outcome = Outcome::of(command.args(arguments)).expect(1);
        let (took, longest) = (begin.elapsed(), Duration::from_secs(10));
        assert!(took < longest, "{took:?}: {outcome:?}");
        assert!(outcome.stderr.contains(said), "{outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    }
}

#[test]
fn a_master_that_refuses_is_not_waited_for() {
    let (node, mut master) = scripted();
    for (status, part) in [(404, "no such release"), (403, "no such release")] {
        let refusal = Misbehaviour::Answer(status, "no such release".to_owned());
        master.script().fail_once(REQUEST, refusal);
        let outcome = Outcome::of(&mut request(&node, &["--wait", "60"])).expect(1);
        assert!(outcome.stderr.contains(part), "{outcome:?}");
    }
    master.stop();
    let outcome = Outcome::of(&mut request(&node, &["--wait", "60"])).expect(1);
    assert!(outcome.stderr.contains(&node.master_url()), "{outcome:?}");
}

#[test]
fn whoever_interrupts_the_waiting_reads_that_the_request_stays() {
    for answer in [not_ready(), Misbehaviour::Silence] {
        let (node, master) = scripted();
        master.script().fail_once(REQUEST, not_ready());
        master.script().fail_always(REQUEST, answer);
        let waiting = Background::start(&node, request(&node, &["--wait"]));
        poll::until("two requests were sent", PATIENCE, || {
            let calls = master.script().count(REQUEST);
            calls >= 2
        });
        let ended = waiting.end(Signal::SIGINT, Duration::from_secs(5));
        // A shell that runs a script sees that it was a signal.
        assert_eq!(ended.code, None, "{ended:?}");
        let expected =
            "interrupted, the request stays with the master: the master is preparing one";
        assert!(ended.text.contains(expected), "{ended:?}");
    }
}

#[test]
fn parameters_are_sent_as_the_release_wants_them() {
    let (node, master) = scripted();
    master.script().fail_always(REQUEST, instance(None));
    node.write(
        "p.json",
        r#"{"text": "é", "list": [1, true], "kept": "file"}"#,
    );
    node.write("p.yaml", "text: é\nlist: [1, true]\nkept: file\n");
    node.write("r.cfg.json", r#"{"serialisation": "json-in-xml"}"#);
    let sent = |release: &str, arguments: &[&str]| {
        let mut command = node.ours_with("slapos-request", &[release, "one"]);
        Outcome::of(command.args(arguments)).expect(0);
        let script = master.script();
        let sent = script.last_call().field("partition_parameter_xml");
        let Value::Dict(dict) = decode(sent.as_bytes()).unwrap() else {
            panic!("{sent}");
        };
        let texts = dict
            .iter()
            .map(|(key, text)| (key.to_text(), text.to_text()));
        texts.collect::<BTreeMap<_, _>>()
    };
    let release = node.path().join("r.cfg").display().to_string();
    let kept = &["--parameters", "kept=line"];
    for file in ["p.json", "p.yaml"] {
        let file = node.path().join(file).display().to_string();
        let arguments = [&["--parameters-file", &file][..], kept].concat();
        let one = sent(&release, &arguments);
        assert_eq!(one.len(), 1, "{one:?}");
        let values: Json = serde_json::from_str(&one["_"]).unwrap();
        assert_eq!(
            values,
            json!({"text": "é", "list": [1, true], "kept": "line"})
        );
        let forced = [&["--force-serialisation", "xml"][..], &arguments].concat();
        let each = sent(&release, &forced);
        let each: Vec<_> = each.into_values().collect();
        assert_eq!(each, ["line", "[1,true]", "é"]);
    }
}

#[test]
fn mistakes_are_named() {
    let (node, master) = scripted();
    master.script().fail_always(REQUEST, instance(None));
    for (name, text) in [
        ("bad.yaml", "a: ["),
        ("list.yaml", "- 1\n"),
        ("text.xml", "hello"),
        ("root.xml", "<other/>"),
        ("list.json", "[1]"),
        ("twice.json", "{\"a\": 1, \"a\": 2}"),
        ("good.json", "{}"),
    ] {
        node.write(name, text);
    }
    for (arguments, code, part) in [
        (
            &["--parameters-file", "bad.yaml"][..],
            1,
            "bad.yaml holds no YAML mapping",
        ),
        (
            &["--parameters-file", "list.yaml"],
            1,
            "list.yaml holds no YAML mapping",
        ),
        (
            &["--parameters-file", "text.xml"],
            1,
            "text.xml holds no <instance> document",
        ),
        (
            &["--parameters-file", "root.xml"],
            1,
            "root.xml holds no <instance> document",
        ),
        (
            &["--parameters-file", "list.json"],
            1,
            "list.json holds no JSON object",
        ),
        (
            &["--parameters-file", "none.json"],
            1,
            "parameters file none.json: No such file",
        ),
        (
            &["--parameters-file", "twice.json"],
            1,
            "cannot use twice.json: a is given twice",
        ),
        // However short the time is, the mistake is told.
        (
            &["--parameters-file", "list.json", "--wait=0"],
            1,
            "list.json holds no JSON object",
        ),
        (
            &["--parameters-file", "good.json"],
            1,
            "--force-serialisation is needed",
        ),
        (&["--force-serialisation", "xml"], 2, "--parameters-file"),
        (&["--parameters", "novalue"], 2, "expected KEY=VALUE"),
        (&["--parameters", "a=1", "a=2"], 1, "a is given twice"),
        (
            &["--node", "computer_guid=A", "computer_guid=B"],
            1,
            "computer_guid is given twice",
        ),
        (&["--state", "paused"], 2, "'paused'"),
        (&["--state", "destroyed", "--wait"], 1, "--wait waits"),
        (&["--wait", "-1"], 2, "'-1'"),
        (&["--wait", "soon"], 2, "'soon'"),
    ] {
        let outcome = Outcome::of(&mut request(&node, arguments)).expect(code);
        assert!(outcome.stderr.contains(part), "{arguments:?}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        let lines = outcome.stderr.lines().count();
        assert!(code == 2 || lines == 1, "{arguments:?}: {outcome:?}");
    }
    let mut mistyped = node.ours_with("slapos-request", &["helo", "one"]);
    let outcome = Outcome::of(&mut mistyped).expect(1);
    assert!(
        outcome.stderr.contains("helo is no URL, and no alias of"),
        "{outcome:?}"
    );
    let mut mistyped = node.ours_with("slapos-supply", &["helo", COMPUTER]);
    Outcome::of(&mut mistyped).expect(1);
    assert_eq!(master.calls(), [], "a mistake was sent");
    let mut unwanted = node.ours_with("slapos-remove", &["helo", COMPUTER]);
    Outcome::of(&mut unwanted).expect(0);
    let outcome = Outcome::of(&mut request(&node, &["--node", "computer_gid=A"])).expect(0);
    assert!(
        outcome.stderr.contains("the filter computer_gid"),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("computer_guid"), "{outcome:?}");
}

#[test]
fn the_time_does_not_run_while_parameters_are_typed() {
    let (node, master) = scripted();
    let published = instance(Some("http://x/"));
    master.script().fail_always(REQUEST, published);
    let arguments = [
        "--wait=2",
        "--parameters-file=-",
        "--force-serialisation=xml",
    ];
    let mut command = request(&node, &arguments);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut running = command.spawn().unwrap();
    // Longer than the time and what a call may take beyond it.
    std::thread::sleep(Duration::from_millis(3500));
    let mut pipe = running.stdin.take().unwrap();
    pipe.write_all(b"{\"a\": 1}").unwrap();
    drop(pipe);
    assert_eq!(running.wait().unwrap().code(), Some(0));
    assert_eq!(master.script().count(REQUEST), 1);
}
