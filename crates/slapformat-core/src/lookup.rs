//! Values of `[slapformat]`, else of `[slapos]`.

use std::path::PathBuf;
use std::str::FromStr;

use slapos_config::{ConfigFile, Section, ValueError};

/// Parameters that `[slapformat]` may have, of which some usually are in `[slapos]`.
const KNOWN: [&str; 34] = [
    "alter_network",
    "alter_user",
    "bridge_name",
    "cert_file",
    "computer_id",
    "computer_xml",
    "create_tap",
    "create_tun",
    "dry_run",
    "input_definition_file",
    "instance_root",
    "instance_storage_home",
    "interface_name",
    "ipv4_local_network",
    "ipv6_interface",
    "ipv6_prefixshift",
    "key_file",
    "log_file",
    "master_ca_file",
    "master_url",
    "no_bridge",
    "now",
    "output_definition_file",
    "partition_amount",
    "partition_base_name",
    "partition_has_ipv6_range",
    "software_root",
    "software_user",
    "tap_base_name",
    "tap_gateway_interface",
    "tap_ipv6",
    "tun_base_name",
    "tun_ipv6",
    "user_base_name",
];

/// Looks up the parameters of slapformat.
pub(crate) struct Lookup<'a>(pub(crate) &'a ConfigFile);

impl<'a> Lookup<'a> {
    fn first<T>(
        &self,
        look: impl Fn(Section<'a>) -> Result<Option<T>, ValueError>,
    ) -> Result<Option<T>, ValueError> {
        match look(self.0.section("slapformat"))? {
            Some(value) => Ok(Some(value)),
            None => look(self.0.section("slapos")),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, ValueError> {
        self.first(|section| section.get_text(key))
    }

    pub(crate) fn text_or(&self, key: &str, default: &str) -> Result<String, ValueError> {
        Ok(self.text(key)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(crate) fn path(&self, key: &str) -> Result<Option<PathBuf>, ValueError> {
        self.first(|section| section.get_path(key))
    }

    pub(crate) fn truth(&self, key: &str) -> Result<Option<bool>, ValueError> {
        self.first(|section| section.get_bool(key))
    }

    pub(crate) fn truth_or(&self, key: &str, default: bool) -> Result<bool, ValueError> {
        Ok(self.truth(key)?.unwrap_or(default))
    }

    pub(crate) fn parsed_or<T: FromStr>(
        &self,
        key: &str,
        default: T,
        expected: &'static str,
    ) -> Result<T, ValueError> {
        let value = self.first(|section| section.get_parsed(key, expected))?;
        Ok(value.unwrap_or(default))
    }

    /// Parameters of `[slapformat]` that nothing reads, each as a message.
    pub(crate) fn unknown(&self) -> Vec<String> {
        let section = self.0.section("slapformat");
        let is_known = |key: &str| KNOWN.contains(&key.replace('-', "_").as_str());
        let unknown = section.keys().filter(|key| !is_known(key));
        unknown
            .map(|key| format!("{key} of [slapformat] has no effect: is it mistyped?"))
            .collect()
    }

    pub(crate) fn wrong(&self, key: &str, value: String, expected: &'static str) -> ValueError {
        self.0.section("slapformat").wrong(key, value, expected)
    }
}
