//! When a promise is checked next: the files in `.slapgrid/promise/cache`, whose layout is that of
//! slapos.core, so that either side continues from what the other has left.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::listing::Promise;

/// How often programs are checked while nothing changes, in minutes.
const PROGRAM_PERIODICITY: f64 = 2.0;
/// The longest time between two checks, in minutes: a year.
const MAXIMAL_PERIODICITY: f64 = 365.0 * 24.0 * 60.0;

/// What a promise says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Whether it is checked when the instance was deployed.
    pub(crate) is_tested: bool,
    /// Whether it is checked while nothing changes.
    pub(crate) is_anomaly_detected: bool,
    /// The time between two checks while nothing changes, in minutes.
    pub(crate) periodicity: f64,
    /// The file that its code is in.
    pub(crate) module_file: PathBuf,
    /// When that was changed last, as Unix time.
    pub(crate) module_file_mtime: f64,
}

impl Facts {
    /// Those of a promise that is a program.
    pub(crate) fn of_program(promise: &Promise) -> Self {
        Facts {
            is_tested: true,
            is_anomaly_detected: true,
            periodicity: PROGRAM_PERIODICITY,
            module_file: promise.path.clone(),
            module_file_mtime: promise.modified,
        }
    }
}

/// When a promise was checked and when it is to be checked again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "File")]
pub(crate) struct Schedule {
    #[serde(flatten)]
    pub(crate) facts: Facts,
    /// Unix time of the next check.
    pub(crate) next_run_after: f64,
    /// Unix time of the last check.
    pub(crate) timestamp: f64,
}

/// A schedule as it is read: what is flattened is read by way of serde's own values, which know
/// nothing of the numbers of `serde_json` with its feature `arbitrary_precision`.
#[derive(Deserialize)]
struct File {
    is_tested: bool,
    is_anomaly_detected: bool,
    periodicity: f64,
    module_file: PathBuf,
    module_file_mtime: f64,
    next_run_after: f64,
    timestamp: f64,
}

impl From<File> for Schedule {
    fn from(file: File) -> Self {
        Self {
            facts: Facts {
                is_tested: file.is_tested,
                is_anomaly_detected: file.is_anomaly_detected,
                periodicity: file.periodicity,
                module_file: file.module_file,
                module_file_mtime: file.module_file_mtime,
            },
            next_run_after: file.next_run_after,
            timestamp: file.timestamp,
        }
    }
}

impl Schedule {
    /// The schedule of a promise that was looked at: the time counts only if it gave a result.
    pub(crate) fn after(facts: Facts, at: SystemTime, gave_result: bool) -> Self {
        let timestamp = unix_seconds(at);
        let periodicity = facts.periodicity.clamp(0.0, MAXIMAL_PERIODICITY);
        let pause = if gave_result { periodicity * 60.0 } else { 0.0 };
        Schedule {
            facts,
            next_run_after: timestamp + pause,
            timestamp,
        }
    }

    /// Whether a promise whose file was changed at `modified` is to be checked while nothing
    /// changed at the master.
    pub(crate) fn is_due(&self, now: SystemTime, modified: f64) -> bool {
        let now = unix_seconds(now);
        // The clock may have been set back; what was noted in the future holds no more.
        let holds = self.timestamp <= now && modified <= self.timestamp;
        if holds && !self.facts.is_anomaly_detected {
            return false;
        }
        let waits = now < self.next_run_after;
        !(holds && waits)
    }
}

fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn facts() -> Facts {
        Facts {
            is_tested: true,
            is_anomaly_detected: true,
            periodicity: 5.0,
            module_file: "/part/etc/plugin/web.py".into(),
            module_file_mtime: 100.0,
        }
    }

    #[test]
    fn the_layout_is_the_peers() {
        let text = r#"{"is_tested": true, "is_anomaly_detected": true, "periodicity": 5,
            "next_run_after": 1795531977.3654814, "timestamp": 1795531677.3654814,
            "module_file": "/part/etc/plugin/web.py", "module_file_mtime": 1795531058.52374}"#;
        let schedule: Schedule = serde_json::from_str(text).unwrap();
        assert_eq!(schedule.next_run_after - schedule.timestamp, 300.0);
        let ours = Schedule::after(facts(), at(1000), true);
        assert_eq!(
            serde_json::to_string(&ours).unwrap(),
            concat!(
                r#"{"is_tested":true,"is_anomaly_detected":true,"periodicity":5.0,"#,
                r#""module_file":"/part/etc/plugin/web.py","module_file_mtime":100.0,"#,
                r#""next_run_after":1300.0,"timestamp":1000.0}"#
            )
        );
    }

    #[test]
    fn a_promise_is_due_when_its_time_has_come() {
        let schedule = Schedule::after(facts(), at(1000), true);
        for (now, due) in [(1000, false), (1299, false), (1300, true), (9999, true)] {
            assert_eq!(schedule.is_due(at(now), 100.0), due, "{now}");
        }
    }

    #[test]
    fn a_changed_file_and_a_clock_set_back_make_it_due() {
        let schedule = Schedule::after(facts(), at(1000), true);
        assert!(schedule.is_due(at(1001), 1000.5));
        assert!(schedule.is_due(at(999), 100.0));
    }

    #[test]
    fn without_result_it_stays_due() {
        let schedule = Schedule::after(facts(), at(1000), false);
        assert!(schedule.is_due(at(1000), 100.0));
    }

    #[test]
    fn what_detects_no_anomaly_is_never_due_until_it_changes() {
        let mut facts = facts();
        facts.is_anomaly_detected = false;
        let schedule = Schedule::after(facts, at(1000), true);
        assert!(!schedule.is_due(at(9999), 100.0));
        assert!(schedule.is_due(at(9999), 2000.0));
    }

    #[test]
    fn senseless_periodicities_are_bounded() {
        for (periodicity, pause) in [(-1.0, 0.0), (1e300, MAXIMAL_PERIODICITY * 60.0)] {
            let facts = Facts {
                periodicity,
                ..facts()
            };
            let schedule = Schedule::after(facts, at(0), true);
            assert_eq!(schedule.next_run_after, pause);
        }
    }
}
