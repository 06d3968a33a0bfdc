//! All nodes, and what changes for them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::super::calls;
use super::Way;
use super::fill;
use super::node::{Client, Node};

/// So many nodes ask at a time at first, which keeps the masters busy.
const AT_FIRST: usize = 8;
/// How long it may take until each has asked once.
const PATIENCE: Duration = Duration::from_secs(600);
/// How much longer than an interval nodes may take to see the last changes.
const SLACK: Duration = Duration::from_secs(2);

/// What all nodes share.
pub(super) struct Fleet {
    addresses: Vec<SocketAddr>,
    pub(super) way: Way,
    pub(super) interval: Duration,
    /// Of each node, a change that it has not seen.
    pending: Vec<Mutex<Option<Change>>>,
    /// When the nodes begin to ask in turn.
    begun: watch::Sender<Option<tokio::time::Instant>>,
    counts: Mutex<Counts>,
    delays: Mutex<Vec<Duration>>,
}

#[derive(Clone, Copy)]
struct Change {
    /// When it was asked for.
    asked: Instant,
    /// Whether the master has answered that.
    answered: bool,
}

/// What has happened.
#[derive(Clone, Default)]
pub(super) struct Counts {
    /// Questions that were answered with a document.
    pub(super) answered: u64,
    /// Questions to which the node knew the answer.
    pub(super) known: u64,
    /// Questions, and requests for changes, that were not answered.
    pub(super) failures: u64,
    /// Of all answers.
    pub(super) bytes: u64,
}

/// How long changes took.
pub(super) struct Delays {
    /// From the request for a change to its being seen by the node, the shortest first.
    sorted: Vec<Duration>,
    /// Changes that were not seen.
    pub(super) unseen: usize,
}

impl Delays {
    /// The delay that so many percent do not exceed; none if nothing was seen.
    pub(super) fn percentile(&self, percent: usize) -> Option<Duration> {
        let at = self.sorted.len().saturating_sub(1) * percent / 100;
        self.sorted.get(at).copied()
    }
}

impl Fleet {
    pub(super) fn new(
        addresses: Vec<SocketAddr>,
        nodes: usize,
        way: Way,
        interval: Duration,
    ) -> Self {
        Self {
            addresses,
            way,
            interval,
            pending: (0..nodes).map(|_| Mutex::default()).collect(),
            begun: watch::Sender::default(),
            counts: Mutex::default(),
            delays: Mutex::default(),
        }
    }

    /// The master of a node.
    pub(super) fn address(&self, node: usize) -> SocketAddr {
        self.addresses[node % self.addresses.len()]
    }

    /// The part of all nodes that comes before one.
    pub(super) fn part_before(&self, node: usize) -> f64 {
        node as f64 / self.pending.len() as f64
    }

    /// Has each node ask once, as soon as it can; then it waits for the beginning, or for changes.
    pub(super) async fn settle(self: &Arc<Self>) -> Result<()> {
        let begun = tokio::time::Instant::now();
        let mut settling = JoinSet::new();
        for first in 0..AT_FIRST {
            let fleet = self.clone();
            settling.spawn(async move {
                for number in (first..fleet.pending.len()).step_by(AT_FIRST) {
                    let mut node = Node::new(fleet.clone(), number);
                    node.ask_first(begun).await?;
                    tokio::spawn(node.work());
                }
                anyhow::Ok(())
            });
        }
        let settled = async {
            while let Some(settled) = settling.join_next().await {
                settled?.context("a node got no first answer")?;
            }
            Ok(())
        };
        let settled = timeout(PATIENCE, settled).await;
        settled.context("the nodes do not get answers")?
    }

    /// Has the nodes ask in turn, and begins to count.
    pub(super) fn begin(&self) {
        *lock(&self.counts) = Counts::default();
        let now = tokio::time::Instant::now();
        self.begun.send_replace(Some(now));
    }

    /// When a node is to ask for the second time.
    pub(super) async fn turn(&self, node: usize) -> tokio::time::Instant {
        let mut begun = self.begun.subscribe();
        let begun = begun.wait_for(Option::is_some).await;
        // It ends with the fleet.
        let begun = begun.ok().and_then(|begun| *begun);
        let begun = begun.unwrap_or_else(tokio::time::Instant::now);
        begun + self.interval.mul_f64(self.part_before(node))
    }

    /// What has happened since the beginning.
    pub(super) fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }

    /// Has something change for one node after the other, for that share of them in an interval.
    pub(super) async fn change(&self, share: f64, time: Duration) {
        let nodes = self.pending.len();
        let begun = tokio::time::Instant::now();
        let pause = self.interval.div_f64((share * nodes as f64).max(1e-6));
        let mut client = Client::new(self.address(0));
        for number in 1.. {
            let next = pause.mul_f64(f64::from(number));
            if next >= time {
                break;
            }
            sleep_until(begun + next).await;
            // Far from the one before.
            let node = (number as usize).wrapping_mul(7919) % nodes;
            self.change_one(&mut client, node, number).await;
        }
        sleep_until(begun + time).await;
    }

    async fn change_one(&self, client: &mut Client, node: usize, number: i32) {
        // Another one than the changes before, which the database may have kept.
        let value = format!("{:?} {number}", self.way);
        let request = calls::named_instance(&fill::instance(node), &value);
        let asked = Instant::now();
        let answered = false;
        *lock(&self.pending[node]) = Some(Change { asked, answered });
        if client.ask(&request).await.is_err() {
            // A master that is busy refuses now and then.
            *lock(&self.pending[node]) = None;
            self.note_failure();
        } else if let Some(change) = &mut *lock(&self.pending[node]) {
            change.answered = true;
        }
    }

    /// Waits until all changes are seen, but no longer than each node takes to ask once more.
    pub(super) async fn see_all(&self) -> Delays {
        let deadline = Instant::now() + self.interval + SLACK;
        while self.unseen() > 0 && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
        let mut sorted = lock(&self.delays).clone();
        sorted.sort_unstable();
        let unseen = self.unseen();
        Delays { sorted, unseen }
    }

    fn unseen(&self) -> usize {
        let unseen = self.pending.iter().filter(|it| lock(it).is_some());
        unseen.count()
    }

    /// A node was answered, with a document or with that it knows it.
    pub(super) fn note(&self, node: usize, status: u16, bytes: usize) {
        let mut counts = lock(&self.counts);
        counts.bytes += bytes as u64;
        if status != 200 {
            counts.known += 1;
            return;
        }
        counts.answered += 1;
        let mut pending = lock(&self.pending[node]);
        // Who gets the document each time may get it before the change is made.
        let is_seen = |change: &Change| change.answered || self.way != Way::Plain;
        if let Some(change) = pending.filter(is_seen) {
            lock(&self.delays).push(change.asked.elapsed());
            *pending = None;
        }
    }

    /// A node, or who asked for a change, got no answer.
    pub(super) fn note_failure(&self) {
        lock(&self.counts).failures += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
