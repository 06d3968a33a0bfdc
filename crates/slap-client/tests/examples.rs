//! The programs in `examples` do what they say, against a real master.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use slap_client::{InstanceRequest, SoftwareState};
use slap_testing::Master;

const SOFTWARE: &str = "https://example.org/hello/software.cfg";
const PATIENCE: Duration = Duration::from_secs(60);

/// An example, as cargo builds it for tests: in a folder beside that of this program.
fn example(name: &str, arguments: &[&str]) -> Child {
    let this = std::env::current_exe().unwrap();
    let built: PathBuf = this.ancestors().nth(2).unwrap().join("examples").join(name);
    let hint = "is it built? `cargo build -p slap-client --examples`";
    assert!(built.exists(), "{}: {hint}", built.display());
    let mut command = Command::new(built);
    command.args(arguments).stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What an example printed; it must succeed.
fn printed(example: Child) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = example.wait_with_output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{status}: {stderr}");
    String::from_utf8(stdout).unwrap()
}

#[test]
fn a_request_waits_for_what_the_instance_publishes() {
    let master = Master::with_partitions(1).unwrap();
    let waiting = example("embed-request", &[master.url(), SOFTWARE, "my-hello"]);
    let computer = master.slap().register_computer(Master::COMPUTER);
    let is_requested = || {
        let computer = computer.full_information().unwrap();
        !computer.computer_partition_list[0].is_free()
    };
    let begin = Instant::now();
    while !is_requested() {
        assert!(begin.elapsed() < PATIENCE, "nothing was requested");
        thread::sleep(Duration::from_millis(20));
    }
    let place = [master.url(), Master::COMPUTER, "slappart0"];
    printed(example("embed-publish", &place));
    assert_eq!(printed(waiting), "greeting = Hello, World!\nport = 8080\n");
}

#[test]
fn a_node_reports_what_it_did() {
    let master = Master::start().unwrap();
    let slap = master.slap();
    let supply = slap.register_supply();
    let state = SoftwareState::Available;
    supply.supply(SOFTWARE, Master::COMPUTER, state).unwrap();
    let request = InstanceRequest::new(SOFTWARE, "my-hello").on_computer(Master::COMPUTER);
    let instance = slap.register_open_order().request(&request).unwrap();
    let id = instance.partition_id.unwrap();
    let pass = printed(example("embed-node", &[master.url(), Master::COMPUTER]));
    assert_eq!(pass, format!("building {SOFTWARE}\n{id}: started\n"));
    let partition = slap.register_computer_partition(Master::COMPUTER, &id);
    let status = partition.status().unwrap();
    let state = status.as_dict().unwrap().get("state").unwrap();
    assert_eq!(state.as_str(), Some("started"));
}

#[test]
fn calls_of_an_asynchronous_program_run_at_once() {
    let master = Master::with_partitions(2).unwrap();
    let names = [master.url(), SOFTWARE, "a", "b"];
    let told = printed(example("embed-async", &names));
    let mut lines: Vec<_> = told.lines().collect();
    lines.sort_unstable();
    let told = lines.iter().map(|line| line.split_once(": ").unwrap());
    let (names, mut places): (Vec<_>, Vec<_>) = told.unzip();
    assert_eq!(names, ["a", "b"]);
    // Whoever asks first gets the first one.
    places.sort_unstable();
    assert_eq!(places, ["COMP-1 slappart0", "COMP-1 slappart1"]);
}

#[test]
fn an_example_that_is_called_wrongly_says_how() {
    for name in [
        "embed-request",
        "embed-publish",
        "embed-node",
        "embed-async",
    ] {
        let output = example(name, &[]).wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{name}");
        assert!(
            said.contains(&format!("usage: {name} MASTER_URL")),
            "{said}"
        );
    }
}
