//! How the slapgrid tools log: for people, for programs, for the journal, beside bars on a terminal.

use std::fs::{self, File};
use std::io::Read;
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::pty::{Winsize, openpty};
use serde_json::Value;
use slap_proto::documents::SoftwareState;
use slapos_tests::Side::Ours;
use slapos_tests::{Instance, Node, Outcome, ScriptedMaster, instance_script};

const RELEASE: &str = "http://releases.invalid/new/software.cfg";

/// A node with a release and two instances to come, which print more than a line.
fn node() -> (Node, ScriptedMaster) {
    let node = Node::new();
    node.make_partitions(2);
    let bootstrap = node.fake_bootstrap("echo compiling; sleep 0.5; echo compiled");
    node.configure(&[("buildout", &bootstrap)]);
    let url = node.install_release("web", &instance_script("echo one; echo '<0>two'"));
    let master = ScriptedMaster::start(node.master_port);
    let instances = ["slappart0", "slappart1"].map(|name| Instance::new(name, &url));
    master.script().instances = instances.to_vec();
    master.script().releases = vec![(RELEASE.to_owned(), SoftwareState::Available)];
    (node, master)
}

fn grid(node: &Node, arguments: &[&str]) -> Outcome {
    node.grid(Ours, "slapgrid", "", arguments)
}

/// Whether a text is a time by RFC 3339 with milliseconds and an offset.
fn is_rfc3339(text: &str) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd.ddd+dd:dd";
    text.len() == pattern.len()
        && text.chars().zip(pattern.chars()).all(|pair| match pair {
            (letter, 'd') => letter.is_ascii_digit(),
            (letter, '+') => matches!(letter, '+' | '-'),
            (letter, expected) => letter == expected,
        })
}

#[test]
fn json_lines_name_what_they_are_about() {
    let (node, master) = node();
    let failing = instance_script("echo first; echo second >&2; exit 7");
    let url = node.install_release("bad", &failing);
    master.script().instance("slappart1").release = url;
    let outcome = grid(&node, &["--log-format", "json"]).expect(1);
    assert_eq!(outcome.stdout, "");
    let lines: Vec<Value> = outcome
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        assert!(is_rfc3339(line["time"].as_str().unwrap()), "{line}");
        assert_eq!(line["tool"], "slapgrid");
    }
    let find = |message: &str| {
        let found = lines.iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("{message:?} is not in {lines:#?}"))
    };
    let name = node.release(RELEASE);
    let name = name.file_name().unwrap().to_str().unwrap();
    assert_eq!(find("compiling")["release"], name);
    assert_eq!(find("one")["partition"], "slappart0");
    assert_eq!(find("second")["partition"], "slappart1");
    let started = find("starting supervisord");
    assert_eq!(started["partition"], Value::Null);
    let failed = lines.iter().find(|line| line["level"] == "ERROR").unwrap();
    assert_eq!(failed["partition"], "slappart1");
    assert!(
        failed["message"].as_str().unwrap().contains('\n'),
        "{failed}"
    );
}

#[test]
fn the_file_gets_json_as_well() {
    let (node, _master) = node();
    let file = node.path().join("grid.log");
    let name = file.display().to_string();
    let mut command = node.ours_with("slapgrid", &["--now", "--log-format=json", "--logfile"]);
    let outcome = Outcome::of(command.arg(&name)).expect(0);
    assert_eq!(outcome.text(), "");
    let text = fs::read_to_string(file).unwrap();
    assert!(text.lines().count() > 3, "{text}");
    for line in text.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn each_line_of_text_has_the_name_of_its_partition() {
    let (node, master) = node();
    let failing = instance_script("echo first; echo second; exit 7");
    master.script().instance("slappart1").release = node.install_release("bad", &failing);
    let outcome = grid(&node, &[]).expect(1);
    let lines: Vec<_> = outcome.stderr.lines().collect();
    let last = lines
        .iter()
        .rposition(|line| line.ends_with("second"))
        .unwrap();
    assert_eq!(lines[last], "    slappart1: second", "{outcome:?}");
}

/// Runs a tool whose standard error is a file that `JOURNAL_STREAM` names, or does not.
fn journal(node: &Node, is_named: bool, arguments: &[&str]) -> String {
    let path = node.path().join("journal");
    let file = File::create(&path).unwrap();
    let metadata = file.metadata().unwrap();
    let inode = metadata.ino() + u64::from(!is_named);
    let mut command = node.ours_with("slapgrid", &["--now", "--force"]);
    let status = command
        .args(arguments)
        .env("JOURNAL_STREAM", format!("{}:{inode}", metadata.dev()))
        .stdin(Stdio::null())
        .stderr(file)
        .status();
    assert_eq!(status.unwrap().code(), Some(0));
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_journal_is_told_priorities_and_nobody_else() {
    let (node, _master) = node();
    let text = journal(&node, true, &[]);
    assert!(text.lines().count() > 3, "{text}");
    for line in text.lines() {
        let priority = line.get(..3).unwrap_or_default();
        assert!(["<3>", "<4>", "<6>"].contains(&priority), "{line}");
    }
    assert!(
        text.lines()
            .any(|line| line.starts_with("<6>") && line.ends_with("<0>two"))
    );
    let json = journal(&node, true, &["--log-format", "json"]);
    assert!(json.lines().all(|line| line.starts_with("<6>{")), "{json}");

    let other = journal(&node, false, &[]);
    assert!(!other.lines().any(|line| line.starts_with('<')), "{other}");
    let file = node.path().join("grid.log").display().to_string();
    let both = journal(&node, true, &["--console", "--logfile", &file]);
    assert!(!both.lines().any(|line| line.starts_with('<')), "{both}");
    assert_eq!(both, fs::read_to_string(file).unwrap());
}

#[test]
fn a_quiet_run_says_only_what_is_wrong() {
    let (node, master) = node();
    assert_eq!(grid(&node, &["--quiet"]).expect(0).text(), "");
    let failing = node.install_release("bad", "#!/bin/sh\nexit 7\n");
    master.script().instance("slappart1").release = failing;
    master.script().instance("slappart1").timestamp = "1700000001".to_owned();
    let outcome = grid(&node, &["--quiet"]).expect(1);
    assert!(
        outcome.stderr.contains("slappart1: failed: "),
        "{outcome:?}"
    );
}

/// What a tool shows on a terminal: all that it wrote, and the screen at the end.
fn on_terminal(mut command: Command, size: Winsize) -> (String, String) {
    let terminal = openpty(Some(&size), None).unwrap();
    let slave: OwnedFd = terminal.slave;
    let mut run = command
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(slave)
        .spawn()
        .unwrap();
    // Its copy of the terminal would keep the reader waiting.
    drop(command);
    let mut bytes = Vec::new();
    // A terminal whose other end is closed gives an error in place of an end.
    let _ = File::from(terminal.master).read_to_end(&mut bytes);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    let rows = NonZero::new(size.ws_row).unwrap();
    let columns = NonZero::new(size.ws_col).unwrap();
    let mut screen = vt100::Parser::new(rows, columns, 0);
    screen.process(&bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text, screen.screen().contents())
}

const SIZE: Winsize = Winsize {
    ws_row: 200,
    ws_col: 160,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

#[test]
fn a_terminal_shows_progress_and_at_the_end_the_log_alone() {
    let (node, _master) = node();
    let (written, screen) = on_terminal(node.ours_with("slapgrid", &["--now"]), SIZE);
    assert!(written.contains("0 of 1"), "{written:?}");
    assert!(written.contains("software"), "{written:?}");
    let bars = |line: &&str| line.contains(" of 1") || line.contains(" of 2");
    assert_eq!(screen.lines().find(bars), None, "{screen}");
    let lines: Vec<_> = screen.lines().collect();
    for line in &lines {
        assert!(
            line.starts_with("20") && line.contains("slapgrid"),
            "{line:?} in\n{screen}"
        );
    }
    for message in [
        "compiling",
        "compiled",
        "slappart0: one",
        "slappart1: <0>two",
    ] {
        let count = lines.iter().filter(|line| line.ends_with(message)).count();
        assert_eq!(count, 1, "{message}: {screen}");
    }
}

#[test]
fn bars_are_not_drawn_where_they_are_not_wanted() {
    for arguments in [
        &["--now", "--quiet"][..],
        &["--now", "--log-format", "json"],
        &["--dry-run"],
    ] {
        let (node, _master) = node();
        let mut command = node.ours_with("slapgrid", arguments);
        if arguments == ["--dry-run"] {
            // Its exit code tells that something is to be changed.
            command = shell(&command, "; test $? = 4");
        }
        let (written, _) = on_terminal(command, SIZE);
        assert!(!written.contains('\u{1b}'), "{arguments:?}: {written:?}");
        assert!(!written.contains(" of "), "{arguments:?}: {written:?}");
    }
}

/// The same command by a shell, with something after it.
fn shell(command: &Command, then: &str) -> Command {
    let program = Path::new(command.get_program()).display().to_string();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("{program} \"$@\"{then}"), "sh"]);
    shell.args(command.get_args());
    let variables = command.get_envs();
    shell.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    shell
}
