//! What slapformat is told by slapos.cfg and its options.

use std::path::PathBuf;

use slap_client::{Connection, UrlError};
use slapos_config::{ConfigFile, MissingParameters, ValueError};

/// What the command line says instead of the file.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The file that holds the computer.
    pub computer_xml: Option<PathBuf>,
    /// A definition of the computer to read.
    pub input_definition_file: Option<PathBuf>,
    /// A definition of the computer to write.
    pub output_definition_file: Option<PathBuf>,
    /// Whether users may be made.
    pub alter_user: Option<bool>,
    /// Whether interfaces may be changed.
    pub alter_network: Option<bool>,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Reference of the computer.
    pub computer_id: String,
    /// How to reach the master.
    pub master: Connection,
    /// Where releases live.
    pub software_root: PathBuf,
    /// Where partitions live.
    pub instance_root: PathBuf,
    /// The file that holds the computer.
    pub computer_xml: PathBuf,
    /// A definition of the computer to read.
    pub input_definition_file: Option<PathBuf>,
    /// A definition of the computer to write.
    pub output_definition_file: Option<PathBuf>,
    /// How many partitions there shall be.
    pub partition_amount: usize,
    /// Names of partitions begin with it.
    pub partition_base_name: String,
    /// Names of their users begin with it.
    pub user_base_name: String,
    /// Names of their taps begin with it.
    pub tap_base_name: String,
    /// Owner of the software root.
    pub software_user: String,
    /// The interface whose addresses partitions have.
    pub interface_name: Option<String>,
    /// The interface of their IPv6 addresses, if it is another one.
    pub ipv6_interface: Option<String>,
    /// Network of their IPv4 addresses.
    pub ipv4_local_network: String,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A parameter cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Something must be given and is not.
    #[error(transparent)]
    Missing(#[from] MissingParameters),
    /// `master_url` is no URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// This version does not do that yet, and silence would mislead.
    #[error(
        "{option} = True is not supported yet: make what is needed yourself and set {option} = False"
    )]
    Unsupported {
        /// The option.
        option: &'static str,
    },
}

/// Values of `[slapformat]`, else of `[slapos]`.
struct Lookup<'a>(&'a ConfigFile);

impl Lookup<'_> {
    fn text(&self, key: &str) -> Result<Option<String>, ValueError> {
        let own = self.0.section("slapformat").get_text(key)?;
        own.map_or_else(
            || self.0.section("slapos").get_text(key),
            |value| Ok(Some(value)),
        )
    }

    fn text_or(&self, key: &str, default: &str) -> Result<String, ValueError> {
        Ok(self.text(key)?.unwrap_or_else(|| default.to_owned()))
    }

    fn path(&self, key: &str) -> Result<Option<PathBuf>, ValueError> {
        Ok(self.text(key)?.map(PathBuf::from))
    }

    fn truth(&self, key: &str) -> Result<Option<bool>, ValueError> {
        let own = self.0.section("slapformat").get_bool(key)?;
        own.map_or_else(
            || self.0.section("slapos").get_bool(key),
            |value| Ok(Some(value)),
        )
    }
}

impl Settings {
    /// From `[slapformat]` and `[slapos]`.
    ///
    /// # Errors
    /// A parameter is missing or wrong, or asks for what this version cannot do.
    pub fn from_config(file: &ConfigFile, options: &Options) -> Result<Self, SettingsError> {
        let lookup = Lookup(file);
        let alter = [
            ("alter_user", options.alter_user),
            ("alter_network", options.alter_network),
        ];
        for (option, given) in alter {
            let configured = lookup.truth(option)?;
            if given.or(configured).unwrap_or(true) {
                return Err(SettingsError::Unsupported { option });
            }
        }
        let computer_xml = options
            .computer_xml
            .clone()
            .map_or_else(|| lookup.path("computer_xml"), |path| Ok(Some(path)))?;
        let required = [
            ("computer_id", lookup.text("computer_id")?),
            ("master_url", lookup.text("master_url")?),
            ("software_root", lookup.text("software_root")?),
            ("instance_root", lookup.text("instance_root")?),
            (
                "computer_xml",
                computer_xml.map(|path| path.to_string_lossy().into_owned()),
            ),
            ("partition_amount", lookup.text("partition_amount")?),
        ];
        let missing: Vec<_> = required
            .iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| *name)
            .collect();
        if !missing.is_empty() {
            return Err(MissingParameters(missing).into());
        }
        let [
            computer_id,
            master_url,
            software_root,
            instance_root,
            computer_xml,
            amount,
        ] = required.map(|(_, value)| value.unwrap_or_default());
        let section = file.section("slapformat");
        let partition_amount = amount
            .parse()
            .map_err(|_| section.wrong("partition_amount", amount, "a number of partitions"))?;
        let interface = lookup.text("interface_name")?;
        if interface.is_none() && lookup.text("bridge_name")?.is_some() {
            log::warn!("bridge_name is deprecated, write interface_name instead");
        }
        let interface =
            interface.map_or_else(|| lookup.text("bridge_name"), |name| Ok(Some(name)))?;
        let input = lookup.path("input_definition_file")?;
        let output = lookup.path("output_definition_file")?;
        Ok(Self {
            computer_id,
            master: master(&lookup, &master_url)?,
            software_root: software_root.into(),
            instance_root: instance_root.into(),
            computer_xml: computer_xml.into(),
            input_definition_file: options.input_definition_file.clone().or(input),
            output_definition_file: options.output_definition_file.clone().or(output),
            partition_amount,
            partition_base_name: lookup.text_or("partition_base_name", "slappart")?,
            user_base_name: lookup.text_or("user_base_name", "slapuser")?,
            tap_base_name: lookup.text_or("tap_base_name", "slaptap")?,
            software_user: lookup.text_or("software_user", "slapsoft")?,
            interface_name: interface,
            ipv6_interface: lookup.text("ipv6_interface")?,
            ipv4_local_network: lookup.text_or("ipv4_local_network", "10.0.0.0/16")?,
            dry_run: options.dry_run || lookup.truth("dry_run")?.unwrap_or(false),
        })
    }
}

/// The node's connection: its certificate is of use only with its key.
fn master(lookup: &Lookup<'_>, url: &str) -> Result<Connection, SettingsError> {
    let mut connection = Connection::to(url)?;
    match (lookup.path("cert_file")?, lookup.path("key_file")?) {
        (Some(certificate), Some(key)) => {
            connection = connection.client_certificate(certificate, key)
        }
        (Some(_), None) => return Err(MissingParameters(vec!["key_file"]).into()),
        (None, Some(_)) => return Err(MissingParameters(vec!["cert_file"]).into()),
        (None, None) => {}
    }
    if let Some(authority) = lookup.path("master_ca_file")? {
        connection = connection.master_ca_file(authority);
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const MINIMAL: &str = "[slapos]\ncomputer_id = C\nmaster_url = http://m/\nsoftware_root = /s\n\
        instance_root = /i\n[slapformat]\ncomputer_xml = /x\npartition_amount = 3\n\
        alter_user = False\nalter_network = False\n";

    fn settings(text: &str, options: &Options) -> Result<Settings, SettingsError> {
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
        Settings::from_config(&file, options)
    }

    #[test]
    fn defaults_and_options() {
        let options = Options {
            computer_xml: Some("/other".into()),
            ..Options::default()
        };
        let settings = settings(MINIMAL, &options).unwrap();
        assert_eq!(settings.partition_amount, 3);
        assert_eq!(settings.partition_base_name, "slappart");
        assert_eq!(settings.computer_xml, Path::new("/other"));
    }

    #[test]
    fn what_is_missing_wrong_or_not_done_is_named() {
        let without_amount = MINIMAL.replace("partition_amount = 3", "");
        let table = [
            (
                "[slapformat]\nalter_user = no\nalter_network = no".to_owned(),
                "computer_id, master_url, software_root, instance_root, computer_xml, partition_amount",
            ),
            (without_amount, "partition_amount"),
            (MINIMAL.replace("= 3", "= many"), "many"),
            (
                MINIMAL.replace("alter_user = False", "alter_user = perhaps"),
                "perhaps",
            ),
            (
                MINIMAL.replace("alter_user = False", ""),
                "alter_user = True is not supported",
            ),
            (
                MINIMAL.replace("alter_network = False", ""),
                "alter_network = True is not supported",
            ),
            (MINIMAL.replace("http://m/", "nonsense"), "nonsense"),
            (
                MINIMAL.replace("[slapformat]", "key_file = k\n[slapformat]"),
                "cert_file",
            ),
        ];
        for (text, part) in table {
            let error = settings(&text, &Options::default())
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
