//! A real supervisord in a directory of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "test code, of which each test file takes a part"
)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use supervisor::{
    Client, GroupConfig, Owner, Paths, ProcessOutcome, ProgramConfig, Settings, Watch,
    launch_command, wait_until_running, write_group, write_supervisord_conf,
};
use tempfile::TempDir;

/// Long enough for a loaded machine; a test that passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// Polls until `condition` gives a value.
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = deadline();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// supervisord of the environment named by `SLAPOS_TEST_PEER`, else the one in PATH.
pub(crate) fn supervisord_program() -> PathBuf {
    let candidate = match env::var_os("SLAPOS_TEST_PEER") {
        Some(peer) => Some(Path::new(&peer).join("bin/supervisord")),
        None => env::split_paths(&env::var_os("PATH").unwrap_or_default())
            .map(|directory| directory.join("supervisord"))
            .find(|program| program.exists()),
    };
    match candidate {
        Some(program) if program.exists() => program,
        _ => panic!(
            "these tests need supervisord: install it in PATH, \
             or name a Python environment that has it in SLAPOS_TEST_PEER"
        ),
    }
}

/// The executable of a process; one that has ended counts as an other one.
fn executable(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default()
}

/// An instance root, whose supervisord ends with it.
pub(crate) struct Node {
    pub(crate) root: TempDir,
    pub(crate) settings: Settings,
    pub(crate) client: Client,
}

impl Node {
    /// Makes the directories and configuration, and starts nothing.
    pub(crate) fn prepare() -> Self {
        // A name that supervisord would misread in many ways if it were not escaped.
        let root = tempfile::Builder::new()
            .prefix("50%d;#é'")
            .tempdir()
            .unwrap();
        let paths = Paths::under(root.path());
        for directory in ["etc/supervisord.conf.d", "var/log", "var/run"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let client = Client::new(&paths.socket);
        let settings = Settings {
            program: supervisord_program(),
            ..Settings::new(paths)
        };
        Node {
            root,
            settings,
            client,
        }
    }

    pub(crate) fn start() -> Self {
        let node = Node::prepare();
        node.launch();
        node
    }

    pub(crate) fn launch(&self) {
        write_supervisord_conf(&self.settings).unwrap();
        let command = launch_command(&self.settings);
        let output = Command::new(command.program)
            .args(command.arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        wait_until_running(&self.client, deadline()).unwrap();
    }

    /// An executable shell script `NAME` in the root.
    pub(crate) fn script(&self, name: &str, body: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.root.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub(crate) fn program(&self, file_name: &str, command: &[&str]) -> ProgramConfig {
        use std::os::unix::fs::MetadataExt;
        let owner = self.root.path().metadata().unwrap();
        ProgramConfig {
            file_name: file_name.to_owned(),
            watch: Watch::Unwatched,
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            directory: self.root.path().to_owned(),
            owner: Owner {
                uid: owner.uid(),
                gid: owner.gid(),
            },
            log_file: self.root.path().join(format!(".{file_name}.log")),
            environment: vec![],
        }
    }

    pub(crate) fn write_group(&self, name: &str, programs: Vec<ProgramConfig>) {
        let group = GroupConfig {
            name: name.to_owned(),
            programs,
        };
        assert!(
            write_group(&self.settings.paths, &group).unwrap(),
            "unchanged"
        );
    }

    pub(crate) fn remove_group(&self, name: &str) {
        fs::remove_file(self.settings.paths.group_file(name)).unwrap();
    }

    /// Starts a group and waits until its programs have taken the place of supervisord's forks:
    /// a signal that comes before is lost, and supervisord then kills the program after a minute.
    pub(crate) fn start_group(&self, group: &str) -> Vec<ProcessOutcome> {
        let outcomes = self.client.start_process_group(group, true).unwrap();
        for info in self.client.all_process_info().unwrap() {
            if let Some(pid) = info.pid {
                eventually("the program is executed", || {
                    (executable(pid) != executable(self.pid())).then_some(())
                });
            }
        }
        outcomes
    }

    fn pid(&self) -> u32 {
        fs::read_to_string(&self.settings.paths.pid_file)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }

    pub(crate) fn log(&self, file_name: &str) -> String {
        fs::read_to_string(self.root.path().join(format!(".{file_name}.log"))).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Not asserted: the test may have ended it, or be failing already.
        let _ = self.client.shutdown();
        let deadline = deadline();
        while self.settings.paths.pid_file.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
