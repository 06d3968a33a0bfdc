//! The retention lock: for how long the data of a destroyed instance is kept.
//!
//! The delay is a wish of the request that is written down when the instance is first installed; the clock
//! starts when the destruction is first tried.

use std::ffi::OsStr;

use slapos_fs::FileAttributes;

use super::confined::{ConfinedDirectory, ConfinedError};

/// Holds the delay, in days.
pub(crate) const DELAY_FILE: &str = ".slapos-retention-lock-delay";
/// Holds the Unix time until which the partition is kept.
pub(crate) const DATE_FILE: &str = ".slapos-retention-lock-date";

const SECONDS_OF_DAY: f64 = 86400.0;
/// No number that these files hold is longer.
const LENGTH_LIMIT: u64 = 64;

/// Writes the delay down unless that was done before.
pub(crate) fn record_delay(
    partition: &ConfinedDirectory,
    days: f64,
    attributes: FileAttributes,
) -> Result<(), ConfinedError> {
    if partition.metadata(OsStr::new(DELAY_FILE))?.is_none() {
        let days = if days.is_finite() && days > 0.0 {
            days
        } else {
            0.0
        };
        partition.write(DELAY_FILE, format!("{days:?}").as_bytes(), attributes)?;
    }
    Ok(())
}

/// Whether the partition must still be kept at `now` (Unix time). Starts the clock where it does not run yet.
pub(crate) fn locked(
    partition: &ConfinedDirectory,
    now: f64,
    attributes: FileAttributes,
) -> Result<bool, ConfinedError> {
    let clock = Clock::read(partition)?;
    if let Clock::Waits(days) = clock {
        let until = (now + days * SECONDS_OF_DAY).floor();
        partition.write(DATE_FILE, format!("{until:?}").as_bytes(), attributes)?;
    }
    Ok(clock.locks(now))
}

/// As [`locked`], without starting the clock.
pub(crate) fn is_locked(partition: &ConfinedDirectory, now: f64) -> Result<bool, ConfinedError> {
    Ok(Clock::read(partition)?.locks(now))
}

/// What the files say.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// The clock runs: kept until this Unix time.
    Runs(f64),
    /// To be kept for so many days, which have not begun.
    Waits(f64),
    /// Not to be kept.
    Absent,
}

impl Clock {
    fn read(partition: &ConfinedDirectory) -> Result<Self, ConfinedError> {
        if let Some(until) = number(partition, DATE_FILE)? {
            return Ok(Self::Runs(until));
        }
        let days = number(partition, DELAY_FILE)?.filter(|days| *days > 0.0);
        Ok(days.map_or(Self::Absent, Self::Waits))
    }

    fn locks(self, now: f64) -> bool {
        match self {
            Self::Runs(until) => now < until,
            Self::Waits(_) => true,
            Self::Absent => false,
        }
    }
}

/// The number in a file; `None` where there is no file or no number in it.
fn number(partition: &ConfinedDirectory, name: &str) -> Result<Option<f64>, ConfinedError> {
    let Some(text) = partition.read(OsStr::new(name), LENGTH_LIMIT)? else {
        return Ok(None);
    };
    let number = String::from_utf8_lossy(&text)
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite());
    if number.is_none() {
        log::warn!(
            "{} holds no number and is ignored",
            partition.path().join(name).display()
        );
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const NOW: f64 = 1_795_471_082.7;

    fn attributes() -> FileAttributes {
        FileAttributes {
            mode: 0o644,
            owner: None,
        }
    }

    fn partition() -> (tempfile::TempDir, ConfinedDirectory) {
        let directory = tempfile::tempdir().unwrap();
        let opened = ConfinedDirectory::open(directory.path()).unwrap();
        (directory, opened)
    }

    #[test]
    fn the_first_delay_stays() {
        let (directory, partition) = partition();
        record_delay(&partition, 1.5, attributes()).unwrap();
        record_delay(&partition, 9.0, attributes()).unwrap();
        assert_eq!(
            fs::read_to_string(directory.path().join(DELAY_FILE)).unwrap(),
            "1.5"
        );
    }

    #[test]
    fn delays_that_are_no_time_are_none() {
        for days in [f64::NAN, f64::INFINITY, -3.0] {
            let (directory, partition) = partition();
            record_delay(&partition, days, attributes()).unwrap();
            assert_eq!(
                fs::read_to_string(directory.path().join(DELAY_FILE)).unwrap(),
                "0.0"
            );
        }
    }

    #[test]
    fn no_delay_means_no_lock_and_no_file() {
        let (directory, partition) = partition();
        assert!(!locked(&partition, NOW, attributes()).unwrap());
        record_delay(&partition, 0.0, attributes()).unwrap();
        assert!(!locked(&partition, NOW, attributes()).unwrap());
        assert!(!directory.path().join(DATE_FILE).exists());
    }

    #[test]
    fn the_clock_starts_once() {
        let (directory, partition) = partition();
        record_delay(&partition, 1.5, attributes()).unwrap();
        assert!(locked(&partition, NOW, attributes()).unwrap());
        assert!(locked(&partition, NOW + 100.0, attributes()).unwrap());
        assert_eq!(
            fs::read_to_string(directory.path().join(DATE_FILE)).unwrap(),
            "1795600682.0"
        );
        assert!(!locked(&partition, NOW + 1.5 * SECONDS_OF_DAY, attributes()).unwrap());
    }

    #[test]
    fn files_without_a_number_do_not_lock_forever() {
        let (directory, partition) = partition();
        fs::write(directory.path().join(DATE_FILE), "inf").unwrap();
        fs::write(directory.path().join(DELAY_FILE), "soon").unwrap();
        assert!(!locked(&partition, NOW, attributes()).unwrap());
    }

    #[test]
    fn endless_files_are_refused() {
        let (directory, partition) = partition();
        fs::write(directory.path().join(DELAY_FILE), "1".repeat(100_000)).unwrap();
        assert!(matches!(
            locked(&partition, NOW, attributes()),
            Err(ConfinedError::TooLarge { .. })
        ));
    }
}
