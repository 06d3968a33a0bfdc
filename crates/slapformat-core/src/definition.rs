//! The definition file: the computer as an INI file (`spec/format.md`, options -i and -o).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use slap_proto::documents::{ComputerConfiguration, PartitionAddress};
use slapos_config::{ConfigFile, ReadError, ValueError};
use slapos_fs::{InvalidFileName, check_file_name};

/// A definition file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A parameter cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A parameter is missing.
    #[error("{path}: [{section}] has no {key}")]
    Missing {
        /// The file.
        path: String,
        /// The section.
        section: String,
        /// The key.
        key: &'static str,
    },
    /// Sections of partitions that are not numbered from 0 without a gap.
    #[error(
        "{path} has no [partition_{missing}], but {present} sections of partitions: they are \
         numbered from 0 without a gap"
    )]
    Gap {
        /// The file.
        path: String,
        /// The first number that is missing.
        missing: usize,
        /// How many sections there are.
        present: usize,
    },
    /// No partition at all.
    #[error("{0} defines no partition: the first one is [partition_0]")]
    NoPartition(String),
    /// Two partitions in one directory.
    #[error("{path}: several partitions have the pathname {pathname}")]
    Twice {
        /// The file.
        path: String,
        /// The name.
        pathname: String,
    },
    /// A name that would lead out of the instance root.
    #[error("{path}: [{section}]")]
    Name {
        /// The file.
        path: String,
        /// The section.
        section: String,
        /// Why.
        source: InvalidFileName,
    },
}

/// What a definition file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) address: Option<PartitionAddress>,
    pub(crate) software_user: Option<String>,
    pub(crate) partitions: Vec<DefinedPartition>,
}

/// One `[partition_N]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DefinedPartition {
    pub(crate) reference: String,
    pub(crate) user: String,
    pub(crate) interface: String,
    pub(crate) addresses: Vec<PartitionAddress>,
}

impl Definition {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, DefinitionError> {
        Self::of(&ConfigFile::read(path)?)
    }

    fn of(file: &ConfigFile) -> Result<Self, DefinitionError> {
        let computer = file.section("computer");
        let address = computer.get_text("address")?;
        let address = address.map(|text| {
            parse_address(&text).ok_or_else(|| computer.wrong("address", text, "ADDRESS/NETMASK"))
        });
        let address = address.transpose()?;
        let partitions = (0..count_partitions(file)?)
            .map(|number| partition(file, &format!("partition_{number}")))
            .collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        let mut names = partitions.iter().map(|one| one.reference.as_str());
        if let Some(twice) = names.find(|name| !seen.insert(*name)) {
            return Err(DefinitionError::Twice {
                path: file.path().display().to_string(),
                pathname: twice.to_owned(),
            });
        }
        Ok(Self {
            address,
            software_user: computer.get_text("software_user")?,
            partitions,
        })
    }
}

/// How many partitions the file defines.
fn count_partitions(file: &ConfigFile) -> Result<usize, DefinitionError> {
    let path = || file.path().display().to_string();
    let sections = file
        .sections()
        .filter(|name| name.starts_with("partition_"));
    let present = sections.count();
    let missing = |number: &usize| !file.section(&format!("partition_{number}")).exists();
    match (0..present).find(missing) {
        Some(missing) => Err(DefinitionError::Gap {
            path: path(),
            missing,
            present,
        }),
        None if present == 0 => Err(DefinitionError::NoPartition(path())),
        None => Ok(present),
    }
}

fn partition(file: &ConfigFile, name: &str) -> Result<DefinedPartition, DefinitionError> {
    let section = file.section(name);
    let path = || file.path().display().to_string();
    let require = |key: &'static str| {
        let missing = || DefinitionError::Missing {
            path: path(),
            section: name.to_owned(),
            key,
        };
        section.get_text(key)?.ok_or_else(missing)
    };
    let reference = require("pathname")?;
    check_file_name(&reference).map_err(|source| DefinitionError::Name {
        path: path(),
        section: name.to_owned(),
        source,
    })?;
    let addresses = require("address")?
        .split_whitespace()
        .map(|text| {
            let wrong = || section.wrong("address", text.to_owned(), "ADDRESS/NETMASK");
            parse_address(text).ok_or_else(wrong)
        })
        .collect::<Result<_, _>>()?;
    Ok(DefinedPartition {
        reference,
        user: require("user")?,
        interface: require("network_interface")?,
        addresses,
    })
}

/// `ADDRESS/NETMASK`, the netmask as length or in the address's own notation.
fn parse_address(text: &str) -> Option<PartitionAddress> {
    let (addr, netmask) = text.split_once('/')?;
    let (addr, netmask) = (addr.to_owned(), Some(netmask.to_owned()));
    let address = PartitionAddress { addr, netmask };
    net(&address).is_some().then_some(address)
}

/// An address, if its netmask is one: a length, or the address's own notation without gaps.
pub(crate) fn net(address: &PartitionAddress) -> Option<IpNet> {
    let ip: IpAddr = address.addr.parse().ok()?;
    let mask = address.netmask.as_deref()?;
    match mask.parse::<u8>() {
        Ok(length) => IpNet::new(ip, length).ok(),
        Err(_) => IpNet::with_netmask(ip, mask.parse().ok()?).ok(),
    }
}

/// The file that describes a computer.
pub(crate) fn render(computer: &ComputerConfiguration) -> String {
    let with_mask = |addr: &str, netmask: Option<&str>| {
        let alone = if addr.contains(':') { "128" } else { "32" };
        format!("{addr}/{}", netmask.unwrap_or(alone))
    };
    // A reader takes a percent sign for the beginning of a reference.
    let literal = |text: &str| text.replace('%', "%%");
    let mut text = "[computer]\n".to_owned();
    // Writing to a String cannot fail, here and below.
    if let Some(address) = &computer.address {
        let _ = writeln!(
            text,
            "address = {}",
            with_mask(address, computer.netmask.as_deref())
        );
    }
    let _ = writeln!(
        text,
        "software_user = {}",
        computer.software_user.as_deref().unwrap_or_default()
    );
    for (number, partition) in computer.partition_list.iter().enumerate() {
        let addresses = partition.address_list.iter();
        let addresses: Vec<_> = addresses
            .map(|address| with_mask(&address.addr, address.netmask.as_deref()))
            .collect();
        let _ = writeln!(
            text,
            "\n[partition_{number}]\naddress = {}\nuser = {}\nnetwork_interface = {}\npathname = {}",
            addresses.join(" "),
            literal(partition.user.as_deref().unwrap_or_default()),
            literal(partition.tap.as_deref().unwrap_or_default()),
            literal(&partition.reference),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(text: &str) -> Result<Definition, DefinitionError> {
        Definition::of(&ConfigFile::parse(Path::new("def.cfg"), text.as_bytes()).unwrap())
    }

    const PARTITION: &str = "[partition_0]\npathname = part0\nuser = nobody\nnetwork_interface = lo\naddress = 127.0.0.1/32 ::1/128\n";

    #[test]
    fn a_definition_is_read() {
        let text = format!(
            "[computer]\naddress = 10.0.0.1/255.255.0.0\nsoftware_user = soft\n{PARTITION}"
        );
        let definition = definition(&text).unwrap();
        assert_eq!(
            definition.address.unwrap().netmask.as_deref(),
            Some("255.255.0.0")
        );
        assert_eq!(definition.partitions.len(), 1);
        assert_eq!(definition.partitions[0].addresses[1].addr, "::1");
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let address = |addr: &str| PartitionAddress {
            addr: addr.to_owned(),
            netmask: None,
        };
        let partition = slap_proto::documents::PartitionConfiguration {
            reference: "100%".to_owned(),
            user: Some("user0".to_owned()),
            tap: Some("tap0".to_owned()),
            address_list: vec![address("10.0.0.9"), address("2001:db8::9")],
            ..Default::default()
        };
        let computer = ComputerConfiguration {
            partition_list: vec![partition],
            ..ComputerConfiguration::default()
        };
        let read = definition(&render(&computer)).unwrap();
        let partition = &read.partitions[0];
        assert_eq!(partition.reference, "100%");
        let nets: Vec<_> = partition.addresses.iter().filter_map(net).collect();
        let expected = ["10.0.0.9/32", "2001:db8::9/128"].map(|text| text.parse().unwrap());
        assert_eq!(nets, expected);
    }

    #[test]
    fn mistakes_are_named() {
        let table = [
            (
                PARTITION.replace("user = nobody\n", ""),
                "[partition_0] has no user",
            ),
            (
                PARTITION.replace("127.0.0.1/32", "127.0.0.1"),
                "ADDRESS/NETMASK",
            ),
            (
                PARTITION.replace("127.0.0.1/32", "127.0.0.1/33"),
                "127.0.0.1/33",
            ),
            (PARTITION.replace("127.0.0.1/32", "host/32"), "host/32"),
            (
                PARTITION.replace("127.0.0.1/32", "127.0.0.1/255.0.255.0"),
                "127.0.0.1/255.0.255.0",
            ),
            (
                format!(
                    "{PARTITION}\n{}",
                    PARTITION.replace("partition_0", "partition_1")
                ),
                "several partitions have the pathname part0",
            ),
            (PARTITION.replace("part0", "../part0"), "[partition_0]"),
            (
                PARTITION.replace("partition_0", "partition_1"),
                "no [partition_0]",
            ),
            (
                format!(
                    "{PARTITION}\n{}",
                    PARTITION.replace("partition_0", "partition_2")
                ),
                "no [partition_1]",
            ),
            (
                format!(
                    "{PARTITION}\n{}",
                    PARTITION.replace("partition_0", "partition_x")
                ),
                "no [partition_1]",
            ),
            ("[computer]\n".to_owned(), "defines no partition"),
            (
                "[computer]\naddress = x".to_owned(),
                "address of [computer]",
            ),
        ];
        for (text, part) in table {
            let error = definition(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
