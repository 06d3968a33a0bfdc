//! Which release a user means.

use std::error::Error;

use slap_client::Slap;
use slapos_cli::Aliases;
use slapos_config::ConfigFile;

/// What stands before the reference of a product.
const PRODUCT: &str = "product.";

/// A product without a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the master knows no release of the product {0}")]
pub struct NoRelease(String);

/// The URL of a release that a user names: by an alias of `[slapconsole]`, as `product.NAME`, whose
/// newest release the master knows, or by its URL.
///
/// # Errors
/// The aliases cannot be read, or the master knows no release of the product.
pub(crate) fn release_url(
    slap: &Slap,
    file: &ConfigFile,
    name: &str,
) -> Result<String, Box<dyn Error>> {
    let aliases = Aliases::of(file)?;
    let name = aliases.resolve(name);
    let Some(product) = name.strip_prefix(PRODUCT) else {
        return Ok(name.to_owned());
    };
    let releases = slap.software_release_list_of_product(product)?;
    let newest = releases.into_iter().next();
    Ok(newest.ok_or_else(|| NoRelease(product.to_owned()))?)
}
