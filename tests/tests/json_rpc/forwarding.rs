//! Requests by JSON-RPC that another master answers. The peer's proxy forwards them, and answers
//! 500 then.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};
use slapos_tests::pair::{Master, Step};
use slapos_tests::{COMPUTER, Side};

use crate::description::Description;
use crate::scenarios::{RELEASE, format, instances, request};

/// Our master, which asks the master of that URL for [`RELEASE`].
fn near(url: &str) -> Master {
    let section = format!("[multimaster/{url}]\nsoftware_release_list =\n  {RELEASE}");
    let master = Master::start(Side::Ours, COMPUTER, &section);
    ask(&master, &format(COMPUTER, 1), 200);
    master
}

/// The answer, which must be as described.
fn ask(master: &Master, step: &Step, expected: u16) -> Value {
    let (status, body) = step.send(&master.address);
    let text = String::from_utf8_lossy(&body);
    assert_eq!(status, expected, "{step}: {text}");
    Description::of(&master.address).check_answer(step.call(), status, &body);
    serde_json::from_slice(&body).expect("it was checked")
}

fn forwarded_to(side: Side) {
    let far = Master::start(side, COMPUTER, "");
    assert_eq!(format(COMPUTER, 2).send(&far.address).0, 200);
    let near = near(&format!("http://{}/", far.address));
    let wanted = json!({"parameters": {"a": 1, "timestamp": "mine"}});
    let answer = ask(&near, &request("one", wanted), 200);
    assert_eq!(answer["title"], json!("one"));
    assert_eq!(answer["instance_guid"], json!("one______0"));
    assert_eq!(answer["compute_partition_id"], json!("slappart0"));
    assert_eq!(answer["parameters"], json!({"a": "1", "timestamp": "mine"}));
    assert_ne!(answer["processing_timestamp"], json!(0));
    let (_, there) = instances(COMPUTER).send(&far.address);
    let there: Value = serde_json::from_slice(&there).expect("it answers JSON");
    assert_eq!(there["result_list"][0]["title"], json!("user_one"));
    let here = ask(&near, &instances(COMPUTER), 200);
    assert_eq!(here, json!({"result_list": []}));
}

#[test]
fn to_our_master() {
    forwarded_to(Side::Ours);
}

#[test]
fn to_the_peers_master() {
    forwarded_to(Side::Peer);
}

/// A master that has taken every order and has nothing yet; it serves that many connections.
fn unready(connections: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let mut stream = stream.expect("somebody connects");
            let mut head = [0; 4096];
            let length = stream.read(&mut head).expect("somebody asks");
            let status = match head[..length].starts_with(b"POST /requestComputerPartition") {
                true => "408 Request Timeout",
                false => "404 Not Found",
            };
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).expect("it listens");
        }
    });
    format!("http://{address}/")
}

#[test]
fn what_is_not_there_yet_and_who_does_not_answer() {
    let near = near(&unready(100));
    let answer = ask(&near, &request("one", json!({})), 200);
    assert_eq!(answer["status"], json!(102));
    assert_eq!(answer["name"], json!("SoftwareInstanceNotReady"));
    let dead = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let dead = format!("http://{}/", dead.expect("a port is free"));
    let near = self::near(&dead);
    let answer = ask(&near, &request("one", json!({})), 523);
    let title = answer["title"].as_str().unwrap_or_default();
    assert!(title.contains(&dead), "{title}");
    let here = ask(&near, &instances(COMPUTER), 200);
    assert_eq!(here, json!({"result_list": []}));
}
