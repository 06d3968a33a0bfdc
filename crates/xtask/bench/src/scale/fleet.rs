//! All nodes, and what changes for them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::{sleep, sleep_until};

use super::super::calls;
use super::Way;
use super::database;
use super::node::{Client, Node};

/// How long all nodes may take to ask once, in intervals.
const PATIENCE: u32 = 20;

/// What all nodes share.
pub(super) struct Fleet {
    pub(super) address: SocketAddr,
    pub(super) way: Way,
    pub(super) interval: Duration,
    /// Of each node, a change that it has not seen: when it was asked for, and whether the master
    /// has answered that.
    pending: Vec<Mutex<Option<Change>>>,
    /// Nodes that have asked.
    ready: AtomicUsize,
    counts: Mutex<Counts>,
}

#[derive(Clone, Copy)]
struct Change {
    asked: Instant,
    answered: bool,
}

/// What has happened.
#[derive(Clone, Default)]
pub(super) struct Counts {
    /// Questions that were answered with a document.
    pub(super) answered: u64,
    /// Questions to which the node knew the answer.
    pub(super) known: u64,
    /// Questions that were not answered.
    pub(super) failures: u64,
    /// Of all answers.
    pub(super) bytes: u64,
    /// From the request for a change to its being seen by the node.
    pub(super) delays: Vec<Duration>,
    /// Changes that were not seen.
    pub(super) unseen: usize,
}

impl Fleet {
    pub(super) fn new(address: SocketAddr, nodes: usize, way: Way, interval: Duration) -> Self {
        Self {
            address,
            way,
            interval,
            pending: (0..nodes).map(|_| Mutex::default()).collect(),
            ready: AtomicUsize::new(0),
            counts: Mutex::default(),
        }
    }

    /// Has all nodes begin, spread over an interval.
    pub(super) fn start(self: &Arc<Self>) {
        let begun = tokio::time::Instant::now();
        let nodes = self.pending.len();
        for number in 0..nodes {
            let node = Node::new(self.clone(), number);
            let offset = self.interval.mul_f64(number as f64 / nodes as f64);
            tokio::spawn(async move {
                sleep_until(begun + offset).await;
                node.work().await;
            });
        }
    }

    /// Waits until each node has asked once.
    pub(super) async fn settle(&self) -> Result<()> {
        let begun = Instant::now();
        while self.ready.load(Ordering::Relaxed) < self.pending.len() {
            if begun.elapsed() > self.interval * PATIENCE {
                bail!("the nodes do not get answers");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// A node has asked for the first time.
    pub(super) fn is_ready(&self) {
        self.ready.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins to count.
    pub(super) fn reset(&self) {
        *lock(&self.counts) = Counts::default();
    }

    /// What has happened since.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = lock(&self.counts).clone();
        let unseen = self.pending.iter().filter(|it| lock(it).is_some());
        counts.unseen = unseen.count();
        counts
    }

    /// Has something change for one node after the other, for that share of them in an interval.
    pub(super) async fn change(&self, share: f64, time: Duration) -> Result<()> {
        let nodes = self.pending.len();
        let begun = tokio::time::Instant::now();
        let pause = self.interval.div_f64((share * nodes as f64).max(1e-6));
        let mut client = Client::new(self.address);
        for number in 1.. {
            let next = pause.mul_f64(f64::from(number));
            if next >= time {
                break;
            }
            sleep_until(begun + next).await;
            // Far from the one before.
            let node = (number as usize).wrapping_mul(7919) % nodes;
            self.change_one(&mut client, node, number).await?;
        }
        sleep_until(begun + time).await;
        Ok(())
    }

    async fn change_one(&self, client: &mut Client, node: usize, number: i32) -> Result<()> {
        let request = calls::named_instance(&database::instance(node), &number.to_string());
        let asked = Instant::now();
        *lock(&self.pending[node]) = Some(Change {
            asked,
            answered: false,
        });
        client.ask(&request).await?;
        if let Some(change) = &mut *lock(&self.pending[node]) {
            change.answered = true;
        }
        Ok(())
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
            counts.delays.push(change.asked.elapsed());
            *pending = None;
        }
    }

    /// A node got no answer.
    pub(super) fn note_failure(&self) {
        lock(&self.counts).failures += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
