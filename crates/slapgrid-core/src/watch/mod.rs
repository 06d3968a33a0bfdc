//! Staying, instead of being started by cron: a pass at each interval, at once when the master tells
//! of a change, and at once on SIGHUP, which has the configuration read again, too.

mod changes;
mod hangup;
mod pace;
mod service_manager;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::outcome::{Outcome, error_chain};
use crate::process::Interruption;
use crate::progress::Observer;
use crate::random;
use crate::run::{Known, Phase, RunError, lock, pass};
use crate::settings::Settings;
use changes::Changes;
use hangup::{Hangup, Woken};
use pace::{Master, Pace};

/// Most subjects that a status names.
const NAMED: usize = 5;
/// So many passes in a row begin because of changes; then one comes at its time, lest a node whose
/// passes bring about changes never rests.
const MOST_HURRIES: u32 = 10;

/// A process that stays.
pub struct Watch<'a> {
    /// From the end of a pass to the beginning of the next one; about so, lest all nodes of a master
    /// ask it at once.
    pub interval: Duration,
    /// What each pass does.
    pub phases: &'a [Phase],
    /// Is told of the progress of passes.
    pub observer: &'a dyn Observer,
    /// Reads the configuration again.
    pub reread: &'a dyn Fn() -> Result<Settings, Box<dyn Error>>,
}

impl Watch<'_> {
    /// Does pass after pass until slapgrid is told to end. The pid file is held all the time.
    ///
    /// # Errors
    /// The first pass could not begin: what later ones cannot do is logged.
    pub fn run(&self, settings: Settings) -> Result<(), RunError> {
        let interruption = Interruption::by_signals().map_err(RunError::Signals)?;
        let hangup = Hangup::by_signal().map_err(RunError::Signals)?;
        let _lock = lock(&settings)?;
        let companion = service_manager::accompany(&interruption).map_err(RunError::Signals)?;
        service_manager::ready();
        self.work(settings, &interruption, &hangup)?;
        log::info!("ended, as slapgrid was told to");
        // It has said so already, or says so now; there is nothing in it to fail.
        drop(companion.join());
        Ok(())
    }

    fn work(
        &self,
        mut settings: Settings,
        interruption: &Interruption,
        hangup: &Hangup,
    ) -> Result<(), RunError> {
        let mut pace = Pace::new(self.interval);
        let mut known = Arc::default();
        let mut passed = Ok(self.pass(&settings, interruption, &pace, &known)?);
        let mut hurries = 0;
        settings.mode.boot = false;
        loop {
            if interruption.is_requested() {
                return Ok(());
            }
            let pause = conclude(&mut pace, &passed);
            let changes = (hurries < MOST_HURRIES)
                .then(|| Changes::await_for(pause, &settings, &known, interruption));
            let woken = hangup.wait(interruption, changes.flatten().as_ref(), pause);
            hurries = if woken == Woken::Changed {
                hurries + 1
            } else {
                0
            };
            match woken {
                Woken::Interrupted => return Ok(()),
                Woken::TimeIsOver => {}
                Woken::Changed => log::info!("the master tells of a change"),
                Woken::HungUp => {
                    self.reload(&mut settings);
                    // It may be of another computer, or of another master.
                    known = Arc::default();
                }
            }
            passed = self.pass(&settings, interruption, &pace, &known);
        }
    }

    fn pass(
        &self,
        settings: &Settings,
        interruption: &Interruption,
        pace: &Pace,
        known: &Known,
    ) -> Result<Outcome, RunError> {
        service_manager::status("a pass is under way");
        let (phases, observer) = (self.phases, self.observer);
        let was_away = pace.is_master_away();
        pass(settings, phases, interruption, observer, known, was_away)
    }

    /// What cannot be used leaves everything as it is.
    fn reload(&self, settings: &mut Settings) {
        log::info!("reading the configuration again, as told by SIGHUP");
        service_manager::reloading();
        match (self.reread)() {
            Ok(mut read) => {
                if read.pidfile != settings.pidfile {
                    log::warn!("another pid file is not held before slapgrid is started again");
                }
                read.mode.boot = false;
                *settings = read;
            }
            Err(error) => {
                let error = error_chain(&*error);
                log::error!("going on with the configuration of before: {error}");
            }
        }
        service_manager::ready();
    }
}

/// Tells how a pass went, and returns the pause after it.
fn conclude(pace: &mut Pace, passed: &Result<Outcome, RunError>) -> Duration {
    let is_away = passed.as_ref().is_ok_and(Outcome::is_master_away);
    let master = pace.note(is_away, Instant::now());
    let pause = pace.pause(random::number());
    let next = pause.as_secs();
    match master {
        Master::There | Master::Away(_) => {}
        Master::Lost => log::warn!(
            "the master is away: it is asked less and less often, the next time in {next} s, and \
             nothing more is said of it until it is back"
        ),
        Master::Back(away) => log::info!("the master is back, after {} s", away.as_secs()),
    }
    let result = match (master, passed) {
        (Master::Lost, _) => "the master is away".to_owned(),
        (Master::Away(away), _) => format!("the master is away since {} s", away.as_secs()),
        (_, Err(error)) => {
            let error = error_chain(error);
            log::error!("the pass could not begin: {error}");
            format!("the pass could not begin: {error}")
        }
        (_, Ok(outcome)) => summary(outcome),
    };
    service_manager::status(&format!("{result}; next pass in {next} s"));
    pause
}

/// What failed, in one line.
fn summary(outcome: &Outcome) -> String {
    let failures = outcome.failures();
    let subjects = failures.map(|(subject, _)| subject.unwrap_or("slapgrid"));
    enumerate(&subjects.collect::<Vec<_>>())
}

fn enumerate(subjects: &[&str]) -> String {
    let count = subjects.len();
    if count == 0 {
        return "nothing failed".to_owned();
    }
    let named = subjects[..count.min(NAMED)].join(", ");
    let more = match count.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    // A line feed would begin another message.
    format!("{count} failed: {named}{more}").replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_one_line_and_names_a_few() {
        let subjects = [
            "part\n0", "part1", "part2", "part3", "part4", "part5", "part6",
        ];
        let of = |count| enumerate(&subjects[..count]);
        assert_eq!(of(0), "nothing failed");
        assert_eq!(of(2), "2 failed: part 0, part1");
        assert!(of(5).ends_with("part4"));
        assert!(of(7).ends_with("part4 and 2 more"));
    }
}
