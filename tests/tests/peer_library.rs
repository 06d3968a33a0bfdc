//! slapos.core's library, which recipes and users' scripts call, against either master.

use serde_json::{Value, json};
use slapos_tests::{COMPUTER, Node, Outcome, Side, places};

/// What the library made of the answers of a master.
fn told_by(side: Side) -> Value {
    let mut node = Node::new();
    node.start_master(side);
    node.format(Side::Ours).expect(0);
    let script = places::workspace().join("tests/python/slap_library.py");
    let mut command = node.command(&places::peer_program("python"));
    command
        .arg(script)
        .args([node.master_url().as_str(), COMPUTER, "http://release/"]);
    let outcome = Outcome::of(&mut command).expect(0);
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn both_masters_answer_the_library_alike() {
    let expected = json!({
        "root": "slappart0",
        "root_state": "started",
        "parameters": {"name": "Zoë & <Kō>", "size": "3"},
        "published": "http://[::1]/?a=1&b=<2>",
        "child": "slappart1",
        "children_differ": true,
        "child_again": "slappart1",
        "slaves": ["root_slave"],
        "slave_published": "the slave",
        "bang_is_later": true,
        "renamed": "slappart0",
        "nowhere": "NotFoundError",
        "releases": [["http://release/", "available"]],
    });
    for side in [Side::Ours, Side::Peer] {
        assert_eq!(told_by(side), expected, "{side:?}");
    }
}
