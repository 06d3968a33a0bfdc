//! What was measured, as lines of a table.

use std::time::Duration;

use anyhow::Result;

use super::super::master::Master;
use super::super::process::{self, Machine};
use super::Way;
use super::database::Database;
use super::fleet::{Counts, Delays};

/// What came of one way to ask.
pub(super) struct Figures {
    pub(super) used: Used,
    pub(super) counts: Counts,
    pub(super) delays: Delays,
    /// How long was measured.
    pub(super) time: Duration,
}

/// CPU times until some moment.
pub(super) struct Usage {
    masters: Duration,
    database: Duration,
    load: Duration,
    machine: Machine,
    /// Memory at the moment, in KiB.
    memory: [u64; 2],
}

/// CPU times between two moments, and memory in KiB at the second.
pub(super) struct Used {
    masters: Duration,
    database: Duration,
    /// Of the simulated nodes.
    load: Duration,
    /// For which part of the time the processors of the machine were busy.
    busy: f64,
    /// Of the masters, and of the database.
    memory: [u64; 2],
}

impl Usage {
    pub(super) fn now(masters: &[Master], database: &Database) -> Result<Self> {
        let cpu: Result<Vec<_>> = masters.iter().map(Master::cpu).collect();
        let memory: Result<Vec<_>> = masters.iter().map(Master::memory).collect();
        Ok(Self {
            masters: cpu?.iter().sum(),
            database: database.cpu()?,
            load: process::own_cpu()?,
            machine: Machine::now()?,
            memory: [memory?.iter().sum(), database.memory()?],
        })
    }

    pub(super) fn since(self, before: Self) -> Used {
        Used {
            masters: self.masters.saturating_sub(before.masters),
            database: self.database.saturating_sub(before.database),
            load: self.load.saturating_sub(before.load),
            busy: self.machine.busy_since(before.machine),
            memory: self.memory,
        }
    }
}

impl Figures {
    /// Prints what stands above the figures.
    pub(super) fn print_head() {
        println!(
            "{:>6} {:>5} {:>6} {:>6} {:>6} {:>8} {:>9} {:>7} {:>6} {:>6} {:>10} {:>7} {:>8} {:>8} {:>8} {:>6} {:>6}",
            "nodes",
            "way",
            "req/s",
            "200",
            "304",
            "MB/s",
            "master %",
            "db %",
            "load %",
            "all %",
            "master MiB",
            "db MiB",
            "p50 ms",
            "p99 ms",
            "max ms",
            "unseen",
            "failed"
        );
    }

    /// Prints them as one line. All shares of CPU are of one processor, but `all`, which is of the
    /// machine and of whatever it does.
    pub(super) fn print(&self, nodes: usize, way: Way) {
        let seconds = self.time.as_secs_f64();
        let percent = |cpu: Duration| 100.0 * cpu.as_secs_f64() / seconds;
        let milliseconds = |part| match self.delays.percentile(part) {
            Some(delay) => format!("{:.0}", delay.as_secs_f64() * 1e3),
            None => "-".to_owned(),
        };
        let (used, counts) = (&self.used, &self.counts);
        println!(
            "{nodes:>6} {:>5} {:>6.0} {:>6} {:>6} {:>8.3} {:>9.1} {:>7.1} {:>6.1} {:>6.1} {:>10} {:>7} {:>8} {:>8} {:>8} {:>6} {:>6}",
            format!("{way:?}").to_lowercase(),
            (counts.answered + counts.known) as f64 / seconds,
            counts.answered,
            counts.known,
            counts.bytes as f64 / 1e6 / seconds,
            percent(used.masters),
            percent(used.database),
            percent(used.load),
            100.0 * used.busy,
            used.memory[0] >> 10,
            used.memory[1] >> 10,
            milliseconds(50),
            milliseconds(99),
            milliseconds(100),
            self.delays.unseen,
            counts.failures,
        );
    }
}
