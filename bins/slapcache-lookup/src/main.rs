//! `slapcache-lookup`: shows what the network cache has of a software release or a file.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use netcache::{Settings, describe_file, describe_release};
use slapos_config::ConfigFile;

/// Shows what the network cache has of a software release or a file
#[derive(Parser)]
#[command(name = "slapcache-lookup", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Archives of a software release, and which of them this node could use
    BinarySr {
        /// slapos.cfg
        configuration_file: PathBuf,
        /// URL of the release, or the MD5 of that
        software_release: String,
    },
    /// A file that buildout downloads
    Url {
        /// slapos.cfg
        configuration_file: PathBuf,
        /// URL of the file
        url: String,
    },
}

fn main() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    slapos_cli::finish("slapcache-lookup", look_up(&arguments.what))
}

fn look_up(what: &What) -> Result<ExitCode, Box<dyn Error>> {
    let text = match what {
        What::BinarySr {
            configuration_file,
            software_release,
        } => {
            let settings = Settings::for_reading(&ConfigFile::read(configuration_file)?)?;
            let servers = settings.download.as_ref().ok_or(
                "download-binary-cache-url and download-binary-dir-url of section networkcache are not set",
            )?;
            describe_release(servers, &settings, software_release, &|| false)?
        }
        What::Url {
            configuration_file,
            url,
        } => {
            let settings = Settings::for_reading(&ConfigFile::read(configuration_file)?)?;
            let servers = settings.download_files.as_ref().ok_or(
                "download-cache-url and download-dir-url of section networkcache are not set",
            )?;
            describe_file(servers, &settings, url, &|| false)?
        }
    };
    slapos_cli::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
