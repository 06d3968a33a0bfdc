//! What the cache has of something, for people to read.

use md5::{Digest as _, Md5};

use crate::client::{ClientError, Patience};
use crate::entry::{Description, Entry};
use crate::platform::Platform;
use crate::release::look_up;
use crate::settings::{Servers, Settings};
use crate::{Cancelled, Unusable};

/// In place of what an entry does not say.
const UNKNOWN: &str = "?";

/// The MD5 of a URL in hexadecimal: the key of a release, and the name of its directory.
pub fn url_key(url: &str) -> String {
    let digest = Md5::digest(url.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text can be the key of a release.
pub(crate) fn is_key(text: &str) -> bool {
    let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 32 && text.bytes().all(digit)
}

/// What the cache has of something cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// A request failed.
    #[error("the cache cannot be asked")]
    Client(#[from] ClientError),
    /// There is nothing of it.
    #[error("the cache has nothing of {0}")]
    Missing(String),
}

/// What the binary cache has of a release, given by its URL or the MD5 of that: a table of entries, each
/// with whether it fits a node with this software root, or why not, and whether it is trusted.
///
/// # Errors
/// The directory cannot be asked, or has nothing.
pub fn describe_release(
    servers: &Servers,
    settings: &Settings,
    software_root: Option<&str>,
    release: &str,
    cancelled: Cancelled<'_>,
) -> Result<String, LookupError> {
    let key = release.to_lowercase();
    let key = if is_key(&key) { key } else { url_key(release) };
    let entries = find(servers, &key, release, cancelled)?;
    let header = [
        "machine",
        "distribution",
        "software root",
        "fits?",
        "verified?",
        "sha512",
    ];
    let platform = Platform::detect();
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut url = None;
    for entry in &entries {
        let said = described(entry.as_ref());
        let fits = said.as_ref().map_err(Clone::clone).and_then(|said| {
            said.check_platform(&platform)?;
            said.check_key(&key)?;
            software_root.map_or(Ok(()), |root| said.check_root(root))
        });
        let said = said.unwrap_or_default();
        url = url.or_else(|| said.text("software_url").map(str::to_owned));
        rows.push(vec![
            said.machine().unwrap_or(UNKNOWN).to_owned(),
            distribution(&said),
            said.text("software_root").unwrap_or(UNKNOWN).to_owned(),
            yes_or_why(fits),
            verified(entry.as_ref(), settings),
            said.text("sha512").unwrap_or(UNKNOWN).to_owned(),
        ]);
    }
    let url = url.unwrap_or_else(|| UNKNOWN.to_owned());
    Ok(format!(
        "Software URL: {}\nMD5:          {key}\n{}",
        printable(&url),
        table(&rows)
    ))
}

/// What the cache has of a file that was downloaded from a URL.
///
/// # Errors
/// The directory cannot be asked, or has nothing.
pub fn describe_file(
    servers: &Servers,
    settings: &Settings,
    url: &str,
    cancelled: Cancelled<'_>,
) -> Result<String, LookupError> {
    let key = format!("file-urlmd5:{}", url_key(url));
    let entries = find(servers, &key, url, cancelled)?;
    let mut rows = vec![["url", "sha512", "verified?"].map(str::to_owned).to_vec()];
    for entry in &entries {
        let said = described(entry.as_ref()).unwrap_or_default();
        rows.push(vec![
            said.text("url").unwrap_or(UNKNOWN).to_owned(),
            said.text("sha512").unwrap_or(UNKNOWN).to_owned(),
            verified(entry.as_ref(), settings),
        ]);
    }
    Ok(format!(
        "Source URL: {}\nKey:        {key}\n{}",
        printable(url),
        table(&rows)
    ))
}

/// The entries of a key, of which there must be one.
fn find(
    servers: &Servers,
    key: &str,
    what: &str,
    cancelled: Cancelled<'_>,
) -> Result<Vec<Option<Entry>>, LookupError> {
    let entries = look_up(servers, key, Patience::default(), cancelled)?;
    match entries.is_empty() {
        true => Err(LookupError::Missing(what.to_owned())),
        false => Ok(entries),
    }
}

fn distribution(said: &Description) -> String {
    let Some(os) = said.distribution() else {
        return UNKNOWN.to_owned();
    };
    let text = [os.name, os.version, os.codename].join(" ");
    text.trim_end().to_owned()
}

fn described(entry: Option<&Entry>) -> Result<Description, Unusable> {
    entry.ok_or(Unusable::Pair)?.unverified()
}

/// How an entry is signed, if that counts.
fn verified(entry: Option<&Entry>, settings: &Settings) -> String {
    let verified = entry.ok_or(Unusable::Pair).and_then(|entry| {
        let (description, algorithm) = entry.verify(&settings.trust)?;
        description.digest().map(|_| algorithm)
    });
    match verified {
        Ok(algorithm) => format!("yes ({algorithm})"),
        Err(reason) => format!("no: {reason}"),
    }
}

fn yes_or_why(result: Result<(), Unusable>) -> String {
    match result {
        Ok(()) => "yes".to_owned(),
        Err(reason) => format!("no: {reason}"),
    }
}

/// Columns between two spaces, as wide as they must be.
fn table(rows: &[Vec<String>]) -> String {
    let rows = rows
        .iter()
        .map(|row| row.iter().map(|cell| printable(cell)));
    let rows: Vec<Vec<_>> = rows.map(Iterator::collect).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(move |row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        text = text + cells.join("  ").trim_end() + "\n";
    }
    text
}

/// What comes from the network must not control the terminal.
fn printable(text: &str) -> String {
    let characters = text
        .chars()
        .map(|one| if one.is_control() { '?' } else { one });
    characters.collect()
}
