//! Our master under load: many at once, killed, with a full disk, and ended.
//!
//! `SLAPOS_TEST_LOAD_SECONDS` and `SLAPOS_TEST_CRASH_ROUNDS` make it last longer.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use slap_client::{ClientError, Connection, InstanceRequest, Slap};
use slap_proto::documents::{
    Attributes, ComputerConfiguration, ComputerPartition, PartitionConfiguration, SoftwareInstance,
};
use slapos_tests::pair::{Master, database};
use slapos_tests::{COMPUTER, Side, http};

const RELEASE: &str = "http://release/";

/// A number that the environment gives.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    })
}

fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

fn client(master: &Master) -> Slap {
    Connection::to(&format!("http://{}/", master.address))
        .expect("the address is one")
        .open()
        .expect("a client can be made")
}

/// A master whose computer has that many partitions.
fn master(partitions: usize) -> (Master, Slap) {
    let master = Master::start(Side::Ours, COMPUTER, "");
    let slap = client(&master);
    let partition = |number| PartitionConfiguration {
        reference: format!("slappart{number}"),
        ..PartitionConfiguration::default()
    };
    slap.register_computer(COMPUTER)
        .configure(&ComputerConfiguration {
            reference: COMPUTER.to_owned(),
            partition_list: (0..partitions).map(partition).collect(),
            ..ComputerConfiguration::default()
        })
        .expect("the computer is described");
    (master, slap)
}

fn text(attributes: &Attributes, name: &str) -> String {
    attributes[name].to_text()
}

/// One of those who ask at once, each for an instance of its own name.
struct Client<'a> {
    slap: &'a Slap,
    name: String,
    /// Who has which partition, by all clients' books.
    owners: &'a Mutex<HashMap<String, String>>,
    calls: &'a AtomicU64,
    round: u64,
}

impl Client<'_> {
    fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn request(&self) -> Result<SoftwareInstance, ClientError> {
        self.count();
        let request = InstanceRequest::new(RELEASE, self.name.as_str());
        let order = self.slap.register_open_order();
        order.request(&request.parameter("round", self.round.to_string()))
    }

    /// An instance of its own, unless all partitions are taken; what it reads is what it wrote.
    fn live(&mut self) {
        self.round += 1;
        let partition = match self.request() {
            Ok(instance) => instance.partition_id.expect("an instance has a partition"),
            Err(ClientError::NotFound { .. }) => return self.look_around(),
            Err(error) => panic!("{}: {error}", self.name),
        };
        let before = self.books().insert(partition.clone(), self.name.clone());
        assert_eq!(before, None, "{partition} has two owners");
        let handle = self
            .slap
            .register_computer_partition(COMPUTER, partition.as_str());
        for step in 0..4 {
            let told = format!("{}-{step}", self.round);
            let dict = [("told".to_owned(), told.as_str().into())].into();
            handle
                .set_connection_dict(&dict, None)
                .expect("it is published");
            self.count();
            if random(8) == 0 {
                handle.bang("test").expect("the bang is taken");
                self.count();
            }
            self.check(&handle.fetch().expect("the partition is told"), &told);
            let again = self.request().expect("the instance is there");
            assert_eq!(
                again.partition_id.as_ref(),
                Some(&partition),
                "{}",
                self.name
            );
            assert_eq!(text(&again.connection_dict, "told"), told, "{}", self.name);
        }
        self.share();
        self.books().remove(&partition);
        handle.destroyed().expect("the partition is freed");
        self.count();
    }

    fn check(&self, partition: &ComputerPartition, told: &str) {
        let parameters = &partition.parameter_dict;
        assert_eq!(text(parameters, "instance_title"), self.name);
        assert_eq!(
            text(parameters, "round"),
            self.round.to_string(),
            "{}",
            self.name
        );
        assert_eq!(
            text(&partition.connection_dict, "told"),
            told,
            "{}",
            self.name
        );
        self.count();
    }

    /// All clients' slaves are in one list of one host.
    fn share(&self) {
        let mut slave = InstanceRequest::new("http://shared/", self.name.as_str());
        slave.shared = true;
        let slave = slave.parameter("round", self.round.to_string());
        let order = self.slap.register_open_order();
        order.request(&slave).expect("the host takes a slave");
        self.count();
    }

    fn look_around(&self) {
        let computer = self.slap.register_computer(COMPUTER);
        let computer = computer.full_information().expect("the computer is told");
        assert_eq!(computer.computer_partition_list.len(), PARTITIONS);
        self.count();
    }

    fn books(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.owners.lock().expect("no client has failed")
    }
}

/// How many requests a master has answered with each status, by its own figures.
fn answers(master: &Master) -> BTreeMap<u16, u64> {
    let (_, page) = http::get(&master.address, "/metrics").expect("the figures are told");
    let mut answers = BTreeMap::new();
    for line in page.lines() {
        if let Some((_, rest)) = line.split_once("requests_total{")
            && let Some((labels, count)) = rest.split_once("} ")
        {
            let status = labels.split("status=\"").nth(1);
            let status = status.and_then(|text| text.trim_end_matches('"').parse().ok());
            let count: u64 = count.parse().expect("a count");
            *answers.entry(status.expect("a status")).or_default() += count;
        }
    }
    answers
}

const CLIENTS: usize = 64;
/// Fewer than clients: some find none.
const PARTITIONS: usize = 40;

#[test]
fn many_at_once_lose_nothing_and_share_no_partition() {
    let seconds = setting("SLAPOS_TEST_LOAD_SECONDS", 4);
    let (master, slap) = master(PARTITIONS);
    let order = slap.register_open_order();
    order
        .request(&InstanceRequest::new("http://shared/", "host"))
        .expect("the host is allocated");
    let (owners, calls) = (Mutex::default(), AtomicU64::new(0));
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let rounds: Vec<u64> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut client = Client {
                    slap: &slap,
                    name: format!("instance-{number}"),
                    owners: &owners,
                    calls: &calls,
                    round: 0,
                };
                scope.spawn(move || {
                    while Instant::now() < deadline {
                        client.live();
                    }
                    client.share();
                    client.round
                })
            })
            .collect();
        let clients = clients.into_iter();
        clients
            .map(|client| client.join().expect("a client has failed"))
            .collect()
    });
    let host = slap.register_computer_partition(COMPUTER, "slappart0");
    let host = host.fetch().expect("the host is told");
    let slaves = host.parameter_dict["slave_instance_list"].as_list();
    let listed = slaves.unwrap_or_default().iter().filter_map(|slave| {
        let slave = slave.as_dict()?;
        Some((
            slave.get("slave_reference")?.to_text(),
            slave.get("round")?.to_text(),
        ))
    });
    let expected = rounds.iter().enumerate();
    let expected: BTreeSet<_> = expected
        .map(|(number, round)| (format!("_instance-{number}"), round.to_string()))
        .collect();
    assert_eq!(
        listed.collect::<BTreeSet<_>>(),
        expected,
        "a slave was lost"
    );
    let answers = answers(&master);
    assert!(answers.keys().all(|status| *status < 500), "{answers:?}");
    println!(
        "{} calls in {seconds} s by {CLIENTS} clients; answers by status: {answers:?}; \
         no update lost, no partition with two owners",
        calls.into_inner()
    );
}

const WRITERS: usize = 8;

/// What a writer has sent and what was answered: numbers that grow.
#[derive(Debug, Default)]
struct Progress {
    sent: AtomicU64,
    answered: AtomicU64,
}

/// Publishes growing numbers of a partition until that fails or shall end; the error, if any.
fn publish(
    slap: &Slap,
    partition: usize,
    progress: &Progress,
    end: &AtomicBool,
) -> Option<ClientError> {
    let handle = slap.register_computer_partition(COMPUTER, format!("slappart{partition}"));
    while !end.load(Ordering::Relaxed) {
        let number = progress.sent.fetch_add(1, Ordering::SeqCst) + 1;
        let dict = [("number".to_owned(), number.to_string().into())].into();
        if let Err(error) = handle.set_connection_dict(&dict, None) {
            return Some(error);
        }
        progress.answered.store(number, Ordering::SeqCst);
    }
    None
}

/// Instances that publish, one for each writer.
fn publishers() -> (Master, Slap) {
    let (master, slap) = master(WRITERS);
    for number in 0..WRITERS {
        let request = InstanceRequest::new(RELEASE, format!("writer-{number}"));
        let order = slap.register_open_order();
        order.request(&request).expect("an instance is allocated");
    }
    (master, slap)
}

/// Fails unless everything answered is there, and nothing that was never sent.
fn check_progress(slap: &Slap, progress: &[Progress]) {
    let computer = slap.register_computer(COMPUTER);
    let computer = computer.full_information().expect("the computer is told");
    let partitions = computer.computer_partition_list.iter();
    for (partition, progress) in partitions.zip(progress) {
        let number = partition.connection_dict.get("number");
        let stored: u64 = number.map_or(0, |number| number.to_text().parse().expect("a number"));
        let answered = progress.answered.load(Ordering::SeqCst);
        let sent = progress.sent.load(Ordering::SeqCst);
        assert!(
            (answered..=sent).contains(&stored),
            "{}: {answered} answered, {sent} sent, {stored} stored",
            partition.partition_id
        );
        // What was sent and not answered will be sent again by another number.
        progress.answered.store(stored, Ordering::SeqCst);
    }
}

/// Starts the writers, does something after a random time, and waits for the writers' end.
fn interrupt(slap: &Slap, progress: &[Progress], act: impl FnOnce()) -> Vec<Option<ClientError>> {
    let end = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = progress
            .iter()
            .enumerate()
            .map(|(number, progress)| {
                scope.spawn({
                    let end = &end;
                    move || publish(slap, number, progress, end)
                })
            })
            .collect();
        thread::sleep(Duration::from_micros(random(150_000)));
        act();
        end.store(true, Ordering::Relaxed);
        let writers = writers.into_iter();
        writers
            .map(|writer| writer.join().expect("a writer has failed"))
            .collect()
    })
}

#[test]
fn what_was_answered_survives_a_kill() {
    let rounds = setting("SLAPOS_TEST_CRASH_ROUNDS", 10);
    let (mut master, slap) = publishers();
    let progress: Vec<_> = (0..WRITERS).map(|_| Progress::default()).collect();
    for _ in 0..rounds {
        interrupt(&slap, &progress, || {
            master.end(Signal::SIGKILL);
        });
        master.run();
        check_progress(&slap, &progress);
    }
    let connection = database::open(&master.database());
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("the database can be checked");
    assert_eq!(verdict, "ok");
    let written: u64 = progress
        .iter()
        .map(|progress| progress.answered.load(Ordering::SeqCst))
        .sum();
    println!("{rounds} kills, {written} writes, none of those answered lost");
}

#[test]
fn sigterm_under_load_ends_soon_and_loses_nothing() {
    let (mut master, slap) = publishers();
    let idle = std::net::TcpStream::connect(&master.address).expect("the master listens");
    let progress: Vec<_> = (0..WRITERS).map(|_| Progress::default()).collect();
    let mut took = Duration::ZERO;
    let errors = interrupt(&slap, &progress, || {
        let begun = Instant::now();
        assert_eq!(master.end(Signal::SIGTERM), Some(0), "{}", master.log());
        took = begun.elapsed();
    });
    drop(idle);
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    for error in errors.iter().flatten() {
        assert!(
            error.is_unreachable(),
            "turned away with an answer: {error}"
        );
    }
    master.run();
    check_progress(&slap, &progress);
    println!("ended {took:?} after SIGTERM");
}

/// The limit on the size of files that the master writes, in bytes; a text that prlimit knows.
fn limit_files(master: &Master, size: &str) {
    let status = Command::new("prlimit")
        .args(["--pid", &master.pid().to_string()])
        .arg(format!("--fsize={size}:"))
        .status()
        .expect("prlimit is there");
    assert!(status.success());
}

#[test]
fn where_the_disk_takes_no_more_writes_fail_with_the_reason_and_the_master_lives_on() {
    let (mut master, slap) = publishers();
    master.end(Signal::SIGTERM);
    // By default, the signal that comes with the limit ends the process.
    master.run_through(&["env", "--ignore-signal=XFSZ"]);
    let order = slap.register_open_order();
    let request = |value: &str| {
        let request = InstanceRequest::new(RELEASE, "writer-0");
        order.request(&request.parameter("value", value))
    };
    request("before").expect("there is room");
    let before = database::dump(&master.database());
    limit_files(&master, "1");
    for _ in 0..3 {
        let error = request("during").expect_err("there is no room");
        let told = error.to_string();
        assert!(
            matches!(error, ClientError::Server { status: 500, .. }),
            "{told}"
        );
        assert!(
            told.contains("the database failed") && told.contains("I/O"),
            "{told}"
        );
    }
    let partition = slap.register_computer_partition(COMPUTER, "slappart0");
    let read = partition.fetch().expect("reading goes on");
    assert_eq!(text(&read.parameter_dict, "value"), "before");
    assert_eq!(database::dump(&master.database()), before);
    limit_files(&master, "unlimited");
    request("after").expect("there is room again");
    let read = partition.fetch().expect("reading goes on");
    assert_eq!(text(&read.parameter_dict, "value"), "after");
}
