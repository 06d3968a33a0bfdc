//! Other masters, to which requests are forwarded: sections `[multimaster/URL]`.

use std::path::PathBuf;

use slap_client::Connection;
use slap_proto::authorization::PartitionIdentity;
use slapos_config::{ConfigFile, Section};

use super::SettingsError;

/// What a section begins with whose rest is a master's URL.
const PREFIX: &str = "multimaster/";

/// Another master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultimasterSettings {
    /// Its URL.
    pub url: String,
    /// Certificate and key by which it knows us, PEM files.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// The only authorities trusted for its certificate, a PEM file; the system's if none.
    pub ca_file: Option<PathBuf>,
    /// The partition there that requests for us; a user's requests if none.
    pub requester: Option<PartitionIdentity>,
    /// The releases whose instances it shall host.
    pub software_releases: Vec<String>,
}

/// All sections, in the order of the file.
pub(super) fn from_config(file: &ConfigFile) -> Result<Vec<MultimasterSettings>, SettingsError> {
    let names = file.sections().filter(|name| name.starts_with(PREFIX));
    names
        .map(|name| from_section(&name[PREFIX.len()..], name, &file.section(name)))
        .collect()
}

fn from_section(
    url: &str,
    name: &str,
    section: &Section<'_>,
) -> Result<MultimasterSettings, SettingsError> {
    Connection::to(url).map(drop)?;
    let requester = both(name, section, "computer", "partition")?;
    let requester = requester.map(|(computer_id, partition_id)| PartitionIdentity {
        computer_id,
        partition_id,
    });
    let certificate = both(name, section, "cert", "key")?;
    Ok(MultimasterSettings {
        url: url.to_owned(),
        client_certificate: certificate
            .map(|(certificate, key)| (PathBuf::from(certificate), PathBuf::from(key))),
        ca_file: section.get_path("master_ca_file")?,
        requester,
        software_releases: section.get_lines("software_release_list")?,
    })
}

/// The values of two keys of which neither makes sense alone.
fn both(
    name: &str,
    section: &Section<'_>,
    first: &'static str,
    second: &'static str,
) -> Result<Option<(String, String)>, SettingsError> {
    let alone = |present, missing| {
        let section = name.to_owned();
        Err(SettingsError::Half {
            section,
            present,
            missing,
        })
    };
    match (section.get_text(first)?, section.get_text(second)?) {
        (Some(left), Some(right)) => Ok(Some((left, right))),
        (None, None) => Ok(None),
        (Some(_), None) => alone(first, second),
        (None, Some(_)) => alone(second, first),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn settings(text: &str) -> Result<Vec<MultimasterSettings>, SettingsError> {
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
        from_config(&file)
    }

    #[test]
    fn every_section_is_a_master_however_its_keys_are_spelt() {
        let text = "[slapos]\n[multimaster/https://one/]\nkey = k\ncert = c\nmaster-ca-file = a\n\
            [multimaster/http://two]\ncomputer = C\npartition = p\n\
            software-release-list =\n  http://sr/one\n  /path/of two\n";
        let found = settings(text).unwrap();
        let urls: Vec<_> = found.iter().map(|master| &*master.url).collect();
        assert_eq!(urls, ["https://one/", "http://two"]);
        let files = Some(("c".into(), "k".into()));
        assert_eq!(found[0].client_certificate, files);
        assert_eq!(found[0].ca_file.as_deref(), Some(Path::new("a")));
        assert_eq!(found[0].requester, None);
        assert_eq!(
            found[1].software_releases,
            ["http://sr/one", "/path/of two"]
        );
        let requester = found[1].requester.as_ref().unwrap();
        assert_eq!(
            (&*requester.computer_id, &*requester.partition_id),
            ("C", "p")
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_section() {
        let table = [
            ("[multimaster/ftp://x/]", "ftp://x/"),
            ("[multimaster/]", "no URL of a master"),
            (
                "[multimaster/http://x/]\nkey = k",
                "key of [multimaster/http://x/] needs cert",
            ),
            ("[multimaster/http://x/]\npartition = p", "needs computer"),
        ];
        for (text, part) in table {
            let error = settings(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
