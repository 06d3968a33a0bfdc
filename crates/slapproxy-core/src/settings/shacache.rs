//! The network cache that slapproxy serves.

use std::path::PathBuf;

use slapos_config::{MissingParameters, Section, ValueError};

use super::SettingsError;

/// The network cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShacacheSettings {
    /// Where files are kept.
    pub content_directory: PathBuf,
    /// Where entries about them are kept.
    pub metadata_directory: PathBuf,
    /// The cache that is asked for files that are not here.
    pub upstream_cache_url: Option<String>,
    /// The directory that is asked for entries that are not here.
    pub upstream_directory_url: Option<String>,
}

impl ShacacheSettings {
    pub(super) fn from_section(section: &Section<'_>) -> Result<Option<Self>, SettingsError> {
        let content = section.get_path("shacache_content_directory")?;
        let metadata = section.get_path("shacache_metadata_directory")?;
        let missing = match (content, metadata) {
            (None, None) => return Ok(None),
            (Some(content_directory), Some(metadata_directory)) => {
                return Ok(Some(Self {
                    content_directory,
                    metadata_directory,
                    upstream_cache_url: url(section, "shacache_upstream_cache_url")?,
                    upstream_directory_url: url(section, "shacache_upstream_dir_url")?,
                }));
            }
            (None, Some(_)) => "shacache_content_directory of [slapproxy]",
            (Some(_), None) => "shacache_metadata_directory of [slapproxy]",
        };
        Err(MissingParameters(vec![missing]).into())
    }
}

fn url(section: &Section<'_>, key: &str) -> Result<Option<String>, ValueError> {
    let Some(url) = section.get_text(key)? else {
        return Ok(None);
    };
    let rest = url.strip_prefix("http://").or(url.strip_prefix("https://"));
    let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if has_host {
        Ok(Some(url))
    } else {
        Err(section.wrong(key, url, "an http or https URL"))
    }
}
