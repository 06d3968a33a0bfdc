//! `slapos node`.

use std::error::Error;
use std::process::ExitCode;

use slapgrid_cli::{Caller, SLAPGRID_CP, SLAPGRID_SR, SLAPGRID_UR, Tool};
use slapos_cli::LogOptions;

use crate::arguments::{
    ControlArguments, ControlCommand, MissingNodeCommand, NodeCommand, RunArguments,
};
use crate::boot::boot;
use crate::missing;

/// Does a command; without one, shows the services.
pub(crate) fn run(
    command: Option<NodeCommand>,
    log: LogOptions,
) -> Result<ExitCode, Box<dyn Error>> {
    let status = || NodeCommand::Control(ControlCommand::Status(ControlArguments::default()));
    match command.unwrap_or_else(status) {
        NodeCommand::Format {
            configuration,
            options,
            console: _,
        } => {
            let formatted = slapformat_cli::format(&configuration.path(), &options, Some(log));
            formatted.map(ExitCode::from)
        }
        NodeCommand::Software(arguments) => Ok(grid(&SLAPGRID_SR, arguments, log)),
        NodeCommand::Instance(arguments) => Ok(grid(&SLAPGRID_CP, arguments, log)),
        NodeCommand::Report(arguments) => Ok(grid(&SLAPGRID_UR, arguments, log)),
        NodeCommand::Promise(mut arguments) => {
            arguments.options.only_promises();
            Ok(grid(&SLAPGRID_CP, arguments, log))
        }
        NodeCommand::Prune(mut arguments) => {
            arguments.options.only_prune();
            Ok(grid(&SLAPGRID_SR, arguments, log))
        }
        NodeCommand::Boot {
            configuration,
            message: _,
        } => boot(&configuration.path(), &log),
        NodeCommand::Bang {
            configuration,
            options,
        } => slapos_user::bang::bang(&configuration.path(), &options),
        NodeCommand::Supervisord {
            configuration,
            options,
        } => slapgrid_cli::ensure_supervisord(&configuration.path(), &options, &log),
        NodeCommand::Control(command) => control(command, &log),
        NodeCommand::Missing(command) => Ok(say_missing(&command)),
    }
}

fn grid(tool: &'static Tool, arguments: RunArguments, log: LogOptions) -> ExitCode {
    let (caller, file) = (Caller::Command(tool), arguments.configuration.path());
    slapgrid_cli::run(&caller, &file, &arguments.options, Some(log))
}

fn control(command: ControlCommand, log: &LogOptions) -> Result<ExitCode, Box<dyn Error>> {
    let (first, arguments) = match command {
        ControlCommand::Supervisorctl(arguments) => (None, arguments),
        ControlCommand::Status(arguments) => (Some("status"), arguments),
        ControlCommand::Start(arguments) => (Some("start"), arguments),
        ControlCommand::Stop(arguments) => (Some("stop"), arguments),
        ControlCommand::Restart(arguments) => (Some("restart"), arguments),
        ControlCommand::Tail(arguments) => (Some("tail"), arguments),
    };
    let file = arguments.configuration.path();
    let words = first.map(Into::into).into_iter().chain(arguments.arguments);
    slapgrid_cli::start_and_control_supervisord(&file, words.collect(), log)
}

fn say_missing(command: &MissingNodeCommand) -> ExitCode {
    match command {
        MissingNodeCommand::Collect(_) => missing::say(
            "node collect",
            "figures of the runs are written by `slapos node instance --metrics-file`",
        ),
        MissingNodeCommand::Register(_) => missing::say(
            "node register",
            "register the computer in the web panel of the master, and name its certificate and \
             key in slapos.cfg",
        ),
    }
}
