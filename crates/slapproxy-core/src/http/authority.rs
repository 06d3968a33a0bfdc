//! Who may make which call.

use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use slap_proto::authorization::PartitionIdentity;
use slap_proto::calls::{
    Call, Fields, GetHateoasUrl, GetRunId, GetSoftwareReleaseListFromSoftwareProduct,
    LoadComputerConfigurationFromXml, RequestComputerPartition, SupplySupply,
};

use super::Shared;
use crate::caller::{Caller, NotAllowed, Speaker};

/// [`Speaker`], for handlers.
impl<S: Send + Sync> FromRequestParts<Shared<S>> for Speaker {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        master: &Shared<S>,
    ) -> Result<Self, Self::Rejection> {
        Ok(match parts.extensions.get::<Caller>() {
            Some(caller) => caller.speaker.clone(),
            None if master.settings.server.checks_certificates() => Self::Nobody,
            None => Self::User,
        })
    }
}

impl IntoResponse for NotAllowed {
    fn into_response(self) -> Response {
        log::warn!("{self}");
        (StatusCode::FORBIDDEN, format!("{self}\n")).into_response()
    }
}

/// Lets only users through: the guard of what nodes have no business with.
pub(super) async fn users_only(
    speaker: Speaker,
    request: Request,
    next: Next,
) -> Result<Response, NotAllowed> {
    speaker.check_user()?;
    Ok(next.run(request).await)
}

/// Whether the speaker may make a call with these fields, for the partition of the header.
///
/// A call is about every computer and partition that its fields or the header name. One that names
/// none is for users, and so is one that no node makes.
pub(super) fn check_call<C: Call>(
    speaker: &Speaker,
    fields: &Fields,
    identity: Option<&PartitionIdentity>,
) -> Result<(), NotAllowed> {
    if *speaker == Speaker::User {
        return Ok(());
    }
    if let Some(identity) = identity {
        speaker.check_partition(&identity.computer_id, &identity.partition_id)?;
    }
    let subjects = subjects(fields);
    for (computer, partition) in &subjects {
        match partition {
            Some(partition) => speaker.check_partition(computer, partition)?,
            None => speaker.check_computer(computer)?,
        }
    }
    match C::ENDPOINT {
        GetRunId::ENDPOINT
        | GetHateoasUrl::ENDPOINT
        | GetSoftwareReleaseListFromSoftwareProduct::ENDPOINT => Ok(()),
        SupplySupply::ENDPOINT => speaker.check_user(),
        LoadComputerConfigurationFromXml::ENDPOINT => check_description(speaker, fields),
        RequestComputerPartition::ENDPOINT => {
            let names_partition = |(_, partition): &(_, Option<_>)| partition.is_some();
            let by_partition = identity.is_some() || subjects.iter().any(names_partition);
            allow_if(by_partition, speaker)
        }
        _ => allow_if(!subjects.is_empty(), speaker),
    }
}

fn allow_if(allowed: bool, speaker: &Speaker) -> Result<(), NotAllowed> {
    if allowed {
        Ok(())
    } else {
        speaker.check_user()
    }
}

/// The computer that a description is of. One that cannot be read is refused later, by name.
fn check_description(speaker: &Speaker, fields: &Fields) -> Result<(), NotAllowed> {
    match LoadComputerConfigurationFromXml::from_fields(fields) {
        Ok(call) => speaker.check_computer(&call.configuration.reference),
        Err(_) => Ok(()),
    }
}

/// The computers that fields name, each with every partition that they name.
fn subjects(fields: &Fields) -> Vec<(&str, Option<&str>)> {
    let named = |names: [&str; 2]| {
        let found = names.into_iter().filter_map(|name| fields.get(name));
        found.collect::<Vec<_>>()
    };
    let computers = named(["computer_id", "computer_reference"]);
    let partitions = named(["computer_partition_id", "computer_partition_reference"]);
    let of_computer = |computer| match &partitions[..] {
        [] => vec![(computer, None)],
        partitions => partitions
            .iter()
            .map(|partition| (computer, Some(*partition)))
            .collect(),
    };
    computers.into_iter().flat_map(of_computer).collect()
}
