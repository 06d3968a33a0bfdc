//! The watchdog under a real supervisord, with a real master.

use std::fs;
use std::time::Duration;

use slapos_tests::Side::Ours;
use slapos_tests::{Node, Outcome, poll, shell_release};

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs until the file `crash` is there.
const SERVICE: &str = "service fragile 'while ! rm crash 2>/dev/null; do sleep 0.1; done; exit 7'";

fn timestamp(node: &Node) -> String {
    fs::read_to_string(node.partition(0).join(".timestamp")).unwrap()
}

fn crash(node: &Node) {
    fs::write(node.partition(0).join("crash"), "").unwrap();
}

fn log(node: &Node) -> String {
    fs::read_to_string(node.instance_root().join("var/log/watchdog.log")).unwrap_or_default()
}

#[test]
fn an_instance_whose_service_ends_is_processed_again_but_banged_once() {
    let mut node = Node::new();
    node.start_master(Ours);
    node.format(Ours).expect(0);
    let release = shell_release(node.path(), "fragile", SERVICE);
    node.supply(Ours, &release).expect(0);
    node.software(Ours).expect(0);
    node.request(Ours, &release, "one", &[], None).expect(0);
    node.instance(Ours).expect(0);
    let first = timestamp(&node);

    crash(&node);
    let record = node.partition(0).join(".slapos_latest_bang_timestamp");
    poll::until("the watchdog banged", PATIENCE, || record.exists());
    assert_eq!(fs::read_to_string(&record).unwrap(), first);
    assert!(
        log(&node).contains("slappart0: fragile-on-watch ended"),
        "{}",
        log(&node)
    );

    // Whatever ends until the instance is processed, the master knows already.
    let mut start = node.ours("slapgrid-supervisorctl");
    Outcome::of(start.arg(node.configuration()).args(["start", "all"])).expect(0);
    crash(&node);
    poll::until("the second end is seen", PATIENCE, || {
        log(&node).contains("ended again")
    });

    node.instance(Ours).expect(0);
    let second = timestamp(&node);
    assert_ne!(first, second, "the bang changed nothing");
    // Processed again, it may be banged again.
    crash(&node);
    poll::until("the watchdog banged for the second run", PATIENCE, || {
        fs::read_to_string(&record).unwrap() == second
    });
}
