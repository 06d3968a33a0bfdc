//! Answers that a node has.

use slapos_tests::Server;
use slapos_tests::population::describe;

use super::{ask, slap, supply};
use slapos_tests::COMPUTER;

#[test]
fn an_answer_that_is_known_is_not_sent_again() {
    let server = Server::start("", &[]);
    describe(&slap(&server), COMPUTER, 3);
    supply(&server, "http://one/");
    let first = ask(&server, &[]);
    assert_eq!(first.status, 200);
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let again = ask(&server, &[("If-None-Match", &first.tag())]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.tag(), first.tag());
    supply(&server, "http://two/");
    let changed = ask(&server, &[("If-None-Match", &first.tag())]);
    assert_eq!(changed.status, 200);
    assert_ne!(changed.tag(), first.tag());
    assert!(changed.body.len() > first.body.len());
}

#[test]
fn what_is_not_there_is_no_known_answer() {
    let server = Server::start("", &[]);
    supply(&server, "http://one/");
    let tag = ask(&server, &[]).tag();
    let address = server.address();
    for path in [
        "getFullComputerInformation?computer_id=COMP-9",
        "registerComputerPartition?computer_reference=COMP-1&computer_partition_reference=nope",
    ] {
        for known in [&tag, "*"] {
            let header = format!("If-None-Match: {known}");
            let asked = slapos_tests::http::ask(&address, &format!("GET /{path}"), &[header], None);
            assert_eq!(asked.unwrap().0, 404, "{path} {known}");
        }
    }
}

#[test]
fn versions_outlive_the_server() {
    let server = Server::start("", &[]);
    supply(&server, "http://one/");
    let tag = ask(&server, &[]).tag();
    let server = Server::start_in(server.kill(), &[], "", &[]);
    assert_eq!(ask(&server, &[("If-None-Match", &tag)]).status, 304);
}

#[test]
fn each_coding_has_its_tag() {
    let server = Server::start("", &[]);
    describe(&slap(&server), COMPUTER, 20);
    let plain = ask(&server, &[]);
    let zipped = ask(&server, &[("Accept-Encoding", "gzip")]);
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    assert_eq!(
        zipped.tag(),
        plain
            .tag()
            .replace("\"", "-gzip\"")
            .replacen("-gzip", "", 1)
    );
    println!("{} bytes, in gzip {}", plain.body.len(), zipped.body.len());
    assert!(zipped.body.len() < plain.body.len() / 4);
    let headers = [
        ("Accept-Encoding", "gzip"),
        ("If-None-Match", &*zipped.tag()),
    ];
    assert_eq!(ask(&server, &headers).status, 304);
    let computer = slap(&server).register_computer(COMPUTER);
    let partitions = computer.full_information().unwrap().computer_partition_list;
    assert_eq!(partitions.len(), 20);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let server = Server::start("rate_limit = 1", &[]);
    let answers: Vec<_> = (0..100).map(|_| ask(&server, &[])).collect();
    let refused: Vec<_> = answers.iter().filter(|it| it.status == 429).collect();
    assert!((1..=40).contains(&refused.len()), "{}", refused.len());
    assert!(refused.iter().all(|it| it.header("retry-after").is_some()));
    assert!(answers[..60].iter().all(|it| it.status != 429));
}
