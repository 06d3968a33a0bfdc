//! Answers that are no success.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::MasterError;
use crate::http::respond;

/// What is wrong, as every master of the protocol tells it.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    status: u16,
    r#type: &'static str,
    title: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            r#type: status.canonical_reason().unwrap_or("Unknown Error"),
            title: title.into(),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }
}

/// As the calls of the slap tool tell it, but that what is not there is forbidden here.
impl From<MasterError> for Problem {
    fn from(error: MasterError) -> Self {
        let status = match respond::status(&error) {
            StatusCode::NOT_FOUND => StatusCode::FORBIDDEN,
            other => other,
        };
        Self::new(status, respond::text(&error, status))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        respond::or_later(json(self.status(), &self))
    }
}

/// A response with a JSON body.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    match serde_json::to_vec(body) {
        Ok(body) => (status, kind, body).into_response(),
        Err(error) => {
            log::error!("an answer cannot be written as JSON: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
