//! The prompt.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Editor, Helper};
use slapos_cli::tell;

use crate::complete::complete;
use crate::error::ConsoleError;
use crate::input::is_incomplete;
use crate::session::{Ended, Session};
use crate::{history, show};

const PROMPT: &str = ">>> ";
/// How many inputs are kept.
const KEPT: usize = 10_000;
/// What the prompt calls what is typed, where it tells of a line.
const INPUT: &str = "input";

/// What the line editor asks.
struct Assistant<'s, 'v>(&'s Session<'v>);

impl Helper for Assistant<'_, '_> {}
impl Hinter for Assistant<'_, '_> {
    type Hint = String;
}
impl Highlighter for Assistant<'_, '_> {}

impl Completer for Assistant<'_, '_> {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _context: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete(self.0, &line[..cursor]))
    }
}

impl Validator for Assistant<'_, '_> {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(if is_incomplete(context.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

type Lines<'s, 'v> = Editor<Assistant<'s, 'v>, FileHistory>;

/// Reads and runs what is typed until the end of it; the exit code.
pub(crate) fn converse(tool: &str, session: &Session<'_>) -> Result<u8, ConsoleError> {
    let mut lines = editor(session).map_err(ConsoleError::Terminal)?;
    let kept = kept_history(tool, &mut lines);
    loop {
        match lines.readline(PROMPT) {
            Ok(line) => {
                keep(&mut lines, &line, kept.as_deref());
                if let Some(code) = answer(tool, session, &line)? {
                    return Ok(code);
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                tell(tool, "what was typed is no UTF-8; it is left out");
            }
            Err(ReadlineError::Eof) => return Ok(0),
            Err(error) => return Err(ConsoleError::Terminal(error)),
        }
    }
}

fn editor<'s, 'v>(session: &'s Session<'v>) -> rustyline::Result<Lines<'s, 'v>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .max_history_size(KEPT)?
        .build();
    let mut lines = Editor::with_config(config)?;
    lines.set_helper(Some(Assistant(session)));
    Ok(lines)
}

/// Runs one input and shows what came of it; the exit code, if it was to leave.
fn answer(tool: &str, session: &Session<'_>, line: &str) -> Result<Option<u8>, ConsoleError> {
    session.context.link.interruption.forget();
    // Blanks at the beginning keep it out of the history, and mean nothing else.
    match session.run(INPUT, line.trim_start_matches([' ', '\t'])) {
        Ok(Ended::Exit(code)) => return Ok(Some(code)),
        Ok(Ended::Value(value)) => {
            if let Some(text) = show::shown(value) {
                session.context.output.line(&text)?;
            }
        }
        Err(failure) => tell(tool, &failure.to_string()),
    }
    Ok(None)
}

/// The history of before, and where it is kept. What is wrong with it is told, and no reason to stop.
fn kept_history(tool: &str, lines: &mut Lines<'_, '_>) -> Option<PathBuf> {
    let path = history::path()?;
    match load(&path, lines) {
        Ok(()) => Some(path),
        Err(error) => {
            tell(tool, &format!("no history in {}: {error}", path.display()));
            None
        }
    }
}

/// What is typed may hold passwords: the directory is the user's alone, as the file is.
fn load(path: &Path, lines: &mut Lines<'_, '_>) -> rustyline::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    match lines.load_history(path) {
        Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Each input is kept at once, so that several prompts share the history.
fn keep(lines: &mut Lines<'_, '_>, line: &str, path: Option<&Path>) {
    let is_new = lines.add_history_entry(line).unwrap_or(false);
    if let Some(path) = path.filter(|_| is_new) {
        // It could be written before; who has taken that away knows.
        let _ = lines.append_history(path);
    }
}
