//! `[slapproxy]`.

use super::Fallback::{Described, Required, Unset, Value};
use super::{Section, key};

const PROXY: &[&str] = &["slapproxy"];

pub(super) const SECTION: Section = Section {
    name: "slapproxy",
    about: "A master of one's own. Files of TLS are read at the start and on SIGHUP.",
    keys: &[
        key(
            "database_uri",
            Required,
            PROXY,
            "The SQLite file, which is made if it is not there, or a database of PostgreSQL, postgresql://USER@HOST/NAME, if slapproxy is built with it.",
        ),
        key(
            "database_connections",
            Value("16"),
            PROXY,
            "Connections to PostgreSQL at a time, from 1 to 1000; that with which it looks for changes is one of them.",
        ),
        key(
            "host",
            Value("127.0.0.1"),
            PROXY,
            "IP address to listen on.",
        ),
        key(
            "port",
            Value("5000"),
            PROXY,
            "Port to listen on; 0 takes any free one, which is logged.",
        ),
        key(
            "listen",
            Described("host and port"),
            PROXY,
            "Where to listen, one a line: ADDRESS:PORT, an IPv6 address in brackets, or unix:PATH. Addresses that other machines reach need client_ca, or the option --insecure-listen.",
        ),
        key(
            "log_file",
            Unset,
            PROXY,
            "Log file. It may be renamed at any time: the next line begins another one.",
        ),
        key(
            "server_names",
            Unset,
            PROXY,
            "Names, beside addresses and localhost, by which clients reach this server without TLS. What comes from this machine for other names is refused; once names are given, so is what comes from others.",
        ),
        key(
            "max_connections",
            Value("512"),
            PROXY,
            "Connections at a time, at most 65536; more wait, or take the places of those that wait for changes.",
        ),
        key(
            "request_timeout",
            Value("30"),
            PROXY,
            "Seconds for the head of a request, for a body or client that stands still, and between requests.",
        ),
        key(
            "max_wait",
            Value("300"),
            PROXY,
            "Seconds that a node may wait with its question until something changes for it; 0: not at all. Each keeps a connection, and three quarters of max_connections may.",
        ),
        key(
            "max_queue",
            Value("1000"),
            PROXY,
            "Requests at a time that use the database or wait for it; more are answered 503 at once.",
        ),
        key(
            "rate_limit",
            Value("0"),
            PROXY,
            "Requests a second that each client, by its certificate or else its address, may make on average, with bursts of a minute's worth; more are answered 429. 0: as many as it likes.",
        ),
        key(
            "trusted_proxies",
            Value("127.0.0.0/8 ::1"),
            PROXY,
            "Addresses or networks of proxies whose X-Forwarded-Proto, X-Forwarded-Prefix and X-Forwarded-For are believed.",
        ),
        key(
            "ssl_cert",
            Unset,
            PROXY,
            "Certificate chain of this master, PEM: TCP addresses speak TLS then.",
        ),
        key("ssl_key", Unset, PROXY, "Its private key, PEM."),
        key(
            "client_ca",
            Unset,
            PROXY,
            "Authorities, PEM, of whom clients need a certificate. Its common name says whom they may speak for: COMPUTER, COMPUTER:PARTITION or a name of user_certificate_list.",
        ),
        key(
            "client_crl",
            Unset,
            PROXY,
            "Lists of revoked certificates, PEM, of every authority in client_ca.",
        ),
        key(
            "user_certificate_list",
            Unset,
            PROXY,
            "Common names of the certificates of users, one a line. They may do everything.",
        ),
        key(
            "software_product_list",
            Unset,
            PROXY,
            "Products and their releases, one a line: REFERENCE URL.",
        ),
        key(
            "public_directory_path",
            Unset,
            PROXY,
            "Directory whose files anyone may read below /panel/public/.",
        ),
        key(
            "local_software_release_root",
            Unset,
            PROXY,
            "Directory of local releases, whose URLs are paths. When it changes, the database follows.",
        ),
        key(
            "shacache_content_directory",
            Unset,
            PROXY,
            "Directory of the files of the network cache, which is served if both directories are given.",
        ),
        key(
            "shacache_metadata_directory",
            Unset,
            PROXY,
            "Directory of the entries of the network cache.",
        ),
        key(
            "shacache_upstream_cache_url",
            Unset,
            PROXY,
            "Network cache that is asked for files that are not here.",
        ),
        key(
            "shacache_upstream_dir_url",
            Unset,
            PROXY,
            "Network cache that is asked for entries that are not here.",
        ),
        key(
            "shacache_signing_key_path",
            Unset,
            PROXY,
            "Known to slapos.core, and of no effect: whoever uploads an entry signs it.",
        ),
        key(
            "http_proxy_allow",
            Unset,
            PROXY,
            "Hosts whose pages are served at /http_proxy/SCHEME/HOST/PATH, one a line: HOST or HOST:PORT.",
        ),
    ],
};
