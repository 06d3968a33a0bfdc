//! Asking another cache for what this one does not have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::contents::LARGEST;
use super::entries::LARGEST_LIST;
use super::{Contents, Digest, EntriesError, Entry, Key, UploadError};
use crate::settings::ShacacheSettings;

/// For a connection, and for the head of an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// For a whole file.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(3600);
/// What a key may hold and need not be escaped for in a URL.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Another cache and its directory.
#[derive(Debug)]
pub(super) struct Upstream {
    cache: Option<String>,
    directory: Option<String>,
    agent: Agent,
    /// Held while a file is fetched: who wants the same one meanwhile waits for it.
    turns: Mutex<HashMap<Digest, Weak<Mutex<()>>>>,
}

/// Nothing could be had from upstream, or not be kept here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum UpstreamError {
    /// It cannot be reached.
    #[error("cannot reach {url}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// It answered something else than success or 404.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// It answered something else than entries.
    #[error("{url} holds no list of entries")]
    Json {
        /// What was asked for.
        url: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The file did not come as a whole, is another one, or cannot be kept.
    #[error("cannot take {url}")]
    Content {
        /// What was asked for.
        url: String,
        /// Why.
        source: UploadError,
    },
    /// Entries of ours cannot be read or kept.
    #[error(transparent)]
    Entries(#[from] EntriesError),
}

impl Upstream {
    pub(super) fn new(settings: &ShacacheSettings) -> Self {
        let roots = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_recv_body(Some(LONGEST_DOWNLOAD))
            .user_agent(concat!("slapproxy/", env!("CARGO_PKG_VERSION")))
            .tls_config(roots.build())
            .build();
        Self {
            cache: settings.upstream_cache_url.clone(),
            directory: settings.upstream_directory_url.clone(),
            agent: agent.into(),
            turns: Mutex::default(),
        }
    }

    pub(super) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    pub(super) fn has_directory(&self) -> bool {
        self.directory.is_some()
    }

    /// Keeps the file of that digest; says whether there is one.
    pub(super) fn fetch_content(
        &self,
        digest: &Digest,
        contents: &Contents,
    ) -> Result<bool, UpstreamError> {
        let Some(base) = &self.cache else {
            return Ok(false);
        };
        let turn = self.turn(digest);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if contents.has(digest) {
            return Ok(true);
        }
        let url = join(base, digest.as_str());
        let Some(body) = self.get(&url)? else {
            return Ok(false);
        };
        let url = shown(&url);
        let reader = body.into_with_config().limit(LARGEST + 1).reader();
        let kept = contents.receive(reader, Some(digest));
        kept.map(|_| true)
            .map_err(|source| UpstreamError::Content { url, source })
    }

    /// The entries of a key; `None` if it has none.
    pub(super) fn fetch_entries(&self, key: &Key) -> Result<Option<Vec<Entry>>, UpstreamError> {
        let Some(base) = &self.directory else {
            return Ok(None);
        };
        let url = join(
            base,
            &utf8_percent_encode(key.as_str(), ESCAPED).to_string(),
        );
        let Some(mut body) = self.get(&url)? else {
            return Ok(None);
        };
        let json = body.with_config().limit(LARGEST_LIST).read_to_vec();
        let json = json.map_err(unreachable(&url))?;
        let entries = serde_json::from_slice(&json).map_err(|source| UpstreamError::Json {
            url: shown(&url),
            source,
        });
        let entries: Vec<Entry> = entries?;
        Ok(Some(entries).filter(|entries| !entries.is_empty()))
    }

    /// The body of a success, `None` for 404.
    fn get(&self, url: &str) -> Result<Option<ureq::Body>, UpstreamError> {
        log::info!("asking {}", shown(url));
        let answer = self.agent.get(url).call().map_err(unreachable(url))?;
        match answer.status().as_u16() {
            200 => Ok(Some(answer.into_body())),
            404 => Ok(None),
            status => Err(UpstreamError::Status {
                url: shown(url),
                status,
            }),
        }
    }

    fn turn(&self, digest: &Digest) -> Arc<Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(digest).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(digest.clone(), Arc::downgrade(&turn));
        turn
    }
}

fn unreachable(url: &str) -> impl FnOnce(ureq::Error) -> UpstreamError {
    |source| UpstreamError::Unreachable {
        url: shown(url),
        source: Box::new(source),
    }
}

fn join(base: &str, name: &str) -> String {
    format!("{}/{name}", base.trim_end_matches('/'))
}

/// A URL without user and password.
fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let host = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(host);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("http://u:p@h:1/a@b"), "http://h:1/a@b");
        assert_eq!(shown("https://h/a"), "https://h/a");
    }

    #[test]
    fn names_are_appended_to_the_path() {
        assert_eq!(join("http://h/cache/", "x"), "http://h/cache/x");
        assert_eq!(join("http://h", "x"), "http://h/x");
    }
}
