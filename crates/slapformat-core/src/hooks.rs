//! Hooks: programs of the admin that are told of the computer before it is prepared and after
//! ([`slapos_hooks`]).

use slap_proto::documents::{ComputerConfiguration, PartitionConfiguration};
use slapos_hooks::{HookError, Message};

use serde::Serialize;

use crate::program::{self, ProgramError};
use crate::settings::Settings;

/// When hooks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The computer is about to be prepared.
    Format,
    /// It is prepared.
    FormatTearDown,
}

impl Event {
    /// The name of its directory.
    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::FormatTearDown => "format-tear-down",
        }
    }
}

/// Hooks could not be run, or one of them failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatHookError {
    /// They cannot be found, or told.
    #[error(transparent)]
    Prepare(#[from] HookError),
    /// A hook failed.
    #[error("a hook of the event {event} failed")]
    Failed {
        /// The event.
        event: &'static str,
        /// Which hook, and why.
        source: ProgramError,
    },
}

#[derive(Serialize)]
struct Subject<'a> {
    computer: ComputerFacts<'a>,
}

/// The computer as it shall be, as hooks are told.
#[derive(Serialize)]
struct ComputerFacts<'a> {
    software_user: Option<&'a str>,
    partitions: Vec<PartitionFacts<'a>>,
}

#[derive(Serialize)]
struct PartitionFacts<'a> {
    reference: &'a str,
    directory: Option<&'a str>,
    user: Option<&'a str>,
    tap: Option<&'a str>,
    addresses: Vec<&'a str>,
}

impl<'a> PartitionFacts<'a> {
    fn of(partition: &'a PartitionConfiguration) -> Self {
        let addresses = partition.address_list.iter();
        Self {
            reference: &partition.reference,
            directory: partition.path.as_deref(),
            user: partition.user.as_deref(),
            tap: partition.tap.as_deref(),
            addresses: addresses.map(|address| address.addr.as_str()).collect(),
        }
    }
}

/// Runs the hooks of an event. The first that fails is the end of it.
pub(crate) fn run(
    settings: &Settings,
    event: Event,
    computer: &ComputerConfiguration,
) -> Result<(), FormatHookError> {
    let Some(root) = &settings.hooks_directory else {
        return Ok(());
    };
    let programs = slapos_hooks::programs(root, event.name())?;
    let partitions = computer.partition_list.iter().map(PartitionFacts::of);
    let subject = Subject {
        computer: ComputerFacts {
            software_user: computer.software_user.as_deref(),
            partitions: partitions.collect(),
        },
    };
    let message = Message {
        event: event.name(),
        computer_id: &settings.computer_id,
        master_url: &settings.master_url,
        software_root: &settings.software_root,
        instance_root: &settings.instance_root,
        subject: &subject,
    };
    let document = message.to_json()?;
    for path in programs {
        log::info!("hook {}", path.display());
        program::run_hook(&path, &document).map_err(|source| FormatHookError::Failed {
            event: event.name(),
            source,
        })?;
    }
    Ok(())
}
