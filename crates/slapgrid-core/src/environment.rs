//! The environment that foreign programs get: slapgrid's own, without what would change what they do.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Removed because they change how programs are built or what they print.
const REMOVED: [&str; 8] = [
    "CONFIG_SITE",
    "ENV",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "TEMP",
    "TMP",
    "TMPDIR",
];

/// Removed with whatever follows.
const REMOVED_PREFIXES: [&str; 2] = ["LC_", "PYTHON"];
/// By these systemd speaks with slapgrid, in whose name nobody else shall answer.
const OF_SERVICE_MANAGER: [&str; 9] = [
    "CREDENTIALS_DIRECTORY",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// The whole environment of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// No variables at all.
    pub(crate) fn empty() -> Self {
        Environment::default()
    }

    /// slapgrid's own environment, cleaned, with this home.
    pub(crate) fn clean(home: &Path) -> Self {
        Environment::cleaned(std::env::vars_os(), home)
    }

    /// The given variables without those that would change what programs do, with this home.
    pub(crate) fn cleaned(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        home: &Path,
    ) -> Self {
        let kept = variables.into_iter().filter(|(name, _)| !is_removed(name));
        let environment = Environment {
            variables: kept.collect(),
        };
        environment
            .with("HOME", home)
            .with("PYTHONNOUSERSITE", "true")
    }

    /// Adds or replaces a variable.
    #[must_use]
    pub(crate) fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Names and values, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let pair = |(name, value)| (OsString::as_os_str(name), OsString::as_os_str(value));
        self.variables.iter().map(pair)
    }
}

fn is_removed(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let starts = |prefix: &&str| name.starts_with(prefix.as_bytes());
    let mut names = REMOVED.iter().chain(&OF_SERVICE_MANAGER);
    names.any(|removed| name == removed.as_bytes()) || REMOVED_PREFIXES.iter().any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        let environment = Environment::cleaned(variables, Path::new("/srv/slappart0"));
        let text = |text: &OsStr| text.to_str().unwrap().to_owned();
        environment
            .iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn home_is_replaced_and_the_rest_kept() {
        let variables = [
            ("HOME", "/root"),
            ("PATH", "/bin"),
            ("http_proxy", "http://[::1]:3128"),
        ];
        let expected = [
            ("HOME", "/srv/slappart0"),
            ("PATH", "/bin"),
            ("PYTHONNOUSERSITE", "true"),
            ("http_proxy", "http://[::1]:3128"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(cleaned(&variables), expected);
    }

    #[test]
    fn what_changes_programs_is_removed() {
        for name in [
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PYTHON",
            "CONFIG_SITE",
            "ENV",
            "LOGNAME",
            "TEMP",
            "TMP",
            "TMPDIR",
            "LANG",
            "LANGUAGE",
            "LC_ALL",
            "LC_CTYPE",
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "JOURNAL_STREAM",
        ] {
            assert_eq!(cleaned(&[(name, "x")]).len(), 2, "{name}");
        }
    }

    #[test]
    fn user_site_cannot_be_switched_on() {
        let variables = cleaned(&[("PYTHONNOUSERSITE", "")]);
        assert!(variables.contains(&("PYTHONNOUSERSITE".to_owned(), "true".to_owned())));
    }

    #[test]
    fn similar_names_stay() {
        for name in ["ENVIRONMENT", "TMPX", "LANGUAGES", "LC", "MYPYTHON"] {
            assert_eq!(cleaned(&[(name, "x")]).len(), 3, "{name}");
        }
    }

    #[test]
    fn variables_need_not_be_unicode() {
        use std::os::unix::ffi::OsStringExt;
        let name = OsString::from_vec(vec![b'X', 0xff]);
        let environment = Environment::cleaned([(name.clone(), "1".into())], Path::new("/"));
        assert!(
            environment
                .iter()
                .any(|variable| variable == (&name, OsStr::new("1")))
        );
    }
}
