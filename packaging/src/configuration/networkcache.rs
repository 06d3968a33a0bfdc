//! `[networkcache]`.

use super::Fallback::{Described, Unset, Value};
use super::{Section, key};

const GRID: &[&str] = &["slapgrid"];
const READERS: &[&str] = &["slapgrid", "slapcache-lookup"];
const LOOKUP: &[&str] = &["slapcache-lookup"];
const SIGNERS: &[&str] = &["slapgrid", "generate-signature-key"];
const GENERATE: &[&str] = &["generate-signature-key"];

pub(super) const SECTION: Section = Section {
    name: "networkcache",
    about: "The network cache. Of slapgrid, only slapgrid-sr and slapgrid use it. A URL may hold USER:PASSWORD@.",
    keys: &[
        key(
            "download-binary-cache-url",
            Unset,
            READERS,
            "Where archives of releases that other nodes have built are (shacache).",
        ),
        key(
            "download-binary-dir-url",
            Unset,
            READERS,
            "Where the entries about them are (shadir). Without both, the cache is not asked.",
        ),
        key(
            "upload-binary-cache-url",
            Unset,
            GRID,
            "To where archives of releases that were built here are uploaded.",
        ),
        key(
            "upload-binary-dir-url",
            Unset,
            GRID,
            "To where the entries about them are. Without both, nothing is uploaded.",
        ),
        key(
            "download-cache-url",
            Unset,
            LOOKUP,
            "Where the files that buildout downloads are; for nodes, the profile of the release says it.",
        ),
        key(
            "download-dir-url",
            Unset,
            LOOKUP,
            "Where the entries about them are.",
        ),
        key(
            "upload-cache-url",
            Unset,
            GRID,
            "Handed to buildout, which uploads there what it downloaded.",
        ),
        key(
            "upload-dir-url",
            Unset,
            GRID,
            "Handed to buildout, for the entries about them.",
        ),
        key(
            "signature-certificate-list",
            Unset,
            READERS,
            "Certificates, PEM, one after another: whose entries are trusted, of the cache and of bundles.",
        ),
        key(
            "signature-private-key-file",
            Unset,
            SIGNERS,
            "Key that signs what is uploaded or exported, PEM; its certificate must be in the list. generate-signature-key makes it there.",
        ),
        key(
            "signature-certificate-file",
            Unset,
            GENERATE,
            "File of the certificate that is made with the key.",
        ),
        key(
            "signature-ed25519-private-key-file",
            Unset,
            GRID,
            "Key that signs in addition, which slapos.core cannot read.",
        ),
        key(
            "signature-hash",
            Value("sha1"),
            GRID,
            "Hash of RSA signatures that are made: sha256 is safer, sha1 is what slapos.core can read.",
        ),
        key(
            "signature-policy",
            Value("rsa-sha1 rsa-sha256 ed25519"),
            READERS,
            "Which signatures are accepted.",
        ),
        key(
            "archive-format",
            Value("tar.gz"),
            GRID,
            "Of what is uploaded: tar.zst is smaller and faster, slapos.core fails to install from it.",
        ),
        key(
            "archive-maximum-expansion",
            Value("100"),
            GRID,
            "How many times larger than its archive a release may be.",
        ),
        key(
            "download-from-binary-cache-url-blacklist",
            Unset,
            GRID,
            "Beginnings of the URLs of releases that are never downloaded, one a line.",
        ),
        key(
            "binary-cache-url-blacklist",
            Unset,
            GRID,
            "Older name of download-from-binary-cache-url-blacklist.",
        ),
        key(
            "upload-to-binary-cache-url-blacklist",
            Unset,
            GRID,
            "Beginnings of the URLs of releases that are never uploaded, one a line.",
        ),
        key(
            "download-from-binary-cache-force-url-list",
            Unset,
            GRID,
            "Beginnings of the URLs of releases that are never built here, one a line.",
        ),
        key(
            "shacache-ca-file",
            Described("the system's authorities"),
            READERS,
            "Only the authorities of this file, PEM, are trusted to vouch for shacache.",
        ),
        key(
            "shacache-cert-file",
            Unset,
            READERS,
            "Certificate for a shacache that asks for one, PEM.",
        ),
        key("shacache-key-file", Unset, READERS, "Its private key, PEM."),
        key(
            "shadir-ca-file",
            Described("the system's authorities"),
            READERS,
            "Only the authorities of this file, PEM, are trusted to vouch for shadir.",
        ),
        key(
            "shadir-cert-file",
            Unset,
            READERS,
            "Certificate for a shadir that asks for one, PEM.",
        ),
        key("shadir-key-file", Unset, READERS, "Its private key, PEM."),
    ],
};
