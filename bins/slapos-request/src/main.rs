//! `slapos-request`: requests an instance of a software release and shows what it published.

mod show;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use slap_client::proto::documents::SoftwareInstance;
use slap_client::{ClientError, InstanceRequest, OpenOrder};
use slapos_cli::{Aliases, KeyValue, MasterOptions, exit};
use slapos_config::ConfigFile;

/// Requests an instance, or changes one, and shows its state and connection parameters
#[derive(Parser)]
#[command(name = "slapos-request", version)]
struct Arguments {
    #[command(flatten)]
    master: MasterOptions,
    /// Parameters of the instance
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    parameters: Vec<KeyValue>,
    /// Parameters from a file: a JSON object or an instance document
    #[arg(long, value_name = "FILE")]
    parameters_file: Option<PathBuf>,
    /// Type of the instance
    #[arg(long, value_name = "NAME")]
    r#type: Option<String>,
    /// Where to place it, e.g. computer_guid=COMP-1
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    node: Vec<KeyValue>,
    /// The wanted state
    #[arg(long, value_parser = ["started", "stopped", "destroyed"])]
    state: Option<String>,
    /// Request a slave of an instance instead of an instance
    #[arg(long)]
    slave: bool,
    /// Wait until the instance has published something, for ever or for some seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
    wait: Option<Option<u64>>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// slapos.cfg
    configuration_file: PathBuf,
    /// URL of the release, or an alias of section slapconsole
    software_instance: String,
    /// Your name of the instance
    instance_reference: String,
}

/// Pause between two requests while waiting.
const PAUSE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let arguments = slapos_cli::parse();
    slapos_cli::finish("slapos-request", request(&arguments))
}

fn request(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.configuration_file)?;
    let order = arguments
        .master
        .connect(&file, "slapconsole")?
        .register_open_order();
    let aliases = Aliases::of(&file)?;
    let request = instance_request(arguments, aliases.resolve(&arguments.software_instance))?;
    let answer = match arguments.wait {
        Some(seconds) => wait(&order, &request, seconds.map(Duration::from_secs))?,
        None => ask(&order, &request)?,
    };
    let Some(instance) = answer else {
        let message = "the master is preparing the instance; run this again later";
        slapos_cli::tell("slapos-request", message);
        return Ok(ExitCode::from(exit::NOT_READY));
    };
    let text = if arguments.json {
        show::json(&instance)
    } else {
        show::text(&instance)
    };
    slapos_cli::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn instance_request(arguments: &Arguments, url: &str) -> Result<InstanceRequest, Box<dyn Error>> {
    let mut request = InstanceRequest::new(url, &arguments.instance_reference);
    if let Some(path) = &arguments.parameters_file {
        request.parameters = slapos_cli::read_parameters(path)?;
    }
    for pair in &arguments.parameters {
        request
            .parameters
            .insert(pair.key.clone(), pair.value.as_str().into());
    }
    for pair in &arguments.node {
        request
            .filter
            .insert(pair.key.clone(), pair.value.as_str().into());
    }
    request.software_type.clone_from(&arguments.r#type);
    request.state.clone_from(&arguments.state);
    request.shared = arguments.slave;
    Ok(request)
}

/// One request; `None` while the master provisions the instance.
fn ask(
    order: &OpenOrder,
    request: &InstanceRequest,
) -> Result<Option<SoftwareInstance>, ClientError> {
    match order.request(request) {
        Err(ClientError::ResourceNotReady { .. }) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Requests until something is published or the time is over, whichever comes first.
fn wait(
    order: &OpenOrder,
    request: &InstanceRequest,
    limit: Option<Duration>,
) -> Result<Option<SoftwareInstance>, ClientError> {
    let begin = Instant::now();
    loop {
        let answer = ask(order, request)?;
        let published = answer
            .as_ref()
            .is_some_and(|instance| !instance.connection_dict.is_empty());
        if published {
            return Ok(answer);
        }
        if limit.is_some_and(|limit| begin.elapsed() + PAUSE > limit) {
            return Ok(None);
        }
        let seconds = begin.elapsed().as_secs();
        let reference = &request.partition_reference;
        let message = format!("waiting for {reference} since {seconds} s");
        slapos_cli::tell("slapos-request", &message);
        std::thread::sleep(PAUSE);
    }
}
