//! `slapos node boot`: what is to be done after the start of the machine.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use slapformat_cli::{FormatOptions, MASTER_UNREACHABLE};
use slapformat_core::FormatError;
use slapgrid_cli::{Caller, RunOptions, Tool};
use slapos_cli::{LogOptions, describe};

/// slapgrid with nothing to do but what the start of the machine asks for.
const BOOT: Tool = Tool {
    name: "slapos",
    about: "",
    phases: &[],
};
/// The network may not be there yet: between two attempts to prepare the machine.
const PAUSE: Duration = Duration::from_secs(15);

/// Prepares the machine until that succeeds and the master knows; then starts the services that are
/// known, and has every instance processed again.
///
/// # Errors
/// The configuration cannot be used, or the caller may not prepare the machine.
pub(crate) fn boot(configuration: &Path, log: &LogOptions) -> Result<ExitCode, Box<dyn Error>> {
    slapos_cli::init_logging(BOOT.name, log)?;
    while !is_formatted(configuration)? {
        let seconds = PAUSE.as_secs();
        log::warn!("the next attempt to prepare the machine is in {seconds} s");
        std::thread::sleep(PAUSE);
    }
    let caller = Caller::Tool(&BOOT);
    Ok(slapgrid_cli::run(
        &caller,
        configuration,
        &RunOptions::boot(),
        None,
    ))
}

/// Whether the machine is prepared, and the master knows.
fn is_formatted(configuration: &Path) -> Result<bool, Box<dyn Error>> {
    match slapformat_cli::format(configuration, &FormatOptions::at_once(), None) {
        Ok(code) => Ok(code != MASTER_UNREACHABLE),
        Err(error) if may_pass(&*error) => {
            log::error!("{}", describe(&*error));
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Whether another attempt may succeed.
fn may_pass(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<FormatError>();
    error.is_some_and(|error| !matches!(error, FormatError::NotRoot))
}
