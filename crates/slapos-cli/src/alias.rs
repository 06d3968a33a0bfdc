//! Short names of releases, from `[slapconsole] alias`.

use std::collections::BTreeMap;

use slapos_config::{ConfigFile, ValueError};

/// Short names of releases and their URLs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aliases(BTreeMap<String, String>);

/// The aliases cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AliasError {
    /// The parameter cannot be read at all.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl Aliases {
    /// The aliases of a configuration file: lines `NAME URL`.
    ///
    /// # Errors
    /// A line is something else; it is named.
    pub fn of(file: &ConfigFile) -> Result<Self, AliasError> {
        let section = file.section("slapconsole");
        let mut aliases = BTreeMap::new();
        for line in section.get_lines("alias")? {
            let words: Vec<_> = line.split_whitespace().collect();
            let [name, url] = words[..] else {
                return Err(section.wrong("alias", line, "a line NAME URL").into());
            };
            aliases.insert(name.to_owned(), url.to_owned());
        }
        Ok(Self(aliases))
    }

    /// The URL of an alias; anything else is a URL already.
    pub fn resolve<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }

    /// Names and URLs, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, url)| (name.as_str(), url.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn aliases(text: &str) -> Result<Aliases, AliasError> {
        let text = format!("[slapconsole]\nalias =\n{text}");
        Aliases::of(&ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap())
    }

    #[test]
    fn names_become_urls_and_urls_stay() {
        let aliases =
            aliases("  kvm  http://example.org/kvm.cfg\n\n  web\thttp://example.org/web.cfg")
                .unwrap();
        assert_eq!(aliases.resolve("kvm"), "http://example.org/kvm.cfg");
        assert_eq!(aliases.resolve("web"), "http://example.org/web.cfg");
        assert_eq!(aliases.resolve("http://other/"), "http://other/");
    }

    #[test]
    fn a_line_of_another_form_is_shown() {
        let error = aliases("  kvm = http://example.org/ what")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("kvm = http") && error.contains("NAME URL"),
            "{error}"
        );
    }
}
