//! What we write is what the real supervisord reads.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{Node, eventually};
use supervisor::{EventListener, FaultCode, GroupChange, ProcessState, Watch, control_command};

/// Prints each argument and environment variable of interest on a line, and says when it is done.
const SHOW: &str = r#"for word; do printf '<%s>\n' "$word"; done
env | grep '^SHOW_' | sort
pwd
echo done"#;

#[test]
fn words_and_variables_arrive_unchanged() {
    let node = Node::start();
    let show = node.script("show", SHOW);
    let words = [
        "plain",
        "",
        "a b",
        "it's",
        "\"",
        "a ;b",
        "; #c",
        "#",
        "50% %(x)s",
        "$HOME `id` \\n",
        "é",
        "tab\there",
        "[program:x]",
        "a=b,c",
    ];
    let mut command = vec![show.to_str().unwrap()];
    command.extend(words);
    let mut program = node.program("show", &command);
    let variables = [
        ("SHOW_A", "x,y=z"),
        ("SHOW_B", "say \"x\" 100%"),
        ("SHOW_C", ""),
        ("SHOW_D", "it's;#"),
    ];
    program.environment = variables
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .to_vec();
    node.write_group("slappart0", vec![program]);
    node.client.update_group("slappart0").unwrap();
    node.start_group("slappart0");

    let log = eventually("the script ends", || {
        Some(node.log("show")).filter(|log| log.ends_with("done\n"))
    });
    let mut expected: Vec<String> = words.iter().map(|word| format!("<{word}>")).collect();
    expected.extend(
        variables
            .iter()
            .map(|(name, text)| format!("{name}={text}")),
    );
    let directory = node.root.path().canonicalize().unwrap();
    expected.push(directory.to_str().unwrap().to_owned());
    expected.push("done".to_owned());
    assert_eq!(log.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn every_name_that_we_accept_can_be_started() {
    let node = Node::start();
    let names = [
        "web", "a%b", "50%%", "a;b", "a#b", "a@é", "a=b", "a'b", "a\"b", ".hidden", "-dash",
    ];
    let programs = names
        .iter()
        .map(|name| node.program(name, &["/bin/sleep", "1000"]))
        .collect();
    node.write_group("slappart0", programs);
    node.client.update_group("slappart0").unwrap();
    let outcomes = node.start_group("slappart0");
    assert_eq!(outcomes.len(), names.len());
    for name in names {
        let info = node
            .client
            .process_info(&format!("slappart0:{name}"))
            .unwrap();
        assert!(info.state.is_running(), "{info:?}");
    }
}

#[test]
fn watched_programs_are_known_by_their_suffix() {
    let node = Node::start();
    let mut program = node.program("web", &["/bin/sleep", "1000"]);
    program.watch = Watch::Watched;
    node.write_group("slappart0", vec![program]);
    node.client.update_group("slappart0").unwrap();
    let processes = node.client.all_process_info().unwrap();
    assert_eq!(processes.len(), 1);
    assert_eq!(processes[0].full_name(), "slappart0:web-on-watch");
    assert_eq!(processes[0].state, ProcessState::Stopped);
}

#[test]
fn a_program_that_ends_soon_counts_as_started_and_stays_ended() {
    let node = Node::start();
    let script = node.script("fail", "until [ -e told ]; do sleep 0.01; done\nexit 3");
    node.write_group(
        "slappart0",
        vec![node.program("fail", &[script.to_str().unwrap()])],
    );
    node.client.update_group("slappart0").unwrap();
    let outcomes = node.start_group("slappart0");
    assert!(outcomes[0].is_success(), "{outcomes:?}");
    fs::write(node.root.path().join("told"), "").unwrap();
    let info = eventually("the program ends", || {
        node.client
            .process_info("slappart0:fail")
            .ok()
            .filter(|info| info.state == ProcessState::Exited)
    });
    assert_eq!((info.exit_status, info.pid), (3, None));
}

#[test]
fn a_program_that_is_not_there_is_an_outcome_of_its_own() {
    let node = Node::start();
    let programs = vec![
        node.program("gone", &["/nonexistent/gone"]),
        node.program("web", &["/bin/sleep", "1000"]),
    ];
    node.write_group("slappart0", programs);
    node.client.update_group("slappart0").unwrap();
    let outcomes = node.start_group("slappart0");
    let outcome = |name: &str| {
        outcomes
            .iter()
            .find(|outcome| outcome.name == name)
            .unwrap()
    };
    assert_eq!(outcome("gone").status, FaultCode::NoFile);
    assert!(outcome("web").is_success());
}

#[test]
fn an_event_listener_runs_and_is_told() {
    let mut node = Node::prepare();
    let events = node.root.path().join("events");
    let listener = node.script(
        "listener",
        r#"while echo READY && read -r header; do echo "$header" >> "$1"; printf 'RESULT 2\nOK'; done"#,
    );
    node.settings.event_listener = Some(EventListener {
        name: "watchdog".to_owned(),
        command: [&listener, &events]
            .map(|path| path.to_str().unwrap().to_owned())
            .to_vec(),
        events: vec!["PROCESS_STATE_STARTING".to_owned(), "TICK_5".to_owned()],
        log_file: PathBuf::from(node.root.path()).join("listener.log"),
        environment: vec![],
    });
    node.launch();
    eventually("the listener is told", || {
        fs::read_to_string(&events)
            .ok()
            .filter(|events| events.contains("pool:watchdog"))
    });
}

#[test]
fn supervisorctl_finds_supervisord_by_the_same_file() {
    let node = Node::start();
    node.write_group(
        "slappart0",
        vec![node.program("web", &["/bin/sleep", "1000"])],
    );
    let command = control_command(&node.settings, ["update".into()]);
    let output = Command::new(command.program)
        .args(command.arguments)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains("slappart0: added process group"),
        "{output:?}"
    );
    assert_eq!(
        node.client.update_group("slappart0").unwrap(),
        GroupChange::Unchanged
    );
}
