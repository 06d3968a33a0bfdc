//! The main job with programs of both sides: our tools beside slapos.core's, each in every role.
//!
//! One scenario, and a table of who plays which part. The scenario is the same as the peer's own
//! (`Side::Peer` everywhere), which runs too: it tells a defect of ours from one of the set-up.

use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{Node, Side, offline_hello};

/// Who plays which part.
struct Cast {
    master: Side,
    format: Side,
    supply: Side,
    software: Side,
    request: Side,
    instance: Side,
}

/// Format, supply, install, request, run, ask: the page is served and its URL is published.
fn main_job(cast: &Cast) {
    let mut node = Node::new();
    node.start_master(cast.master);
    node.format(cast.format).expect(0);
    let release = offline_hello(node.path());
    node.supply(cast.supply, &release).expect(0);
    node.software(cast.software).expect(0);
    let port = format!("port={}", node.page_port);
    let parameters = ["greeting=Grüße & <Küsse>", &port];
    node.request(cast.request, &release, "one", &parameters, None)
        .expect(0);
    node.instance(cast.instance).expect(0);
    assert_eq!(node.page().as_deref(), Some("Grüße & <Küsse>\n"));
    let answer = node
        .request(cast.request, &release, "one", &parameters, None)
        .expect(0);
    let url = format!("http://127.0.0.1:{}/", node.page_port);
    assert!(answer.text().contains(&url), "{}", answer.text());
    // Nothing changed: the same node's next pass has nothing to complain of.
    node.software(cast.software).expect(0);
    node.instance(cast.instance).expect(0);
}

fn everything_of(side: Side) -> Cast {
    Cast {
        master: side,
        format: side,
        supply: side,
        software: side,
        request: side,
        instance: side,
    }
}

#[test]
fn the_peer_alone() {
    main_job(&everything_of(Peer));
}

#[test]
fn our_node_and_user_on_the_peers_master() {
    main_job(&Cast {
        master: Peer,
        ..everything_of(Ours)
    });
}

#[test]
fn the_peers_node_and_user_on_our_master() {
    main_job(&Cast {
        master: Ours,
        ..everything_of(Peer)
    });
}

#[test]
fn our_slapformat_in_the_peers_world() {
    main_job(&Cast {
        format: Ours,
        ..everything_of(Peer)
    });
}

#[test]
fn our_slapgrid_sr_in_the_peers_world() {
    main_job(&Cast {
        software: Ours,
        ..everything_of(Peer)
    });
}

#[test]
fn our_slapgrid_cp_in_the_peers_world() {
    main_job(&Cast {
        instance: Ours,
        ..everything_of(Peer)
    });
}

#[test]
fn our_user_tools_in_the_peers_world() {
    main_job(&Cast {
        supply: Ours,
        request: Ours,
        ..everything_of(Peer)
    });
}

#[test]
fn the_peers_slapformat_in_our_world() {
    main_job(&Cast {
        format: Peer,
        ..everything_of(Ours)
    });
}

#[test]
fn the_peers_software_in_our_world() {
    main_job(&Cast {
        software: Peer,
        ..everything_of(Ours)
    });
}

#[test]
fn the_peers_instance_in_our_world() {
    main_job(&Cast {
        instance: Peer,
        ..everything_of(Ours)
    });
}

#[test]
fn the_peers_user_tools_in_our_world() {
    main_job(&Cast {
        supply: Peer,
        request: Peer,
        ..everything_of(Ours)
    });
}

/// A master is swapped for the other one's on the same database file; the node goes on.
fn swap_of_the_master(first: Side, second: Side) {
    let mut node = Node::new();
    node.start_master(first);
    node.format(Ours).expect(0);
    let release = offline_hello(node.path());
    node.supply(Ours, &release).expect(0);
    node.software(Ours).expect(0);
    let port = format!("port={}", node.page_port);
    let parameters = ["greeting=kept", &port];
    node.request(Ours, &release, "one", &parameters, None)
        .expect(0);
    node.instance(Ours).expect(0);
    node.stop_master();
    node.start_master(second);
    let answer = node
        .request(Ours, &release, "one", &parameters, None)
        .expect(0);
    let url = format!("http://127.0.0.1:{}/", node.page_port);
    assert!(answer.text().contains(&url), "{}", answer.text());
    node.software(Ours).expect(0);
    node.instance(Ours).expect(0);
    assert_eq!(node.page().as_deref(), Some("kept\n"));
    // And the first one again on what the second has written.
    let changed = ["greeting=changed", &port];
    node.request(Ours, &release, "one", &changed, None)
        .expect(0);
    node.stop_master();
    node.start_master(first);
    node.instance(Ours).expect(0);
    slapos_tests::poll::until(
        "the change is served",
        std::time::Duration::from_secs(20),
        || node.page().as_deref() == Some("changed\n"),
    );
}

#[test]
fn our_database_is_served_by_the_peer_and_taken_back() {
    swap_of_the_master(Ours, Peer);
}

#[test]
fn the_peers_database_is_served_by_us_and_taken_back() {
    swap_of_the_master(Peer, Ours);
}

/// All tools of a living node are swapped for the other one's, and back.
fn handover(first: Side, second: Side) {
    let mut node = Node::new();
    node.start_master(first);
    node.format(first).expect(0);
    let release = offline_hello(node.path());
    node.supply(first, &release).expect(0);
    node.software(first).expect(0);
    let port = format!("port={}", node.page_port);
    node.request(first, &release, "one", &["greeting=steady", &port], None)
        .expect(0);
    node.instance(first).expect(0);
    let supervisord = node.supervisord();
    assert!(supervisord.is_some());
    let service = service(&node);
    for side in [second, first, second] {
        node.format(side).expect(0);
        node.software(side).expect(0);
        // All: what is up to date is left alone, and its file of supervisord with it.
        node.grid(side, "slapgrid-cp", "instance", &["--all"])
            .expect(0);
        assert_eq!(node.page().as_deref(), Some("steady\n"), "after {side:?}");
        assert_eq!(node.supervisord(), supervisord, "after {side:?}");
        assert_eq!(self::service(&node), service, "after {side:?}");
    }
}

/// The process of the node's only service.
fn service(node: &Node) -> String {
    let status = node.services_status();
    let pid = status
        .split("pid ")
        .nth(1)
        .and_then(|rest| rest.split(',').next());
    pid.unwrap_or_else(|| panic!("it does not run: {status}"))
        .to_owned()
}

#[test]
fn the_peers_node_is_handed_to_us_and_back_without_a_restart_of_its_service() {
    handover(Peer, Ours);
}

#[test]
fn our_node_is_handed_to_the_peer_and_back_without_a_restart_of_its_service() {
    handover(Ours, Peer);
}
