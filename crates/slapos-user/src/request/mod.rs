//! slapos-request: requests an instance of a release, and shows what it published.

mod deadline;
mod interrupt;
mod progress;
mod show;
mod wait;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Command, CommandFactory};
use slap_client::proto::documents::{Attributes, SoftwareInstance};
use slap_client::{InstanceRequest, Slap, without_user};
use slapos_cli::{MasterOptions, Unmet};
use slapos_config::ConfigFile;

use self::deadline::Deadline;
use self::interrupt::Interrupt;
use self::progress::Progress;
use self::wait::{Awaited, Stage, Wait};
use crate::parameters::{KeyValue, Parameters, attributes, by_key};
use crate::release::{Naming, release_url};
use crate::schema::{SchemaError, Serialisation};

/// What masters heed of `--node`; they take anything else in silence.
const KNOWN_FILTERS: [&str; 21] = [
    "capability",
    "computer_guid",
    "cpu_core",
    "cpu_frequency",
    "cpu_type",
    "group",
    "instance_guid",
    "local_area_network_type",
    "master_url",
    "memory_size",
    "memory_type",
    "mode",
    "network_guid",
    "project_guid",
    "region",
    "retention_delay",
    "sla_mode",
    "storage_capacity",
    "storage_interface",
    "storage_redundancy",
    "subject",
];
const DESTROYED: &str = "destroyed";

/// Requests an instance, or changes one, and shows its state and connection parameters
#[derive(Debug, clap::Parser)]
#[command(name = "slapos-request", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    options: RequestOptions,
    /// slapos.cfg
    configuration_file: PathBuf,
    /// URL of the release, an alias of section slapconsole, or product.NAME
    software_instance: String,
    /// Your name of the instance
    instance_reference: String,
}

/// For the help of whoever takes [`RequestOptions`].
pub const EXIT_CODES: &str = "\
Exit codes:
  0  the instance is there; with --wait: and has published connection parameters
  1  something failed; with --wait: or the time was over before anything was requested, or before
     the master had answered, which may have taken the request
  2  the master has taken the request and the instance is not there yet; with --wait: or has not
     published anything in time; or the command line is wrong";

/// How an instance shall be.
#[derive(Debug, clap::Args)]
pub struct RequestOptions {
    #[command(flatten)]
    master: MasterOptions,
    /// Parameters of the instance; they win over those of the file
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    parameters: Vec<KeyValue>,
    /// Parameters from a file: .yaml, .xml (an instance document), or else JSON; - for standard
    /// input, whose kind its beginning tells
    #[arg(long, value_name = "FILE")]
    parameters_file: Option<PathBuf>,
    /// How to send the values of a JSON or YAML file, instead of as the release says in URL.json
    #[arg(long, value_name = "KIND", value_enum, requires = "parameters_file")]
    force_serialisation: Option<Serialisation>,
    /// Type of the instance
    #[arg(long, value_name = "NAME")]
    r#type: Option<String>,
    /// Where to place it, e.g. computer_guid=COMP-1
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    node: Vec<KeyValue>,
    /// The wanted state
    #[arg(long, value_parser = ["started", "stopped", DESTROYED])]
    state: Option<String>,
    /// Request a slave of an instance instead of an instance
    #[arg(long)]
    slave: bool,
    /// Wait until the instance has published connection parameters, for ever or for some seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
    wait: Option<Option<u64>>,
    /// Print one JSON object; nothing while the instance is not there
    #[arg(long)]
    json: bool,
}

/// Which instance of which release.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// URL of the release, an alias, or `product.NAME`.
    pub software: &'a str,
    /// The requester's name of the instance.
    pub reference: &'a str,
}

/// The release does not say how it takes parameters, and neither do the options.
#[derive(Debug, thiserror::Error)]
#[error("--force-serialisation is needed, since it is unknown how {release} takes parameters")]
struct UnknownSerialisation {
    release: String,
    source: SchemaError,
}

/// The time of `--wait` was over too soon.
#[derive(Debug, thiserror::Error)]
#[error("the time is over, and nothing was requested yet")]
struct NothingRequested(#[source] Box<dyn Error>);

/// A destroyed instance publishes nothing.
#[derive(Debug, thiserror::Error)]
#[error("--wait waits for connection parameters, which an instance that is destroyed never has")]
struct WaitForDestroyed;

/// Its command line.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs slapos-request.
pub fn main() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    let wanted = Wanted {
        software: &arguments.software_instance,
        reference: &arguments.instance_reference,
    };
    let tool = "slapos-request";
    let file = &arguments.configuration_file;
    slapos_cli::finish(tool, request(tool, file, wanted, &arguments.options))
}

/// Requests an instance and prints how it is. `tool` is the name before messages.
///
/// # Errors
/// The configuration or the parameters cannot be used, the master did not take the request, or the
/// instance is not there yet.
pub fn request(
    tool: &'static str,
    configuration: &Path,
    wanted: Wanted<'_>,
    options: &RequestOptions,
) -> Result<ExitCode, Box<dyn Error>> {
    if options.wait.is_some() && options.state.as_deref() == Some(DESTROYED) {
        return Err(WaitForDestroyed.into());
    }
    let file = ConfigFile::read(configuration)?;
    let given = Given::read(options)?;
    let interrupt = Interrupt::default();
    let limit = options.wait.flatten().map(Duration::from_secs);
    let deadline = Deadline::after(limit);
    let connection = options.master.connection(&file, "slapconsole")?;
    let is_interrupted = interrupt.flag();
    let connection = connection.cancelled_by(move || is_interrupted() || deadline.is_past());
    let slap = connection.open()?;
    let request = match instance_request(options, given, &slap, &file, wanted, deadline) {
        Err(error) if deadline.is_past() => return Err(NothingRequested(error).into()),
        request => request?,
    };
    warn_of_unknown_filters(tool, &options.node);
    let url = without_user(&request.software_release);
    log::info!("requesting {} as an instance of {url}", wanted.reference);
    log::debug!("the master is {}", slap.master_url());
    let order = slap.register_open_order();
    if options.wait.is_none() {
        return match wait::ask(&order, &request)? {
            Some(instance) => show(&instance, options.json),
            None => {
                let message = "the master is preparing the instance; run this again later";
                Err(Unmet::not_ready(message.to_owned()).into())
            }
        };
    }
    interrupt.on_signals()?;
    let wait = Wait {
        order: &order,
        request: &request,
        deadline,
        interrupt: &interrupt,
    };
    let awaited = wait.until_published(&mut Progress::new(tool))?;
    finish(tool, awaited, &interrupt, options.json)
}

fn finish(
    tool: &str,
    awaited: Awaited,
    interrupt: &Interrupt,
    json: bool,
) -> Result<ExitCode, Box<dyn Error>> {
    match awaited {
        Awaited::Published(instance) => show(&instance, json),
        Awaited::TimeOver(stage) => Err(unpublished(format!("the time is over: {stage}"), &stage)),
        Awaited::Interrupted(stage) => {
            let interrupted = if stage.is_taken() {
                "interrupted, the request stays with the master"
            } else {
                "interrupted"
            };
            let message = format!("{interrupted}: {stage}");
            slapos_cli::tell(tool, &message);
            interrupt.end()?;
            Err(unpublished(message, &stage))
        }
    }
}

/// Only what the master has taken may be there later.
fn unpublished(message: String, stage: &Stage) -> Box<dyn Error> {
    if stage.is_taken() {
        Unmet::not_ready(message).into()
    } else {
        message.into()
    }
}

fn show(instance: &SoftwareInstance, json: bool) -> Result<ExitCode, Box<dyn Error>> {
    slapos_cli::print(&if json {
        show::json(instance)
    } else {
        show::text(instance)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What the user gives, read before the master is asked and before the time runs.
struct Given {
    parameters: Parameters,
    filter: Attributes,
}

impl Given {
    fn read(options: &RequestOptions) -> Result<Self, Box<dyn Error>> {
        let file = options.parameters_file.as_deref();
        let filter = attributes(by_key(&options.node)?);
        Ok(Self {
            parameters: Parameters::given(file, &options.parameters)?,
            filter,
        })
    }
}

fn instance_request(
    options: &RequestOptions,
    given: Given,
    slap: &Slap,
    file: &ConfigFile,
    wanted: Wanted<'_>,
    deadline: Deadline,
) -> Result<InstanceRequest, Box<dyn Error>> {
    let naming = match options.state.as_deref() {
        Some(DESTROYED) => Naming::Any,
        _ => Naming::Known,
    };
    let url = release_url(slap, file, wanted.software, naming)?;
    let mut request = InstanceRequest::new(&url, wanted.reference);
    let texts = match given.parameters {
        Parameters::Texts(texts) => texts,
        values @ Parameters::Values(_) => values.sent_as(serialisation(options, &url, deadline)?),
    };
    request.parameters = attributes(texts);
    request.filter = given.filter;
    request.software_type.clone_from(&options.r#type);
    request.state.clone_from(&options.state);
    request.shared = options.slave;
    Ok(request)
}

fn serialisation(
    options: &RequestOptions,
    url: &str,
    deadline: Deadline,
) -> Result<Serialisation, UnknownSerialisation> {
    if let Some(forced) = options.force_serialisation {
        return Ok(forced);
    }
    let software_type = options.r#type.as_deref();
    let found = Serialisation::of_release(url, software_type, deadline.left_for_a_call());
    found.map_err(|source| UnknownSerialisation {
        release: url.to_owned(),
        source,
    })
}

/// Masters take them in silence, and place the instance anywhere.
fn warn_of_unknown_filters(tool: &str, node: &[KeyValue]) {
    let unknown = node.iter().map(|pair| pair.key.as_str());
    let unknown: Vec<_> = unknown.filter(|key| !KNOWN_FILTERS.contains(key)).collect();
    if unknown.is_empty() {
        return;
    }
    let (unknown, known) = (unknown.join(", "), KNOWN_FILTERS.join(", "));
    let message = format!(
        "warning: masters that do not know the filter {unknown} ignore it; known are {known}"
    );
    slapos_cli::tell(tool, &message);
}
