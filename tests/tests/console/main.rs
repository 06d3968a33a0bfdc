//! slapconsole: its language, its methods, its prompt.

mod calls;
mod examples;
mod mistakes;
mod programs;
mod prompt;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use slap_client::{Connection, Slap};
use slapos_tests::{COMPUTER, Outcome, Server, Terminal, places, population};

/// The computer of the examples.
const OTHER: &str = "COMP-12345";
/// The release that `kvm` stands for.
const KVM: &str = "http://example.org/kvm/software.cfg";

/// A master with two computers of four and two partitions, and what a user has for it.
struct Console {
    master: Server,
}

impl Console {
    fn new() -> Self {
        let console = Self {
            master: Server::start("", &[]),
        };
        population::describe(&console.slap(), COMPUTER, 4);
        population::describe(&console.slap(), OTHER, 2);
        write_configuration(&console.configuration(), &console.master.url());
        console
    }

    fn slap(&self) -> Slap {
        let connection = Connection::to(&self.master.url()).unwrap();
        connection.open().unwrap()
    }

    fn configuration(&self) -> PathBuf {
        self.master.path().join("user.cfg")
    }

    /// The tool with these arguments after the configuration.
    fn command(&self, arguments: &[&str]) -> Command {
        command(&self.configuration(), self.master.path(), arguments)
    }

    /// What `-e` prints.
    fn value(&self, expression: &str) -> String {
        let outcome = Outcome::of(&mut self.command(&["-e", expression])).expect(0);
        assert_eq!(outcome.stderr, "", "{expression}");
        outcome.stdout.trim_end().to_owned()
    }

    /// What `-e` says of a mistake, in one line.
    fn mistake(&self, expression: &str) -> String {
        let outcome = Outcome::of(&mut self.command(&["-e", expression])).expect(1);
        assert_eq!(outcome.stdout, "", "{expression}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        let message = outcome.stderr.trim_end();
        message.strip_prefix("slapconsole: ").unwrap().to_owned()
    }

    /// The prompt, ready.
    fn prompt(&self) -> Terminal {
        let terminal = Terminal::start(&self.command(&[]));
        terminal.wait_for_line(">>>");
        terminal
    }
}

fn write_configuration(path: &Path, master_url: &str) {
    let text = format!(
        "[slapos]\nmaster_url = {master_url}\n\
         [slapconsole]\nalias =\n  kvm {KVM}\n  my-web http://example.org/web.cfg\n"
    );
    fs::write(path, text).unwrap();
}

/// The tool with this configuration; `home` is where it keeps its history.
fn command(configuration: &Path, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(places::tool("slapconsole"));
    command
        .env("XDG_STATE_HOME", home.join("state"))
        .arg(configuration)
        .args(arguments);
    command
}
