//! The preference `wait` (RFC 7240, 4.3): how long a client has time for an answer.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

/// What a client would like.
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// What of that was done.
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How long the client would wait; of several, the first counts. What is no number is ignored, as
/// unknown preferences are.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let lists = headers.get_all(PREFER).iter();
    let mut preferences = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|preference| preference.split(';').next()?.split_once('='));
    let (_, seconds) = preferences.find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))?;
    let seconds = seconds.trim().trim_matches('"').parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wait_counts() {
        let table = [
            (&["wait=10"][..], Some(10)),
            (&["respond-async, WAIT = \"7\"; why=that"], Some(7)),
            (&["return=minimal", "wait=1, wait=2"], Some(1)),
            (&["wait=0"], Some(0)),
            (&["wait"], None),
            (&["wait=soon"], None),
            (&["wait=-1"], None),
            (&["wait=99999999999999999999"], None),
            (&["await=5"], None),
            (&[], None),
        ];
        for (values, seconds) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(PREFER, value.parse().unwrap());
            }
            assert_eq!(
                wait(&headers),
                seconds.map(Duration::from_secs),
                "{values:?}"
            );
        }
    }
}
