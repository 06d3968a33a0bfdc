//! The definition files of slapformat.

use super::Fallback::{Described, Required, Unset};
use super::{Section, key};

const FORMAT: &[&str] = &["slapformat"];

pub(super) const COMPUTER: Section = Section {
    name: "computer",
    about: "The computer itself.",
    keys: &[
        key(
            "address",
            Unset,
            FORMAT,
            "Its address: ADDRESS/NETMASK, where the netmask is a length or an address.",
        ),
        key(
            "software_user",
            Described("software_user of slapos.cfg"),
            FORMAT,
            "Owner of software_root.",
        ),
    ],
};

pub(super) const PARTITION: Section = Section {
    name: "partition_N",
    about: "A partition; N counts from 0 without gaps.",
    keys: &[
        key(
            "pathname",
            Required,
            FORMAT,
            "Name of the partition and of its directory.",
        ),
        key("user", Required, FORMAT, "Its user."),
        key(
            "network_interface",
            Required,
            FORMAT,
            "Its tap, or another interface of its own.",
        ),
        key(
            "address",
            Required,
            FORMAT,
            "Its addresses, each ADDRESS/NETMASK, with spaces between.",
        ),
    ],
};
