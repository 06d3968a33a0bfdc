//! From a message to the lines that are written.

use std::fmt::Write as _;

use log::{Level, Record};
use serde::Serializer as _;

use super::{LogFormat, journal};
use crate::printable;

/// What is the same for all lines of a log.
pub(super) struct Layout {
    pub(super) tool: &'static str,
    pub(super) subject_key: fn(&str) -> &'static str,
    pub(super) format: LogFormat,
    /// Each line begins with its priority.
    pub(super) for_journal: bool,
}

/// One message.
struct Message<'a> {
    level: Level,
    /// The partition or the like that it is about.
    subject: Option<&'a str>,
    text: &'a str,
}

impl Layout {
    /// The lines of one message, each ended.
    pub(super) fn entry(&self, record: &Record<'_>) -> String {
        let text = record.args().to_string();
        let is_module = record.module_path() == Some(record.target());
        let message = Message {
            level: record.level(),
            // A target that is no module was chosen.
            subject: (!is_module).then(|| record.target()),
            text: text.trim_end(),
        };
        self.lines(&message, &jiff::Zoned::now())
    }

    fn lines(&self, message: &Message<'_>, now: &jiff::Zoned) -> String {
        let entry = match self.format {
            LogFormat::Text => self.text(message, now),
            LogFormat::Json => self.json(message, now),
        };
        let prefix = if self.for_journal {
            journal::prefix(message.level)
        } else {
            ""
        };
        entry.lines().fold(String::new(), |mut lines, line| {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{prefix}{line}");
            lines
        })
    }

    /// The subject is on each line, so that they can be told apart and found.
    fn text(&self, message: &Message<'_>, now: &jiff::Zoned) -> String {
        let time = now.strftime("%Y-%m-%d %H:%M:%S,%3f");
        let level = level_name(message.level);
        let subject = message
            .subject
            .map(|subject| format!("{}: ", printable(subject, "")));
        let subject = subject.unwrap_or_default();
        let text = printable(message.text, &format!("    {subject}")).into_owned();
        format!("{time} {:<18}: {level:<8} {subject}{text}", self.tool)
    }

    fn json(&self, message: &Message<'_>, now: &jiff::Zoned) -> String {
        let time = now.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string();
        let mut fields = vec![
            ("time", time.as_str()),
            ("level", level_name(message.level)),
            ("tool", self.tool),
        ];
        if let Some(subject) = message.subject {
            fields.push(((self.subject_key)(subject), subject));
        }
        fields.push(("message", message.text));
        let mut line = Vec::new();
        // Texts can be written as JSON, and to a vector.
        let _ = serde_json::Serializer::new(&mut line).collect_map(fields);
        String::from_utf8_lossy(&line).into_owned()
    }
}

/// Python's names, which log readers know.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARNING",
        Level::Info => "INFO",
        Level::Debug | Level::Trace => "DEBUG",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: Message<'_> = Message {
        level: Level::Warn,
        subject: Some("slappart0"),
        text: "one\n\"two\" \u{1b}[2J",
    };

    fn lines(format: LogFormat, for_journal: bool, message: &Message<'_>) -> String {
        let layout = Layout {
            tool: "slapgrid-cp",
            subject_key: |_| "partition",
            format,
            for_journal,
        };
        let now = "2026-11-23T21:48:56.097+01:00[Europe/Paris]".parse();
        layout.lines(message, &now.unwrap())
    }

    #[test]
    fn text_is_as_log_readers_know_it() {
        assert_eq!(
            lines(LogFormat::Text, false, &MESSAGE),
            "2026-11-23 21:48:56,097 slapgrid-cp       : WARNING  slappart0: one\n    \
             slappart0: \"two\" \\u{1b}[2J\n"
        );
        let message = Message {
            subject: None,
            text: "x",
            ..MESSAGE
        };
        assert_eq!(
            lines(LogFormat::Text, false, &message),
            "2026-11-23 21:48:56,097 slapgrid-cp       : WARNING  x\n"
        );
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = lines(LogFormat::Json, false, &MESSAGE);
        assert_eq!(
            text,
            "{\"time\":\"2026-11-23T21:48:56.097+01:00\",\"level\":\"WARNING\",\
             \"tool\":\"slapgrid-cp\",\"partition\":\"slappart0\",\
             \"message\":\"one\\n\\\"two\\\" \\u001b[2J\"}\n"
        );
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["message"], MESSAGE.text);
    }

    #[test]
    fn the_journal_is_told_the_priority_of_each_line() {
        let text = lines(LogFormat::Text, true, &MESSAGE);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.starts_with("<4>")), "{text}");
        let text = lines(LogFormat::Json, true, &MESSAGE);
        assert!(text.starts_with("<4>{"), "{text}");
        // Nobody's text can choose another priority.
        let message = Message {
            level: Level::Info,
            subject: None,
            text: "a\n<0>b",
        };
        let text = lines(LogFormat::Text, true, &message);
        assert!(text.ends_with("\n<6>    <0>b\n"), "{text}");
    }
}
