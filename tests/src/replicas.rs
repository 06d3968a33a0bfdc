//! Several servers of one database behind a balancer, and clients that notice what is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use slap_client::{ClientError, Connection, InstanceRequest, Slap};
use slap_proto::documents::{
    Attributes, ComputerConfiguration, ComputerPartition, PartitionConfiguration,
};

use crate::balancer::Balancer;
use crate::{COMPUTER, Server};

/// How many servers there are.
pub const REPLICAS: usize = 3;
const RELEASE: &str = "http://release/";
/// Clients that work at once.
const CLIENTS: usize = 6;
/// Instances of each.
const INSTANCES: usize = 5;
/// How long a client asks again for what it is not answered.
const PATIENCE: Duration = Duration::from_secs(90);
/// The pause before it does.
const PAUSE: Duration = Duration::from_millis(20);

/// Servers of one database behind a balancer.
pub struct Replicas {
    servers: Vec<Option<Server>>,
    uri: String,
    wrapper: Vec<String>,
    /// What clients connect to.
    pub balancer: Balancer,
}

impl Replicas {
    /// Starts all at once on an empty database, each as an argument of `wrapper`.
    pub fn start(uri: &str, wrapper: &[String]) -> Self {
        let servers: Vec<_> = thread::scope(|scope| {
            let starting: Vec<_> = (0..REPLICAS)
                .map(|_| scope.spawn(|| start(uri, wrapper, None)))
                .collect();
            let starting = starting.into_iter();
            starting
                .map(|server| server.join().expect("it starts"))
                .collect()
        });
        let sockets = servers.iter().map(|server| server.path().join("socket"));
        Self {
            balancer: Balancer::start(sockets.collect()),
            servers: servers.into_iter().map(Some).collect(),
            uri: uri.to_owned(),
            wrapper: wrapper.to_vec(),
        }
    }

    /// Ends one by a signal, and starts it again in its place.
    pub fn restart(&mut self, index: usize, signal: Signal) {
        let server = self.servers[index].take().expect("it runs");
        let directory = server.end(signal);
        self.servers[index] = Some(start(&self.uri, &self.wrapper, Some(directory)));
    }

    /// A client of the balancer.
    pub fn client(&self) -> Slap {
        Connection::to(&format!("http://{}/", self.balancer.address()))
            .expect("the address is one")
            .open()
            .expect("a client can be made")
    }

    /// Describes a computer with enough partitions for all clients.
    pub fn prepare(&self) {
        let partition = |number| PartitionConfiguration {
            reference: format!("slappart{number}"),
            ..PartitionConfiguration::default()
        };
        let configuration = ComputerConfiguration {
            reference: COMPUTER.to_owned(),
            partition_list: (0..CLIENTS * INSTANCES).map(partition).collect(),
            ..ComputerConfiguration::default()
        };
        let computer = self.client().register_computer(COMPUTER);
        computer.configure(&configuration).expect("it is described");
    }

    /// A GET by hand: the head of the answer.
    pub fn head(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.balancer.address()).expect("it listens");
        let request = format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer);
        let (head, _) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        head.to_lowercase()
    }
}

fn start(uri: &str, wrapper: &[String], directory: Option<tempfile::TempDir>) -> Server {
    let wrapper: Vec<_> = wrapper.iter().map(String::as_str).collect();
    let arguments = ["-u", uri, "--listen", "unix:HERE/socket"];
    let directory = directory.unwrap_or_else(Server::directory);
    Server::start_in(directory, &wrapper, "", &arguments)
}

/// What clients went through.
#[derive(Debug, Default)]
pub struct Load {
    start: Option<Instant>,
    has_ended: AtomicBool,
    /// Name and last published text of the instance in each partition, by what was answered.
    books: Mutex<BTreeMap<String, (String, String)>>,
    answered: AtomicU64,
    unanswered: AtomicU64,
    /// When somebody was answered last, and the longest time that nobody was, in milliseconds.
    last: AtomicU64,
    longest: AtomicU64,
}

/// Has the clients end when it is dropped, even by a panic: whoever waits for them would not end.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Load {
    /// Has clients work while `fault` goes on; then everything that was answered must be there. A
    /// line for the table of faults, and how many requests were not answered at first.
    pub fn during(replicas: &mut Replicas, name: &str, fault: impl FnOnce(&mut Replicas)) -> u64 {
        let load = Self {
            start: Some(Instant::now()),
            ..Self::default()
        };
        let slaps: Vec<_> = (0..CLIENTS).map(|_| replicas.client()).collect();
        let before = replicas.balancer.passed_on();
        thread::scope(|scope| {
            for (number, slap) in slaps.iter().enumerate() {
                let load = &load;
                scope.spawn(move || load.work(slap, number));
            }
            let ending = Ending(&load.has_ended);
            fault(replicas);
            drop(ending);
        });
        let passed_on = replicas.balancer.passed_on() - before;
        load.check(replicas);
        let get = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let unanswered = get(&load.unanswered);
        println!(
            "{name:<34} {:>6} answered {:>5} passed on {:>5} asked again {:>6} ms without answer \
             0 lost 0 with two owners",
            get(&load.answered),
            passed_on,
            unanswered,
            get(&load.longest),
        );
        unanswered
    }

    /// What a client does: it requests its instances, publishes, and reads what it wrote.
    fn work(&self, slap: &Slap, number: usize) {
        for round in 0.. {
            if self.has_ended.load(Ordering::Relaxed) {
                return;
            }
            let name = format!("instance{number}-{}", round % INSTANCES);
            let told = format!("{number}-{round}");
            let request = InstanceRequest::new(RELEASE, name.as_str());
            let request = request.parameter("round", told.as_str());
            let order = slap.register_open_order();
            let instance = self.insist(|| order.request(&request));
            let partition = instance.partition_id.expect("an instance has a partition");
            self.note(&partition, &name, &told);
            let handle = slap.register_computer_partition(COMPUTER, partition.as_str());
            let dict = [("told".to_owned(), told.as_str().into())].into();
            self.insist(|| handle.set_connection_dict(&dict, None));
            let seen = self.insist(|| handle.fetch());
            assert_eq!(published(&seen), told, "of {name} in {partition}");
            assert_eq!(text(&seen.parameter_dict, "round"), told, "of {name}");
            assert_eq!(text(&seen.parameter_dict, "instance_title"), name);
        }
    }

    /// Notes who has a partition, which is for good.
    fn note(&self, partition: &str, name: &str, told: &str) {
        let mut books = self.books.lock().expect("no client has failed");
        let entry = (name.to_owned(), told.to_owned());
        let before = books.insert(partition.to_owned(), entry);
        let owner = before.map_or_else(|| name.to_owned(), |(owner, _)| owner);
        assert_eq!(owner, name, "{partition} has two owners");
        let namesakes = books.values().filter(|(other, _)| other == name);
        assert_eq!(namesakes.count(), 1, "{name} has two partitions");
    }

    /// Asks until there is an answer. The calls are such that to ask twice does no harm.
    fn insist<T>(&self, mut ask: impl FnMut() -> Result<T, ClientError>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match ask() {
                Ok(answer) => {
                    self.count();
                    return answer;
                }
                Err(
                    error @ (ClientError::NotFound { .. }
                    | ClientError::BadRequest { .. }
                    | ClientError::Server { status: 500, .. }),
                ) => panic!("{error}"),
                Err(error) => {
                    assert!(Instant::now() < deadline, "{error}");
                    self.unanswered.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    fn count(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        let elapsed = self.start.map(|start| start.elapsed()).unwrap_or_default();
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let before = self.last.swap(now, Ordering::Relaxed);
        let gap = now.saturating_sub(before);
        self.longest.fetch_max(gap, Ordering::Relaxed);
    }

    /// Every server tells what the clients were answered.
    fn check(&self, replicas: &Replicas) {
        let books = self.books.lock().expect("no client has failed");
        for _ in 0..REPLICAS {
            let computer = replicas.client().register_computer(COMPUTER);
            let computer = computer.full_information().expect("it is told");
            let busy = computer.computer_partition_list.into_iter();
            let all: BTreeMap<_, _> = busy
                .filter(|partition| partition.need_modification)
                .map(|partition| {
                    let title = text(&partition.parameter_dict, "instance_title");
                    let told = published(&partition);
                    (partition.partition_id, (title, told))
                })
                .collect();
            let titles: BTreeSet<_> = all.values().map(|(title, _)| title).collect();
            assert_eq!(titles.len(), all.len(), "one has two partitions: {all:?}");
            // What clients asked for before may be there, too.
            let told = books
                .keys()
                .map(|name| (name.clone(), all.get(name).cloned()));
            let noted = books
                .iter()
                .map(|(name, entry)| (name.clone(), Some(entry.clone())));
            assert_eq!(told.collect::<Vec<_>>(), noted.collect::<Vec<_>>());
        }
    }
}

fn text(attributes: &Attributes, name: &str) -> String {
    attributes
        .get(name)
        .map_or_else(String::new, |value| value.to_text())
}

fn published(partition: &ComputerPartition) -> String {
    text(&partition.connection_dict, "told")
}
