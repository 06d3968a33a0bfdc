//! When the next pass is.

use std::time::{Duration, Instant};

/// A master that is away is asked again after so long at the latest, unless the interval is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// A pause is up to so many percent shorter or longer than it should be, so that nodes which were
/// started together do not stay together.
const JITTER: u64 = 10;

/// The interval of passes, stretched while the master is away.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    pause: Duration,
    away_since: Option<Instant>,
}

/// What a pass has told of the master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Master {
    /// It answers, as before.
    There,
    /// It was there before.
    Lost,
    /// It was away before, too, for so long.
    Away(Duration),
    /// It was away for so long, and answers again.
    Back(Duration),
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            pause: interval,
            away_since: None,
        }
    }

    /// Whether the master was away when it was asked last.
    pub(super) fn is_master_away(&self) -> bool {
        self.away_since.is_some()
    }

    /// Takes note of a pass. Without a master each pause is twice as long as the one before, up to
    /// a limit.
    pub(super) fn note(&mut self, master_is_away: bool, now: Instant) -> Master {
        let away = self
            .away_since
            .map(|since| now.saturating_duration_since(since));
        match (away, master_is_away) {
            (None, false) => Master::There,
            (None, true) => {
                self.away_since = Some(now);
                Master::Lost
            }
            (Some(away), true) => {
                let longest = LONGEST_PAUSE.max(self.interval);
                self.pause = self.pause.saturating_mul(2).min(longest);
                Master::Away(away)
            }
            (Some(away), false) => {
                *self = Self::new(self.interval);
                Master::Back(away)
            }
        }
    }

    /// The pause before the next pass; `random` is any number.
    pub(super) fn pause(&self, random: u64) -> Duration {
        let per_mille = 1000 - 10 * JITTER + random % (20 * JITTER + 1);
        let per_mille = u32::try_from(per_mille).unwrap_or(1000);
        self.pause.saturating_mul(per_mille) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    /// With this number there is no jitter.
    const MIDDLE: u64 = 10 * JITTER;

    #[test]
    fn pauses_grow_to_a_limit_while_the_master_is_away() {
        let mut pace = Pace::new(MINUTE);
        let start = Instant::now();
        assert_eq!(pace.note(false, start), Master::There);
        assert_eq!(pace.note(true, start), Master::Lost);
        let mut pauses = vec![pace.pause(MIDDLE).as_secs()];
        for minute in 1..6 {
            let passed = MINUTE * minute;
            assert_eq!(pace.note(true, start + passed), Master::Away(passed));
            pauses.push(pace.pause(MIDDLE).as_secs());
        }
        assert_eq!(pauses, [60, 120, 240, 480, 600, 600]);
        let hour = MINUTE * 60;
        assert_eq!(pace.note(false, start + hour), Master::Back(hour));
        assert_eq!(pace.pause(MIDDLE), MINUTE);
        assert!(!pace.is_master_away());
    }

    #[test]
    fn a_long_interval_is_not_shortened() {
        let mut pace = Pace::new(60 * MINUTE);
        for _ in 0..3 {
            pace.note(true, Instant::now());
        }
        assert_eq!(pace.pause(MIDDLE), 60 * MINUTE);
    }

    #[test]
    fn jitter_stays_within_its_limits() {
        let pace = Pace::new(Duration::from_secs(100));
        let pauses = |numbers: [u64; 3]| numbers.map(|number| pace.pause(number).as_secs());
        assert_eq!(pauses([0, MIDDLE, 2 * MIDDLE]), [90, 100, 110]);
        assert!((90..=110).contains(&pace.pause(u64::MAX).as_secs()));
    }
}
