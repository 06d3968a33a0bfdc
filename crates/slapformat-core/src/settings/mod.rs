//! What slapformat is told by slapos.cfg and its options.

mod check;

use std::path::PathBuf;

use ipnet::Ipv4Net;
use slap_client::{Connection, UrlError};
use slapos_config::{ConfigFile, MissingParameters, ValueError};
use slapos_fs::InvalidFileName;

use crate::lookup::Lookup;
use crate::names::InvalidName;

/// Bits by which the subnets of partitions are longer than the network of the interface.
const PREFIX_SHIFT: u8 = 16;
/// Most partitions that can be asked for: as many subnets has a partition's share of 16 bits.
const MOST_PARTITIONS: usize = (1 << 14) - 2;

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
    /// URL of the master, as it was given.
    pub master_url: String,
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
    /// Names of their tuns begin with it.
    pub tun_base_name: String,
    /// Owner of the software root.
    pub software_user: String,
    /// The interface whose addresses partitions have.
    pub interface_name: Option<String>,
    /// The interface of their IPv6 addresses, if it is another one.
    pub ipv6_interface: Option<String>,
    /// Network of their IPv4 addresses.
    pub ipv4_local_network: Ipv4Net,
    /// Directory whose subdirectories are disks with room for the data of partitions.
    pub instance_storage_home: Option<PathBuf>,
    /// Holds a directory for each event, whose programs are told of it.
    pub hooks_directory: Option<PathBuf>,
    /// Whether users are made.
    pub alter_user: bool,
    /// Whether interfaces are changed.
    pub alter_network: bool,
    /// Whether each partition has a tap.
    pub create_tap: bool,
    /// Whether taps have an IPv6 network each; unset: unless they belong to a bridge.
    pub tap_ipv6: Option<bool>,
    /// The interface whose IPv4 network the taps share, if they have IPv4 addresses.
    pub tap_gateway_interface: Option<String>,
    /// Whether each partition has a tun.
    pub create_tun: bool,
    /// Whether tuns have an IPv6 network each.
    pub tun_ipv6: bool,
    /// Bits by which the subnets of partitions are longer than the network of the interface.
    pub ipv6_prefixshift: u8,
    /// Whether each partition has a range of IPv6 addresses; unset: if there is room.
    pub partition_has_ipv6_range: Option<bool>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Deprecated parameters that are used, each as a message.
    pub warnings: Vec<String>,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A parameter cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Something must be given and is not.
    #[error("{0} (of [slapformat] or [slapos])")]
    Missing(MissingParameters),
    /// `master_url` is no URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Partitions would have names that are no file names.
    #[error("partition_base_name cannot be used")]
    Name(#[from] InvalidFileName),
    /// Names that the system would not take.
    #[error("{key} = {value}: {problem}")]
    SystemName {
        /// The parameter.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with the longest name made of it.
        problem: InvalidName,
    },
    /// Two things would have one name.
    #[error("{first} and {second} would both name {name}: change one of them")]
    SameName {
        /// A parameter.
        first: &'static str,
        /// Another one.
        second: &'static str,
        /// What both name.
        name: String,
    },
    /// A path that depends on where the program is started.
    #[error("{key} = {}: it must be an absolute path", .value.display())]
    Relative {
        /// The parameter.
        key: &'static str,
        /// Its value.
        value: PathBuf,
    },
}

impl From<MissingParameters> for SettingsError {
    fn from(missing: MissingParameters) -> Self {
        Self::Missing(missing)
    }
}

impl Settings {
    /// From `[slapformat]` and `[slapos]`.
    ///
    /// # Errors
    /// A parameter is missing or wrong.
    pub fn from_config(file: &ConfigFile, options: &Options) -> Result<Self, SettingsError> {
        let lookup = Lookup(file);
        let required = Required::read(&lookup, options)?;
        let mut warnings = lookup.unknown();
        let interface_name = interface_name(&lookup, &mut warnings)?;
        let create_tap = create_tap(&lookup, &mut warnings)?;
        let input = lookup.path("input_definition_file")?;
        let output = lookup.path("output_definition_file")?;
        let alter = |key, given: Option<bool>| {
            given.map_or_else(|| lookup.truth_or(key, true), Ok::<_, ValueError>)
        };
        let settings = Self {
            computer_id: required.computer_id,
            master: master(&lookup, &required.master_url)?,
            master_url: required.master_url,
            software_root: required.software_root.into(),
            instance_root: required.instance_root.into(),
            computer_xml: required.computer_xml.into(),
            input_definition_file: options.input_definition_file.clone().or(input),
            output_definition_file: options.output_definition_file.clone().or(output),
            partition_amount: required.partition_amount,
            partition_base_name: lookup.text_or("partition_base_name", "slappart")?,
            user_base_name: lookup.text_or("user_base_name", "slapuser")?,
            tap_base_name: lookup.text_or("tap_base_name", "slaptap")?,
            tun_base_name: lookup.text_or("tun_base_name", "slaptun")?,
            software_user: lookup.text_or("software_user", "slapsoft")?,
            interface_name,
            ipv6_interface: lookup.text("ipv6_interface")?,
            ipv4_local_network: lookup.parsed_or(
                "ipv4_local_network",
                Ipv4Net::new_assert([10, 0, 0, 0].into(), 16),
                "an IPv4 network such as 10.0.0.0/16",
            )?,
            instance_storage_home: lookup.path("instance_storage_home")?,
            hooks_directory: lookup.path("hooks_directory")?,
            alter_user: alter("alter_user", options.alter_user)?,
            alter_network: alter("alter_network", options.alter_network)?,
            create_tap,
            tap_ipv6: lookup.truth("tap_ipv6")?,
            tap_gateway_interface: lookup.text("tap_gateway_interface")?,
            create_tun: lookup.truth_or("create_tun", false)?,
            tun_ipv6: lookup.truth_or("tun_ipv6", true)?,
            ipv6_prefixshift: prefix_shift(&lookup)?,
            partition_has_ipv6_range: lookup.truth("partition_has_ipv6_range")?,
            dry_run: options.dry_run || lookup.truth_or("dry_run", false)?,
            warnings,
        };
        settings.check()?;
        Ok(settings)
    }

    /// The interface of the partitions' IPv6 addresses.
    pub(crate) fn v6_interface(&self) -> Option<&str> {
        self.ipv6_interface
            .as_deref()
            .or(self.interface_name.as_deref())
    }

    /// Whether a run changes what is root's.
    pub(crate) fn needs_root(&self) -> bool {
        self.alter_user || self.alter_network
    }
}

/// The parameters without default.
struct Required {
    computer_id: String,
    master_url: String,
    software_root: String,
    instance_root: String,
    computer_xml: String,
    partition_amount: usize,
}

impl Required {
    fn read(lookup: &Lookup<'_>, options: &Options) -> Result<Self, SettingsError> {
        let given = options.computer_xml.as_ref();
        let computer_xml = given.map_or_else(
            || lookup.text("computer_xml"),
            |path| Ok(Some(path.to_string_lossy().into_owned())),
        )?;
        let required = [
            ("computer_id", lookup.text("computer_id")?),
            ("master_url", lookup.text("master_url")?),
            ("software_root", lookup.text("software_root")?),
            ("instance_root", lookup.text("instance_root")?),
            ("computer_xml", computer_xml),
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
        let values = required.map(|(_, value)| value.unwrap_or_default());
        let [
            computer_id,
            master_url,
            software_root,
            instance_root,
            computer_xml,
            amount,
        ] = values;
        let partition_amount = amount.parse().ok().filter(|n| *n <= MOST_PARTITIONS);
        Ok(Self {
            computer_id,
            master_url,
            software_root,
            instance_root,
            computer_xml,
            partition_amount: partition_amount.ok_or_else(|| {
                lookup.wrong(
                    "partition_amount",
                    amount,
                    "a number of at most 16382 partitions",
                )
            })?,
        })
    }
}

fn interface_name(
    lookup: &Lookup<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<String>, ValueError> {
    let (name, alias) = (lookup.text("interface_name")?, lookup.text("bridge_name")?);
    if alias.is_some() {
        warnings.push("bridge_name is deprecated, write interface_name instead".to_owned());
    }
    Ok(name.or(alias))
}

fn create_tap(lookup: &Lookup<'_>, warnings: &mut Vec<String>) -> Result<bool, ValueError> {
    let (wanted, inverse) = (lookup.truth("create_tap")?, lookup.truth("no_bridge")?);
    if let Some(inverse) = inverse {
        let now = if inverse { "False" } else { "True" };
        warnings.push(format!(
            "no_bridge is deprecated, write create_tap = {now} instead"
        ));
    }
    Ok(wanted.or(inverse.map(|inverse| !inverse)).unwrap_or(true))
}

fn prefix_shift(lookup: &Lookup<'_>) -> Result<u8, ValueError> {
    let expected = "a number of bits between 3 and 64";
    let shift = lookup.parsed_or("ipv6_prefixshift", PREFIX_SHIFT, expected)?;
    if (3..=64).contains(&shift) {
        return Ok(shift);
    }
    Err(lookup.wrong("ipv6_prefixshift", shift.to_string(), expected))
}

/// The node's connection: its certificate is of use only with its key.
fn master(lookup: &Lookup<'_>, url: &str) -> Result<Connection, SettingsError> {
    let mut connection = Connection::to(url)?;
    match (lookup.path("cert_file")?, lookup.path("key_file")?) {
        (Some(certificate), Some(key)) => {
            connection = connection.client_certificate(certificate, key);
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

    fn with(line: &str) -> Settings {
        settings(&format!("{MINIMAL}{line}\n"), &Options::default()).unwrap()
    }

    #[test]
    fn defaults_and_options() {
        let options = Options {
            computer_xml: Some("/other".into()),
            alter_user: Some(true),
            ..Options::default()
        };
        let settings = settings(MINIMAL, &options).unwrap();
        assert_eq!(settings.partition_amount, 3);
        assert_eq!(settings.partition_base_name, "slappart");
        assert_eq!(settings.computer_xml, Path::new("/other"));
        assert_eq!(settings.ipv4_local_network.to_string(), "10.0.0.0/16");
        assert!(settings.alter_user && !settings.alter_network && settings.create_tap);
        assert_eq!(settings.tap_ipv6, None);
    }

    #[test]
    fn deprecated_parameters_still_work_and_are_warned_of() {
        let bridge = with("bridge_name = br0");
        assert_eq!(bridge.interface_name.as_deref(), Some("br0"));
        assert!(
            bridge.warnings[0].contains("interface_name"),
            "{:?}",
            bridge.warnings
        );
        let no_bridge = with("no_bridge = True");
        assert!(!no_bridge.create_tap);
        assert!(no_bridge.warnings[0].contains("create_tap = False"));
        assert!(with("no_bridge = True\ncreate_tap = True").create_tap);
        assert!(with("").warnings.is_empty());
    }

    #[test]
    fn a_mistyped_parameter_is_warned_of() {
        let mistyped = with("partition_ammount = 4\nTap-IPv6 = True");
        assert_eq!(mistyped.tap_ipv6, Some(true));
        let [warning] = mistyped.warnings.as_slice() else {
            panic!("{:?}", mistyped.warnings);
        };
        assert!(warning.starts_with("partition_ammount"), "{warning}");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let without_amount = MINIMAL.replace("partition_amount = 3", "");
        let altering = MINIMAL.replace("= False", "= True");
        let table = [
            (
                "[slapformat]\nalter_user = no\nalter_network = no".to_owned(),
                "computer_id, master_url, software_root, instance_root, computer_xml, partition_amount",
            ),
            (without_amount, "partition_amount"),
            (MINIMAL.replace("= 3", "= many"), "many"),
            (MINIMAL.replace("= 3", "= 99999999"), "99999999"),
            (
                MINIMAL.replace("alter_user = False", "alter_user = perhaps"),
                "perhaps",
            ),
            (altering.clone(), "interface_name"),
            (
                format!("{altering}interface_name = e\nuser_base_name = Ä"),
                "user_base_name",
            ),
            (
                format!("{altering}interface_name = e\nsoftware_user = a:b"),
                "software_user",
            ),
            (
                format!("{altering}interface_name = e\ntap_base_name = a-name-that-is-long"),
                "15",
            ),
            (
                format!("{MINIMAL}partition_base_name = ../x"),
                "partition_base_name",
            ),
            (
                format!("{MINIMAL}ipv4_local_network = 10.0.0.0"),
                "10.0.0.0",
            ),
            (format!("{MINIMAL}ipv6_prefixshift = 2"), "ipv6_prefixshift"),
            (
                MINIMAL.replace("= /i", "= instances"),
                "instance_root = instances",
            ),
            (
                format!("{MINIMAL}instance_storage_home = disks"),
                "instance_storage_home = disks",
            ),
            (
                format!("{altering}interface_name = e\ncreate_tun = 1\ntun_base_name = slaptap"),
                "both name slaptap0",
            ),
            (
                format!("{altering}interface_name = e\nsoftware_user = slapuser2"),
                "both name slapuser2",
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
