//! Asking as much as a number of connections can, for a bounded time.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::connection::Connection;

/// What was measured.
#[derive(Default)]
pub(super) struct Figures {
    /// Time of each request.
    latencies: Vec<Duration>,
    /// Time of all of them.
    elapsed: Duration,
}

impl Figures {
    /// Adds what was measured afterwards.
    pub(super) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.elapsed += other.elapsed;
    }

    /// How long it was measured.
    pub(super) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Requests a second.
    pub(super) fn rate(&self) -> f64 {
        let count = u32::try_from(self.latencies.len()).unwrap_or(u32::MAX);
        f64::from(count) / self.elapsed.as_secs_f64()
    }

    /// The time below which that percentage of requests stayed.
    pub(super) fn percentile(&mut self, percent: usize) -> Duration {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        let at = self.latencies.get(last * percent / 100);
        at.copied().unwrap_or_default()
    }
}

/// Which requests a connection makes: the number of the connection and of the request within it
/// to the request; `None` ends the connection's work.
pub(super) trait Requests: Fn(usize, usize) -> Option<Vec<u8>> + Sync {}

impl<F: Fn(usize, usize) -> Option<Vec<u8>> + Sync> Requests for F {}

/// Asks over that many connections at once, until the time is over or there is nothing to ask.
pub(super) fn run(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    requests: &impl Requests,
) -> Result<Figures> {
    let start = Instant::now();
    let latencies = thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|worker| scope.spawn(move || ask(address, worker, start + time, requests)))
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            let joined = worker.join();
            all.extend(joined.map_err(|_| anyhow::anyhow!("a connection's thread failed"))??);
        }
        anyhow::Ok(all)
    })?;
    Ok(Figures {
        latencies,
        elapsed: start.elapsed(),
    })
}

fn ask(
    address: SocketAddr,
    worker: usize,
    deadline: Instant,
    requests: &impl Requests,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::new(address);
    let mut latencies = Vec::new();
    let mut start = Instant::now();
    for number in 0.. {
        let Some(request) = requests(worker, number).filter(|_| start < deadline) else {
            break;
        };
        connection.ask(&request)?;
        let end = Instant::now();
        latencies.push(end - start);
        start = end;
    }
    Ok(latencies)
}
