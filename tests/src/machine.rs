//! A computer to prepare: its configuration and directories, in a network namespace, with users
//! and groups whose names no other test uses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::unistd::{Group, User};
use tempfile::TempDir;

use crate::{Namespace, Outcome, Side, places};

static COUNT: AtomicU32 = AtomicU32::new(0);
/// Programs that change users wait whole seconds for each other: one test at a time has them run.
static ACCOUNTS: Mutex<()> = Mutex::new(());

/// A computer. Dropping it removes its users, groups and files.
pub struct Machine {
    directory: TempDir,
    base: String,
    partitions: usize,
    _accounts: Option<MutexGuard<'static, ()>>,
}

impl Machine {
    /// With so many partitions; `more` are lines of `[slapformat]`.
    pub fn new(partitions: usize, more: &str) -> Self {
        let accounts = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
        Self::of(partitions, more, Some(accounts))
    }

    /// Another one, to compare with this one.
    pub fn beside(&self, more: &str) -> Self {
        Self::of(self.partitions, more, None)
    }

    /// One whose users are not made. Several may be there at a time.
    pub fn without_users(partitions: usize, more: &str) -> Self {
        Self::of(partitions, &format!("alter_user = False\n{more}"), None)
    }

    fn of(partitions: usize, more: &str, accounts: Option<MutexGuard<'static, ()>>) -> Self {
        let directory = TempDir::with_prefix_in("slapos-", "/tmp").expect("/tmp is writable");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))
            .expect("the directory is ours");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let machine = Self {
            directory,
            base: format!("sf{}x{number}", std::process::id()),
            partitions,
            _accounts: accounts,
        };
        machine.configure(partitions, more);
        machine
    }

    /// Writes the configuration anew.
    pub fn configure(&self, partitions: usize, more: &str) {
        let (here, base) = (self.path().display(), &self.base);
        let text = format!(
            "[slapos]\ncomputer_id = COMP-{base}\nmaster_url = http://127.0.0.1:5000/\n\
             software_root = {here}/software\ninstance_root = {here}/instance\n\
             [slapformat]\ncomputer_xml = {here}/computer.xml\nlog_file = {here}/format.log\n\
             partition_amount = {partitions}\ninterface_name = br0\n\
             ipv4_local_network = 10.77.0.0/16\ntap_base_name = slaptap\npartition_base_name = slappart\n\
             user_base_name = {base}u\n\
             software_user = {base}s\n{more}\n"
        );
        fs::write(self.path().join("slapos.cfg"), text).expect("the directory is ours");
    }

    /// The machine's directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The file that holds the computer.
    pub fn computer_xml(&self) -> PathBuf {
        self.path().join("computer.xml")
    }

    /// Contents of that file.
    pub fn document(&self) -> String {
        fs::read_to_string(self.computer_xml()).expect("the computer is described")
    }

    /// A partition's directory.
    pub fn partition(&self, number: usize) -> PathBuf {
        self.path().join(format!("instance/slappart{number}"))
    }

    /// Name of a partition's user.
    pub fn user(&self, number: usize) -> String {
        format!("{}u{number}", self.base)
    }

    /// Name of the owner of software.
    pub fn software_user(&self) -> String {
        format!("{}s", self.base)
    }

    /// Text about this machine without what differs from one to the next.
    pub fn anonymous(&self, text: &str) -> String {
        let here = self.path().display().to_string();
        text.replace(&here, "/HERE").replace(&self.base, "BASE")
    }

    /// The command of slapformat, or of `slapos node format`, in a namespace.
    pub fn command(&self, namespace: &Namespace, side: Side) -> Command {
        let mut command = match side {
            Side::Ours => namespace.command(&places::tool("slapformat")),
            Side::Peer => {
                let mut command = namespace.command(&places::peer_program("slapos"));
                command.args(["node", "format", "--cfg"]);
                command
            }
        };
        command.arg(self.path().join("slapos.cfg")).arg("--now");
        if side == Side::Ours {
            command.arg("--console");
        }
        command.current_dir(self.path());
        command
    }

    /// Runs slapformat with options.
    pub fn format(&self, namespace: &Namespace, options: &[&str]) -> Outcome {
        Outcome::of(self.command(namespace, Side::Ours).args(options))
    }

    /// Prepares the machine; the master is not there, which is exit code 2.
    #[track_caller]
    pub fn prepare(&self, namespace: &Namespace) -> Outcome {
        self.format(namespace, &[]).expect(2)
    }

    /// Fails unless a further run has nothing to do.
    #[track_caller]
    pub fn expect_nothing_to_do(&self, namespace: &Namespace) {
        let outcome = self.prepare(namespace);
        assert!(
            outcome.stderr.contains("nothing to do"),
            "{}",
            outcome.stderr
        );
    }

    /// The addresses of each partition in the document: those that end in a number as they are.
    pub fn partition_addresses(&self) -> Vec<Vec<String>> {
        let document = self.document();
        let partitions = document.split("<string>address_list</string>").skip(1);
        let texts = partitions.map(|partition| {
            let list = partition
                .split("external_storage_list")
                .next()
                .unwrap_or_default();
            let mut addresses = Vec::new();
            for part in list.split("<string>addr</string>").skip(1) {
                let text = part
                    .split_once("<string>")
                    .and_then(|(_, rest)| rest.split_once('<'));
                addresses.extend(text.map(|(address, _)| address.to_owned()));
            }
            addresses
        });
        texts.collect()
    }

    /// Removes users and groups, as if they had never been made.
    pub fn remove_accounts(&self) {
        let partitions = (0..self.partitions).map(|number| self.user(number));
        for name in partitions.chain([self.software_user()]) {
            if User::from_name(&name).is_ok_and(|user| user.is_some()) {
                let _ = Outcome::of(Command::new("userdel").arg(&name));
            }
            if Group::from_name(&name).is_ok_and(|group| group.is_some()) {
                let _ = Outcome::of(Command::new("groupdel").arg(&name));
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.remove_accounts();
    }
}
