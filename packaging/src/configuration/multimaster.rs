//! `[multimaster/URL]`.

use super::Fallback::{Described, Unset};
use super::{Section, key};

const PROXY: &[&str] = &["slapproxy"];

pub(super) const SECTION: Section = Section {
    name: "multimaster/URL",
    about: "Another master, at URL. Requests whose filter has this URL as master_url, or whose release is listed, go there, unless the instance is here already.",
    keys: &[
        key(
            "key",
            Unset,
            PROXY,
            "Private key by which that master knows us, PEM.",
        ),
        key("cert", Unset, PROXY, "Its certificate, PEM."),
        key(
            "master_ca_file",
            Described("the system's authorities"),
            PROXY,
            "Only the authorities of this file, PEM, are trusted to vouch for that master.",
        ),
        key(
            "computer",
            Unset,
            PROXY,
            "With partition: a computer there, in whose partition's name we request instead of a user's.",
        ),
        key("partition", Unset, PROXY, "The partition of that computer."),
        key(
            "software_release_list",
            Unset,
            PROXY,
            "URLs of releases whose requests go there, one a line.",
        ),
    ],
};
