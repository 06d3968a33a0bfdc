//! Requests that nobody has to answer by an instance.

use slap_client::{ClientError, InstanceRequest};
use slapos_tests::Outcome;
use slapos_tests::Side::{Ours, Peer};

use crate::master::{Master, OTHER};

/// Frontends of web servers.
const WEB: &str =
    "http://git.erp5.org/gitweb/slapos.git/blob_plain/HEAD:/software/apache-frontend/software.cfg";

/// A frontend of a well-known release is answered with its target, by both masters alike.
#[test]
fn frontends_are_bypassed_as_by_the_peer() {
    const SCREEN: &str = "http://git.erp5.org/gitweb/slapos.git/blob_plain/refs/tags/slapos-0.92:/software/kvm/software.cfg";
    // (release, type, parameters, whether they are a frontend's).
    let table = [
        (WEB, "default", "url=https://h.example:4443/p?q#f", true),
        (
            WEB,
            "RootSoftwareInstance",
            "url=http://[2001:db8::1]:80/a",
            true,
        ),
        (WEB, "default", "url=h.example domain=d", true),
        (WEB, "default", "url=http://u:p@h/", true),
        (WEB, "custom-personal", "url=https://h/", false),
        (WEB, "default", "url=", false),
        (WEB, "default", "", false),
        (SCREEN, "frontend", "host=10.0.0.1 port=4443", true),
        (SCREEN, "frontend", "host=2001:db8::1 port=1", true),
        (SCREEN, "frontend", "host=[::1] port=80", true),
        (SCREEN, "frontend", "host=h", false),
        (SCREEN, "default", "host=h port=1", false),
        (OTHER, "default", "url=https://h/", false),
        ("http://fr/", "frontend", "host=h port=1", false),
    ];
    let (ours, theirs) = (Master::started(Ours, ""), Master::started(Peer, ""));
    for (release, software_type, parameters, is_frontend) in table {
        let mut order = InstanceRequest::new(release, "one").software_type(software_type);
        order.shared = true;
        for (name, value) in parameters
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            order = order.parameter(name, value);
        }
        let answer = |master: &Master| match master.request(&order) {
            Ok(instance) => Some((
                instance.connection_dict,
                instance.computer_id,
                instance.parameter_dict,
            )),
            Err(ClientError::NotFound { .. }) => None,
            Err(error) => panic!("{order:?}: {error}"),
        };
        let (ours, theirs) = (answer(&ours), answer(&theirs));
        assert_eq!(ours, theirs, "{order:?}");
        assert_eq!(ours.is_some(), is_frontend, "{order:?}");
    }
    assert_eq!(ours.instances(), []);
}

/// The peer's own answer sends its `slapos request` to a partition that is nowhere, and to an error.
#[test]
fn the_peers_user_reads_what_we_say_of_a_frontend() {
    let master = Master::started(Ours, "");
    let mut command = master.node.peer(&["request", "--cfg"]);
    command.arg(master.node.configuration());
    let command = command.args(["fe", WEB, "--slave", "--parameters", "url=https://h/x"]);
    let outcome = Outcome::of(command);
    let text = outcome.text();
    assert!(text.contains("'secure_access': 'https://h/x'"), "{text}");
    outcome.expect(0);
}
