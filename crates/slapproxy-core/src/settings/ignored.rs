//! What section slapproxy says in vain.

use slapos_config::ConfigFile;

/// Every parameter that means something.
const KNOWN: [&str; 27] = [
    "client_ca",
    "client_crl",
    "database_connections",
    "database_uri",
    "host",
    "http_proxy_allow",
    "listen",
    "local_software_release_root",
    "log_file",
    "max_connections",
    "max_queue",
    "max_wait",
    "port",
    "public_directory_path",
    "rate_limit",
    "request_timeout",
    "server_names",
    "shacache_content_directory",
    "shacache_metadata_directory",
    SIGNING_KEY,
    "shacache_upstream_cache_url",
    "shacache_upstream_dir_url",
    "software_product_list",
    "ssl_cert",
    "ssl_key",
    "trusted_proxies",
    "user_certificate_list",
];
/// slapos.core takes it and signs nothing by it, either.
const SIGNING_KEY: &str = "shacache_signing_key_path";

/// A warning for each parameter of `[slapproxy]` that changes nothing: its name is wrong, or it
/// says what this server does not do.
pub fn ignored_parameters(file: &ConfigFile) -> Vec<String> {
    let warning = |key: &str| match key {
        SIGNING_KEY => Some(format!(
            "parameter {SIGNING_KEY} of [slapproxy] is not used: whoever uploads an entry signs it"
        )),
        key if KNOWN.contains(&key) => None,
        key => Some(format!("parameter {key} of [slapproxy] is not known")),
    };
    let section = file.section("slapproxy");
    section.keys().filter_map(warning).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn ignored(text: &str) -> Vec<String> {
        let text = format!("[slapos]\nx = 1\n[slapproxy]\n{text}");
        ignored_parameters(&ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap())
    }

    #[test]
    fn wrong_names_and_what_is_not_done_are_told() {
        let told = ignored("client_clr = a\nHost = ::1\nshacache-signing-key-path = k");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("client_clr"), "{told:?}");
        assert!(told[1].contains("shacache_signing_key_path"), "{told:?}");
    }

    /// The example has every parameter, most of them as comments.
    #[test]
    fn the_parameters_of_the_example_are_the_known_ones() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../slapos.cfg.example");
        let text = std::fs::read_to_string(path).unwrap();
        let (_, section) = text.split_once("\n[slapproxy]\n").unwrap();
        let (section, _) = section.split_once("\n#[multimaster/").unwrap();
        let keys = section.lines().filter_map(|line| {
            let (key, _) = line.trim_start_matches('#').split_once(" =")?;
            let is_key = key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            is_key.then_some(key)
        });
        let mut shown: Vec<_> = keys.collect();
        shown.push(SIGNING_KEY);
        shown.sort_unstable();
        let mut known = KNOWN;
        known.sort_unstable();
        assert_eq!(shown, known);
    }
}
