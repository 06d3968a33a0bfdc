//! A master and a node in a directory of their own.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use md5::{Digest, Md5};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use slap_client::{Connection, Slap};
use tempfile::TempDir;

use crate::faults::{children, lives};
use crate::{Account, Outcome, database, http, places, poll, write_program};

/// Reference of the node's computer.
pub const COMPUTER: &str = "COMP-1";
/// How long a daemon may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whose program does a step: one suite, two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The tools of this workspace.
    Ours,
    /// slapos.core.
    Peer,
}

/// A node with its master. Dropping it ends every process and removes every file.
pub struct Node {
    directory: TempDir,
    account: Account,
    master: Option<Child>,
    /// TCP port of the master.
    pub master_port: u16,
    /// TCP port for the page of an instance.
    pub page_port: u16,
}

impl Node {
    /// A node whose tools run with the rights of the tests.
    pub fn new() -> Self {
        Self::of(Account::of_caller())
    }

    /// A node whose tools run without root's rights.
    pub fn unprivileged() -> Self {
        Self::of(Account::unprivileged())
    }

    fn of(account: Account) -> Self {
        // Short: a Unix socket's path has 107 bytes at most.
        let directory = TempDir::with_prefix_in("slapos-", "/tmp").expect("/tmp is writable");
        let node = Self {
            directory,
            account,
            master: None,
            master_port: free_port(),
            page_port: free_port(),
        };
        node.lay_out();
        node
    }

    fn lay_out(&self) {
        allow_everyone(self.path());
        for name in ["software", "instance"] {
            let path = self.path().join(name);
            fs::create_dir(&path).expect("a fresh directory takes a directory");
            allow_everyone(&path);
        }
        self.account.own(&self.software_root());
        if !self.account.is_root() {
            self.account.own(&self.instance_root());
            self.account.own(self.path());
        }
        self.write("definition.cfg", &definition(self.account.name(), 2));
        self.configure(&[]);
    }

    /// The node's directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Its slapos.cfg.
    pub fn configuration(&self) -> PathBuf {
        self.path().join("slapos.cfg")
    }

    /// Where releases are installed.
    pub fn software_root(&self) -> PathBuf {
        self.path().join("software")
    }

    /// Where partitions are.
    pub fn instance_root(&self) -> PathBuf {
        self.path().join("instance")
    }

    /// Name of the user whom software and partitions belong to.
    pub fn owner(&self) -> &str {
        self.account.name()
    }

    /// A partition's directory.
    pub fn partition(&self, number: usize) -> PathBuf {
        self.instance_root().join(format!("slappart{number}"))
    }

    /// What the master's database holds now, as a file.
    pub fn database(&self) -> PathBuf {
        database::file(self.path())
    }

    /// Writes a file of the node's directory.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// URL of the master.
    pub fn master_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.master_port)
    }

    /// Writes slapos.cfg, with more of `[slapos]`: KEY, VALUE.
    pub fn configure(&self, more: &[(&str, &str)]) {
        let more: String = more
            .iter()
            .map(|(key, value)| format!("{key} = {value}\n"))
            .collect();
        self.write("slapos.cfg", &self.settings(&more));
    }

    /// Makes partitions as slapformat does, without a master.
    pub fn make_partitions(&self, count: usize) {
        self.make_more_partitions(0, count);
    }

    /// Makes the partitions from the first number on, up to the second.
    pub fn make_more_partitions(&self, first: usize, end: usize) {
        for number in first..end {
            let path = self.partition(number);
            fs::create_dir(&path).expect("the instance root is ours");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o750))
                .expect("the directory is ours");
            self.account.own(&path);
        }
    }

    /// Writes a file into a partition, as its user would.
    pub fn write_in_partition(&self, number: usize, name: &str, text: &str, mode: u32) {
        let path = self.partition(number).join(name);
        for directory in Path::new(name).ancestors().skip(1) {
            let directory = self.partition(number).join(directory);
            fs::create_dir_all(&directory).expect("the partition is ours");
            self.account.own(&directory);
        }
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the file is ours");
        self.account.own(&path);
    }

    /// Installs a release without slapgrid: its bin/buildout is this script. Returns its URL.
    pub fn install_release(&self, name: &str, buildout: &str) -> String {
        let url = format!("http://releases.invalid/{name}/software.cfg");
        let directory = self.release(&url);
        fs::create_dir_all(directory.join("bin")).expect("the software root is ours");
        allow_everyone(&directory);
        allow_everyone(&directory.join("bin"));
        write_program(&directory.join("bin/buildout"), buildout);
        for name in ["instance.cfg", ".completed"] {
            fs::write(directory.join(name), "").expect("the release is ours");
        }
        self.account.own(&directory);
        url
    }

    /// The directory of a release.
    pub fn release(&self, url: &str) -> PathBuf {
        let digest = Md5::digest(url.as_bytes());
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.software_root().join(name)
    }

    fn settings(&self, more: &str) -> String {
        let here = self.path().display();
        let port = self.master_port;
        let url = self.master_url();
        format!(
            "[slapos]\n\
             computer_id = {COMPUTER}\n\
             master_url = {url}\n\
             software_root = {here}/software\n\
             instance_root = {here}/instance\n\
             pidfile = {here}/slapgrid.pid\n\
             root_check = false\n\
             {more}\n\
             [slapformat]\n\
             input_definition_file = {here}/definition.cfg\n\
             computer_xml = {here}/computer.xml\n\
             log_file = {here}/format.log\n\
             partition_amount = 2\n\
             interface_name = lo\n\
             alter_user = False\n\
             alter_network = False\n\
             \n\
             [slapproxy]\n\
             host = 127.0.0.1\n\
             port = {port}\n\
             database_uri = {here}/proxy.db\n"
        )
    }

    /// Starts the master and waits until it answers.
    pub fn start_master(&mut self, side: Side) {
        let mut command = match side {
            Side::Ours => {
                let mut command = self.ours("slapproxy");
                command.args(["-u", &database::uri(self.path())]);
                command
            }
            Side::Peer => self.peer(&["proxy", "start", "--cfg"]),
        };
        let log = fs::File::create(self.path().join("proxy.log")).expect("the log is writable");
        let child = command
            .arg(self.configuration())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor is free"))
            .stderr(log)
            .spawn()
            .expect("the master starts");
        let child = self.master.insert(child);
        let address = format!("127.0.0.1:{}", self.master_port);
        poll::until("the master answers", PATIENCE, || {
            let ended = child.try_wait().expect("the master is our child");
            // Another server may have taken the port, and answer in its place.
            assert!(ended.is_none(), "the master ended: {ended:?}");
            http::get(&address, "/getRunId").is_ok()
        });
    }

    /// Ends the master as a service manager does.
    pub fn stop_master(&mut self) {
        if let Some(mut child) = self.master.take() {
            terminate(i32::try_from(child.id()).expect("a pid is small"));
            child.wait().expect("the master is our child");
        }
    }

    /// slapformat, or `slapos node format`.
    pub fn format(&self, side: Side) -> Outcome {
        let mut command = match side {
            Side::Ours => self.ours("slapformat"),
            Side::Peer => self.peer(&["node", "format", "--cfg"]),
        };
        let outcome = Outcome::of(command.arg(self.configuration()).arg("--now"));
        if self.account.is_root() && side == Side::Peer {
            // With alter_user off, the peer leaves this to the administrator.
            (0..2).for_each(|number| self.account.own(&self.partition(number)));
        }
        outcome
    }

    /// slapos-supply, or `slapos supply`.
    pub fn supply(&self, side: Side, release: &Path) -> Outcome {
        let mut command = match side {
            Side::Ours => self.ours("slapos-supply"),
            Side::Peer => self.peer(&["supply", "--cfg"]),
        };
        Outcome::of(command.arg(self.configuration()).arg(release).arg(COMPUTER))
    }

    /// slapgrid-sr, or `slapos node software`.
    pub fn software(&self, side: Side) -> Outcome {
        self.grid(side, "slapgrid-sr", "software", &[])
    }

    /// slapgrid-cp, or `slapos node instance`.
    pub fn instance(&self, side: Side) -> Outcome {
        self.grid(side, "slapgrid-cp", "instance", &[])
    }

    /// One of the slapgrid tools, or the peer's counterpart.
    pub fn grid(&self, side: Side, tool: &str, node: &str, arguments: &[&str]) -> Outcome {
        let mut command = match side {
            Side::Ours => self.ours_with(tool, &["--now", "--console"]),
            Side::Peer => self.peer(&["node", node, "--cfg"]),
        };
        if side == Side::Peer {
            command.arg(self.configuration());
        }
        Outcome::of(command.args(arguments))
    }

    /// One of our tools with its slapos.cfg and these arguments.
    pub fn ours_with(&self, tool: &str, arguments: &[&str]) -> Command {
        let mut command = self.ours(tool);
        command.arg(self.configuration()).args(arguments);
        command
    }

    /// The bootstrap program for `buildout` of slapos.cfg: each release that it bootstraps is built by
    /// the given shell script, which runs in the release's directory; writing another one here
    /// changes it for all releases.
    pub fn fake_bootstrap(&self, script: &str) -> String {
        write_program(
            &self.path().join("build.sh"),
            &format!("#!/bin/sh\nset -e\n{script}\n"),
        );
        let bootstrap = format!(
            "#!/usr/bin/python3\nimport os, sys\n\
             given = [a for a in sys.argv if a.startswith('buildout:directory=')]\n\
             directory = given[0].split('=', 1)[1] + '/bin'\n\
             os.makedirs(directory, exist_ok=True)\n\
             path = directory + '/buildout'\n\
             open(path, 'w').write('#!/bin/sh\\nexec sh {}/build.sh \"$@\"\\n')\n\
             os.chmod(path, 0o755)\n",
            self.path().display()
        );
        let path = self.path().join("bootstrap");
        write_program(&path, &bootstrap);
        path.display().to_string()
    }

    /// slapos-request, or `slapos request`; parameters as KEY=VALUE.
    pub fn request(
        &self,
        side: Side,
        release: &Path,
        reference: &str,
        parameters: &[&str],
        state: Option<&str>,
    ) -> Outcome {
        let mut command = match side {
            Side::Ours => self.ours("slapos-request"),
            Side::Peer => self.peer(&["request", "--cfg"]),
        };
        command.arg(self.configuration());
        match side {
            Side::Ours => command.arg(release).arg(reference),
            Side::Peer => command.arg(reference).arg(release),
        };
        if !parameters.is_empty() {
            command.arg("--parameters").args(parameters);
        }
        if let Some(state) = state {
            command.args(["--state", state]);
        }
        Outcome::of(&mut command)
    }

    /// A client of the master.
    pub fn slap(&self) -> Slap {
        let url = format!("http://127.0.0.1:{}/", self.master_port);
        let connection = Connection::to(&url).expect("the master's URL is one");
        connection.open().expect("plain HTTP needs no certificates")
    }

    /// Answer of the master to a GET.
    pub fn ask_master(&self, path: &str) -> (u16, String) {
        http::get(&format!("127.0.0.1:{}", self.master_port), path).expect("the master answers")
    }

    /// The page that the instance serves, if it does.
    pub fn page(&self) -> Option<String> {
        let (status, body) = http::get(&format!("127.0.0.1:{}", self.page_port), "/").ok()?;
        (status == 200).then_some(body)
    }

    /// One of our tools, as the account, with the peer's supervisord and buildout in its PATH.
    pub fn ours(&self, name: &str) -> Command {
        self.command(&places::tool(name))
    }

    /// The peer's `slapos` with these arguments.
    pub fn peer(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&places::peer_program("slapos"));
        command.args(arguments);
        command
    }

    /// A program as the account, with our tools and the peer's in its PATH.
    pub fn command(&self, program: &Path) -> Command {
        let path = [
            places::tools(),
            places::peer().join("bin"),
            PathBuf::from("/usr/sbin:/usr/bin:/sbin:/bin"),
        ];
        let path: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        let mut command = self.account.command(program);
        command
            .env("PATH", path.join(":"))
            .env("HOME", self.path())
            .current_dir(self.path());
        command
    }

    /// slapgrid-supervisorctl.
    pub fn control(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.ours("slapgrid-supervisorctl");
        Outcome::of(command.arg(self.configuration()).args(arguments))
    }

    /// What the node's supervisord says of the programs of partitions: one a line.
    pub fn services_status(&self) -> String {
        let status = self.control(&["status"]).text();
        let services = status.lines().filter(|line| !line.starts_with("watchdog "));
        services.collect::<Vec<_>>().join("\n")
    }

    /// The pid of the node's supervisord while it runs.
    pub fn supervisord(&self) -> Option<i32> {
        let file = self.instance_root().join("var/run/supervisord.pid");
        let pid = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        lives(pid).then_some(pid)
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(pid) = self.supervisord() {
            // It would take its time; each of its programs leads a process group.
            let children = children(pid);
            kill_now(pid);
            children.into_iter().for_each(|child| kill_now(-child));
            let deadline = std::time::Instant::now() + PATIENCE;
            while lives(pid) && std::time::Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.stop_master();
    }
}

/// The partitions of a definition file: all on the loopback interface.
fn definition(user: &str, partitions: usize) -> String {
    let head = format!("[computer]\naddress = 127.0.0.1/32\nsoftware_user = {user}\n");
    (0..partitions).fold(head, |text, number| {
        text + &format!(
            "\n[partition_{number}]\npathname = slappart{number}\nuser = {user}\n\
             address = 127.0.0.1/32 ::1/128\nnetwork_interface = lo\n"
        )
    })
}

fn allow_everyone(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
        .expect("the directory is ours");
}

/// A port that is free now, and that no other test of this process was given: one that is not used
/// yet is free for the system to give again. Nothing else on the machine is expected to want it.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        if given.insert(port) {
            return port;
        }
    }
}

fn terminate(pid: i32) {
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
}

/// Kills a process, or the group of a negative number.
fn kill_now(pid: i32) {
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}
