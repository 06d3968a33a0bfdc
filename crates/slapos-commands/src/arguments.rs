//! The command line: the commands and options of slapos.core, and ours of the tools behind them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::Shell;
use netcache_cli::slapcache_lookup::{CachedFile, CachedRelease};
use slapconsole_cli::ProgramOptions;
use slapformat_cli::FormatOptions;
use slapgrid_cli::{RunOptions, SupervisordOptions};
use slapos_cli::{LogFormat, LogOptions, MasterOptions, Verbosity};
use slapos_user::bang::BangOptions;
use slapos_user::request::RequestOptions;
use slapos_user::service::InfoOptions;
use slapos_user::supply::{SupplyOptions, Target};
use slapproxy_cli::{ServeOptions, ShowOptions};

use crate::configuration::{ClientConfiguration, NodeConfiguration};
use crate::missing::Unread;

/// The tools of SlapOS by the commands of slapos.core
#[derive(Debug, Parser)]
#[command(name = "slapos", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) log: LogArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where and how commands log.
#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// Log details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Log warnings and errors only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Log details
    #[arg(long, global = true)]
    debug: bool,
    /// Log to this file, too
    #[arg(long, global = true, alias = "logfile", value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// How a line of the log looks
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    log_format: LogFormat,
    // The log has neither colour nor a choice about the time.
    #[arg(long, global = true, hide = true)]
    log_color: bool,
    #[arg(long, global = true, hide = true)]
    log_time: bool,
}

impl LogArguments {
    /// As the tools want them. The console is logged to in any case, as slapos.core does.
    pub(crate) fn options(self) -> LogOptions {
        LogOptions {
            verbosity: Verbosity::from_flags(self.quiet, self.debug || self.verbose > 0),
            console: true,
            file: self.log_file,
            format: self.log_format,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// For the admin of a node; alone: its status
    Node(Box<NodeArguments>),
    /// A small master
    #[command(subcommand)]
    Proxy(ProxyCommand),
    /// What the network cache has
    #[command(subcommand)]
    Cachelookup(CacheCommand),
    /// Request an instance, or change one, and show its state and connection parameters
    #[command(after_help = slapos_user::request::EXIT_CODES)]
    Request {
        #[command(flatten)]
        configuration: ClientConfiguration,
        #[command(flatten)]
        options: RequestOptions,
        /// Your name of the instance
        reference: String,
        /// URL of the release, an alias of section slapconsole, or product.NAME
        software_url: String,
    },
    /// Ask a computer to install a software release
    Supply(SupplyArguments),
    /// Ask a computer to remove a software release
    Remove(SupplyArguments),
    /// A prompt to speak to a master: slapconsole
    Console(ConsoleArguments),
    /// Your instances
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Your computers
    #[command(subcommand)]
    Computer(ComputerCommand),
    /// Not here: write slapos.cfg yourself
    #[command(subcommand)]
    Configure(ConfigureCommand),
    /// Print a script that completes this command line in a shell
    Complete {
        /// The name that it completes
        #[arg(long, default_value = "slapos")]
        name: String,
        /// The shell
        #[arg(long, value_enum, default_value_t = Shell::Bash)]
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NodeArguments {
    #[command(subcommand)]
    pub(crate) command: Option<NodeCommand>,
}

#[derive(Debug, Args)]
pub(crate) struct SupplyArguments {
    #[command(flatten)]
    pub(crate) configuration: ClientConfiguration,
    #[command(flatten)]
    pub(crate) options: SupplyOptions,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct ConsoleArguments {
    #[command(flatten)]
    pub(crate) configuration: ClientConfiguration,
    #[command(flatten)]
    pub(crate) master: MasterOptions,
    #[command(flatten)]
    pub(crate) program: ProgramOptions,
    // Which of Python's prompts; there is one here.
    #[arg(short, long, hide = true)]
    ipython: bool,
    #[arg(short, long, hide = true)]
    bpython: bool,
    #[arg(short, long, hide = true)]
    python: bool,
}

/// What slapgrid takes.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) configuration: NodeConfiguration,
    #[command(flatten)]
    pub(crate) options: RunOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Prepare the machine: slapformat
    Format {
        #[command(flatten)]
        configuration: NodeConfiguration,
        #[command(flatten)]
        options: FormatOptions,
        // slapos.core takes a text, and has no use for it.
        #[arg(short, long, hide = true)]
        console: Option<String>,
    },
    /// Install and remove software releases: slapgrid-sr
    #[command(after_help = slapgrid_cli::EXIT_CODES)]
    Software(RunArguments),
    /// Make partitions run their instances: slapgrid-cp
    #[command(after_help = slapgrid_cli::EXIT_CODES)]
    Instance(RunArguments),
    /// Report usage, and empty partitions that are no longer wanted: slapgrid-ur
    #[command(after_help = slapgrid_cli::EXIT_CODES)]
    Report(RunArguments),
    /// Only check promises: slapgrid-cp --promises-only
    #[command(after_help = slapgrid_cli::EXIT_CODES)]
    Promise(RunArguments),
    /// Only remove shared parts that nothing uses: slapgrid-sr --prune
    #[command(after_help = slapgrid_cli::EXIT_CODES)]
    Prune(RunArguments),
    /// After the start of the machine: prepare it until the master knows, start the services that are
    /// known, and have every instance processed again
    Boot {
        #[command(flatten)]
        configuration: NodeConfiguration,
        // slapos.core takes a text, and sends another.
        #[arg(short, long, hide = true)]
        message: Option<String>,
    },
    /// Have every instance of this computer processed again: slapos-bang
    Bang {
        #[command(flatten)]
        configuration: NodeConfiguration,
        #[command(flatten)]
        options: BangOptions,
    },
    /// Start supervisord, if it does not run: slapgrid-supervisord
    Supervisord {
        #[command(flatten)]
        configuration: NodeConfiguration,
        #[command(flatten)]
        options: SupervisordOptions,
    },
    #[command(flatten)]
    Control(ControlCommand),
    #[command(flatten)]
    Missing(MissingNodeCommand),
}

/// What supervisorctl does.
#[derive(Debug, Subcommand)]
pub(crate) enum ControlCommand {
    /// Run supervisorctl: slapgrid-supervisorctl
    Supervisorctl(ControlArguments),
    /// Show services: supervisorctl status
    Status(ControlArguments),
    /// Start services: supervisorctl start
    Start(ControlArguments),
    /// Stop services: supervisorctl stop
    Stop(ControlArguments),
    /// Restart services: supervisorctl restart
    Restart(ControlArguments),
    /// Show what a service has written: supervisorctl tail
    Tail(ControlArguments),
}

/// What supervisorctl takes.
#[derive(Debug, Default, Args)]
pub(crate) struct ControlArguments {
    #[command(flatten)]
    pub(crate) configuration: NodeConfiguration,
    /// For supervisorctl
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    pub(crate) arguments: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MissingNodeCommand {
    /// Not here: slapgrid's --metrics-file tells how the node does
    Collect(Unread),
    /// Not here: the web panel of the master registers computers
    Register(Unread),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProxyCommand {
    /// Serve: slapproxy
    Start {
        #[command(flatten)]
        configuration: NodeConfiguration,
        #[command(flatten)]
        options: ServeOptions,
    },
    /// Show what the database holds: slapproxy show
    Show {
        #[command(flatten)]
        configuration: NodeConfiguration,
        #[command(flatten)]
        options: ShowOptions,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Archives of a software release, and which of them this node could use
    BinarySr {
        #[command(flatten)]
        configuration: NodeConfiguration,
        #[command(flatten)]
        release: CachedRelease,
    },
    /// A file that buildout downloads
    Url {
        #[command(flatten)]
        configuration: NodeConfiguration,
        #[command(flatten)]
        file: CachedFile,
    },
    /// Not here: cachelookup url tells of each file
    Pypi(Unread),
}

/// A question about one of the user's things.
#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    #[command(flatten)]
    pub(crate) configuration: ClientConfiguration,
    #[command(flatten)]
    pub(crate) master: MasterOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Print the names and releases of your instances, as JSON
    List(ClientArguments),
    /// Print what is known of an instance, as JSON
    Info {
        #[command(flatten)]
        client: ClientArguments,
        #[command(flatten)]
        options: InfoOptions,
        /// Your name of the instance
        reference: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ComputerCommand {
    /// Print the references and names of your computers
    List(ClientArguments),
    /// Print reference and name of a computer
    Info {
        #[command(flatten)]
        client: ClientArguments,
        /// Its reference
        reference: String,
    },
    /// Print a token that registers a computer
    Token(ClientArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigureCommand {
    /// Not here: write slapos.cfg by its example
    Local(Unread),
    /// Not here: name certificate and key of the user in section slapconsole
    Client(Unread),
}
