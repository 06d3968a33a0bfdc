//! `slapcache-lookup`: shows what the network cache has of a software release or a file.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory, Parser, Subcommand};
use netcache::{Settings, describe_file, describe_release};
use slapos_config::ConfigFile;

/// Shows what the network cache has of a software release or a file
#[derive(Debug, Parser)]
#[command(name = "slapcache-lookup", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Archives of a software release, and which of them this node could use
    BinarySr {
        /// slapos.cfg
        configuration_file: PathBuf,
        #[command(flatten)]
        release: CachedRelease,
    },
    /// A file that buildout downloads
    Url {
        /// slapos.cfg
        configuration_file: PathBuf,
        #[command(flatten)]
        file: CachedFile,
    },
}

/// Of which release.
#[derive(Debug, Args)]
pub struct CachedRelease {
    /// URL of the release, or the MD5 of that
    software_release: String,
}

/// Of which file.
#[derive(Debug, Args)]
pub struct CachedFile {
    /// URL of the file
    url: String,
}

/// Its command line.
pub fn command() -> Command {
    Arguments::command()
}

/// Runs it.
pub fn main() -> ExitCode {
    let arguments: Arguments = slapos_cli::parse();
    let shown = match &arguments.what {
        What::BinarySr {
            configuration_file,
            release,
        } => look_up_release(configuration_file, release),
        What::Url {
            configuration_file,
            file,
        } => look_up_file(configuration_file, file),
    };
    slapos_cli::finish("slapcache-lookup", shown)
}

/// Prints which archives of a release there are, and which of them this node could use.
///
/// # Errors
/// The configuration cannot be used, or the servers do not answer.
pub fn look_up_release(
    configuration: &Path,
    release: &CachedRelease,
) -> Result<ExitCode, Box<dyn Error>> {
    let file = ConfigFile::read(configuration)?;
    let settings = Settings::for_reading(&file)?;
    let root = file.section("slapos").get_text("software_root")?;
    let servers = settings.download.as_ref().ok_or(
        "download-binary-cache-url and download-binary-dir-url of section networkcache are not set",
    )?;
    let name = &release.software_release;
    let text = describe_release(servers, &settings, root.as_deref(), name, &|| false)?;
    slapos_cli::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what there is of a file.
///
/// # Errors
/// As [`look_up_release`].
pub fn look_up_file(configuration: &Path, file: &CachedFile) -> Result<ExitCode, Box<dyn Error>> {
    let settings = Settings::for_reading(&ConfigFile::read(configuration)?)?;
    let servers = settings
        .download_files
        .as_ref()
        .ok_or("download-cache-url and download-dir-url of section networkcache are not set")?;
    let text = describe_file(servers, &settings, &file.url, &|| false)?;
    slapos_cli::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
