//! `[slapconsole]`.

use super::Fallback::Unset;
use super::{Section, key};

const USER: &[&str] = &["slapconsole", "slapos-request", "slapos-supply"];

pub(super) const SECTION: Section = Section {
    name: "slapconsole",
    about: "The user's side.",
    keys: &[
        key(
            "key_file",
            Unset,
            USER,
            "Private key of the user, PEM. A master at https needs it.",
        ),
        key("cert_file", Unset, USER, "Certificate of the user, PEM."),
        key(
            "alias",
            Unset,
            USER,
            "Short names of releases, one a line: NAME URL.",
        ),
    ],
};
