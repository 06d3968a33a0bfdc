//! The slapproxy of slapos.core on the same database.

use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{COMPUTER, Node};

/// The version of the computer's documents, as the database has it.
fn version(node: &Node) -> (i64, i64) {
    let database = rusqlite::Connection::open(node.database()).unwrap();
    let sql = "SELECT version, stamp FROM computer_version18 WHERE computer_reference = ?";
    let row = database.query_row(sql, [COMPUTER], |row| Ok((row.get(0)?, row.get(1)?)));
    row.unwrap()
}

#[test]
fn what_the_peer_writes_gives_a_new_version_and_what_it_reads_does_not() {
    let mut node = Node::new();
    node.start_master(Ours);
    node.format(Ours).expect(0);
    node.stop_master();
    let ours = version(&node);
    node.start_master(Peer);
    let computer = node.slap().register_computer(COMPUTER);
    computer.full_information().unwrap();
    assert_eq!(version(&node), ours);
    let release = node.path().join("software.cfg");
    node.request(Peer, &release, "one", &[], None).expect(0);
    node.stop_master();
    let theirs = version(&node);
    assert!(
        theirs.0 > ours.0 && theirs.1 != ours.1,
        "{ours:?} {theirs:?}"
    );
    node.start_master(Ours);
    assert_eq!(version(&node), theirs);
}
