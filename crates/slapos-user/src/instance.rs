//! slapos-instance: what a buildout profile calls from inside a partition, with the values of its
//! section `[slap-connection]`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory, Parser, Subcommand};
use serde_json::Map;
use slap_client::proto::documents::Attributes;
use slap_client::{ComputerPartition, Connection, Value};
use slapos_cli::on_one_line;

use crate::parameters::{KeyValue, Parameters, as_json_value, attributes};
use crate::schema::Serialisation;

/// Reads the parameters of an instance, and publishes its connection parameters
#[derive(Parser)]
#[command(name = "slapos-instance", version)]
struct Arguments {
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(subcommand)]
    task: Task,
}

/// The values of `[slap-connection]`.
#[derive(Args)]
struct ConnectionOptions {
    /// URL of the master
    #[arg(long, value_name = "URL")]
    server_url: String,
    /// Reference of the computer
    #[arg(long, value_name = "ID")]
    computer_id: String,
    /// Reference of the partition
    #[arg(long, value_name = "ID")]
    partition_id: String,
    /// Private key of the instance
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// Certificate of the instance
    #[arg(long, value_name = "FILE", requires = "key_file")]
    cert_file: Option<PathBuf>,
    /// Trust only the authorities of this file
    #[arg(long, value_name = "FILE")]
    master_ca_file: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Task {
    /// Prints the parameters of the instance, KEY=VALUE a line; control characters are escaped
    Parameters {
        /// As one JSON object, with exact values
        #[arg(long)]
        json: bool,
    },
    /// Publishes connection parameters; they replace those of before
    Publish(Publication),
}

/// What is published, and for whom.
#[derive(Args)]
struct Publication {
    /// What to publish; it wins over that of the file. Others on this machine can read arguments
    #[arg(value_name = "KEY=VALUE", required_unless_present = "parameters_file")]
    parameters: Vec<KeyValue>,
    /// What to publish from a file: .yaml, .xml (an instance document), or else JSON; - for standard
    /// input, whose kind its beginning tells
    #[arg(long, value_name = "FILE")]
    parameters_file: Option<PathBuf>,
    /// How to send the values of a JSON or YAML file
    #[arg(
        long,
        value_name = "KIND",
        value_enum,
        default_value = "xml",
        requires = "parameters_file"
    )]
    force_serialisation: Serialisation,
    /// For this slave instead of the instance itself
    #[arg(long, value_name = "REFERENCE")]
    slave: Option<String>,
}

/// Its command line.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs slapos-instance.
pub fn main() -> ExitCode {
    let arguments = slapos_cli::parse();
    slapos_cli::finish("slapos-instance", run(&arguments))
}

fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let partition = connect(&arguments.connection)?;
    match &arguments.task {
        Task::Parameters { json } => {
            let parameters = partition.fetch()?.parameter_dict;
            slapos_cli::print(&if *json {
                as_json(&parameters)?
            } else {
                as_lines(&parameters)
            })?;
        }
        Task::Publish(publication) => {
            let dict = publication.dict()?;
            partition.set_connection_dict(&dict, publication.slave.as_deref())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Publication {
    fn dict(&self) -> Result<Attributes, Box<dyn Error>> {
        let file = self.parameters_file.as_deref();
        let parameters = Parameters::given(file, &self.parameters)?;
        Ok(attributes(parameters.sent_as(self.force_serialisation)))
    }
}

fn connect(options: &ConnectionOptions) -> Result<ComputerPartition, Box<dyn Error>> {
    let mut connection = Connection::to(&options.server_url)?;
    if let (Some(certificate), Some(key)) = (&options.cert_file, &options.key_file) {
        connection = connection.client_certificate(certificate, key);
    }
    if let Some(authority) = &options.master_ca_file {
        connection = connection.master_ca_file(authority);
    }
    let slap = connection.open()?;
    let (computer, partition) = (options.computer_id.as_str(), options.partition_id.as_str());
    Ok(slap.register_computer_partition(computer, partition))
}

/// A line each: what holds line ends makes no other lines.
fn as_lines(parameters: &Attributes) -> String {
    let line = |(key, value): (&String, &Value)| {
        let pair = format!("{key}={}", value.to_text());
        on_one_line(&pair).into_owned() + "\n"
    };
    parameters.iter().map(line).collect()
}

fn as_json(parameters: &Attributes) -> Result<String, serde_json::Error> {
    let object: Map<_, _> = parameters
        .iter()
        .map(|(key, value)| (key.clone(), as_json_value(value)))
        .collect();
    Ok(serde_json::to_string_pretty(&object)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_one_line_and_commands_no_terminal() {
        let parameters = [
            ("a\nkey", "1"),
            ("port", "8080\nport=1\u{1b}[2J"),
            ("text", "é = \\n\t\"x\""),
        ];
        let parameters = parameters.map(|(key, value)| (key.to_owned(), value.into()));
        let parameters = Attributes::from(parameters);
        let lines = "a\\nkey=1\nport=8080\\nport=1\\u{1b}[2J\ntext=é = \\n\t\"x\"\n";
        assert_eq!(as_lines(&parameters), lines);
        let exact: Map<_, _> = serde_json::from_str(&as_json(&parameters).unwrap()).unwrap();
        assert_eq!(exact["port"], "8080\nport=1\u{1b}[2J");
        assert_eq!(exact["a\nkey"], "1");
    }
}
