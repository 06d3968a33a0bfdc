//! Scenarios that are run twice, with the peer's node and with ours, against a scripted master: what
//! each side told the master and left on disk is written down and compared.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use nix::unistd::{Uid, User};
use similar::{Change, ChangeTag, TextDiff};

use crate::{Node, Outcome, ScriptedMaster, Side, promises};

/// A node of one side, and what it did so far.
pub struct World {
    /// Whose tools are run.
    pub side: Side,
    /// The node.
    pub node: Node,
    /// Its master.
    pub master: ScriptedMaster,
    transcript: Vec<String>,
}

/// A way in which the two sides are meant to differ.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// What it is called.
    pub name: &'static str,
    /// Whose line it is.
    pub side: Side,
    /// How the lines begin that only this side has.
    pub line: &'static str,
    /// Why.
    pub because: &'static str,
}

/// A scenario and the differences that it is meant to show.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What happens.
    pub name: &'static str,
    /// Makes it happen.
    pub play: fn(&mut World),
    /// All of these show, and no other.
    pub differences: &'static [Difference],
}

impl World {
    fn new(side: Side) -> Self {
        let node = Node::new();
        let master = ScriptedMaster::start(node.master_port);
        Self {
            side,
            node,
            master,
            transcript: Vec::new(),
        }
    }

    /// slapgrid-sr, or `slapos node software`.
    pub fn software(&mut self, arguments: &[&str]) -> Outcome {
        self.run("slapgrid-sr", "software", arguments)
    }

    /// slapgrid-cp, or `slapos node instance`.
    pub fn instance(&mut self, arguments: &[&str]) -> Outcome {
        self.run("slapgrid-cp", "instance", arguments)
    }

    /// slapgrid-ur, or `slapos node report`.
    pub fn report(&mut self, arguments: &[&str]) -> Outcome {
        self.run("slapgrid-ur", "report", arguments)
    }

    /// slapgrid-cp --promises-only, or `slapos node promise`.
    pub fn promise(&mut self, arguments: &[&str]) -> Outcome {
        self.run("slapgrid-cp", "promise", arguments)
    }

    fn run(&mut self, tool: &str, node: &str, arguments: &[&str]) -> Outcome {
        let mut all = arguments.to_vec();
        if self.side == Side::Ours {
            // One after the other, as the peer does: the order of the calls is compared.
            all.extend(["--jobs", "1"]);
            all.extend((node == "promise").then_some("--promises-only"));
        }
        let outcome = self.node.grid(self.side, tool, node, &all);
        let arguments: String = arguments.iter().map(|text| format!(" {text}")).collect();
        self.note(&format!("run {node}{arguments}"));
        for call in self.master.calls() {
            self.note(&format!("call {call}"));
        }
        let code = outcome.code;
        self.note(&format!(
            "exit {}",
            code.map_or("by a signal".to_owned(), |code| code.to_string())
        ));
        outcome
    }

    /// Writes down what was seen.
    pub fn note(&mut self, line: &str) {
        let here = self.node.path().display().to_string();
        self.transcript.push(line.replace(&here, "NODE"));
    }

    /// Writes down which services run.
    pub fn note_services(&mut self) {
        let running = running(&self.node);
        self.note(&format!("running {}", running.join(" ")));
    }

    /// Writes down what is kept of the promises of a partition, but for times and texts of ours.
    pub fn note_promises(&mut self, partition: usize) {
        for line in promises::records(&self.node.partition(partition)) {
            self.note(&format!("{partition} {line}"));
        }
    }

    /// Writes down the files of a directory below the node's, with modes and owners, and the contents of
    /// small records.
    pub fn note_files(&mut self, below: &str) {
        for line in files(&self.node, below) {
            self.note(&line);
        }
    }
}

/// The full names of the services that run.
pub fn running(node: &Node) -> Vec<String> {
    let status = node.services_status();
    let mut running: Vec<String> = status
        .lines()
        .filter(|line| line.contains("RUNNING"))
        .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
        .collect();
    running.sort();
    running
}

/// The files of a directory below a node's, with modes and owners, and the contents of small
/// records: one a line.
pub fn files(node: &Node, below: &str) -> Vec<String> {
    let mut lines = Vec::new();
    list(&node.path().join(below), Path::new(below), &mut lines);
    lines.sort();
    lines
}

/// Records whose contents the other side reads.
const CONTENTS: &[&str] = &[
    ".timestamp",
    ".slapos-retention-lock-delay",
    ".slapos-report-wait-service-list",
    ".slapos-request-transaction-slappart0",
];

fn list(directory: &Path, shown: &Path, lines: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = match name.strip_prefix("slapreport.") {
            Some(_) => "slapreport.RANDOM".to_owned(),
            None => name,
        };
        let shown = shown.join(name);
        let Ok(metadata) = path.symlink_metadata() else {
            continue;
        };
        // What promises leave has scenarios of its own.
        if shown.ends_with(".slapgrid/promise") {
            continue;
        }
        let mut line = format!("file {} {}", shown.display(), attributes(&metadata));
        let is_record = CONTENTS.iter().any(|name| shown.ends_with(name));
        if is_record && let Ok(text) = fs::read_to_string(&path) {
            let _ = write!(line, " {text:?}");
        }
        lines.push(line);
        if metadata.is_dir() {
            list(&path, &shown, lines);
        }
    }
}

fn attributes(metadata: &fs::Metadata) -> String {
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => 'd',
        kind if kind.is_symlink() => 'l',
        kind if kind.is_socket() => 's',
        _ => '-',
    };
    let owner = User::from_uid(Uid::from_raw(metadata.uid()));
    let owner = owner
        .ok()
        .flatten()
        .map_or_else(|| metadata.uid().to_string(), |user| user.name);
    format!("{kind}{:04o} {owner}", metadata.mode() & 0o7777)
}

/// Plays a scenario with one side.
pub fn play(scenario: &Scenario, side: Side) -> Vec<String> {
    let mut world = World::new(side);
    (scenario.play)(&mut world);
    world.transcript
}

/// Plays a scenario with both sides; fails the test where they differ in another way than they are
/// meant to.
///
/// # Panics
/// They do.
pub fn compare(scenario: &Scenario) {
    let peer = play(scenario, Side::Peer);
    let ours = play(scenario, Side::Ours);
    print_row(scenario, &peer, &ours);
    let mut shown = BTreeSet::new();
    let mut unexplained = Vec::new();
    for (side, line) in differing(&peer, &ours) {
        let mut meant = scenario.differences.iter().chain(EVERYWHERE);
        match meant.find(|meant| meant.side == side && line.starts_with(meant.line)) {
            Some(meant) => drop(shown.insert(meant.line)),
            None => unexplained.push(format!("{side:?}: {line}")),
        }
    }
    assert!(
        unexplained.is_empty(),
        "{}: meant by nobody:\n{}\n\nall of the peer:\n{}\n\nall of ours:\n{}",
        scenario.name,
        unexplained.join("\n"),
        peer.join("\n"),
        ours.join("\n")
    );
    for Difference { name, line, .. } in scenario.differences {
        let scenario = scenario.name;
        assert!(
            shown.contains(line),
            "{scenario}: {name} does not show: {line}"
        );
    }
}

/// The lines that one side has and the other one has not, or elsewhere.
fn differing<'a>(peer: &'a [String], ours: &'a [String]) -> Vec<(Side, &'a str)> {
    let peer: Vec<&str> = peer.iter().map(String::as_str).collect();
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&peer, &ours);
    let side = |change: Change<&'a str>| match change.tag() {
        ChangeTag::Delete => Some((Side::Peer, change.value())),
        ChangeTag::Insert => Some((Side::Ours, change.value())),
        ChangeTag::Equal => None,
    };
    diff.iter_all_changes().filter_map(side).collect()
}

/// A row of the table that `cargo test -- --nocapture` shows.
fn print_row(scenario: &Scenario, peer: &[String], ours: &[String]) {
    let told = |lines: &[String]| {
        let calls = lines.iter().filter(|line| !line.starts_with("file "));
        let calls: Vec<&str> = calls
            .map(String::as_str)
            .filter(|line| !line.contains("getHateoasUrl"))
            .collect();
        calls.join("; ").replace("call ", "")
    };
    let names: BTreeSet<&str> = scenario.differences.iter().map(|d| d.name).collect();
    let names: Vec<&str> = names.into_iter().collect();
    println!(
        "| {} | {} | {} | {} |",
        scenario.name,
        told(peer),
        told(ours),
        names.join(", ")
    );
}

/// Differences of every scenario.
pub const EVERYWHERE: &[Difference] = &[
    Difference {
        name: "no hateoas question",
        side: Side::Peer,
        line: "call getHateoasUrl",
        because: "a node has no use for the hateoas API",
    },
    Difference {
        name: "state directory",
        side: Side::Ours,
        line: "file instance/var/slapgrid",
        because: "locks, and what a crashed run must finish, are kept outside the partitions",
    },
    Difference {
        name: "instance.log is the user's",
        side: Side::Peer,
        line: "file instance/slappart0/.slapgrid/log/instance.log",
        because: "it is written for the user, who may remove it",
    },
    Difference {
        name: "instance.log is the user's",
        side: Side::Ours,
        line: "file instance/slappart0/.slapgrid/log/instance.log",
        because: "it is written for the user, who may remove it",
    },
    Difference {
        name: "a watchdog that runs",
        side: Side::Ours,
        line: "file instance/var/log/watchdog.log",
        because: "our watchdog runs; the peer's is looked for at a fixed path",
    },
];
