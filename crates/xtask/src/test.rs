//! `cargo xtask test`: everything that must hold before a change lands.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::{command, needs, places, python};

/// Tests that must be root are features, so that elsewhere they are not built.
const ROOT_TESTS: &str = "slapgrid-core/root-tests,slapos-tests/root-tests";

/// The programs under test can be killed after each of their steps.
const FAULTS: &str = "slapgrid-core/fault-injection,slapos-tests/fault-injection";

/// The tests of what a master is asked, whichever database it has.
const PROTOCOL: [&str; 10] = [
    "bad_input",
    "calls",
    "hateoas",
    "json_rpc",
    "master_calls",
    "master_endurance",
    "multimaster",
    "proxy_server",
    "requests",
    "versions",
];
/// The one of them that is about the master's own disk.
const OF_A_FILE: &str = "where_the_disk_takes_no_more";

/// What `cargo test` said, summed over all test programs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Runs the checks and every test, and ends with one line that counts them.
pub(crate) fn run(no_lint: bool, arguments: &[String]) -> Result<ExitCode> {
    needs::of_tests(!no_lint).ensure()?;
    let peer = python::prepared_peer()?;
    if !no_lint {
        lint()?;
    }
    // The whole-tool tests run the programs as they lie in the target directory.
    command::run(
        cargo()?
            .args(["build", "--workspace", "--bins", "--features"])
            .arg(features()),
    )?;
    let (counts, success) = test(&peer, arguments)?;
    println!(
        "\ntests: {} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.ignored
    );
    Ok(if success && counts.ignored == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Formatting and lints.
fn lint() -> Result<()> {
    println!("==> cargo fmt and cargo clippy");
    command::run(cargo()?.args(["fmt", "--check"]))?;
    clippy(&["--workspace"])?;
    clippy(&[
        "--package",
        "slapproxy",
        "--no-default-features",
        "--features",
        "bundled-sqlite",
    ])?;
    // What is not built by default, and the tests that only root can run, are linted whoever runs this.
    clippy(&[
        "--package",
        "slapgrid-core",
        "--package",
        "slapos-tests",
        "--features",
        &format!("{FAULTS},{ROOT_TESTS}"),
    ])
}

fn clippy(what: &[&str]) -> Result<()> {
    command::run(
        cargo()?
            .args(["clippy", "--quiet", "--all-targets"])
            .args(what)
            .args(["--", "--deny", "warnings"]),
    )
}

/// Runs all tests, and unless some are chosen those of the protocol on PostgreSQL, too.
fn test(peer: &Path, arguments: &[String]) -> Result<(Counts, bool)> {
    println!("==> cargo test");
    if !places::is_root() {
        println!("    not root: the tests that need root's rights are not built");
    }
    let mut counts = Counts::default();
    let mut all = cargo()?;
    all.args(["test", "--workspace", "--no-fail-fast", "--features"])
        .arg(features())
        .args(arguments);
    let mut success = count(all.env("SLAPOS_TEST_PEER", peer), &mut counts)?;
    if arguments.is_empty() {
        println!("==> cargo test, on PostgreSQL");
        let mut protocol = cargo()?;
        // What was built for all tests serves as it is.
        protocol
            .args(["test", "--workspace", "--no-fail-fast", "--features"])
            .arg(features())
            .args(PROTOCOL.iter().flat_map(|name| ["--test", name]))
            .args(["--", "--skip", OF_A_FILE])
            .env("SLAPOS_TEST_DATABASE", "postgresql");
        success &= count(protocol.env("SLAPOS_TEST_PEER", peer), &mut counts)?;
    }
    Ok((counts, success))
}

/// Runs `cargo test`, passing its output through while counting; whether all went well.
fn count(mut command: &mut Command, counts: &mut Counts) -> Result<bool> {
    command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot run cargo test")?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.context("cannot read the output of cargo test")?;
            counts.add(&line);
            println!("{line}");
        }
    }
    let status = child.wait().context("cannot wait for cargo test")?;
    Ok(status.success())
}

impl Counts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            match part.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                Some((number, "ignored")) => self.ignored += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

/// Cargo, building where the users that tests step down to can run the result.
fn cargo() -> Result<Command> {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(places::workspace())
        .env("CARGO_TARGET_DIR", places::shared()?);
    Ok(command)
}

fn features() -> String {
    if places::is_root() {
        format!("{FAULTS},{ROOT_TESTS}")
    } else {
        FAULTS.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn result_lines_are_summed_and_others_are_not() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out");
        counts.add("test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured");
        counts.add("test codec::result: 9 passed; ... ok");
        let expected = Counts {
            passed: 7,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(counts, expected);
    }
}
