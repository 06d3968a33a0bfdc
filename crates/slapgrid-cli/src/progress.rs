//! Progress on a terminal: a bar for the phase, and a line for each release or partition that is
//! worked on. Lines of the log are written above.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use slapgrid_core::Phase;
use slapgrid_core::progress::Observer;
use slapos_cli::{LogFormat, LogOptions, Verbosity, printable};

use crate::RunOptions;

/// How often what moves is drawn.
const TICK: Duration = Duration::from_millis(200);
const PHASE_STYLE: &str = "{prefix:>9} {wide_bar} {pos} of {len}, {elapsed}";
const SUBJECT_STYLE: &str = "{spinner:>9} {wide_msg} {elapsed}";

/// The bars, if there are any.
#[derive(Debug)]
pub(crate) struct Bars {
    screen: MultiProgress,
    shown: Mutex<Shown>,
}

/// What is on the screen now.
#[derive(Debug, Default)]
struct Shown {
    phase: Option<ProgressBar>,
    subjects: BTreeMap<String, ProgressBar>,
}

impl Bars {
    /// They are drawn on standard error if that is a terminal, and nothing else wants it, such as a log
    /// of the caller's, which would be mixed with them.
    pub(crate) fn new(options: &RunOptions, log: Option<&LogOptions>) -> Self {
        let is_plain =
            |log: &LogOptions| log.verbosity != Verbosity::Quiet && log.format == LogFormat::Text;
        let wanted =
            log.is_some_and(is_plain) && !options.debugs_buildout() && io::stderr().is_terminal();
        let target = if wanted {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            screen: MultiProgress::with_draw_target(target),
            shown: Mutex::default(),
        }
    }

    /// Standard error, for lines that shall not be mixed with the bars.
    pub(crate) fn console(&self) -> Box<dyn Write + Send> {
        Box::new(Console(self.screen.clone()))
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, bar: ProgressBar, style: &str) -> ProgressBar {
        let bar = self.screen.add(bar);
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar
    }
}

impl Observer for Bars {
    fn begin_phase(&self, phase: Phase, subjects: usize) {
        self.end_phase();
        if self.screen.is_hidden() || subjects == 0 {
            return;
        }
        let bar = self.add(ProgressBar::new(subjects as u64), PHASE_STYLE);
        bar.set_prefix(phase.as_str());
        bar.enable_steady_tick(TICK);
        self.shown().phase = Some(bar);
    }

    fn begin(&self, subject: &str) {
        if self.screen.is_hidden() {
            return;
        }
        let bar = self.add(ProgressBar::no_length(), SUBJECT_STYLE);
        bar.set_message(printable(subject, "").into_owned());
        bar.enable_steady_tick(TICK);
        self.shown().subjects.insert(subject.to_owned(), bar);
    }

    fn end(&self, subject: &str) {
        let mut shown = self.shown();
        if let Some(bar) = shown.subjects.remove(subject) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
        if let Some(phase) = &shown.phase {
            phase.inc(1);
        }
    }

    fn end_phase(&self) {
        let mut shown = self.shown();
        let subjects = std::mem::take(&mut shown.subjects).into_values();
        for bar in subjects.chain(shown.phase.take()) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
    }
}

/// Writes to standard error while the bars are away.
struct Console(MultiProgress);

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.suspend(|| io::stderr().write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
