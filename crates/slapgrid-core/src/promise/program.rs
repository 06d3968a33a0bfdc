//! Promises that are programs: exit status 0 means that the promise is kept.

use std::time::{Instant, SystemTime};

use super::listing::Promise;
use super::schedule::{Facts, Schedule};
use super::verdict::{Conclusion, ResultKind, Verdict};
use super::{PromiseError, Promises};
use crate::outcome::error_chain;
use crate::process::{self, Finished, Leftovers, ProcessError, Program};

impl Promises<'_> {
    /// Checks one.
    pub(super) fn run_program(&self, promise: &Promise) -> Result<Verdict, PromiseError> {
        let mut program = Program::new(
            &promise.path,
            [] as [&str; 0],
            self.directory.path(),
            self.environment.clone(),
        );
        program.account = Some(self.account.clone());
        program.timeout = Some(self.timeout);
        // A promise only looks: what it leaves running would pile up.
        program.leftovers = Leftovers::Killed;
        let (started_at, clock) = (SystemTime::now(), Instant::now());
        let result = process::run(&program, self.interruption, &mut |_| {});
        let (conclusion, message) = conclude(result)?;
        let schedule = Schedule::after(Facts::of_program(promise), started_at, true);
        Ok(Verdict {
            elapsed: clock.elapsed(),
            schedule: Some(schedule),
            ..Verdict::new(promise, ResultKind::Test, conclusion, &message)
        })
    }
}

/// What the end of a promise means, and what it said.
fn conclude(result: Result<Finished, ProcessError>) -> Result<(Conclusion, String), PromiseError> {
    match result {
        Ok(finished) if finished.is_success() => {
            Ok((Conclusion::Kept, finished.output.to_string()))
        }
        Ok(finished) => Ok((
            Conclusion::Broken(finished.ending),
            finished.output.to_string(),
        )),
        Err(ProcessError::TimedOut {
            timeout, output, ..
        }) => Ok((Conclusion::TimedOut(timeout), output.to_string())),
        Err(ProcessError::Interrupted { .. }) => Err(PromiseError::Interrupted),
        Err(error) => Ok((Conclusion::NotStarted, error_chain(&error))),
    }
}
