//! slapos-instance: what it publishes, and what nobody may read.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use slap_proto::marshal::{Value, decode};
use slapos_tests::{COMPUTER, Misbehaviour, Node, Outcome};

use crate::scripted;

/// slapos-instance, about to publish; what else is on its command line follows.
fn publisher(node: &Node) -> Command {
    let mut command = node.ours("slapos-instance");
    let url = node.master_url();
    command.args(["--server-url", &url, "--computer-id", COMPUTER]);
    command.args(["--partition-id", "slappart0", "publish"]);
    command
}

#[test]
fn secrets_are_published_from_a_file_or_from_standard_input() {
    const PUBLISH: &str = "setComputerPartitionConnectionXml";
    let (node, master) = scripted();
    let files = [
        ("p.json", r#"{"password": "é <&>", "port": 80}"#),
        ("p.yaml", "password: é <&>\nport: 80\n"),
        (
            "p.xml",
            "<instance><parameter id='password'>é &lt;&amp;&gt;</parameter>\
             <parameter id='port'>80</parameter></instance>",
        ),
    ];
    let sent = |command: &mut Command, input: &str| {
        let mut running = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = running.stdin.take().unwrap();
        pipe.write_all(input.as_bytes()).unwrap();
        drop(pipe);
        assert!(running.wait().unwrap().success(), "{command:?}");
        let script = master.script();
        assert_eq!(script.last_call().endpoint, PUBLISH);
        let sent = script.last_call().field("connection_xml");
        let Value::Dict(dict) = decode(sent.as_bytes()).unwrap() else {
            panic!("{sent}");
        };
        let texts = dict.iter();
        let texts = texts.map(|(key, text)| format!("{}={}", key.to_text(), text.to_text()));
        texts.collect::<Vec<_>>().join(" ")
    };
    for (name, text) in files {
        node.write(name, text);
        let path = node.path().join(name);
        let from_file = sent(publisher(&node).arg("--parameters-file").arg(path), "");
        assert_eq!(from_file, "password=é <&> port=80", "{name}");
        let arguments = ["--parameters-file", "-", "port=81"];
        let from_input = sent(publisher(&node).args(arguments), text);
        assert_eq!(from_input, "password=é <&> port=81", "{name}");
    }
    let arguments = ["--parameters-file=-", "--force-serialisation=json-in-xml"];
    let serialised = sent(publisher(&node).args(arguments), "{\"a\": [1]}");
    let json: Json = serde_json::from_str(serialised.strip_prefix("_=").unwrap()).unwrap();
    assert_eq!(json, json!({"a": [1]}));
    let calls = master.script().count(PUBLISH);
    for (arguments, code, part) in [
        (&[][..], 2, "KEY=VALUE"),
        (
            &["--parameters-file", "none"],
            1,
            "parameters file none: No such file",
        ),
        (
            &["--parameters-file", "-"],
            1,
            "standard input holds no object of parameters",
        ),
        (
            &["--force-serialisation", "xml", "a=1"],
            2,
            "--parameters-file",
        ),
    ] {
        let outcome = Outcome::of(publisher(&node).args(arguments)).expect(code);
        assert!(outcome.stderr.contains(part), "{arguments:?}: {outcome:?}");
    }
    assert_eq!(master.script().count(PUBLISH), calls, "a mistake was sent");
}

#[test]
fn no_message_and_no_log_shows_a_secret() {
    const SECRET: &str = "s3cret";
    let (node, master) = scripted();
    let refused = Misbehaviour::Answer(500, "oops".to_owned());
    let script = || master.script();
    script().fail_always("setComputerPartitionConnectionXml", refused);
    let log = node.path().join("user.log");
    for (name, text) in [
        ("text.json", "\"s3cret\""),
        ("broken.json", "{\"a\": \"s3cret\", }"),
        ("text.yaml", "s3cret"),
        ("alias.yaml", "a: *s3cret"),
        ("broken.yaml", "a: [s3cret"),
        (
            "tag.xml",
            "<instance><parameter id='a'>x<s3cret></parameter></instance>",
        ),
        ("broken.xml", "<instance><parameter id='a'>s3cret"),
        ("good.json", "{\"a\": \"s3cret\"}"),
    ] {
        node.write(name, text);
        let publish = Outcome::of(publisher(&node).args(["--parameters-file", name])).expect(1);
        let mut request = node.ours("slapos");
        request.args(["-v", "--log-file"]).arg(&log);
        request.args([
            "request",
            "one",
            "http://x/s.cfg",
            "--force-serialisation=xml",
        ]);
        request.args(["--parameters-file", name, "--cfg"]);
        let request = Outcome::of(request.arg(node.configuration()));
        let logged = std::fs::read_to_string(&log).unwrap();
        for text in [publish.text(), request.text(), logged] {
            assert!(!text.contains(SECRET), "{name}: {text}");
        }
    }
}
