//! What all handlers answer with, and where they may wait for the database.

use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use slap_proto::marshal::encode;

use super::refusals::Refused;
use crate::MasterError;
use crate::error::with_causes;
use crate::master::Answer;

/// Runs what may wait for the database or the disk; `name` is for the log.
pub(crate) async fn on_blocking_thread(
    name: &'static str,
    work: impl FnOnce() -> Response + Send + 'static,
) -> Response {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        log::error!("{name}: {error}");
        let text = "the request could not be carried out\n";
        (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
    })
}

/// A successful answer.
pub(crate) fn to_response(answer: Answer) -> Result<Response, MasterError> {
    let (kind, body) = match answer {
        Answer::Text(text) => ("text/plain; charset=utf-8", text),
        Answer::Document(value) => ("text/xml; charset=utf-8", encode(&value)?),
        Answer::Written(document) => ("text/xml; charset=utf-8", document),
    };
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

/// An answer that says what is wrong, in the log too, after the name of the call.
pub(crate) fn failure(call: &str, error: &MasterError) -> Response {
    or_later(refusal(call, status(error), error))
}

/// When to ask again, where that may help.
const LATER: HeaderValue = HeaderValue::from_static("5");

/// Tells whoever is turned away for the moment when to come back, in seconds.
pub(crate) fn or_later(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, LATER);
    }
    response
}

/// As [`failure`], for errors of other kinds.
pub(crate) fn refusal(call: &str, status: StatusCode, error: &dyn Error) -> Response {
    let text = text(error, status);
    logged(call, &text, (status, format!("{text}\n")).into_response())
}

/// Has the log tell of an answer that is no success, after the name of the call. Those who are
/// turned away for the moment are counted.
pub(crate) fn logged(call: &str, text: &str, response: Response) -> Response {
    match response.status() {
        StatusCode::SERVICE_UNAVAILABLE => return Refused::mark(response, call, text),
        status if status.is_server_error() => log::error!("{call}: {text}"),
        status => log::info!("{call}: {} {text}", status.as_u16()),
    }
    response
}

/// The status that tells the kind of the error.
pub(crate) fn status(error: &MasterError) -> StatusCode {
    match error {
        MasterError::NotFound(_) => StatusCode::NOT_FOUND,
        MasterError::NotAllowed(_) => StatusCode::FORBIDDEN,
        MasterError::Form(_) | MasterError::Authorization(_) | MasterError::BadRequest(_) => {
            StatusCode::BAD_REQUEST
        }
        MasterError::NotReady(_) => StatusCode::REQUEST_TIMEOUT,
        MasterError::Unreachable { .. } => origin_unreachable(),
        MasterError::Remote { .. } => StatusCode::BAD_GATEWAY,
        MasterError::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        MasterError::Storage(error) if error.is_passing() => StatusCode::SERVICE_UNAVAILABLE,
        MasterError::Storage(_) | MasterError::Encode(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// 523, which the peer answers where another server does not; no standard knows it.
pub(crate) fn origin_unreachable() -> StatusCode {
    StatusCode::from_u16(523).unwrap_or(StatusCode::BAD_GATEWAY)
}

/// What is wrong, of a failure of ours with all its causes.
pub(crate) fn text(error: &dyn Error, status: StatusCode) -> String {
    if status.is_server_error() {
        with_causes(error)
    } else {
        error.to_string()
    }
}
