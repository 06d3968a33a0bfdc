//! What each tool says, to our master and to the peer's.

use std::fs;
use std::process::Command;

use serde_json::json;
use slapos_tests::pair::{Master, Step};
use slapos_tests::{COMPUTER, Outcome, Side, places};

use crate::RELEASE;

/// What is run with both masters; `CFG` is the configuration, `FILE` a file of the test.
const COMMANDS: &[&[&str]] = &[
    &["slapos-supply", "CFG", "hello", COMPUTER],
    &["slapos-supply", "--json", "CFG", "product.demo", COMPUTER],
    &["slapos-remove", "CFG", "hello", COMPUTER],
    &["slapos-request", "CFG", "hello", "one"],
    &[
        "slapos-request",
        "CFG",
        "hello",
        "two",
        "--state",
        "stopped",
    ],
    &["slapos-request", "CFG", "product.none", "three"],
    &[
        "slapos-request",
        "CFG",
        "hello",
        "one",
        "--parameters",
        "a=1",
        "b=é",
        "--node",
        "computer_guid=COMP-1",
        "--type",
        "default",
        "--json",
    ],
    &[
        "slapos-request",
        "CFG",
        "hello",
        "one",
        "--parameters-file",
        "FILE.xml",
        "--json",
    ],
    &[
        "slapos-request",
        "CFG",
        "FILE.cfg",
        "one",
        "--parameters-file",
        "FILE.yaml",
        "--json",
    ],
    &["publish", "url=http://[::1]/ <é&>", "none="],
    &["slapos-request", "CFG", "hello", "one", "--wait", "9"],
    &[
        "slapos-request",
        "CFG",
        "hello",
        "one",
        "--wait=9",
        "--json",
    ],
    &["publish", "_={\"deep\": {\"url\": \"http://x/\"}}"],
    &["slapos-request", "CFG", "hello", "one"],
    &[
        "slapos-request",
        "--slave",
        "CFG",
        "hello",
        "share",
        "--json",
    ],
    &["slapos-request", "CFG", "hello", "two", "--wait", "0"],
    &[
        "slapos-request",
        "CFG",
        "hello",
        "one",
        "--state",
        "destroyed",
    ],
    &["slapos-bang", "-m", "why", "CFG"],
];

/// Runs all of them with a master, and writes down what they did.
fn transcript(side: Side) -> Vec<String> {
    let products = "software_product_list =\n  demo http://releases.invalid/demo.cfg";
    let master = Master::start(side, COMPUTER, products);
    let partition = |number| json!({"partition_id": format!("slappart{number}"), "ip_list": []});
    let partitions: Vec<_> = (0..2).map(partition).collect();
    let format = json!({"computer_guid": COMPUTER, "compute_partition_list": partitions});
    let format = Step::json("slapos.put.v0.compute_node_format", format.to_string());
    assert_eq!(format.send(&master.address).0, 200);
    let here = master.path();
    let configuration = here.join("user.cfg");
    let url = format!("http://{}/", master.address);
    let text = format!(
        "[slapos]\ncomputer_id = {COMPUTER}\nmaster_url = {url}\n\
         [slapconsole]\nalias =\n  hello {RELEASE}\n"
    );
    fs::write(&configuration, text).unwrap();
    let file = here.join("p");
    let xml = "<instance><parameter id='a'>é</parameter></instance>";
    fs::write(file.with_extension("xml"), xml).unwrap();
    fs::write(file.with_extension("yaml"), "a: {b: [1, é]}\n").unwrap();
    let schema = "{\"serialisation\": \"json-in-xml\"}";
    fs::write(here.join("p.cfg.json"), schema).unwrap();
    let place = |word: &&str| match *word {
        "CFG" => configuration.display().to_string(),
        word => word.replace("FILE", &file.display().to_string()),
    };
    let ran = COMMANDS.iter().map(|words| {
        let outcome = match words {
            ["publish", pairs @ ..] => publish(&url, pairs),
            [tool, arguments @ ..] => {
                Outcome::of(Command::new(places::tool(tool)).args(arguments.iter().map(place)))
            }
            [] => unreachable!("each is of some words"),
        };
        let text = outcome.text().replace(&here.display().to_string(), "HERE");
        format!("$ {}\n{text}[exit {:?}]\n", words.join(" "), outcome.code)
    });
    ran.map(|text| without_times(&text)).collect()
}

fn publish(url: &str, pairs: &[&str]) -> Outcome {
    let mut command = Command::new(places::tool("slapos-instance"));
    command.args(["--server-url", url, "--computer-id", COMPUTER]);
    command.args(["--partition-id", "slappart0", "publish"]);
    Outcome::of(command.args(pairs))
}

/// The timestamps of masters are their own.
fn without_times(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.contains("\"timestamp\": "));
    // What was before the line of the timestamp ends in a comma.
    let lines = lines.map(|line| line.trim_end_matches(',').to_owned() + "\n");
    lines.collect()
}

/// What is meant to differ: of which command, the peer's words, and ours.
const MEANT: &[(&str, &str, &str)] = &[
    // The peer takes a request without a state for one to start.
    ("two --wait", "shall be started", "shall be stopped"),
    // The peer knows neither state nor name of what is shared.
    ("--slave", "\"state\": null", "\"state\": \"started\""),
    (
        "--slave",
        "\"instance_guid\": null",
        "\"instance_guid\": \"COMP-1-slappart0\"",
    ),
];

#[test]
fn each_tool_says_the_same_of_both_masters() {
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| transcript(Side::Ours));
        let theirs = transcript(Side::Peer);
        (ours.join().expect("our master answers"), theirs)
    });
    for (ours, theirs) in ours.iter().zip(&theirs) {
        println!("{ours}");
        let theirs = MEANT
            .iter()
            .fold(theirs.clone(), |text, (command, line, other)| {
                match text.contains(command) {
                    true => text.replace(line, other),
                    false => text,
                }
            });
        assert_eq!(*ours, theirs);
    }
    let all = ours.concat();
    for part in [
        "  none  \n  url   http://[::1]/ <é&>\n",
        "  deep  {\n",
        "\"_\": \"{\\n  \\\"a\\\": {\\n",
        "the time is over: two shall be stopped in slappart1 of COMP-1 and has published nothing",
        "the master knows no release of the product none",
    ] {
        assert!(all.contains(part), "{part}");
    }
}
