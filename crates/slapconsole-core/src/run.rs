//! The console as a whole.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::thread;

use slap_client::Slap;
use slapos_cli::{Aliases, ConnectError, MasterOptions, tell};
use slapos_config::ConfigFile;
use slapos_user::rest_url;
use starlark::environment::Module;

use crate::context::{Access, Link};
use crate::error::ConsoleError;
use crate::interruption::Interruption;
use crate::session::{Ended, Session};
use crate::{prompt, show};

/// What the console is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of the tool, before its messages.
    pub tool: &'static str,
    /// `slapos.cfg`.
    pub configuration_file: PathBuf,
    /// What was said of the master besides.
    pub master: MasterOptions,
    /// What is to be run.
    pub program: Program,
}

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// These statements; the value of the last one is printed, texts without quotes.
    Expression(String),
    /// A file of statements.
    File(PathBuf),
    /// Standard input: by a prompt if it is a terminal.
    Input,
}

/// The stack for everything: what is typed may be nested deeply.
const STACK: usize = 256 << 20;

/// Runs the console; the exit code that what was run has asked for, 0 if it asked for none.
///
/// # Errors
/// The configuration cannot be used, or what was run has failed.
pub fn run(options: &Options) -> Result<u8, ConsoleError> {
    let worker = thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK);
        let worker = thread.spawn_scoped(scope, || connect_and_run(options));
        worker.map(thread::ScopedJoinHandle::join)
    });
    match worker.map_err(ConsoleError::Thread)? {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn connect_and_run(options: &Options) -> Result<u8, ConsoleError> {
    let file = ConfigFile::read(&options.configuration_file)?;
    let aliases = Aliases::of(&file)?;
    let interruption = Interruption::default();
    let slap = connect(options, &file, &interruption)?;
    let rest_url = rest_url(&file).map_err(ConnectError::from)?;
    let link = Link::new(Access { slap, rest_url }, interruption);
    Module::with_temp_heap(|module| {
        let session = Session::new(module, link, &aliases);
        match &options.program {
            Program::Expression(source) => run_expression(&session, source),
            Program::File(path) => {
                run_script(&session, &path.display().to_string(), &read_file(path)?)
            }
            Program::Input if io::stdin().is_terminal() => {
                converse(options.tool, &session, &aliases)
            }
            Program::Input => run_script(&session, "standard input", &read_input()?),
        }
    })
}

fn read_file(path: &Path) -> Result<String, ConsoleError> {
    fs::read_to_string(path).map_err(|source| ConsoleError::Script {
        path: path.to_owned(),
        source,
    })
}

fn read_input() -> Result<String, ConsoleError> {
    let mut source = String::new();
    let read = io::stdin().read_to_string(&mut source);
    read.map(|_| source).map_err(ConsoleError::Input)
}

fn connect(
    options: &Options,
    file: &ConfigFile,
    interruption: &Interruption,
) -> Result<Slap, ConsoleError> {
    let interruption = interruption.clone();
    let connection = options.master.connection(file, "slapconsole")?;
    let connection = connection.cancelled_by(move || interruption.is_requested());
    let opened = connection.open();
    opened.map_err(|error| ConsoleError::Connect(error.into()))
}

fn run_expression(session: &Session<'_>, source: &str) -> Result<u8, ConsoleError> {
    match session.run("expression", source)? {
        Ended::Exit(code) => return Ok(code),
        Ended::Value(value) => {
            if let Some(text) = show::plain(value) {
                session.context.output.line(&text)?;
            }
        }
    }
    Ok(0)
}

fn run_script(session: &Session<'_>, name: &str, source: &str) -> Result<u8, ConsoleError> {
    match session.run(name, source)? {
        Ended::Exit(code) => Ok(code),
        Ended::Value(_) => Ok(0),
    }
}

/// Greets, and holds the conversation of the prompt.
fn converse(tool: &str, session: &Session<'_>, aliases: &Aliases) -> Result<u8, ConsoleError> {
    let link = &session.context.link;
    let caught = link.interruption.by_signal();
    caught.map_err(ConsoleError::Signal)?;
    for (name, _) in aliases.iter() {
        if !session.may_be_variable(name) {
            let message = "is no variable here; its URL is in software_list";
            tell(tool, &format!("the alias {name:?} {message}"));
        }
    }
    let greeting = format!(
        "Master {}. help() explains, Tab completes, Ctrl-D leaves.",
        link.access().slap.master_url()
    );
    session.context.output.line(&greeting)?;
    prompt::converse(tool, session)
}
