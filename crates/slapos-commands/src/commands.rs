//! From each command to the function that does it.

use std::error::Error;
use std::process::ExitCode;

use clap::CommandFactory;
use netcache_cli::slapcache_lookup;
use slap_client::proto::documents::SoftwareState;
use slapos_cli::{LogOptions, describe};
use slapos_user::request::Wanted;
use slapos_user::{computer, request, service, supply};

use crate::arguments::{
    Arguments, CacheCommand, ClientArguments, Command, ComputerCommand, ConfigureCommand,
    ProxyCommand, ServiceCommand, SupplyArguments,
};
use crate::{missing, node};

/// The name before messages.
const NAME: &str = "slapos";

type Ended = Result<ExitCode, Box<dyn Error>>;

/// Does what was typed. Why it failed is in the log file, too.
pub(crate) fn run(Arguments { log, command }: Arguments) -> Ended {
    let log = log.options();
    if has_own_log(&command) {
        return perform(command, log);
    }
    slapos_cli::init_logging(NAME, &log)?;
    let is_in_file = log.file.is_some();
    perform(command, log).or_else(|error| {
        if !is_in_file {
            return Err(error);
        }
        log::error!("{}", describe(&*error));
        Ok(slapos_cli::exit_code(&*error))
    })
}

/// Whether the tool of a command begins the log, or has none.
fn has_own_log(command: &Command) -> bool {
    matches!(
        command,
        Command::Node(_)
            | Command::Proxy(ProxyCommand::Start { .. })
            | Command::Configure(_)
            | Command::Complete { .. }
    )
}

fn perform(command: Command, log: LogOptions) -> Ended {
    match command {
        Command::Node(arguments) => node::run(arguments.command, log),
        Command::Proxy(ProxyCommand::Start {
            configuration,
            options,
        }) => slapproxy_cli::serve(&configuration.path(), options, log),
        Command::Proxy(ProxyCommand::Show {
            configuration,
            options,
        }) => slapproxy_cli::show(&configuration.path(), options),
        Command::Cachelookup(command) => look_up(&command),
        Command::Request {
            configuration,
            options,
            reference,
            software_url,
        } => {
            let wanted = Wanted {
                software: &software_url,
                reference: &reference,
            };
            let file = configuration.path();
            request::request(NAME, &file, wanted, &options)
        }
        Command::Supply(arguments) => supply(&arguments, SoftwareState::Available),
        Command::Remove(arguments) => supply(&arguments, SoftwareState::Destroyed),
        Command::Console(arguments) => {
            let file = arguments.configuration.path();
            slapconsole_cli::run(NAME, &file, arguments.master, arguments.program)
        }
        Command::Service(command) => service(&command),
        Command::Computer(command) => computer(&command),
        Command::Configure(command) => Ok(no_configuration(&command)),
        Command::Complete { name, shell } => complete(&name, shell),
    }
}

fn look_up(command: &CacheCommand) -> Ended {
    match command {
        CacheCommand::BinarySr {
            configuration,
            release,
        } => slapcache_lookup::look_up_release(&configuration.path(), release),
        CacheCommand::Url {
            configuration,
            file,
        } => slapcache_lookup::look_up_file(&configuration.path(), file),
        CacheCommand::Pypi(_) => Ok(missing::say(
            "cachelookup pypi",
            "`slapos cachelookup url` tells of each file that buildout downloads",
        )),
    }
}

fn supply(arguments: &SupplyArguments, state: SoftwareState) -> Ended {
    let SupplyArguments {
        configuration,
        options,
        target,
    } = arguments;
    supply::supply(&configuration.path(), options, target, state)
}

fn service(command: &ServiceCommand) -> Ended {
    match command {
        ServiceCommand::List(ClientArguments {
            configuration,
            master,
        }) => service::list(&configuration.path(), master),
        ServiceCommand::Info {
            client,
            options,
            reference,
        } => service::info(
            &client.configuration.path(),
            &client.master,
            reference,
            options,
        ),
    }
}

fn computer(command: &ComputerCommand) -> Ended {
    match command {
        ComputerCommand::List(client) => {
            computer::list(&client.configuration.path(), &client.master)
        }
        ComputerCommand::Info { client, reference } => {
            computer::info(&client.configuration.path(), &client.master, reference)
        }
        ComputerCommand::Token(client) => {
            computer::token(&client.configuration.path(), &client.master)
        }
    }
}

fn no_configuration(command: &ConfigureCommand) -> ExitCode {
    match command {
        ConfigureCommand::Local(_) => missing::say(
            "configure local",
            "write slapos.cfg by slapos.cfg.example, then run slapproxy, slapformat and slapgrid",
        ),
        ConfigureCommand::Client(_) => missing::say(
            "configure client",
            "get a certificate in the web panel of the master, and name it and its key in section \
             slapconsole of ~/.slapos/slapos-client.cfg",
        ),
    }
}

fn complete(name: &str, shell: clap_complete::Shell) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), name, &mut script);
    slapos_cli::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
