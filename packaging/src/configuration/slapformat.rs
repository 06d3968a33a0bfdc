//! `[slapformat]`.

use super::Fallback::{Described, Required, Unset, Value};
use super::{Section, key};

const FORMAT: &[&str] = &["slapformat"];

pub(super) const SECTION: Section = Section {
    name: "slapformat",
    about: "How slapformat prepares the machine. What is not here may be in [slapos], and what slapformat reads of [slapos] may be here.",
    keys: &[
        key(
            "computer_xml",
            Required,
            FORMAT,
            "File of the state of the machine. Its last ten versions are kept beside it.",
        ),
        key(
            "partition_amount",
            Required,
            FORMAT,
            "How many partitions there shall be, at most 16382. Fewer than there are is an error.",
        ),
        key(
            "interface_name",
            Unset,
            FORMAT,
            "Interface that gets the addresses of partitions. If it is a bridge, taps belong to it.",
        ),
        key(
            "bridge_name",
            Unset,
            FORMAT,
            "Deprecated name of interface_name.",
        ),
        key(
            "ipv6_interface",
            Described("interface_name"),
            FORMAT,
            "Interface of the IPv6 addresses, whose largest network of global addresses is used.",
        ),
        key(
            "ipv4_local_network",
            Value("10.0.0.0/16"),
            FORMAT,
            "Network of the IPv4 addresses of partitions.",
        ),
        key(
            "partition_base_name",
            Value("slappart"),
            FORMAT,
            "How names of partitions begin; a number follows.",
        ),
        key(
            "user_base_name",
            Value("slapuser"),
            FORMAT,
            "How names of their users begin.",
        ),
        key(
            "tap_base_name",
            Value("slaptap"),
            FORMAT,
            "How names of their taps begin.",
        ),
        key(
            "tun_base_name",
            Value("slaptun"),
            FORMAT,
            "How names of their tuns begin.",
        ),
        key(
            "software_user",
            Value("slapsoft"),
            FORMAT,
            "Owner of software_root. Users of partitions are in its group.",
        ),
        key(
            "alter_user",
            Value("true"),
            FORMAT,
            "Whether to make users and to own directories to them. That needs root.",
        ),
        key(
            "alter_network",
            Value("true"),
            FORMAT,
            "Whether to change interfaces, addresses and routes. That needs root.",
        ),
        key(
            "create_tap",
            Value("true"),
            FORMAT,
            "Whether each partition has a tap.",
        ),
        key(
            "no_bridge",
            Unset,
            FORMAT,
            "Deprecated contrary of create_tap.",
        ),
        key(
            "tap_ipv6",
            Described("true, unless interface_name is a bridge"),
            FORMAT,
            "Whether each tap has an IPv6 network of its own.",
        ),
        key(
            "tap_gateway_interface",
            Unset,
            FORMAT,
            "Interface whose IPv4 network the taps share.",
        ),
        key(
            "create_tun",
            Value("false"),
            FORMAT,
            "Whether each partition has a tun.",
        ),
        key(
            "tun_ipv6",
            Value("true"),
            FORMAT,
            "Whether each tun has an IPv6 network of its own.",
        ),
        key(
            "ipv6_prefixshift",
            Value("16"),
            FORMAT,
            "By how many bits ranges of partitions and networks of taps and tuns are longer than the network of the interface, from 3 to 64.",
        ),
        key(
            "partition_has_ipv6_range",
            Described("true, if the network has room"),
            FORMAT,
            "Whether each partition has a range of IPv6 addresses.",
        ),
        key(
            "input_definition_file",
            Unset,
            FORMAT,
            "Definition file, in which the computer is described instead.",
        ),
        key(
            "output_definition_file",
            Unset,
            FORMAT,
            "Definition file to write.",
        ),
        key("log_file", Unset, FORMAT, "Log file."),
        key(
            "dry_run",
            Value("false"),
            FORMAT,
            "Whether to say everything and to change nothing.",
        ),
        key(
            "now",
            Value("false"),
            FORMAT,
            "Whether to begin without the random delay, up to an hour, of a run without terminal.",
        ),
    ],
};
