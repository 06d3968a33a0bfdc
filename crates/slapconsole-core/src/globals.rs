//! Functions and variables that are there from the beginning.

#![allow(
    non_snake_case,
    clippy::too_many_arguments,
    reason = "names and parameters are those of slapos.core's console"
)]

use std::thread;
use std::time::{Duration, Instant};

use slapos_cli::Aliases;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;
use starlark::values::float::UnpackFloat;
use starlark::values::list::AllocList;
use starlark::values::none::{NoneOr, NoneType};

use crate::api::{self, Master, Wish};
use crate::context::{Link, context};
use crate::help;

/// What Starlark's standard leaves out and people expect.
const EXTENSIONS: &[LibraryExtension] = &[
    LibraryExtension::Print,
    LibraryExtension::Pprint,
    LibraryExtension::Json,
    LibraryExtension::Map,
    LibraryExtension::Filter,
    LibraryExtension::SetType,
];

/// How often a pause looks whether it shall end.
const GLANCE: Duration = Duration::from_millis(50);
/// The longest pause, in seconds: a day.
const LONGEST_PAUSE: f64 = 86400.0;

/// A program ends itself with this exit code.
#[derive(Debug, thiserror::Error)]
#[error("exit {0}")]
pub(crate) struct Exit(pub(crate) u8);

#[derive(Debug, thiserror::Error)]
enum GlobalError {
    #[error("an exit code is a number from 0 to 255")]
    ExitCode,
    #[error("a pause has 0 to {LONGEST_PAUSE} seconds")]
    Pause,
}

impl From<GlobalError> for starlark::Error {
    fn from(error: GlobalError) -> Self {
        starlark::Error::new_native(error)
    }
}

/// All globals; the aliases and the products are variables.
pub(crate) fn globals(link: &Link, aliases: &Aliases) -> Globals {
    let mut builder = GlobalsBuilder::extended_by(EXTENSIONS).with(functions);
    builder.set("slap", Master { link: link.clone() });
    let urls: Vec<_> = aliases.iter().map(|(_, url)| url.to_owned()).collect();
    builder.set("software_list", AllocList(urls));
    builder.build()
}

fn leave(code: i32) -> starlark::Result<NoneType> {
    let code = u8::try_from(code).map_err(|_| GlobalError::ExitCode)?;
    Err(starlark::Error::new_native(Exit(code)))
}

#[starlark_module]
fn functions(builder: &mut GlobalsBuilder) {
    /// Requests an instance, or changes one that you requested before.
    ///
    /// software_release: URL of the release, or the variable of an alias
    /// partition_reference: your name of the instance
    /// partition_parameter_kw: its parameters, a dictionary
    /// software_type: its type, of those that the release has
    /// filter_kw: where it shall be, e.g. {"computer_guid": "COMP-12345"}
    /// state: "started", "stopped" or "destroyed"
    /// shared: True for a slave, which shares an instance that exists
    ///
    /// Returns a ComputerPartition: help(request(...)) lists its methods.
    fn request<'v>(
        software_release: &'v str,
        partition_reference: &'v str,
        #[starlark(default = NoneOr::None)] partition_parameter_kw: NoneOr<Value<'v>>,
        #[starlark(default = NoneOr::None)] software_type: NoneOr<&'v str>,
        #[starlark(default = NoneOr::None)] filter_kw: NoneOr<Value<'v>>,
        #[starlark(default = NoneOr::None)] state: NoneOr<&'v str>,
        #[starlark(default = false)] shared: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<api::Partition> {
        let wish = Wish {
            software_release,
            partition_reference,
            partition_parameter_kw,
            software_type,
            filter_kw,
            state,
            shared,
        };
        api::request_as_user(&context(eval)?.link.access(), &wish)
    }

    /// Asks a computer to install a software release, or to remove it.
    ///
    /// software_release: URL of the release, or the variable of an alias
    /// computer_guid: reference of the computer
    /// state: "available", or "destroyed" to remove it
    fn supply<'v>(
        software_release: &str,
        #[starlark(default = NoneOr::None)] computer_guid: NoneOr<&str>,
        #[starlark(default = "available")] state: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<api::Release> {
        let slap = context(eval)?.link.access().slap;
        api::ask_for(&slap, software_release, computer_guid, state)
    }

    /// What the master knows of an instance that you requested, by its name: a dictionary.
    fn getInformation<'v>(
        partition_reference: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let access = context(eval)?.link.access();
        api::information(&access, partition_reference, eval.heap())
    }

    /// Explains: help() what there is, help(request) how to call it, help(x) what can be done with x.
    fn help<'v>(
        #[starlark(require = pos)] object: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let text = object.map_or_else(|| help::overview(eval.module()), help::about);
        let output = &context(eval)?.output;
        let written = output.line(text.trim_end());
        written.map_err(starlark::Error::new_native)?;
        Ok(NoneType)
    }

    /// Waits so many seconds.
    fn sleep<'v>(
        #[starlark(require = pos)] seconds: UnpackFloat,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        if !(0.0..=LONGEST_PAUSE).contains(&seconds.0) {
            return Err(GlobalError::Pause.into());
        }
        let end = Instant::now() + Duration::from_secs_f64(seconds.0);
        let interruption = &context(eval)?.link.interruption;
        while !interruption.is_requested() && Instant::now() < end {
            thread::sleep(GLANCE.min(end.saturating_duration_since(Instant::now())));
        }
        // The language itself looks so seldom that a loop would run on, without its pauses.
        interruption.check()?;
        Ok(NoneType)
    }

    /// Leaves, with this exit code.
    fn exit(#[starlark(require = pos, default = 0)] code: i32) -> starlark::Result<NoneType> {
        leave(code)
    }

    /// Leaves, with this exit code.
    fn quit(#[starlark(require = pos, default = 0)] code: i32) -> starlark::Result<NoneType> {
        leave(code)
    }
}
