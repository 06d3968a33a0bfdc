//! Calls to the real supervisord, and to servers that only pretend to be one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use common::{Node, PATIENCE, deadline, eventually};
use supervisor::{
    Client, FaultCode, GroupChange, Presence, ProcessState, ProtocolError, SupervisorState,
    WaitError, XmlRpcError, settle, wait_until_running,
};
use tempfile::TempDir;

const SLEEP: &[&str] = &["/bin/sleep", "1000"];

#[test]
fn a_program_runs_from_start_to_stop() {
    let node = Node::start();
    assert_eq!(node.client.get_state().unwrap(), SupervisorState::Running);
    node.write_group("slappart0", vec![node.program("web", SLEEP)]);
    assert_eq!(
        node.client.update_group("slappart0").unwrap(),
        GroupChange::Added
    );
    assert!(node.start_group("slappart0")[0].is_success());
    let info = node.client.process_info("slappart0:web").unwrap();
    assert_eq!(info.state, ProcessState::Running);
    assert!(info.pid.is_some() && info.start.is_some(), "{info:?}");

    assert!(node.client.stop_process_group("slappart0", true).unwrap()[0].is_success());
    let info = node.client.process_info("slappart0:web").unwrap();
    assert_eq!((info.state, info.pid), (ProcessState::Stopped, None));
    node.start_group("slappart0");
    node.client.stop_process("slappart0:web", true).unwrap();
    node.client.start_process("slappart0:web", true).unwrap();
    node.start_group("slappart0");
}

#[test]
fn update_follows_the_files_and_then_has_nothing_to_do() {
    let node = Node::start();
    node.write_group("slappart0", vec![node.program("web", SLEEP)]);
    node.write_group("slappart1", vec![node.program("web", SLEEP)]);
    let change = |group| node.client.update_group(group).unwrap();
    assert_eq!(change("slappart0"), GroupChange::Added);
    assert_eq!(change("slappart1"), GroupChange::Added);
    node.start_group("slappart0");
    node.start_group("slappart1");
    let untouched = node.client.process_info("slappart1:web").unwrap().pid;

    node.write_group(
        "slappart0",
        vec![node.program("web", &["/bin/sleep", "2000"])],
    );
    assert_eq!(change("slappart0"), GroupChange::Replaced);
    assert_eq!(
        node.client.process_info("slappart0:web").unwrap().state,
        ProcessState::Stopped
    );

    node.remove_group("slappart0");
    assert_eq!(change("slappart0"), GroupChange::Removed);
    assert_eq!(change("slappart0"), GroupChange::Unchanged);
    assert_eq!(change("slappart1"), GroupChange::Unchanged);
    assert_eq!(
        node.client.process_info("slappart1:web").unwrap().pid,
        untouched
    );
}

#[test]
fn update_of_one_group_leaves_the_others() {
    let node = Node::start();
    node.write_group("slappart0", vec![node.program("web", SLEEP)]);
    node.client.update_group("slappart0").unwrap();
    node.start_group("slappart0");
    let pid = node.client.process_info("slappart0:web").unwrap().pid;

    node.remove_group("slappart0");
    node.write_group("slappart1", vec![node.program("web", SLEEP)]);
    assert_eq!(
        node.client.update_group("slappart1").unwrap(),
        GroupChange::Added
    );
    assert_eq!(
        node.client.update_group("slappart1").unwrap(),
        GroupChange::Unchanged
    );
    assert_eq!(node.client.process_info("slappart0:web").unwrap().pid, pid);
    assert_eq!(
        node.client.update_group("slappart0").unwrap(),
        GroupChange::Removed
    );
}

#[test]
fn threads_update_their_own_groups_at_once() {
    let node = Node::start();
    thread::scope(|scope| {
        for number in 0..8 {
            let node = &node;
            scope.spawn(move || {
                let group = format!("slappart{number}");
                for seconds in ["1000", "2000", "3000"] {
                    node.write_group(&group, vec![node.program("web", &["/bin/sleep", seconds])]);
                    let change = node.client.update_group(&group).unwrap();
                    assert_ne!(change, GroupChange::Unchanged);
                    let outcomes = node.start_group(&group);
                    assert!(
                        outcomes.iter().all(|outcome| outcome.is_success()),
                        "{outcomes:?}"
                    );
                }
            });
        }
    });
    let processes = node.client.all_process_info().unwrap();
    assert_eq!(processes.len(), 8);
    assert!(
        processes
            .iter()
            .all(|info| info.state == ProcessState::Running),
        "{processes:?}"
    );
    assert_eq!(
        node.client.reload_config().unwrap(),
        supervisor::Reload::default()
    );
}

/// Starts a program that ends half a second after it is told to.
fn start_slow_to_end(node: &Node) {
    let slow = node.script(
        "slow",
        "trap 'sleep 0.5; exit 0' TERM; echo ready; while :; do sleep 0.1; done",
    );
    node.write_group(
        "slappart0",
        vec![node.program("slow", &[slow.to_str().unwrap()])],
    );
    node.client.update_group("slappart0").unwrap();
    node.start_group("slappart0");
    eventually("the trap is set", || {
        node.log("slow").contains("ready").then_some(())
    });
}

#[test]
fn a_group_is_removed_after_its_dying_process() {
    let node = Node::start();
    start_slow_to_end(&node);
    node.client.stop_process_group("slappart0", false).unwrap();
    assert_eq!(
        node.client.process_info("slappart0:slow").unwrap().state,
        ProcessState::Stopping
    );
    node.remove_group("slappart0");
    assert_eq!(
        node.client.update_group("slappart0").unwrap(),
        GroupChange::Removed
    );
    assert!(node.client.all_process_info().unwrap().is_empty());
}

#[test]
fn refused_calls_are_faults_with_their_code() {
    let node = Node::start();
    let fault = |result: Result<(), XmlRpcError>| match result.unwrap_err() {
        XmlRpcError::Fault { code, .. } => code,
        other => panic!("{other}"),
    };
    assert_eq!(
        fault(node.client.start_process_group("none", true).map(drop)),
        FaultCode::BadName
    );
    assert_eq!(
        fault(node.client.add_process_group("a<b>&")),
        FaultCode::BadName
    );
    std::fs::write(node.settings.paths.group_file("broken"), "[program:x]\n").unwrap();
    assert_eq!(
        fault(node.client.update_group("slappart0").map(drop)),
        FaultCode::CantReread
    );
    assert_eq!(node.client.get_state().unwrap(), SupervisorState::Running);
}

#[test]
fn the_log_of_supervisord_can_be_read_from_its_end() {
    let node = Node::start();
    let log = node.client.read_log(100).unwrap();
    assert!(!log.is_empty() && log.len() <= 100, "{log:?}");
}

#[test]
fn a_shutdown_is_waited_for() {
    let node = Node::start();
    start_slow_to_end(&node);
    assert_eq!(settle(&node.client, deadline()).unwrap(), Presence::Running);
    node.client.shutdown().unwrap();
    assert_eq!(settle(&node.client, deadline()).unwrap(), Presence::Absent);
    assert!(!node.settings.paths.socket.exists());
    node.launch();
    assert_eq!(settle(&node.client, deadline()).unwrap(), Presence::Running);
}

#[test]
fn nobody_on_the_socket_is_not_running() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("sv.sock");
    let client = Client::new(&socket);
    assert!(
        matches!(client.get_state(), Err(XmlRpcError::NotRunning { socket: s }) if s == socket)
    );
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    assert!(matches!(
        client.get_state(),
        Err(XmlRpcError::NotRunning { .. })
    ));
    assert_eq!(settle(&client, deadline()).unwrap(), Presence::Absent);
    let soon = Instant::now() + Duration::from_millis(60);
    assert!(matches!(
        wait_until_running(&client, soon),
        Err(WaitError::Deadline { .. })
    ));
}

#[test]
fn a_socket_path_beyond_the_kernel_limit_says_so() {
    let client = Client::new(PathBuf::from(format!("/{}", "a".repeat(107))));
    let error = client.get_state().unwrap_err();
    assert!(
        matches!(error, XmlRpcError::SocketPathTooLong { length: 108, .. }),
        "{error}"
    );
}

/// A server that reads one request and answers with `answer`, then closes or hangs.
fn pretend(answer: Vec<u8>, hang: bool) -> (TempDir, Client) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("sv.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 4096];
        while !request.ends_with(b"</methodCall>\n") {
            let length = stream.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..length]);
        }
        // The client may refuse a long answer before its end.
        let _ = stream.write_all(&answer);
        if hang {
            // Until the client gives up.
            let _ = stream.read(&mut chunk);
        }
    });
    (directory, Client::new(socket).with_timeout(PATIENCE))
}

fn http(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[test]
fn a_call_is_given_up_when_somebody_says_so() {
    let (_directory, client) = pretend("".into(), true);
    let told = Instant::now() + Duration::from_millis(200);
    let client = client.cancelled_by(move || Instant::now() >= told);
    for _ in ["under way", "not begun"] {
        let error = client.get_state().unwrap_err();
        let method = match &error {
            XmlRpcError::Cancelled { method, .. } => *method,
            _ => panic!("{error}"),
        };
        assert_eq!(method, "getState");
    }
    assert!(told.elapsed() < PATIENCE / 2);
}

#[test]
fn a_silent_server_times_out() {
    for answer in ["", "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n<"] {
        let (_directory, client) = pretend(answer.into(), true);
        let error = client
            .with_timeout(Duration::from_millis(50))
            .get_state()
            .unwrap_err();
        assert!(
            matches!(
                error,
                XmlRpcError::Timeout {
                    method: "getState",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn answers_of_other_servers_are_protocol_errors() {
    let value = |value: &str| {
        http(&format!(
            "<methodResponse><params><param><value>{value}</value></param></params></methodResponse>"
        ))
    };
    for answer in [
        Vec::new(),
        b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n<".to_vec(),
        b"220 mail.example.com ESMTP\r\n".to_vec(),
        b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(),
        http("<html>"),
        http("\u{0}"),
        value("<string>RUNNING</string>"),
        value("<struct></struct>"),
        value(
            "<struct><member><name>statecode</name><value><string>1</string></value></member></struct>",
        ),
    ] {
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (_directory, client) = pretend(answer, false);
        let error = client.get_state().unwrap_err();
        assert!(
            matches!(
                error,
                XmlRpcError::Protocol {
                    method: "getState",
                    ..
                }
            ),
            "{text}: {error}"
        );
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    let mut answer = b"HTTP/1.0 200 OK\r\n\r\n".to_vec();
    answer.resize(33 << 20, b' ');
    let (_directory, client) = pretend(answer, false);
    let error = client.get_state().unwrap_err();
    assert!(
        matches!(
            error,
            XmlRpcError::Protocol {
                source: ProtocolError::TooLong { .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_fatal_supervisord_is_not_waited_for() {
    let body = "<methodResponse><params><param><value><struct><member><name>statecode</name>\
                <value><int>2</int></value></member></struct></value></param></params></methodResponse>";
    let (_directory, client) = pretend(http(body), false);
    let error = wait_until_running(&client, deadline()).unwrap_err();
    assert!(
        matches!(
            error,
            WaitError::Failed {
                state: SupervisorState::Fatal,
                ..
            }
        ),
        "{error}"
    );
}
