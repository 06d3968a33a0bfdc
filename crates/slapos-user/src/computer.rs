//! `slapos computer`: the computers of a user.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use slapos_cli::{MasterOptions, exit, on_one_line, printable};

use crate::hateoas::{Hateoas, field};

const KIND: &str = "Compute Node";

/// Prints the references and names of a user's computers.
///
/// # Errors
/// The configuration cannot be used, or the master's API cannot.
pub fn list(configuration: &Path, master: &MasterOptions) -> Result<ExitCode, Box<dyn Error>> {
    let hateoas = Hateoas::of_user(configuration, master)?;
    let computers = hateoas.search(KIND, "", &["title", "reference"])?;
    if computers.is_empty() {
        slapos_cli::print("No existing computer.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let lines = computers.iter().map(|computer| {
        let shown = |name| field(computer, name).unwrap_or_default();
        let (reference, title) = (shown("reference"), shown("title"));
        printable(&format!("{reference} {title}"), "  ").into_owned() + "\n"
    });
    slapos_cli::print(&format!(
        "List of Computers:\n{}",
        lines.collect::<String>()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints reference and name of a computer.
///
/// # Errors
/// As [`list`].
pub fn info(
    configuration: &Path,
    master: &MasterOptions,
    reference: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    let hateoas = Hateoas::of_user(configuration, master)?;
    let Some(fields) = hateoas.find(KIND, "reference", reference)? else {
        slapos_cli::tell("slapos", &format!("there is no computer {reference}"));
        return Ok(ExitCode::from(exit::NOT_FOUND));
    };
    let shown = |name| on_one_line(field(&fields, name).unwrap_or_default());
    let (reference, title) = (shown("reference"), shown("title"));
    slapos_cli::print(&format!(
        "Computer Reference: {reference}\nComputer Title    : {title}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a token that registers a computer.
///
/// # Errors
/// As [`list`].
pub fn token(configuration: &Path, master: &MasterOptions) -> Result<ExitCode, Box<dyn Error>> {
    let token = Hateoas::of_user(configuration, master)?.computer_token()?;
    slapos_cli::print(&format!("Computer token: {}\n", on_one_line(&token)))?;
    Ok(ExitCode::SUCCESS)
}
