//! Masters of a test: apart from each other, and gone when they are dropped.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use slap_client::{ClientError, Connection, InstanceRequest, Slap};
use slap_testing::Master;

fn request(slap: &Slap, name: &str) -> Result<(), ClientError> {
    let request = InstanceRequest::new("https://example.org/software.cfg", name);
    slap.register_open_order().request(&request).map(drop)
}

#[test]
fn each_partition_holds_one_instance() {
    let master = Master::with_partitions(2).unwrap();
    for name in ["a", "b", "a"] {
        request(master.slap(), name).unwrap();
    }
    let answer = request(master.slap(), "c");
    assert!(
        matches!(answer, Err(ClientError::NotFound { .. })),
        "{answer:?}"
    );
}

#[test]
fn masters_are_apart() {
    let (one, other) = (Master::start().unwrap(), Master::start().unwrap());
    assert_ne!(one.slap().run_id().unwrap(), other.slap().run_id().unwrap());
    request(one.slap(), "a").unwrap();
    let computer = |master: &Master| master.slap().register_computer(Master::COMPUTER);
    let used = |master: &Master| {
        let partitions = computer(master).full_information().unwrap();
        let mut partitions = partitions.computer_partition_list.into_iter();
        partitions.any(|partition| !partition.is_free())
    };
    assert_eq!((used(&one), used(&other)), (true, false));
}

/// A proxy cannot reach what listens on loopback of this machine.
#[test]
fn a_proxy_of_the_environment_is_none_of_theirs() {
    const NOBODY: &str = "http://127.0.0.1:1";
    let this = std::env::current_exe().unwrap();
    let mut other = std::process::Command::new(this);
    other.args(["--exact", "masters_are_apart"]);
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        other.env(variable, NOBODY);
    }
    for variable in ["no_proxy", "NO_PROXY"] {
        other.env_remove(variable);
    }
    let outcome = other.output().unwrap();
    let text = String::from_utf8_lossy(&outcome.stdout);
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
fn a_dropped_master_is_gone() {
    let master = Master::start().unwrap();
    let slap = Connection::to(master.url()).unwrap().open().unwrap();
    slap.run_id().unwrap();
    drop(master);
    let error = slap.run_id().unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
}

#[test]
fn asynchronous_tests_have_masters_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let master = Master::start().unwrap();
        request(master.slap(), "a").unwrap();
    });
}
