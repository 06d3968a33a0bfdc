//! Nodes that ask again and again: answers that they know are not made again, and those who wait learn
//! of a change at once.

mod known;
mod node;
mod peer;
mod waiting;

use std::time::Duration;

use slap_client::proto::documents::SoftwareState;
use slap_client::{Connection, Slap};
use slapos_tests::{COMPUTER, Server};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a node gets.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn tag(&self) -> String {
        self.header("etag")
            .expect("the answer has a tag")
            .to_owned()
    }
}

/// Asks for the computer.
fn ask(server: &Server, headers: &[(&str, &str)]) -> Answer {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let url = format!(
        "{}/getFullComputerInformation?computer_id={COMPUTER}",
        server.url()
    );
    let mut request = agent.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer: Response<Body> = request.call().expect("the server answers");
    let (head, mut body) = answer.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.read_to_vec().expect("the answer is whole"),
    }
}

fn slap(server: &Server) -> Slap {
    let connection = Connection::to(&server.url()).expect("it is a URL");
    connection.open().expect("plain HTTP needs no certificates")
}

/// Changes what the computer is told.
fn supply(server: &Server, url: &str) {
    slap(server)
        .register_supply()
        .supply(url, COMPUTER, SoftwareState::Available)
        .expect("the master takes releases");
}

/// A figure of `/metrics`.
fn figure(server: &Server, name: &str) -> u64 {
    let (_, page) = server.get("/metrics").expect("the server answers");
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap_or_else(|| panic!("no {name}"));
    number.trim().parse().expect("it is a number")
}
