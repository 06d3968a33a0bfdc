//! `generate-signature-key`: makes a key that signs what is uploaded to the network cache.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory, Parser, ValueEnum};
use netcache::{KeyKind, generate_key};
use slapos_config::ConfigFile;

/// Makes a key that signs what is uploaded to the network cache, and its certificate
#[derive(Parser)]
#[command(name = "generate-signature-key", version)]
struct Arguments {
    /// File of the certificate, which is printed in any case
    #[arg(long, value_name = "FILE")]
    cert_file: Option<PathBuf>,
    /// rsa (3072 bits): read by all nodes; ed25519: read by this software only
    #[arg(long, value_enum, default_value = "rsa")]
    kind: Kind,
    /// File of the key to make; if it is the only argument, slapos.cfg, whose section networkcache names
    /// the files of both
    #[arg(value_name = "KEY_FILE|SLAPOS_CFG")]
    file: PathBuf,
    /// Name in the certificate
    common_name: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Rsa,
    Ed25519,
}

/// Its command line.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs it.
pub fn main() -> ExitCode {
    let arguments = slapos_cli::parse();
    slapos_cli::finish("generate-signature-key", generate(&arguments))
}

fn generate(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let kind = match arguments.kind {
        Kind::Rsa => KeyKind::Rsa,
        Kind::Ed25519 => KeyKind::Ed25519,
    };
    let certificate = match &arguments.common_name {
        Some(name) => {
            let certificate_file = arguments.cert_file.as_deref();
            generate_key(kind, name, &arguments.file, certificate_file)?
        }
        None => by_configuration(kind, arguments)?,
    };
    slapos_cli::print(&format!(
        "{certificate}Add this certificate to signature-certificate-list of section networkcache.\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn by_configuration(kind: KeyKind, arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let file = ConfigFile::read(&arguments.file)?;
    let section = file.section("networkcache");
    let key = section.get_path("signature_private_key_file")?;
    let key = key.ok_or("signature_private_key_file of section networkcache is not set")?;
    let configured = section.get_path("signature_certificate_file")?;
    let certificate = arguments.cert_file.clone().or(configured);
    let name = file.section("slapos").get_text("computer_id")?;
    let name = name.ok_or("computer_id of section slapos is not set")?;
    Ok(generate_key(kind, &name, &key, certificate.as_deref())?)
}
