//! Requests that one master forwards to another: ours and the peer's, each in both roles.

mod failures;
mod frontends;
mod identity;
mod master;

use slap_client::proto::documents::Attributes;
use slap_client::{ClientError, InstanceRequest};
use slapos_tests::Side::{Ours, Peer};
use slapos_tests::{COMPUTER, Side};

use master::{LISTED, Master, OTHER, section, to_master};

fn expected(title: &str, root: &str, state: &str) -> (String, String, String, String) {
    (title.into(), root.into(), "b".into(), state.into())
}

/// A near master that forwards to a far one.
fn forwarding(near: Side, far: Side) {
    let far = Master::started(far, "");
    let list = section(
        &far.url(),
        &format!("software_release_list =\n  {LISTED}\n"),
    );
    let near = Master::started(near, &list);
    // By the filter, as a user.
    let order = to_master("one", &far.url());
    let answer = near.request(&order).unwrap();
    assert_eq!(answer.computer_id.as_deref(), Some(COMPUTER));
    assert_eq!(answer.partition_id.as_deref(), Some("slappart0"));
    assert_eq!(answer.parameter_dict["a"], "b".into());
    assert_eq!(
        far.instances(),
        [expected("user_one", "user_one", "started")]
    );
    assert_eq!(near.instances(), []);
    assert_eq!(near.forwarded(), [("user_one".to_owned(), far.url())]);
    // What is published there is told here.
    let published: Attributes = [("url".to_owned(), "http://there/".into())].into();
    far.partition("slappart0")
        .set_connection_dict(&published, None)
        .unwrap();
    let answer = near.request(&order).unwrap();
    assert_eq!(answer.connection_dict["url"], "http://there/".into());
    // By the release, for a partition of ours.
    near.request(&InstanceRequest::new(OTHER, "root")).unwrap();
    let child = InstanceRequest::new(LISTED, "child").parameter("a", "b");
    near.partition("slappart0").request(&child).unwrap();
    let title = "slappart0_child";
    assert_eq!(far.instances()[1], expected(title, title, "started"));
    assert_eq!(near.instances().len(), 1);
    // A slave, on what was allocated there.
    let mut slave = InstanceRequest::new(LISTED, "slave").parameter("a", "b");
    slave.shared = true;
    near.request(&slave).unwrap();
    let host = far.partition("slappart1").fetch().unwrap();
    let slaves = format!("{:?}", host.parameter_dict["slave_instance_list"]);
    assert!(slaves.contains("_user_slave"), "{slaves}");
    let names: Vec<_> = near.forwarded().into_iter().map(|row| row.0).collect();
    assert_eq!(names, ["slappart0_child", "user_one", "user_slave"]);
    // Destroyed there, forgotten here.
    for mut order in [order, slave] {
        order.state = Some("destroyed".to_owned());
        near.request(&order).unwrap();
    }
    assert_eq!(
        far.instances()[0],
        expected("user_one", "user_one", "destroyed")
    );
    let names: Vec<_> = near.forwarded().into_iter().map(|row| row.0).collect();
    assert_eq!(names, ["slappart0_child"]);
    stays_here(&near, &far);
}

/// What is allocated here already stays here, and what is our own URL is no other master.
fn stays_here(near: &Master, far: &Master) {
    let before = far.instances();
    near.request(&InstanceRequest::new(LISTED, "root")).unwrap();
    near.request(&to_master("root", &far.url())).unwrap();
    assert_eq!(near.instances().len(), 1);
    near.request(&to_master("by address", &near.url())).unwrap();
    let by_name = near.url().replace("127.0.0.1", "localhost");
    near.request(&to_master("by name", &by_name)).unwrap();
    let names: Vec<_> = near.instances().into_iter().map(|row| row.0).collect();
    assert_eq!(names, ["root", "by address", "by name"]);
    assert_eq!(far.instances(), before);
    let unknown = near.request(&to_master("unknown", "http://127.0.0.1:1/"));
    match unknown {
        Err(ClientError::NotFound { message, .. }) => {
            assert!(message.contains("http://127.0.0.1:1/"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(near.instances().len(), 3);
}

#[test]
fn the_peer_forwards_to_the_peer() {
    forwarding(Peer, Peer);
}

#[test]
fn we_forward_to_us() {
    forwarding(Ours, Ours);
}

#[test]
fn we_forward_to_the_peer() {
    forwarding(Ours, Peer);
}

#[test]
fn the_peer_forwards_to_us() {
    forwarding(Peer, Ours);
}

/// The near master has an instance at the far one, in whose name it requests.
fn forwarding_as_a_partition(near: Side, far: Side) {
    let far = Master::started(far, "");
    far.request(&InstanceRequest::new(OTHER, "root there"))
        .unwrap();
    let keys = format!("computer = {COMPUTER}\npartition = slappart0\n");
    let near = Master::started(near, &section(&far.url(), &keys));
    near.request(&to_master("one", &far.url())).unwrap();
    assert_eq!(
        far.instances()[1],
        expected("user_one", "root there", "started")
    );
}

#[test]
fn as_a_partition_we_forward_to_us() {
    forwarding_as_a_partition(Ours, Ours);
}

#[test]
fn as_a_partition_we_forward_to_the_peer() {
    forwarding_as_a_partition(Ours, Peer);
}

#[test]
fn as_a_partition_the_peer_forwards_to_us() {
    forwarding_as_a_partition(Peer, Ours);
}

/// Three masters in a row, the peer in the middle: its answers are of another class than others'.
#[test]
fn an_answer_comes_through_several_masters() {
    let far = Master::started(Ours, "");
    let list = |url: &str| section(url, &format!("software_release_list = {LISTED}\n"));
    let middle = Master::started(Peer, &list(&far.url()));
    let near = Master::started(Ours, &list(&middle.url()));
    let order = InstanceRequest::new(LISTED, "one").parameter("a", "b");
    let answer = near.request(&order).unwrap();
    assert_eq!(answer.partition_id.as_deref(), Some("slappart0"));
    let title = "user_user_one";
    assert_eq!(far.instances(), [expected(title, title, "started")]);
}
