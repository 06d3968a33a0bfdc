//! What every embedder may rely on: types that threads share, and nothing told that is secret.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use slap_client::{
    Certificate, ClientError, Computer, ComputerPartition, Connection, Destruction,
    InstanceRequest, OpenError, OpenOrder, Slap, SoftwareRelease, Supply, UrlError,
};

const fn is_shared<T: Debug + Send + Sync + Unpin + 'static>() {}
const fn is_cheap<T: Clone>() {}
const fn is_error<T: Error + Send + Sync + 'static>() {}

const _: () = {
    is_shared::<Connection>();
    is_shared::<Slap>();
    is_shared::<Computer>();
    is_shared::<ComputerPartition>();
    is_shared::<SoftwareRelease>();
    is_shared::<OpenOrder>();
    is_shared::<Supply>();
    is_shared::<InstanceRequest>();
    is_shared::<Certificate>();
    is_shared::<Destruction>();
    is_cheap::<Slap>();
    is_cheap::<Computer>();
    is_cheap::<ComputerPartition>();
    is_error::<ClientError>();
    is_error::<OpenError>();
    is_error::<UrlError>();
};

#[test]
fn debug_tells_no_password() {
    let connection = Connection::to("http://admin:s3cret@127.0.0.1:1/").unwrap();
    let shown = format!("{connection:?}");
    let slap = connection.open().unwrap();
    let partition = slap.register_computer_partition("C", "p");
    for shown in [shown, format!("{slap:?}"), format!("{partition:?}")] {
        assert!(shown.contains("http://127.0.0.1:1/"), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn what_no_header_can_hold_is_an_error() {
    let connection = || Connection::to("http://127.0.0.1:1/").unwrap();
    let refused = connection().user_agent("line\nbreak").open().unwrap_err();
    assert!(
        matches!(refused, OpenError::UserAgent { .. }),
        "{refused:?}"
    );
    let odd_name = connection().open().unwrap();
    let odd_name = odd_name.register_computer_partition("C\n", "p");
    let error = odd_name.started().unwrap_err();
    assert!(matches!(error, ClientError::Transport { .. }), "{error:?}");
}

#[test]
fn what_no_request_can_hold_is_an_error() {
    for url in [
        "http://127.0.0.1:1/<é\"\\^>/",
        "http://a@b@127.0.0.1:1/",
        "http://%zz@[::1]:1/",
    ] {
        let slap = Connection::to(url).map(|connection| connection.open().unwrap());
        // A path that no URL should have may reach the port, where nobody listens.
        assert!(slap.is_err() || slap.unwrap().run_id().is_err(), "{url}");
    }
}

#[test]
fn no_time_is_not_enough() {
    let connection = Connection::to("http://127.0.0.1:1/").unwrap();
    let slap = connection.timeout(Duration::ZERO).open().unwrap();
    assert!(slap.run_id().unwrap_err().is_unreachable());
}
