//! What a promise said, and the file in which the monitoring stack reads it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::process::Ending;

/// The most that is kept of what a promise prints, in bytes: its end, where the failure is.
pub(crate) const MESSAGE_LIMIT: usize = 5000;

/// What the end of a promise's program means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// It exited with status 0.
    Kept,
    /// It exited with another status, or was killed by a signal.
    Broken(Ending),
    /// It was killed after this time.
    TimedOut(Duration),
    /// It could not be started.
    NotStarted,
}

/// One check of one promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The file name of the promise.
    pub(crate) name: String,
    /// Its path.
    pub(crate) path: PathBuf,
    /// How it ended, in other words.
    pub(crate) conclusion: Conclusion,
    /// What it printed, standard error included, or why it could not be started.
    pub(crate) message: String,
    /// When it was started.
    pub(crate) started_at: OffsetDateTime,
    /// How long it ran.
    pub(crate) elapsed: Duration,
}

impl Verdict {
    /// Whether the promise was kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.conclusion == Conclusion::Kept
    }

    /// The failure in one sentence, and what was printed.
    pub(crate) fn describe(&self) -> String {
        let name = &self.name;
        let what = match self.conclusion {
            Conclusion::Kept => return format!("promise {name} is kept"),
            Conclusion::Broken(ending) => format!("failed ({ending})"),
            Conclusion::TimedOut(after) => format!("timed out after {} s", after.as_secs_f64()),
            Conclusion::NotStarted => "cannot be run".to_owned(),
        };
        match self.message.as_str() {
            "" => format!("promise {name} {what}"),
            message => format!("promise {name} {what}: {message}"),
        }
    }

    /// The text of `NAME.status.json`.
    pub(crate) fn to_status(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Status {
            title: &self.name,
            name: &self.name,
            path: &self.path,
            execution_time: (self.elapsed.as_secs_f64() * 100.0).round() / 100.0,
            result: StatusResult {
                kind: "Test Result",
                failed: !self.is_kept(),
                date: utc_date(self.started_at),
                message: match self.conclusion {
                    Conclusion::Kept | Conclusion::Broken(Ending::Exited(_)) => {
                        self.message.clone()
                    }
                    _ => self.describe(),
                },
            },
        })
    }
}

/// Layout of `NAME.status.json`, as the monitoring stack of instances reads it.
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
    kind: &'static str,
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

/// The end of an output in at most [`MESSAGE_LIMIT`] bytes, marked where its beginning is missing.
pub(crate) fn clip(output: &[u8]) -> String {
    let output = output.trim_ascii_end();
    let Some(start) = output
        .len()
        .checked_sub(MESSAGE_LIMIT)
        .filter(|start| *start > 0)
    else {
        return String::from_utf8_lossy(output).into_owned();
    };
    // A cut inside a character would be read as garbage.
    let start = (start..output.len())
        .find(|at| output[*at] & 0xc0 != 0x80)
        .unwrap_or(output.len());
    format!("...{}", String::from_utf8_lossy(&output[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const EXIT_1: Conclusion = Conclusion::Broken(Ending::Exited(1));

    fn verdict(conclusion: Conclusion, message: &str) -> Verdict {
        Verdict {
            name: "web-answers".to_owned(),
            path: PathBuf::from("/srv/slapgrid/slappart0/etc/promise/web-answers"),
            conclusion,
            message: message.to_owned(),
            started_at: datetime!(2026-11-23 22:49:55 +1),
            elapsed: Duration::from_millis(1236),
        }
    }

    #[test]
    fn status_files_are_as_the_monitoring_stack_reads_them() {
        let status = verdict(EXIT_1, "port 80: \"refused\"").to_status().unwrap();
        assert_eq!(
            status,
            concat!(
                r#"{"title":"web-answers","name":"web-answers","#,
                r#""path":"/srv/slapgrid/slappart0/etc/promise/web-answers","execution-time":1.24,"#,
                r#""result":{"type":"Test Result","failed":true,"date":"2026-11-23T21:49:55+0000","#,
                r#""message":"port 80: \"refused\""}}"#
            )
        );
    }

    #[test]
    fn a_timeout_is_said_in_the_status_file() {
        let status = verdict(Conclusion::TimedOut(Duration::from_secs(20)), "")
            .to_status()
            .unwrap();
        assert!(
            status.contains(r#""message":"promise web-answers timed out after 20 s""#),
            "{status}"
        );
        assert!(status.contains(r#""failed":true"#), "{status}");
    }

    #[test]
    fn failures_are_described() {
        assert_eq!(
            verdict(EXIT_1, "").describe(),
            "promise web-answers failed (exit status 1)"
        );
        assert_eq!(
            verdict(Conclusion::Broken(Ending::Signaled(11)), "oh").describe(),
            "promise web-answers failed (killed by signal 11): oh"
        );
    }

    #[test]
    fn the_end_of_long_outputs_is_kept() {
        let mut output = vec![b'a'; MESSAGE_LIMIT];
        output.extend_from_slice("é the cause\n\n".as_bytes());
        let clipped = clip(&output);
        assert!(clipped.starts_with("...a"), "{clipped}");
        assert!(clipped.ends_with("é the cause"), "{clipped}");
        assert_eq!(clipped.len(), 3 + MESSAGE_LIMIT);
    }

    #[test]
    fn characters_are_not_cut() {
        let output = "é".repeat(MESSAGE_LIMIT);
        let odd = format!("x{output}y");
        assert!(!clip(odd.as_bytes()).contains('\u{fffd}'));
    }

    #[test]
    fn outputs_that_are_no_text_are_shown_lossily() {
        assert_eq!(clip(b"\xff\xfe!"), "\u{fffd}\u{fffd}!");
    }
}
