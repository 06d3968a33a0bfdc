//! The text format of Prometheus, version 0.0.4: pages that a server answers with, and files for the
//! textfile collector.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

use std::fmt::{Display, Write};

/// What the figures of a family mean.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// It only grows, until what counts starts anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts by upper bound, with their sum.
    Histogram,
}

/// A page being written.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Begins a family: the samples that follow are of it.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// One figure, with names and values of its labels.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        if labels.is_empty() {
            return self.line(format_args!("{name} {value}"));
        }
        let labels = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        self.line(format_args!("{name}{{{labels}}} {value}"));
    }

    /// The page, as it is sent or written.
    pub fn into_text(self) -> String {
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_help_are_escaped() {
        let mut page = Page::default();
        page.family("x", Kind::Gauge, "one\\two\nthree \"four\"");
        page.sample("x", &[("a", "q\"b\\s\nn\\n"), ("b", "")], 1.5);
        assert_eq!(
            page.into_text(),
            "# HELP x one\\\\two\\nthree \"four\"\n# TYPE x gauge\nx{a=\"q\\\"b\\\\s\\nn\\\\n\",b=\"\"} 1.5\n"
        );
    }
}
