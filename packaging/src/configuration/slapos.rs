//! `[slapos]`.

use super::Fallback::{Described, Required, Unset, Value};
use super::{Section, key};

const ALL: &[&str] = &["all tools"];
const NODE: &[&str] = &["slapgrid", "slapformat"];
const GRID: &[&str] = &["slapgrid"];

pub(super) const SECTION: Section = Section {
    name: "slapos",
    about: "The node and its master.",
    keys: &[
        key(
            "computer_id",
            Required,
            ALL,
            "Reference of this computer at the master.",
        ),
        key(
            "master_url",
            Required,
            ALL,
            "URL of the master, http or https. A node needs key_file and cert_file for https, a user those of [slapconsole].",
        ),
        key(
            "master_rest_url",
            Described("what the master says"),
            &["slapos"],
            "URL of the master's hateoas API, which slapos service and slapos computer ask.",
        ),
        key(
            "software_root",
            Required,
            NODE,
            "Directory where software releases are installed, each below the MD5 of its URL. Its owner builds them.",
        ),
        key(
            "instance_root",
            Required,
            NODE,
            "Directory of the partitions, and of supervisord's files.",
        ),
        key(
            "key_file",
            Unset,
            NODE,
            "Private key of the computer, PEM. slapos-bang uses it, too.",
        ),
        key(
            "cert_file",
            Unset,
            NODE,
            "Certificate of the computer, PEM; key_file must be beside it. slapos-bang uses it, too.",
        ),
        key(
            "certificate_repository_path",
            Unset,
            GRID,
            "Directory where the certificates of partitions are kept. With key_file and cert_file it must be given.",
        ),
        key(
            "master_ca_file",
            Described("the system's authorities"),
            ALL,
            "Only the authorities of this file, PEM, are trusted to vouch for the master.",
        ),
        key(
            "pidfile",
            Unset,
            GRID,
            "File that is held locked, so that only one run is under way. Without it, several may be.",
        ),
        key(
            "pidfile_software",
            Described("pidfile"),
            &["slapgrid-sr"],
            "As pidfile.",
        ),
        key(
            "pidfile_instance",
            Described("pidfile"),
            &["slapgrid-cp"],
            "As pidfile.",
        ),
        key(
            "pidfile_report",
            Described("pidfile"),
            &["slapgrid-ur"],
            "As pidfile.",
        ),
        key(
            "logfile",
            Unset,
            GRID,
            "Log file. It may be renamed at any time: the next line begins another one.",
        ),
        key(
            "maximal_delay",
            Value("300"),
            GRID,
            "Longest random delay, in seconds, of a run without terminal and without --now: nodes shall not ask their master at once.",
        ),
        key(
            "metrics_file",
            Unset,
            GRID,
            "File to which figures of the runs are written in the format of Prometheus, for the textfile collector of node_exporter.",
        ),
        key(
            "promise_timeout",
            Value("20"),
            GRID,
            "Seconds for each promise.",
        ),
        key(
            "partition_timeout",
            Described("no limit"),
            GRID,
            "Seconds for the buildout of each partition.",
        ),
        key(
            "maximum_periodicity",
            Value("86400"),
            GRID,
            "Seconds after which an instance is processed although nothing changed; negative: never.",
        ),
        key(
            "software_min_free_space",
            Value("1000M"),
            GRID,
            "Space that must be free before a release is installed: bytes, or with K, M, G, T.",
        ),
        key(
            "instance_min_free_space",
            Value("1000M"),
            GRID,
            "Space that must be free before a partition is processed: bytes, or with K, M, G, T.",
        ),
        key(
            "buildout",
            Described("buildout in PATH"),
            GRID,
            "The buildout that bootstraps releases.",
        ),
        key(
            "supervisord",
            Described("supervisord in PATH"),
            GRID,
            "The supervisord to start; supervisorctl is looked for beside it.",
        ),
        key(
            "supervisord_socket",
            Described("sv.sock in instance_root, or supervisord.socket if there is one"),
            GRID,
            "Socket of supervisord.",
        ),
        key(
            "supervisord_configuration_path",
            Described("etc/supervisord.conf in instance_root"),
            GRID,
            "Configuration file of supervisord, which slapgrid writes.",
        ),
        key(
            "forbid_supervisord_automatic_launch",
            Value("false"),
            GRID,
            "Whether slapgrid leaves it to somebody else to start supervisord.",
        ),
        key(
            "shared_part_list",
            Unset,
            GRID,
            "Directories of parts that releases share, one a line.",
        ),
        key(
            "build_time_part_list",
            Unset,
            GRID,
            "Directories of parts that only builds need, one a line.",
        ),
        key(
            "hooks_directory",
            Unset,
            NODE,
            "Directory of programs that are told what slapgrid and slapformat do: EVENT/NAME in it runs at its event, software, instance, report or format, and after it with -tear-down appended. Standard input is a JSON document.",
        ),
        key(
            "instance_storage_home",
            Unset,
            NODE,
            "Directory whose subdirectories are disks. slapformat makes a directory for each partition on each; instances are told of them.",
        ),
        key(
            "ipv4_global_network",
            Unset,
            GRID,
            "IPv4 network of the node; instances are told of it.",
        ),
    ],
};
