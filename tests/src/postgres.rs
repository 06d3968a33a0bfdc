//! PostgreSQL servers of the tests, each with sockets in a directory of its own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Account, poll};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// Runs its arguments until its input ends, and then removes the directory that is the first of
/// them: also when the test that holds the other end was killed.
const KEEPER: &str = r#"directory=$1; shift; trap '' INT TERM
while :; do while [ -e "$directory/held" ]; do sleep 0.1; done; "$@" & echo $! > "$directory/pid"; wait $!; sleep 0.1; done < /dev/null &
cat > /dev/null; kill -KILL $!; kill -QUIT $(cat "$directory/pid"); sleep 0.2; rm -rf "$directory""#;

/// A running server. It ends with the process that started it, and is started again when it ends.
#[derive(Debug)]
pub struct Postgres {
    directory: PathBuf,
    /// Its input is held open.
    keeper: Child,
    databases: AtomicUsize,
    port: u16,
}

/// How a server is run.
#[derive(Debug, Default)]
pub struct Setup<'a> {
    /// What runs it, such as `ip netns exec NAME`.
    pub wrapper: &'a [String],
    /// Settings, `NAME=VALUE`.
    pub settings: &'a [String],
    /// Lines of pg_hba.conf, before its own.
    pub access: &'a str,
    /// Its port; 0 for the usual one.
    pub port: u16,
}

impl Postgres {
    /// The server of this process, for tests that need databases only.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&Setup::default()))
    }

    /// Starts a server.
    pub fn start(setup: &Setup<'_>) -> Self {
        let directory = directory();
        let data = directory.join("data");
        let mut initdb = Account::unprivileged().command(&program("initdb"));
        initdb
            .args(["--username=slapos", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--pgdata"])
            .arg(&data);
        make(initdb.current_dir(&directory));
        let access = data.join("pg_hba.conf");
        let own = fs::read_to_string(&access).expect("initdb wrote it");
        fs::write(&access, format!("{}\n{own}", setup.access)).expect("we may write");
        Self::run(directory, setup)
    }

    /// Starts a standby of this one: it has what this one has, and takes no writes.
    pub fn standby(&self) -> Self {
        let directory = directory();
        let mut backup = Account::unprivileged().command(&program("pg_basebackup"));
        backup
            .args(["-U", "slapos", "-p", &self.port.to_string(), "-h"])
            .arg(&self.directory)
            .args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf"])
            .args(["-X", "stream", "-D"])
            .arg(directory.join("data"));
        make(backup.current_dir(&directory));
        Self::run(directory, &Setup::default())
    }

    /// Runs what a directory holds, until this process ends.
    fn run(directory: PathBuf, setup: &Setup<'_>) -> Self {
        let account = Account::unprivileged();
        let port = if setup.port == 0 { 5432 } else { setup.port };
        let log = fs::File::create(directory.join("log")).expect("the directory is writable");
        let stepped = account.command(Path::new("sh"));
        let mut words = setup.wrapper.iter().map(OsString::from).collect::<Vec<_>>();
        words.push(stepped.get_program().to_owned());
        words.extend(stepped.get_args().map(OsString::from));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.args(["-c", KEEPER, "sh"]).arg(&directory);
        command.arg(program("postgres")).arg("-D");
        command.arg(directory.join("data"));
        command
            .arg("-k")
            .arg(&directory)
            .args(["-p", &port.to_string()]);
        for setting in ["listen_addresses=", "fsync=off", "max_connections=300"] {
            command.args(["-c", setting]);
        }
        for setting in setup.settings {
            command.args(["-c", setting]);
        }
        let keeper = command
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a descriptor is free"))
            .stderr(log)
            .spawn()
            .expect("sh starts");
        let postgres = Self {
            directory,
            keeper,
            databases: AtomicUsize::new(0),
            port,
        };
        postgres.wait();
        postgres
    }

    /// Waits until it serves.
    pub fn wait(&self) {
        poll::until("PostgreSQL serves", PATIENCE, || {
            let asked = self.psql("postgres", "SELECT 1").output();
            asked.expect("psql starts").status.success()
        });
    }

    /// A fresh database: its URI.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("proxy{number}");
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.uri(&name)
    }

    /// The URI of a database.
    pub fn uri(&self, name: &str) -> String {
        let directory = self.directory.display();
        let port = self.port;
        format!("postgresql:///{name}?host={directory}&port={port}&user=slapos")
    }

    /// What a statement tells of a database: a line for each row.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, sql).output().expect("psql starts");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{sql}: {output:?}");
        told
    }

    /// The name in a URI of [`Postgres::database`].
    pub fn name(uri: &str) -> &str {
        uri.split(['/', '?']).nth(3).expect("it is one of our URIs")
    }

    /// Removes every row of a database of a master.
    pub fn empty(&self, uri: &str) {
        let name = Self::name(uri);
        let tables = "SELECT string_agg(tablename, ',') FROM pg_tables \
                      WHERE schemaname = 'public' AND tablename <> 'slapproxy_schema'";
        let tables = self.sql(name, tables);
        self.sql(name, &format!("TRUNCATE {tables}"));
    }

    fn psql(&self, database: &str, sql: &str) -> Command {
        let mut command = Command::new(program("psql"));
        command
            .args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", "slapos", "-d", database, "-h"])
            .arg(&self.directory)
            .args(["-p", &self.port.to_string(), "-c", sql]);
        command
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Does something while it is away.
    pub fn hold(&self, meanwhile: impl FnOnce()) {
        let held = self.directory.join("held");
        fs::write(&held, "").expect("the directory is writable");
        self.signal(Signal::SIGINT);
        poll::until("PostgreSQL has ended", PATIENCE, || {
            !self.directory.join("data/postmaster.pid").exists()
        });
        meanwhile();
        fs::remove_file(&held).expect("we wrote it");
        self.wait();
    }

    /// Its first process, whose children are all others.
    pub fn process(&self) -> u32 {
        let pid = fs::read_to_string(self.directory.join("pid")).expect("it was started");
        pid.trim().parse().expect("a pid is a number")
    }

    /// Sends a signal to its first process; what ended is started again.
    pub fn signal(&self, signal: Signal) {
        let pid = self.process().try_into().expect("a pid is small");
        kill(Pid::from_raw(pid), signal).expect("it runs");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It ends by itself.
        let _ = self.keeper.wait();
    }
}

/// A directory for one, which goes with it.
fn directory() -> PathBuf {
    let directory = tempfile::Builder::new()
        .prefix("pg-")
        .tempdir_in("/tmp")
        .expect("/tmp is writable")
        .keep();
    Account::unprivileged().own(&directory);
    directory
}

/// Runs what makes the files of one.
fn make(command: &mut Command) {
    let made = command.output().expect("it starts");
    assert!(made.status.success(), "{command:?}: {made:?}");
}

/// One of PostgreSQL's programs; Debian keeps most of them out of the path.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|directory| directory.join(name));
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let installed = versions
        .flatten()
        .map(|version| version.path().join("bin").join(name));
    let mut found = in_path.chain(installed);
    found
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("PostgreSQL's {name} is not installed"))
}
