//! What the cache has of something, for people to read.

use md5::{Digest as _, Md5};

use crate::client::Patience;
use crate::entry::{Description, Entry};
use crate::platform::Platform;
use crate::release::{FetchError, look_up};
use crate::settings::{Servers, Settings};
use crate::{Cancelled, Unusable};

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

/// What the binary cache has of a release, given by its URL or the MD5 of that: a table of entries, each
/// with whether this node could use it, or why not.
///
/// # Errors
/// The directory cannot be asked, or has nothing.
pub fn describe_release(
    servers: &Servers,
    settings: &Settings,
    release: &str,
    cancelled: Cancelled<'_>,
) -> Result<String, FetchError> {
    let key = release.to_lowercase();
    let key = if is_key(&key) { key } else { url_key(release) };
    let platform = Platform::detect();
    let entries = look_up(servers, &key, Patience::default(), cancelled)?;
    let header = [
        "machine",
        "distribution",
        "software root",
        "compatible?",
        "verified?",
        "sha512",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut url = None;
    for entry in &entries {
        let said = described(entry.as_ref());
        let text = |name| {
            said.as_ref()
                .ok()
                .and_then(|said| said.text(name))
                .unwrap_or("?")
        };
        url = url.or(Some(text("software_url").to_owned()).filter(|url| url != "?"));
        let compatible = said.as_ref().map_err(Clone::clone);
        let compatible = compatible.and_then(|said| said.check_platform(&platform));
        let distribution = said.as_ref().ok().and_then(Description::distribution);
        rows.push(vec![
            said.as_ref()
                .ok()
                .and_then(Description::machine)
                .unwrap_or("?")
                .to_owned(),
            distribution.map_or_else(
                || "?".to_owned(),
                |os| {
                    [os.name, os.version, os.codename]
                        .join(" ")
                        .trim_end()
                        .to_owned()
                },
            ),
            text("software_root").to_owned(),
            yes_or_why(compatible),
            verified(entry.as_ref(), settings),
            text("sha512").to_owned(),
        ]);
    }
    let url = url.unwrap_or_else(|| "?".to_owned());
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
) -> Result<String, FetchError> {
    let key = format!("file-urlmd5:{}", url_key(url));
    let entries = look_up(servers, &key, Patience::default(), cancelled)?;
    let mut rows = vec![["url", "sha512", "verified?"].map(str::to_owned).to_vec()];
    for entry in &entries {
        let said = described(entry.as_ref()).ok();
        let text = |name| {
            said.as_ref()
                .and_then(|said| said.text(name))
                .unwrap_or("?")
        };
        rows.push(vec![
            text("url").to_owned(),
            text("sha512").to_owned(),
            verified(entry.as_ref(), settings),
        ]);
    }
    Ok(format!(
        "Source URL: {}\nKey:        {key}\n{}",
        printable(url),
        table(&rows)
    ))
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
