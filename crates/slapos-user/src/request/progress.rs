//! What is said while the user waits.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use slapos_cli::printable;

/// How often what moves is drawn.
const TICK: Duration = Duration::from_millis(200);
const STYLE: &str = "{spinner} {wide_msg} {elapsed}";

/// A line that is drawn anew on a terminal, or else one line for each change.
#[derive(Debug)]
pub(super) struct Progress {
    tool: &'static str,
    bar: Option<ProgressBar>,
    last: String,
}

impl Progress {
    /// It is shown on standard error.
    pub(super) fn new(tool: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            if let Ok(style) = ProgressStyle::with_template(STYLE) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            tool,
            bar,
            last: String::new(),
        }
    }

    /// How far it is.
    pub(super) fn say(&mut self, text: String) {
        if text == self.last {
            return;
        }
        match &self.bar {
            Some(bar) => bar.set_message(printable(&text, "").replace('\n', " ")),
            None => slapos_cli::tell(self.tool, &format!("waiting: {text}")),
        }
        self.last = text;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
