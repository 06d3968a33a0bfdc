//! Answers that the client may know already (RFC 9110, 13), and for whose change the master may wait
//! (RFC 7240, 4.3).

use std::time::Duration;

use ureq::RequestBuilder;
use ureq::http::HeaderMap;
use ureq::typestate::WithoutBody;

/// The status of an answer that the client knows.
pub(crate) const NOT_MODIFIED: u16 = 304;

/// What a master calls an answer: when it answers something else, it calls that something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(String);

/// An answer that the client may have known.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Refreshed<T> {
    /// The answer; `None`: that of the tag which the client has named is right still.
    pub value: Option<T>,
    /// What the master calls its answer; `None` of masters that have no tags.
    pub tag: Option<EntityTag>,
    /// Whether the master waits for a change when it is asked to.
    pub waits: bool,
}

/// When the client wants an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Condition {
    /// The tag of the answer that it has, to which another is wanted.
    pub(crate) known: Option<EntityTag>,
    /// How long the master may wait for another one.
    pub(crate) wait: Duration,
}

impl Condition {
    /// Adds the condition to a request whose answer may otherwise take that long.
    pub(crate) fn set(
        &self,
        mut request: RequestBuilder<WithoutBody>,
        timeout: Duration,
    ) -> RequestBuilder<WithoutBody> {
        if let Some(EntityTag(known)) = &self.known {
            request = request.header("If-None-Match", known);
        }
        let seconds = self.wait.as_secs();
        if seconds == 0 {
            return request;
        }
        let timeout = timeout.saturating_add(self.wait);
        let request = request.config().timeout_global(Some(timeout)).build();
        request.header("Prefer", format!("wait={seconds}"))
    }

    /// That the client knows the answer.
    pub(crate) fn unchanged<T>(&self, headers: &HeaderMap) -> Refreshed<T> {
        Refreshed {
            value: None,
            tag: tag(headers).or_else(|| self.known.clone()),
            waits: waits(headers),
        }
    }
}

impl<T> Refreshed<T> {
    /// An answer that is new.
    pub(crate) fn answer(headers: &HeaderMap, value: T) -> Self {
        Self {
            value: Some(value),
            tag: tag(headers),
            waits: waits(headers),
        }
    }

    /// The same with the answer as something else.
    pub(crate) fn try_map<U, E>(
        self,
        read: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Refreshed<U>, E> {
        Ok(Refreshed {
            value: self.value.map(read).transpose()?,
            tag: self.tag,
            waits: self.waits,
        })
    }
}

fn tag(headers: &HeaderMap) -> Option<EntityTag> {
    let tag = headers.get("ETag")?.to_str().ok()?;
    Some(EntityTag(tag.to_owned()))
}

fn waits(headers: &HeaderMap) -> bool {
    let applied = headers.get_all("Preference-Applied").iter();
    let mut applied = applied.filter_map(|value| value.to_str().ok());
    applied.any(|value| value.trim_start().starts_with("wait="))
}
