//! What `slapos service` and `slapos computer`, ours and the peer's, show of our master and of the
//! peer's.

use std::process::Command;

use serde_json::{Value, json};
use slap_proto::calls::Method;
use slapos_tests::pair::{Master, Step};
use slapos_tests::{COMPUTER, Outcome, Side, http, places};

/// Nobody downloads anything to learn that it has no schema.
const RELEASE: &str = "/nowhere/software.cfg";
/// A title that takes care to stand in a URL; the peer's proxy loses it in a redirection.
const ODD: &str = "50% é/& #1?";

fn rpc(method: &str, parameters: Value) -> Step {
    Step::json(&format!("slapos.{method}"), parameters.to_string())
}

fn request(title: &str, more: Value) -> Step {
    let mut parameters = json!({
        "title": title, "software_release_uri": RELEASE, "software_type": "default",
    });
    let fields = parameters.as_object_mut().expect("it is an object");
    fields.extend(more.as_object().expect("it is an object").clone());
    rpc("post.v0.software_instance", parameters)
}

/// A master with two computers, two trees, and a shared instance that is a tree of its own.
fn populated(side: Side) -> Master {
    let master = Master::start(side, COMPUTER, "");
    let partitions = |count| -> Vec<_> {
        let partition =
            |number| json!({"partition_id": format!("slappart{number}"), "ip_list": []});
        (0..count).map(partition).collect()
    };
    let format = |computer: &str, count| {
        let list = partitions(count);
        let parameters = json!({"computer_guid": computer, "compute_partition_list": list});
        rpc("put.v0.compute_node_format", parameters)
    };
    let published = json!({"url": "http://one/ <é&>", "none": ""});
    let publish = |guid: &str| {
        let parameters = json!({"instance_guid": guid, "connection_parameter_dict": published});
        rpc("put.v0.software_instance_connection_parameter", parameters)
    };
    for step in [
        format(COMPUTER, 4),
        format("COMP-2", 0),
        request("one", json!({"parameters": {"a": "é <&>", "b": 1}})),
        request("child", json!({})).acting_for(COMPUTER, "slappart0"),
        request(ODD, json!({"state": "stopped"})),
        request(
            "share",
            json!({"shared": true, "parameters": {"k": "v", "n": 1}}),
        ),
        request("of one", json!({"shared": true})).acting_for(COMPUTER, "slappart0"),
        publish("one______0"),
        publish("share______1"),
    ] {
        assert_eq!(step.send(&master.address).0, 200, "{step}");
    }
    master
}

/// Runs a command of a client; the API is found by `rest_url`, or asked for.
fn slapos(client: Side, master: &Master, rest_url: &str, arguments: &[&str]) -> Outcome {
    let address = &master.address;
    let configuration = master.path().join("client.cfg");
    let text = format!("[slapos]\nmaster_url = http://{address}/\n{rest_url}\n");
    std::fs::write(&configuration, text).expect("the directory is ours");
    let (group, rest) = arguments.split_at(2);
    let mut command = Command::new(match client {
        Side::Ours => places::tool("slapos"),
        Side::Peer => places::peer_program("slapos"),
    });
    command
        .args(group)
        .arg("--cfg")
        .arg(configuration)
        .args(rest);
    Outcome::of(&mut command)
}

/// Exit code and output.
type Shown = (Option<i32>, String);

/// What a command of a client shows.
fn shown(client: Side, master: &Master, arguments: &[&str]) -> Shown {
    let rest_url = format!("master_rest_url = http://{}/hateoas/", master.address);
    let outcome = slapos(client, master, &rest_url, arguments);
    (outcome.code, outcome.stdout)
}

const COMMANDS: &[&[&str]] = &[
    &["service", "list"],
    &["service", "info", "one"],
    &["service", "info", "share"],
    &["service", "info", "child"],
    &["service", "info", ODD],
    &["computer", "list"],
    &["computer", "info", COMPUTER],
    &["computer", "info", "nowhere"],
];

/// What our master's answers make the client show otherwise: the title, the line that differs of
/// the peer's, and of ours.
const MEANT: &[(&str, &str, &str)] = &[
    // The peer keeps no reports. Here there are none yet.
    ("one", "\"status\": \"unsupported\"", "\"status\": \"none\""),
    // The peer knows no state of what is shared.
    (
        "share",
        "\"requested-state\": \"unused\"",
        "\"requested-state\": \"started\"",
    ),
];

/// Their output with what ours is meant to show instead.
fn expected(arguments: &[&str], theirs: &str) -> String {
    let meant = MEANT.iter().filter(|(title, ..)| arguments.contains(title));
    meant.fold(theirs.to_owned(), |text, (title, before, after)| {
        assert!(text.contains(before), "{title} no longer differs: {text}");
        text.replace(before, after)
    })
}

#[test]
fn both_clients_show_the_same_of_both_masters() {
    let run = |side| {
        let master = populated(side);
        let outputs = COMMANDS.iter().map(|arguments| {
            let theirs = shown(Side::Peer, &master, arguments);
            let ours = shown(Side::Ours, &master, arguments);
            let command = format!("{side:?}'s: {}", arguments.join(" "));
            same_of_both_clients(&command, &ours, &theirs);
            theirs
        });
        outputs.collect::<Vec<_>>()
    };
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| run(Side::Ours));
        let theirs = run(Side::Peer);
        (ours.join().expect("our master answers"), theirs)
    });
    for ((arguments, ours), theirs) in COMMANDS.iter().zip(ours).zip(theirs) {
        let command = arguments.join(" ");
        println!(
            "$ slapos {command}\nours:\n{}\ntheirs:\n{}",
            ours.1, theirs.1
        );
        if arguments.contains(&ODD) {
            assert_eq!((ours.0, theirs.0), (Some(0), Some(2)), "{command}");
            assert!(
                ours.1.contains("\"requested-state\": \"stopped\""),
                "{}",
                ours.1
            );
            continue;
        }
        assert_eq!(ours.0, theirs.0, "{command}");
        assert_eq!(ours.1, expected(arguments, &theirs.1), "{command}");
    }
}

/// That our client showed of a master what the peer's did.
fn same_of_both_clients(command: &str, ours: &Shown, theirs: &Shown) {
    println!("{command}\nours: {ours:?}\ntheirs: {theirs:?}");
    assert_eq!(ours.0, theirs.0, "{command}");
    match ours.0 {
        Some(0) if command.contains("computer") => assert_eq!(ours.1, theirs.1, "{command}"),
        Some(0) => assert_eq!(json_of(&ours.1), json_of(&theirs.1), "{command}"),
        // The peer says on standard output that a computer is missing.
        _ => assert_eq!(ours.1, "", "{command}"),
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

#[test]
fn our_client_finds_the_api_by_the_master_and_says_where_there_is_none() {
    let ours = populated(Side::Ours);
    let list = &["service", "list"];
    let found = slapos(Side::Ours, &ours, "", list).expect(0);
    assert_eq!(json_of(&found.stdout)["one"], RELEASE);
    let theirs = populated(Side::Peer);
    let none = slapos(Side::Ours, &theirs, "", list).expect(1);
    assert!(none.stderr.contains("no hateoas API"), "{none:?}");
    let elsewhere = format!(
        "master_rest_url = http://admin:s3cret@{}/getRunId",
        ours.address
    );
    let other = slapos(Side::Ours, &ours, &elsewhere, list).expect(1);
    assert!(
        other.stderr.contains("something else to http://127"),
        "{other:?}"
    );
    let token = slapos(Side::Ours, &ours, "", &["computer", "token"]).expect(1);
    assert!(token.stderr.contains("Base_getComputerToken"), "{token:?}");
}

#[test]
fn reports_are_shown_and_the_api_is_found_by_the_master() {
    let master = populated(Side::Ours);
    let on = |call: &str| {
        let step = Step::new(Method::Post, call).with("computer_id", COMPUTER);
        step.with("error_log", "it broke")
            .with("computer_partition_id", "slappart1")
    };
    let status = || {
        let outcome = slapos(
            Side::Peer,
            &master,
            "",
            &["service", "info", "one", "--news"],
        )
        .expect(0);
        let info: Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
        (info["status"].clone(), info["news"].clone())
    };
    assert_eq!(on("startedComputerPartition").send(&master.address).0, 200);
    let (colour, news) = status();
    assert_eq!(colour, json!("green"), "{news}");
    assert_eq!(news[0]["title"], json!("child"), "{news}");
    assert_eq!(on("softwareInstanceError").send(&master.address).0, 200);
    let (colour, news) = status();
    assert_eq!(colour, json!("red"), "{news}");
    assert_eq!(news[0]["text"], json!("#error it broke"), "{news}");
}

#[test]
fn what_is_no_document_is_refused_by_its_name() {
    let master = populated(Side::Ours);
    let ask = |path: &str| {
        let target = format!("GET {path}");
        let (status, body) = http::ask(&master.address, &target, &[], None).expect("it answers");
        (status, String::from_utf8_lossy(&body).into_owned())
    };
    let trees = "portal_type:%22Instance%20Tree%22%20AND%20validation_state:validated";
    let long = "x".repeat(4000);
    for (path, expected, told) in [
        ("/hateoas/?mode=dance".to_owned(), 400, "dance"),
        ("/hateoas/?mode=search".to_owned(), 400, "query is missing"),
        (
            "/hateoas/?mode=search&query=all".to_owned(),
            400,
            "query all",
        ),
        (
            format!("/hateoas/?mode=search&query={trees}%20OR%201"),
            400,
            "OR 1",
        ),
        ("/hateoas/?mode=search&query=%ff".to_owned(), 400, ""),
        (
            "/hateoas/?mode=traverse".to_owned(),
            400,
            "relative_url is missing",
        ),
        (
            "/hateoas/?mode=traverse&relative_url=http://other/".to_owned(),
            404,
            "http://other/",
        ),
        (
            "/hateoas/?mode=traverse&relative_url=/hateoas/../getRunId".to_owned(),
            404,
            "getRunId",
        ),
        ("/hateoas/partitions/nothing".to_owned(), 404, "nothing"),
        ("/hateoas/partitions/child".to_owned(), 404, "child"),
        ("/hateoas/shared/one".to_owned(), 404, "one"),
        ("/hateoas/computers/nowhere".to_owned(), 404, "nowhere"),
        (format!("/hateoas/computers/{long}"), 404, ""),
        ("/hateoas/people/me".to_owned(), 404, "people"),
    ] {
        let (status, body) = ask(&path);
        assert_eq!(status, expected, "{path}: {body}");
        assert!(body.contains(told), "{path}: {body}");
    }
    for path in [
        "/hateoas",
        "/hateoas/",
        "/hateoas/shared/share",
        "/hateoas/computers/COMP-2",
    ] {
        let (status, body) = ask(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str::<Value>(&body).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let url = format!("http://{}/hateoas/", master.address);
    assert_eq!(ask("/getHateoasUrl"), (200, url));
}
