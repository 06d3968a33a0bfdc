//! `slapos computer`: the computers of a user.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value as Json};
use slapos_cli::{MasterOptions, Unmet, on_one_line, printable};

use crate::hateoas::{Hateoas, HateoasError, field};

const KIND: &str = "Compute Node";

/// A computer of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computer {
    /// By which the master knows it.
    pub reference: String,
    /// Its name for people.
    pub title: String,
}

impl Computer {
    fn new(reference: &str, fields: &Map<String, Json>) -> Self {
        Self {
            reference: reference.to_owned(),
            title: field(fields, "title").unwrap_or_default().to_owned(),
        }
    }

    /// `None` without a reference: nothing can be asked about it.
    fn of(fields: &Map<String, Json>) -> Option<Self> {
        let reference = field(fields, "reference").filter(|reference| !reference.is_empty())?;
        Some(Self::new(reference, fields))
    }
}

/// Prints the references and names of a user's computers.
///
/// # Errors
/// The configuration cannot be used, or the master's API cannot.
pub fn list(configuration: &Path, master: &MasterOptions) -> Result<ExitCode, Box<dyn Error>> {
    let computers = computers(&Hateoas::of_user(configuration, master)?)?;
    if computers.is_empty() {
        slapos_cli::print("No existing computer.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let lines = computers.iter().map(|Computer { reference, title }| {
        printable(&format!("{reference} {title}"), "  ").into_owned() + "\n"
    });
    slapos_cli::print(&format!(
        "List of Computers:\n{}",
        lines.collect::<String>()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A user's computers that have a reference.
///
/// # Errors
/// A call failed, or the answer is something else.
pub fn computers(hateoas: &Hateoas) -> Result<Vec<Computer>, HateoasError> {
    let computers = hateoas.search(KIND, "", &["title", "reference"])?;
    Ok(computers.iter().filter_map(Computer::of).collect())
}

/// The computer of this reference; `None` if the user has no such computer.
///
/// # Errors
/// A call failed, or the answer is something else.
pub fn information(hateoas: &Hateoas, reference: &str) -> Result<Option<Computer>, HateoasError> {
    let fields = hateoas.find(KIND, "reference", reference)?;
    Ok(fields.map(|fields| Computer::new(reference, &fields)))
}

/// Prints reference and name of a computer.
///
/// # Errors
/// As [`list`], or there is no such computer.
pub fn info(
    configuration: &Path,
    master: &MasterOptions,
    reference: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    let hateoas = Hateoas::of_user(configuration, master)?;
    let Some(computer) = information(&hateoas, reference)? else {
        return Err(Unmet::not_found(format!("there is no computer {reference}")).into());
    };
    let (reference, title) = (
        on_one_line(&computer.reference),
        on_one_line(&computer.title),
    );
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_computer_without_a_reference_is_none() {
        for (document, known) in [
            (json!({"title": "a"}), false),
            (json!({"reference": "", "title": "a"}), false),
            (json!({"reference": null}), false),
            (json!({"reference": "COMP-1"}), true),
        ] {
            let computer = Computer::of(document.as_object().unwrap());
            assert_eq!(computer.is_some(), known, "{document}");
        }
    }
}
