//! One exchange: from an HTTP request to a method, from its answer to the response.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use serde::de::DeserializeOwned;

use super::Method;
use super::asked::{Asked, Asker};
use super::problem::{Problem, json};
use super::text::Object;
use crate::caller::Speaker;
use crate::http::{ExternalUrl, Master, Shared, respond};
use crate::storage::{Records, Storage};

/// Largest body, in bytes; the longest fields take less.
const LARGEST_BODY: usize = 12 << 20;
/// Longest body that is read by the task itself, in bytes; to read a longer one takes its time.
const SHORT_BODY: usize = 256 << 10;
const JSON: &str = "application/json";

/// Who asks, and by which headers.
struct Sender {
    speaker: Speaker,
    external: ExternalUrl,
    headers: HeaderMap,
}

/// Serves one method. As with the calls, what waits for the database alone is done by the task
/// itself, and what may take longer on a thread made for that.
pub(super) fn handler<M: Method, S: Storage>() -> MethodRouter<Shared<S>> {
    let handler = async |State(master): State<Shared<S>>,
                         speaker: Speaker,
                         external: ExternalUrl,
                         headers: HeaderMap,
                         body: Result<Bytes, BytesRejection>| {
        let sender = Sender {
            speaker,
            external,
            headers,
        };
        if !body.as_ref().is_ok_and(|body| body.len() > SHORT_BODY) {
            match read::<M, S>(&master, &sender, &body) {
                Ok((method, asker)) if method.may_be_elsewhere(&asker) => {}
                Ok((method, asker)) => {
                    let served = serve(&master, &asker, method).await;
                    return respond_to::<M>(served);
                }
                Err(problem) => return respond_to::<M>(Err(problem)),
            }
        }
        let work = move || respond_to::<M>(serve_slowly::<M, S>(&master, &sender, &body));
        respond::on_blocking_thread(M::PATH, work).await
    };
    let other_verb = async || Problem::new(StatusCode::METHOD_NOT_ALLOWED, "methods take POST");
    post(handler)
        .fallback(other_verb)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

fn respond_to<M: Method>(served: Result<M::Answer, Problem>) -> Response {
    let path = M::PATH;
    match served {
        Ok(answer) => {
            let status = M::status(&answer);
            log::debug!("{path} {}", status.as_u16());
            json(status, &answer)
        }
        Err(problem) => {
            let title = problem.title().to_owned();
            respond::logged(path, &title, problem.into_response())
        }
    }
}

/// The method in a request, and who asks.
fn read<'a, M: Method, S>(
    master: &'a Master<S>,
    sender: &'a Sender,
    body: &Result<Bytes, BytesRejection>,
) -> Result<(M, Asker<'a>), Problem> {
    check_headers(&sender.headers)?;
    let body = body.as_ref();
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let Object(method) = parameters::<Object<M>>(body)?;
    let asker = Asker {
        context: master.context(&sender.headers)?,
        external: &sender.external,
        speaker: &sender.speaker,
    };
    Ok((method, asker))
}

/// A method that is for us, as a part of the task.
async fn serve<M: Method, S: Storage>(
    master: &Master<S>,
    asker: &Asker<'_>,
    method: M,
) -> Result<M::Answer, Problem> {
    let storage = &master.storage;
    let serve = |records: &dyn Records| method.clone().serve(&Asked::new(asker, records));
    let answer = match M::WRITES {
        true => storage.write_async(serve).await,
        false => storage.read_async(serve).await,
    };
    Ok(answer?)
}

/// A method that may be for others, or is long.
fn serve_slowly<M: Method, S: Storage>(
    master: &Master<S>,
    sender: &Sender,
    body: &Result<Bytes, BytesRejection>,
) -> Result<M::Answer, Problem> {
    let (method, asker) = read::<M, S>(master, sender, body)?;
    let storage = &master.storage;
    let elsewhere = method.elsewhere(&asker, storage)?;
    let serve = |records: &dyn Records| method.clone().serve(&Asked::new(&asker, records));
    Ok(match elsewhere {
        Some(answer) => answer,
        None if M::WRITES => storage.write(serve)?,
        None => storage.read(serve)?,
    })
}

/// The parameters in a body. The error says where in it something is wrong.
fn parameters<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader);
    let read = read.map_err(|error| match error.path().iter().next() {
        Some(_) => format!("{}: {}", error.path(), error.inner()),
        None => error.inner().to_string(),
    });
    let ended = read.and_then(|method| {
        let end = reader.end().map(|()| method);
        end.map_err(|error| error.to_string())
    });
    ended.map_err(|message| Problem::new(StatusCode::BAD_REQUEST, shortened(&message)))
}

/// Both ends of a message: the beginning says where something is wrong, the end what was expected,
/// and between them a reader of JSON repeats what it found, however long that is.
fn shortened(message: &str) -> String {
    const HEAD: usize = 400;
    const TAIL: usize = 200;
    let length = message.chars().count();
    if length <= HEAD + TAIL {
        return message.to_owned();
    }
    let head: String = message.chars().take(HEAD).collect();
    let tail: String = message.chars().skip(length - TAIL).collect();
    format!("{head} … {tail}")
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.to_str().is_ok_and(is_json)) {
        let title = format!("the header Content-Type must be {JSON}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, title));
    }
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_some() && !accepted.any(|value| value.to_str().is_ok_and(accepts_json)) {
        let title = format!("answers are {JSON}, which the header Accept excludes");
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, title));
    }
    Ok(())
}

/// Whether a media type is JSON: `application/json`, or another one in JSON's syntax.
fn is_json(value: &str) -> bool {
    let kind = value.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let subtype = kind.strip_prefix("application/").unwrap_or_default();
    subtype == "json" || subtype.ends_with("+json")
}

/// Whether a value of the header Accept allows JSON; the empty value does.
fn accepts_json(value: &str) -> bool {
    value.trim().is_empty() || value.split(',').any(range_allows_json)
}

fn range_allows_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q="));
    let is_wanted = quality.is_none_or(|text| text.parse().is_ok_and(|quality: f32| quality > 0.0));
    is_wanted && [JSON, "application/*", "*/*"].contains(&kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_of_requests() {
        for value in [
            JSON,
            "APPLICATION/JSON; charset=utf-8",
            "application/x+json",
        ] {
            assert!(is_json(value), "{value}");
        }
        for value in [
            "",
            "text/json",
            "application/jsonp",
            "application/xml",
            "json",
        ] {
            assert!(!is_json(value), "{value}");
        }
    }

    #[test]
    fn accepted_media_types() {
        for value in [
            "",
            "*/*",
            "text/html, application/json;q=0.1",
            "application/*",
        ] {
            assert!(accepts_json(value), "{value}");
        }
        for value in ["text/html", "application/json;q=0", "json", "*/*; q=x"] {
            assert!(!accepts_json(value), "{value}");
        }
    }
}
