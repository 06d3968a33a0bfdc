//! Promises that are programs: exit status 0 means that the promise is kept.

use std::time::{Instant, SystemTime};

use time::OffsetDateTime;

use super::listing::Promise;
use super::schedule::{Facts, Schedule};
use super::verdict::{self, Conclusion, ResultKind, Verdict};
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
        Ok(Verdict {
            promise: promise.clone(),
            conclusion,
            kind: ResultKind::Test,
            excused: false,
            bangs: false,
            message,
            ended_at: OffsetDateTime::now_utc(),
            elapsed: clock.elapsed(),
            schedule: Some(Schedule::after(
                Facts::of_program(promise),
                started_at,
                true,
            )),
        })
    }
}

/// What the end of a promise means, and what it said.
fn conclude(result: Result<Finished, ProcessError>) -> Result<(Conclusion, String), PromiseError> {
    let clip = |output: &process::Excerpt| verdict::clip(&output.to_string());
    match result {
        Ok(finished) if finished.is_success() => Ok((Conclusion::Kept, clip(&finished.output))),
        Ok(finished) => Ok((Conclusion::Broken(finished.ending), clip(&finished.output))),
        Err(ProcessError::TimedOut {
            timeout, output, ..
        }) => Ok((Conclusion::TimedOut(timeout), clip(&output))),
        Err(ProcessError::Interrupted { .. }) => Err(PromiseError::Interrupted),
        Err(error) => Ok((Conclusion::NotStarted, error_chain(&error))),
    }
}
