//! Which release a user means.

use std::error::Error;

use slap_client::{ClientError, Slap};
use slapos_cli::Aliases;
use slapos_config::ConfigFile;

/// What stands before the reference of a product.
const PRODUCT: &str = "product.";

/// A release cannot be had by its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The master could not be asked.
    #[error(transparent)]
    Call(#[from] ClientError),
    /// A product without a release.
    #[error("the master knows no release of the product {0}")]
    None(String),
    /// Neither a URL nor a path nor a short name: most likely an alias, mistyped.
    #[error("{name} is no URL, and no alias of [slapconsole]; {}", there_are(.aliases))]
    Unknown {
        /// What was typed.
        name: String,
        /// The aliases that there are.
        aliases: Vec<String>,
    },
}

fn there_are(aliases: &[String]) -> String {
    match aliases {
        [] => "there is none".to_owned(),
        [alias] => format!("there is {alias}"),
        aliases => format!("there are {}", aliases.join(", ")),
    }
}

/// What may be the name of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// What can be one.
    Known,
    /// Anything: a release that was asked for by a mistake can be removed by it, too.
    Any,
}

/// The URL of a release that a user names: by an alias of `[slapconsole]`, as `product.NAME`, whose
/// newest release the master knows, or by its URL.
///
/// # Errors
/// The aliases cannot be read, the name can be none, or the master knows no release of the product.
pub(crate) fn release_url(
    slap: &Slap,
    file: &ConfigFile,
    name: &str,
    naming: Naming,
) -> Result<String, Box<dyn Error>> {
    let aliases = Aliases::of(file)?;
    let url = aliases.resolve(name);
    if let Some(product) = url.strip_prefix(PRODUCT) {
        return Ok(newest_release(slap, product)?);
    }
    if naming == Naming::Known && !url.contains([':', '/']) {
        let unknown = ReleaseError::Unknown {
            name: url.to_owned(),
            aliases: aliases.iter().map(|(alias, _)| alias.to_owned()).collect(),
        };
        return Err(unknown.into());
    }
    Ok(url.to_owned())
}

/// The URL of the newest release of a product.
///
/// # Errors
/// The call failed, or the master knows none.
pub fn newest_release(slap: &Slap, product: &str) -> Result<String, ReleaseError> {
    let releases = slap.software_release_list_of_product(product)?;
    let newest = releases.into_iter().next();
    newest.ok_or_else(|| ReleaseError::None(product.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use slap_client::Connection;

    use super::*;

    #[test]
    fn a_mistyped_alias_is_refused_unless_it_is_to_be_removed() {
        let slap = Connection::to("http://127.0.0.1:1/").unwrap();
        let slap = slap.open().unwrap();
        let text = b"[slapconsole]\nalias =\n  hello http://h/\n  tick /t.cfg\n";
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text).unwrap();
        let url = |name, naming| {
            let url = release_url(&slap, &file, name, naming);
            url.map_err(|error| error.to_string())
        };
        for (name, expected) in [
            ("hello", "http://h/"),
            ("tick", "/t.cfg"),
            ("./t.cfg", "./t.cfg"),
            ("urn:t", "urn:t"),
        ] {
            assert_eq!(url(name, Naming::Known).as_deref(), Ok(expected));
        }
        let expected = "helo is no URL, and no alias of [slapconsole]; there are hello, tick";
        assert_eq!(url("helo", Naming::Known).unwrap_err(), expected);
        assert_eq!(url("helo", Naming::Any).as_deref(), Ok("helo"));
    }
}
