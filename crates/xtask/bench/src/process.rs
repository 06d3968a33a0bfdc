//! What processes take of the machine, as its kernel tells.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// Of a second, on every architecture of Linux that we know.
const TICK: Duration = Duration::from_millis(10);

/// The CPU time of a process.
pub(super) fn cpu(process: u32) -> Result<Duration> {
    Ok(Times::read(process)?.own)
}

/// The CPU time of a process and of its children, those that have ended included.
pub(super) fn cpu_of_family(process: u32) -> Result<Duration> {
    // A child may end meanwhile.
    let running = children(process)?.into_iter().filter_map(|it| cpu(it).ok());
    let running: Duration = running.sum();
    let parent = Times::read(process)?;
    Ok(running + parent.own + parent.ended)
}

/// The CPU time of this process.
pub(super) fn own_cpu() -> Result<Duration> {
    cpu_of(UsageWho::RUSAGE_SELF)
}

/// The CPU time of all that was started and waited for.
pub(super) fn cpu_of_children() -> Result<Duration> {
    cpu_of(UsageWho::RUSAGE_CHILDREN)
}

fn cpu_of(whom: UsageWho) -> Result<Duration> {
    let usage = getrusage(whom).context("cannot tell the CPU time")?;
    let time = |value: TimeVal| {
        let microseconds = value.tv_sec() * 1_000_000 + value.tv_usec();
        Duration::from_micros(microseconds.unsigned_abs())
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// Resident memory of a process, in KiB.
pub(super) fn memory(process: u32) -> Result<u64> {
    kibibytes(&format!("/proc/{process}/status"), "VmRSS:")
}

/// Memory of a process and its children, in KiB; what they share counts once.
pub(super) fn memory_of_family(process: u32) -> Result<u64> {
    let proportional = |process| kibibytes(&format!("/proc/{process}/smaps_rollup"), "Pss:");
    let children = children(process)?.into_iter();
    let children: u64 = children.filter_map(|it| proportional(it).ok()).sum();
    Ok(children + proportional(process)?)
}

/// What the processors of the machine have done, all of them together.
#[derive(Clone, Copy)]
pub(super) struct Machine {
    busy: u64,
    all: u64,
}

impl Machine {
    /// Since its start.
    pub(super) fn now() -> Result<Self> {
        Self::of(&read("/proc/stat")?).context("/proc/stat is not as it should be")
    }

    fn of(stat: &str) -> Option<Self> {
        /// The fields of time in which nothing runs: waiting for disks is part of it.
        const IDLE: [usize; 2] = [3, 4];
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        // Those after the first eight are parts of others.
        let times = line.split_whitespace().take(8);
        let times: Vec<u64> = times.map(str::parse).collect::<Result<_, _>>().ok()?;
        let all = times.iter().sum();
        let idle: u64 = IDLE.iter().filter_map(|at| times.get(*at)).sum();
        let busy = all - idle;
        Some(Self { busy, all })
    }

    /// For which part of the time since then they were busy, whoever kept them so.
    pub(super) fn busy_since(self, before: Self) -> f64 {
        let part = |now: u64, before: u64| now.saturating_sub(before) as f64;
        part(self.busy, before.busy) / part(self.all, before.all).max(1.0)
    }
}

/// CPU times of a process.
struct Times {
    own: Duration,
    /// Of the children that it has waited for, and of theirs.
    ended: Duration,
}

impl Times {
    fn read(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/stat");
        Self::of(&read(&path)?).with_context(|| format!("{path} is not as it should be"))
    }

    fn of(stat: &str) -> Option<Self> {
        // After the name, which may hold anything: user and system time are the 12th and 13th, and
        // those of children come next.
        let (_, fields) = stat.rsplit_once(") ")?;
        let ticks = fields.split(' ').skip(11).take(4).map(str::parse);
        let ticks: Vec<u32> = ticks.collect::<Result<_, _>>().ok()?;
        let [user, system, ended_user, ended_system] = ticks[..] else {
            return None;
        };
        Some(Self {
            own: TICK * (user + system),
            ended: TICK * (ended_user + ended_system),
        })
    }
}

/// The children that the first thread of a process has started.
fn children(process: u32) -> Result<Vec<u32>> {
    let list = read(&format!("/proc/{process}/task/{process}/children"))?;
    let children = list.split_whitespace().map(str::parse);
    children.collect::<Result<_, _>>().context("not a process")
}

fn kibibytes(path: &str, field: &str) -> Result<u64> {
    let text = read(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let number = number.with_context(|| format!("{path} has no {field}"))?;
    Ok(number.trim().parse()?)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_after_any_name() {
        let stat = "7 (a ) 1 2 3) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 300 200 20 0 1 0 99 1 1";
        let times = Times::of(stat).unwrap();
        assert_eq!(times.own, Duration::from_secs(2));
        assert_eq!(times.ended, Duration::from_secs(5));
        assert!(Times::of("7 (a) S 1 7").is_none());
    }

    #[test]
    fn a_machine_is_busy_whenever_it_is_not_idle() {
        let machine = |stat| Machine::of(stat).unwrap();
        let before = machine("cpu  100 0 100 600 100 0 50 50 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
        let after = machine("cpu  160 0 110 620 110 0 50 50 9 9\n");
        assert!((after.busy_since(before) - 0.7).abs() < 1e-9);
        assert!(before.busy_since(before).abs() < 1e-9);
        assert!(Machine::of("intr 1").is_none());
    }
}
