//! Answers that have versions: nothing is made for a client that has the answer already, and it may
//! wait until there is another one.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::prefer::{self, PREFERENCE_APPLIED};
use super::waiting::Woken;
use super::{Master, condition, respond};
use crate::MasterError;
use crate::master::{Context, Serve};
use crate::storage::{Records, Storage};

/// What came of waiting.
struct Waited<'a> {
    /// How long it was to be. `None` if others needed the connection: told that it was not waited
    /// for, the client does not come back at once.
    time: Option<Duration>,
    /// The tag of the answer that the client has, and that nothing has changed since.
    known: Option<HeaderValue>,
    /// Where something has changed, others have their turn at the database later.
    _turn: Option<SemaphorePermit<'a>>,
}

/// Answers a call that changes nothing.
pub(super) async fn serve<C: Serve, S: Storage>(
    master: &Master<S>,
    context: &Context<'_>,
    headers: &HeaderMap,
    call: C,
) -> Result<Response, MasterError> {
    let waited = wait(master, context, headers, &call).await?;
    let known = match &waited {
        Some(waited) => waited.known.clone(),
        None => known(master, context, headers, &call).await?,
    };
    let (mut response, tag) = match known {
        Some(tag) => (StatusCode::NOT_MODIFIED.into_response(), Some(tag)),
        None => {
            let found = master.storage.read_async(|records| {
                // Of the same snapshot as the answer.
                let tag = tag(&call, context, records)?;
                Ok((call.clone().serve(context, records)?, tag))
            });
            let (answer, tag) = found.await?;
            (respond::to_response(answer)?, tag)
        }
    };
    if let Some(tag) = tag {
        set_tag(response.headers_mut(), tag);
    }
    let time = waited.and_then(|waited| waited.time);
    let applied = time.map(|time| format!("wait={}", time.as_secs()));
    if let Some(applied) = applied.and_then(|text| text.parse().ok()) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}

/// The tag of the answer that the client has, if there is no other one by now.
async fn known<C: Serve, S: Storage>(
    master: &Master<S>,
    context: &Context<'_>,
    headers: &HeaderMap,
    call: &C,
) -> Result<Option<HeaderValue>, MasterError> {
    if !headers.contains_key(IF_NONE_MATCH) {
        return Ok(None);
    }
    let current = master
        .storage
        .glance_async(|records| tag(call, context, records));
    let current = current.await?;
    Ok(current.filter(|tag| condition::names(headers, &IF_NONE_MATCH, tag)))
}

/// Waits until the answer is another one than the client has, if it wants to wait: as long as it
/// says, or as it may. `None` if it does not want to, or cannot.
async fn wait<'a, C: Serve, S: Storage>(
    master: &'a Master<S>,
    context: &Context<'_>,
    headers: &HeaderMap,
    call: &C,
) -> Result<Option<Waited<'a>>, MasterError> {
    let longest = master.waiting.longest();
    let time = prefer::wait(headers).map(|time| time.min(longest));
    let (Some(computer), Some(time)) = (call.awaited(), time.filter(|it| !it.is_zero())) else {
        return Ok(None);
    };
    let Some(mut place) = master.waiting.place(computer) else {
        return Ok(None);
    };
    let _counted = master.metrics.waiting();
    let deadline = Instant::now() + time;
    let waited = |time, known, turn| {
        Ok(Some(Waited {
            time,
            known,
            _turn: turn,
        }))
    };
    loop {
        let turn = master.waiting.turn().await;
        let known = known(master, context, headers, call).await?;
        if known.is_none() {
            return waited(Some(time), None, turn);
        }
        drop(turn);
        match place.sees_change(deadline).await {
            Woken::Change => {}
            Woken::Nothing => return waited(Some(time), known, None),
            Woken::Early => return waited(None, known, None),
        }
    }
}

/// The strong entity tag (RFC 9110, 8.8.3) of the answer, by its version. Another release of this
/// program may write the same document in other bytes.
fn tag<C: Serve>(
    call: &C,
    context: &Context<'_>,
    records: &dyn Records,
) -> Result<Option<HeaderValue>, MasterError> {
    let version = call.version(context, records)?;
    let tag = |version| format!("\"{}-{version}\"", env!("CARGO_PKG_VERSION"));
    Ok(version.and_then(|version| tag(version).try_into().ok()))
}

/// Notes the tag: 304 has the same headers as 200 would have (RFC 9110, 15.4.5).
fn set_tag(headers: &mut HeaderMap, tag: HeaderValue) {
    headers.insert(ETAG, tag);
    // It holds secrets, and is old as soon as something changes.
    let private = HeaderValue::from_static("private, no-cache");
    headers.insert(CACHE_CONTROL, private);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
}
