//! What operating system this is.

use std::fs;

use nix::sys::utsname::uname;

/// JSON list of the platform, then identity, version and name of the distribution.
pub(crate) fn os_type() -> String {
    let platform = uname().map_or_else(
        |_| "Linux".to_owned(),
        |name| {
            let part = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
            [
                part(name.sysname()),
                part(name.release()),
                part(name.machine()),
            ]
            .join("-")
        },
    );
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let [identity, version, name] = ["ID", "VERSION_ID", "NAME"].map(|key| entry(&release, key));
    serde_json::json!([platform, identity, version, name]).to_string()
}

/// A value of an os-release file.
fn entry<'a>(release: &'a str, key: &str) -> &'a str {
    let values = release
        .lines()
        .filter_map(|line| line.trim().split_once('='));
    let found = values
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .next_back();
    found.unwrap_or_default().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn values_may_be_quoted_and_the_last_counts() {
        let release = "NAME=\"Debian GNU/Linux\"\nID=debian\nID='other'\n# VERSION_ID=1\n";
        assert_eq!(entry(release, "NAME"), "Debian GNU/Linux");
        assert_eq!(entry(release, "ID"), "other");
        assert_eq!(entry(release, "VERSION_ID"), "");
    }
}
