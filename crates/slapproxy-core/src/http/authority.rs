//! Who may make which call.

use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use slap_proto::authorization::PartitionIdentity;

use super::Shared;
use crate::caller::{Caller, NotAllowed, Speaker};
use crate::master::subject::{About, Subject};

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

/// Whether the speaker may make a call, for the partition of the Authorization header if there is
/// one: a header claims nothing that its sender may not.
pub(super) fn check_call(
    speaker: &Speaker,
    call: &impl About,
    identity: Option<&PartitionIdentity>,
) -> Result<(), NotAllowed> {
    if let Some(identity) = identity {
        speaker.check_partition(&identity.computer_id, &identity.partition_id)?;
    }
    match call.subject(identity) {
        Subject::Anyone => Ok(()),
        Subject::Users => speaker.check_user(),
        Subject::Computer(computer) => speaker.check_computer(computer),
        Subject::Partition(computer, partition) => speaker.check_partition(computer, partition),
    }
}
