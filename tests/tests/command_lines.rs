//! What each tool says to mistakes: one clear message that names the thing, an exit code other
//! than 0, and no panic.

use std::fs;
use std::path::Path;
use std::process::Command;

use slapos_tests::{Outcome, places};

/// Every tool, with the arguments that follow the configuration file.
const TOOLS: &[(&str, &[&str])] = &[
    ("slapformat", &[]),
    ("slapgrid", &[]),
    ("slapgrid-sr", &[]),
    ("slapgrid-cp", &[]),
    ("slapgrid-ur", &[]),
    ("slapgrid-supervisord", &[]),
    ("slapgrid-supervisorctl", &["status"]),
    ("slapconsole", &["-e", "request('x', 'y')"]),
    ("slapproxy", &[]),
    ("slapos-bang", &[]),
    ("slapos-remove", &["hello", "COMP-1"]),
    ("slapos-request", &["hello", "one"]),
    ("slapos-supply", &["hello", "COMP-1"]),
];

fn run(tool: &str, arguments: &[&str]) -> Outcome {
    Outcome::of(Command::new(places::tool(tool)).args(arguments))
}

/// Runs a tool on a configuration.
fn with_configuration(tool: &str, rest: &[&str], text: &str) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("slapos.cfg");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let arguments: Vec<_> = std::iter::once(path).chain(rest.iter().copied()).collect();
    run(tool, &arguments)
}

#[track_caller]
fn refused(tool: &str, outcome: &Outcome, part: &str) {
    assert!(
        outcome.code.is_some_and(|code| code != 0),
        "{tool}: {outcome:?}"
    );
    assert!(
        outcome.stderr.contains(part),
        "{tool} does not name {part:?}: {outcome:?}"
    );
    assert!(!outcome.stderr.contains("panicked"), "{tool}: {outcome:?}");
}

#[test]
fn unknown_options_and_missing_arguments_are_exit_code_2() {
    for (tool, _) in TOOLS {
        let outcome = run(tool, &["--no-such-option"]);
        refused(tool, &outcome, "--no-such-option");
        assert_eq!(outcome.code, Some(2), "{tool}");
        let outcome = run(tool, &[]);
        refused(tool, &outcome, "CONFIGURATION_FILE");
        assert_eq!(outcome.code, Some(2), "{tool}");
    }
}

#[test]
fn help_and_version_are_no_mistakes() {
    for (tool, _) in TOOLS {
        let help = run(tool, &["--help"]).expect(0);
        assert!(help.stdout.contains("Usage:"), "{tool}: {help:?}");
        let version = run(tool, &["--version"]).expect(0);
        let expected = format!("{tool} {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(version.stdout, expected);
    }
}

#[test]
fn help_says_what_each_tool_does() {
    for (tool, part) in [
        ("slapgrid", "releases, runs partitions and reports usage"),
        ("slapgrid-sr", "software releases"),
        ("slapgrid-cp", "checks their promises"),
        ("slapgrid-ur", "empties the partitions"),
    ] {
        let help = run(tool, &["--help"]).expect(0).stdout;
        let first = help.lines().next().unwrap_or_default();
        assert!(first.contains(part), "{tool}: {first}");
    }
}

#[test]
fn a_missing_file_is_named() {
    for (tool, rest) in TOOLS {
        let arguments: Vec<_> = std::iter::once("/no/such.cfg")
            .chain(rest.iter().copied())
            .collect();
        refused(tool, &run(tool, &arguments), "/no/such.cfg");
    }
}

#[test]
fn a_broken_file_is_named_with_the_line() {
    for (tool, rest) in TOOLS {
        let outcome = with_configuration(tool, rest, "[slapos]\nthis is no parameter\n");
        refused(tool, &outcome, "slapos.cfg, line 2");
    }
}

#[test]
fn missing_parameters_and_sections_are_named() {
    for (tool, rest) in TOOLS {
        let outcome = with_configuration(tool, rest, "[unknown]\nkey = value\n");
        let part = match *tool {
            "slapproxy" => "computer_id of [slapos], database_uri of [slapproxy]",
            "slapconsole" | "slapos-remove" | "slapos-request" | "slapos-supply" => "master_url",
            _ => "computer_id",
        };
        refused(tool, &outcome, part);
    }
}

#[test]
fn a_wrong_value_is_named_with_section_and_key() {
    let text = "[slapos]\ncomputer_id = C\nmaster_url = http://127.0.0.1:1/\n\
        software_root = /tmp\ninstance_root = /tmp\npromise_timeout = soon\n";
    refused(
        "slapgrid-cp",
        &with_configuration("slapgrid-cp", &[], text),
        "promise_timeout of [slapos]",
    );
    let text = "[slapos]\ncomputer_id = C\n[slapproxy]\ndatabase_uri = db\nport = high\n";
    refused(
        "slapproxy",
        &with_configuration("slapproxy", &[], text),
        "port of [slapproxy]",
    );
}

#[test]
fn a_root_that_does_not_exist_is_named() {
    let text = "[slapos]\ncomputer_id = C\nmaster_url = http://127.0.0.1:1/\n\
        software_root = /no/such/root\ninstance_root = /tmp\n";
    refused(
        "slapgrid-sr",
        &with_configuration("slapgrid-sr", &[], text),
        "/no/such/root",
    );
}

#[test]
fn a_master_that_is_away_is_named_to_users() {
    let text = "[slapos]\ncomputer_id = C\nmaster_url = http://127.0.0.1:1/\n";
    for (tool, rest) in [
        ("slapconsole", &["-e", "request('hello', 'one')"][..]),
        ("slapos-remove", &["http://h/", "COMP-1"]),
        ("slapos-request", &["http://h/", "one"]),
        ("slapos-supply", &["http://h/", "COMP-1"]),
        ("slapos-bang", &[]),
    ] {
        refused(
            tool,
            &with_configuration(tool, rest, text),
            "http://127.0.0.1:1/",
        );
    }
}

#[test]
fn a_proxy_of_the_environment_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("slapos.cfg");
    let text = "[slapos]\nmaster_url = http://admin:s3cret@127.0.0.1:2/\n";
    fs::write(&path, text).unwrap();
    let mut command = Command::new(places::tool("slapos-supply"));
    command.env("http_proxy", "http://127.0.0.1:1");
    let outcome = Outcome::of(command.arg(path).args(["http://h/", "COMP-1"]));
    refused("slapos-supply", &outcome, "the proxy 127.0.0.1:1");
    assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
}

#[test]
fn a_full_standard_error_is_no_reason_to_panic() {
    for (tool, rest) in TOOLS {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = Command::new(places::tool(tool));
        let status = command
            .arg("/no/such.cfg")
            .args(*rest)
            .stderr(full)
            .status();
        let code = status.unwrap().code();
        assert!(matches!(code, Some(1 | 2)), "{tool}: {code:?}");
    }
}

#[test]
fn a_second_slapgrid_is_exit_code_10() {
    let directory = tempfile::tempdir().unwrap();
    let pidfile = directory.path().join("pid");
    let holder = hold(&pidfile);
    let text = format!(
        "[slapos]\ncomputer_id = C\nmaster_url = http://127.0.0.1:1/\nsoftware_root = /tmp\n\
         instance_root = /tmp\npidfile = {}\n",
        pidfile.display()
    );
    let outcome = with_configuration("slapgrid-sr", &["--now"], &text);
    refused("slapgrid-sr", &outcome, pidfile.to_str().unwrap());
    assert_eq!(outcome.code, Some(10));
    drop(holder);
}

/// Holds a pid file as another slapgrid would.
fn hold(path: &Path) -> nix::fcntl::Flock<fs::File> {
    let file = fs::File::create(path).unwrap();
    nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusiveNonblock)
        .map_err(|(_, error)| error)
        .unwrap()
}

#[test]
fn a_database_of_another_program_is_refused_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("photos.db");
    fs::write(
        &database,
        "these are my photos, not a database\n".repeat(100),
    )
    .unwrap();
    let text = format!(
        "[slapos]\ncomputer_id = C\n[slapproxy]\nport = 0\ndatabase_uri = {}\n",
        database.display()
    );
    refused(
        "slapproxy",
        &with_configuration("slapproxy", &[], &text),
        "photos.db",
    );
    assert!(
        fs::read_to_string(&database)
            .unwrap()
            .starts_with("these are my photos")
    );
}
