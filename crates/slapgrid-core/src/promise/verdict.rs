//! What a promise said, and the file in which the monitoring stack reads it.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::listing::Promise;
use super::schedule::Schedule;
use crate::outcome::{PromiseCheck, PromiseResult, seconds};
use crate::process::Ending;

/// The most that is kept of what a promise prints, in characters: its end, where the failure is.
pub(crate) const MESSAGE_LIMIT: usize = 5000;

/// What the end of a check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// The promise is kept: the program exited with status 0, the plugin found no problem.
    Kept,
    /// The plugin found a problem.
    Denied,
    /// The program exited with another status, or the plugin's process ended before it had a
    /// result.
    Broken(Ending),
    /// It was killed after this time.
    TimedOut(Duration),
    /// It could not be started.
    NotStarted,
    /// The plugin has nothing to say on this occasion.
    Nothing,
}

/// What a result is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum ResultKind {
    /// Whether the instance works.
    #[serde(rename = "Test Result")]
    Test,
    /// Whether something happened to an instance that had worked.
    #[serde(rename = "Anomaly Result")]
    Anomaly,
}

/// One check of one promise.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) promise: Promise,
    /// How it ended, in other words.
    pub(crate) conclusion: Conclusion,
    pub(crate) kind: ResultKind,
    /// A failure that does not count yet.
    pub(crate) excused: bool,
    /// A plugin's problem that the master shall be told of at once.
    pub(crate) bangs: bool,
    /// What it printed, standard error included, or why it could not be started.
    pub(crate) message: String,
    pub(crate) ended_at: OffsetDateTime,
    /// How long it ran.
    pub(crate) elapsed: Duration,
    /// When it is checked next, unless it did not come to tell that.
    pub(crate) schedule: Option<Schedule>,
}

impl Verdict {
    /// That of a check which ended just now.
    pub(crate) fn new(
        promise: &Promise,
        kind: ResultKind,
        conclusion: Conclusion,
        message: &str,
    ) -> Self {
        Verdict {
            promise: promise.clone(),
            conclusion,
            kind,
            excused: false,
            bangs: false,
            message: clip(message),
            ended_at: OffsetDateTime::now_utc(),
            elapsed: Duration::ZERO,
            schedule: None,
        }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.conclusion, Conclusion::Kept | Conclusion::Nothing)
    }

    /// Whether something is wrong, and counts.
    pub(crate) fn is_broken(&self) -> bool {
        !self.is_kept() && !self.excused
    }

    /// Whether there is anything to write down.
    pub(crate) fn has_result(&self) -> bool {
        self.conclusion != Conclusion::Nothing
    }

    /// One line for people, followed by what the promise printed.
    pub(crate) fn describe(&self) -> String {
        let what = match self.conclusion {
            Conclusion::Kept => "is kept".to_owned(),
            Conclusion::Denied => "failed".to_owned(),
            Conclusion::Broken(ending) => format!("failed ({ending})"),
            Conclusion::TimedOut(timeout) => format!("timed out after {} s", timeout.as_secs_f64()),
            Conclusion::NotStarted => "cannot be run".to_owned(),
            Conclusion::Nothing => "says nothing".to_owned(),
        };
        describe(&self.promise.name, &what, &self.message)
    }

    /// What it said; how it ended, if that does not speak for itself.
    pub(crate) fn status_message(&self) -> String {
        let speaks = match self.conclusion {
            Conclusion::Kept => true,
            Conclusion::Denied | Conclusion::Broken(Ending::Exited(_)) => !self.message.is_empty(),
            _ => false,
        };
        if speaks {
            self.message.clone()
        } else {
            self.describe()
        }
    }

    /// The same for the outcome of the run.
    pub(crate) fn to_check(&self) -> PromiseCheck {
        PromiseCheck {
            name: self.promise.name.clone(),
            result: match self.conclusion {
                Conclusion::Kept => PromiseResult::Kept,
                Conclusion::Nothing => PromiseResult::Silent,
                _ if self.excused => PromiseResult::Excused,
                _ => PromiseResult::Broken,
            },
            message: self.status_message(),
            seconds: seconds(self.elapsed),
        }
    }

    /// The text of `TITLE.status.json`.
    pub(crate) fn to_status(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Status {
            title: &self.promise.title,
            name: &self.promise.name,
            path: &self.promise.path,
            execution_time: (self.elapsed.as_secs_f64() * 100.0).round() / 100.0,
            result: StatusResult {
                kind: self.kind,
                failed: self.is_broken(),
                date: utc_date(self.ended_at),
                message: self.status_message(),
            },
        })
    }
}

/// What is wrong with a promise, and what it said.
pub(crate) fn describe(name: &str, what: &str, message: &str) -> String {
    match message {
        "" => format!("promise {name} {what}"),
        message => format!("promise {name} {what}: {message}"),
    }
}

/// Layout of `TITLE.status.json`, as the monitoring stack of instances reads it.
#[derive(Serialize)]
struct Status<'a> {
    title: &'a str,
    name: &'a str,
    path: &'a Path,
    #[serde(rename = "execution-time")]
    execution_time: f64,
    result: StatusResult,
}

#[derive(Serialize)]
struct StatusResult {
    #[serde(rename = "type")]
    kind: ResultKind,
    failed: bool,
    date: String,
    message: String,
}

/// `2026-11-23T21:49:55+0000`.
fn utc_date(date: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+0000");
    // Years outside of four digits are the only dates that cannot be written so.
    date.to_offset(time::UtcOffset::UTC)
        .format(format)
        .unwrap_or_default()
}

/// The end of an output in at most [`MESSAGE_LIMIT`] characters, marked where its beginning is
/// missing.
pub(crate) fn clip(output: &str) -> String {
    let output = output.trim_ascii_end();
    match output.char_indices().rev().nth(MESSAGE_LIMIT - 1) {
        Some((start, _)) if start > 0 => format!("...{}", &output[start..]),
        _ => output.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::listing::Kind;
    use super::*;
    use time::macros::datetime;

    const EXIT_1: Conclusion = Conclusion::Broken(Ending::Exited(1));

    fn verdict(conclusion: Conclusion, message: &str) -> Verdict {
        Verdict {
            promise: Promise {
                name: "web-answers.sh".to_owned(),
                title: "web-answers".to_owned(),
                kind: Kind::Program,
                path: "/srv/slapgrid/slappart0/etc/promise/web-answers.sh".into(),
                modified: 0.0,
            },
            conclusion,
            kind: ResultKind::Test,
            excused: false,
            bangs: false,
            message: message.to_owned(),
            ended_at: datetime!(2026-11-23 22:49:55 +1),
            elapsed: Duration::from_millis(1236),
            schedule: None,
        }
    }

    #[test]
    fn status_files_are_as_the_monitoring_stack_reads_them() {
        let status = verdict(EXIT_1, "port 80: \"refused\"").to_status().unwrap();
        assert_eq!(
            status,
            concat!(
                r#"{"title":"web-answers","name":"web-answers.sh","#,
                r#""path":"/srv/slapgrid/slappart0/etc/promise/web-answers.sh","execution-time":1.24,"#,
                r#""result":{"type":"Test Result","failed":true,"date":"2026-11-23T21:49:55+0000","#,
                r#""message":"port 80: \"refused\""}}"#
            )
        );
    }

    #[test]
    fn an_excused_failure_is_none() {
        let mut verdict = verdict(EXIT_1, "once");
        verdict.excused = true;
        assert!(!verdict.is_broken() && !verdict.is_kept());
        let status = verdict.to_status().unwrap();
        assert!(status.contains(r#""failed":false"#), "{status}");
    }

    #[test]
    fn a_timeout_is_said_in_the_status_file() {
        let status = verdict(Conclusion::TimedOut(Duration::from_secs(20)), "")
            .to_status()
            .unwrap();
        assert!(
            status.contains(r#""message":"promise web-answers.sh timed out after 20 s""#),
            "{status}"
        );
        assert!(status.contains(r#""failed":true"#), "{status}");
    }

    #[test]
    fn failures_are_described() {
        assert_eq!(
            verdict(EXIT_1, "").describe(),
            "promise web-answers.sh failed (exit status 1)"
        );
        assert_eq!(
            verdict(Conclusion::Broken(Ending::Signaled(11)), "oh").describe(),
            "promise web-answers.sh failed (killed by signal 11): oh"
        );
        assert_eq!(
            verdict(Conclusion::Denied, "no page").describe(),
            "promise web-answers.sh failed: no page"
        );
    }

    #[test]
    fn the_end_of_long_outputs_is_kept() {
        let output = format!("{}é the cause\n\n", "a".repeat(MESSAGE_LIMIT));
        let clipped = clip(&output);
        assert!(clipped.starts_with("...a"), "{clipped}");
        assert!(clipped.ends_with("é the cause"), "{clipped}");
        assert_eq!(clipped.chars().count(), 3 + MESSAGE_LIMIT);
    }

    #[test]
    fn outputs_of_the_right_length_are_kept_whole() {
        for length in [0, 1, MESSAGE_LIMIT] {
            let output = "é".repeat(length);
            assert_eq!(clip(&output), output);
        }
    }
}
