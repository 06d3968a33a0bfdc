//! Typed values by section and key.

use std::path::PathBuf;
use std::str::FromStr;

use crate::ConfigFile;
use crate::interpolation::{InterpolationProblem, interpolate};
use crate::parser::{DEFAULT, Keys, normalise};

/// A value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: parameter {key} of [{section}]: {problem}")]
pub struct ValueError {
    /// The configuration file.
    pub path: PathBuf,
    /// The section.
    pub section: String,
    /// The key.
    pub key: String,
    /// What is wrong with the value.
    pub problem: ValueProblem,
}

/// What can be wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueProblem {
    /// Its references cannot be resolved.
    #[error(transparent)]
    Interpolation(InterpolationProblem),
    /// It is not of the wanted kind.
    #[error("{value:?} is not {expected}")]
    Type {
        /// The value.
        value: String,
        /// What it should be, e.g. "a whole number".
        expected: &'static str,
    },
}

/// Parameters that must be given and are not, all of them at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("missing parameters: {}", .0.join(", "))]
pub struct MissingParameters(pub Vec<&'static str>);

/// One section of a file.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    file: &'a ConfigFile,
    name: &'a str,
    keys: Option<&'a Keys>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(file: &'a ConfigFile, name: &'a str) -> Self {
        let mut sections = file.document.sections.iter();
        let keys = match name {
            DEFAULT => Some(&file.document.defaults),
            _ => sections
                .find(|section| section.name == name)
                .map(|section| &section.keys),
        };
        Self { file, name, keys }
    }

    /// Whether the file has the section.
    pub fn exists(&self) -> bool {
        self.keys.is_some()
    }

    /// The section's keys in the order of the file, without those of `DEFAULT`.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        let sections = &self.file.document.sections;
        let section = sections.iter().find(|section| section.name == self.name);
        section
            .into_iter()
            .flat_map(|section| section.order.iter().map(String::as_str))
    }

    /// The value of a key. `-` and `_` are the same, upper and lower case too.
    ///
    /// # Errors
    /// Its references cannot be resolved.
    pub fn get(&self, key: &str) -> Result<Option<String>, ValueError> {
        let (Some(keys), defaults) = (self.keys, &self.file.document.defaults) else {
            return Ok(None);
        };
        let key = normalise(key);
        let Some(raw) = keys.get(&key).or_else(|| defaults.get(&key)) else {
            return Ok(None);
        };
        let value = interpolate(&raw.text, keys, defaults);
        value
            .map(Some)
            .map_err(|problem| self.error(&key, ValueProblem::Interpolation(problem)))
    }

    /// A value that is not empty: `key =` alone means that nothing is set.
    ///
    /// # Errors
    /// As [`Section::get`].
    pub fn get_text(&self, key: &str) -> Result<Option<String>, ValueError> {
        Ok(self.get(key)?.filter(|value| !value.is_empty()))
    }

    /// A path, as it is written.
    ///
    /// # Errors
    /// As [`Section::get`].
    pub fn get_path(&self, key: &str) -> Result<Option<PathBuf>, ValueError> {
        Ok(self.get_text(key)?.map(PathBuf::from))
    }

    /// A truth value, in ConfigParser's words.
    ///
    /// # Errors
    /// It is another word.
    pub fn get_bool(&self, key: &str) -> Result<Option<bool>, ValueError> {
        let Some(value) = self.get_text(key)? else {
            return Ok(None);
        };
        match value.to_lowercase().as_str() {
            "1" | "yes" | "true" | "on" => Ok(Some(true)),
            "0" | "no" | "false" | "off" => Ok(Some(false)),
            _ => Err(self.wrong(key, value, "one of true, false, yes, no, on, off, 1, 0")),
        }
    }

    /// A value of any type that can be read from text; `expected` says of which, for the message.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn get_parsed<T: FromStr>(
        &self,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<T>, ValueError> {
        let Some(value) = self.get_text(key)? else {
            return Ok(None);
        };
        value
            .parse()
            .map(Some)
            .map_err(|_| self.wrong(key, value, expected))
    }

    /// The lines of a value, without blank ones.
    ///
    /// # Errors
    /// As [`Section::get`].
    pub fn get_lines(&self, key: &str) -> Result<Vec<String>, ValueError> {
        let value = self.get(key)?.unwrap_or_default();
        let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(lines.map(str::to_owned).collect())
    }

    /// An error about a value of this section, for checks that the caller makes.
    pub fn wrong(&self, key: &str, value: String, expected: &'static str) -> ValueError {
        self.error(&normalise(key), ValueProblem::Type { value, expected })
    }

    fn error(&self, key: &str, problem: ValueProblem) -> ValueError {
        let (path, section) = (self.file.path.clone(), self.name.to_owned());
        ValueError {
            path,
            section,
            key: key.to_owned(),
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{ReadError, SyntaxProblem};

    fn parse(text: &str) -> Result<ConfigFile, ReadError> {
        ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes())
    }

    fn value(text: &str, key: &str) -> Option<String> {
        parse(text).unwrap().section("s").get(key).unwrap()
    }

    #[test]
    fn values_are_read_as_python_reads_them() {
        // (file, value of [s] key) as Python's configparser.ConfigParser said.
        let table = [
            ("[s]\nkey = value", Some("value")),
            ("[s]\nkey: value", Some("value")),
            ("[s]\nKEY=value", Some("value")),
            ("[s]\nkey = a = b : c", Some("a = b : c")),
            ("[s]\nkey =", Some("")),
            ("[s]\nkey =\n  a\n  b\n", Some("\na\nb")),
            ("[s]\nkey = a\n\n  b\n\n\nother = 1", Some("a\n\nb")),
            ("[s]\nkey = a\n# comment\n  b", Some("a\nb")),
            ("[s]\nkey = a\n  # comment\n  b", Some("a\nb")),
            ("[s]\nkey = a # no comment", Some("a # no comment")),
            ("[s]\nkey = a ; no comment", Some("a ; no comment")),
            ("  [s]\n  key = a\n  other = b", Some("a")),
            ("[s]\nkey = 100%%", Some("100%")),
            ("[s]\nkey = %(base)s/x\nbase = /srv", Some("/srv/x")),
            ("[DEFAULT]\nbase = /d\n[s]\nkey = %(base)s", Some("/d")),
            ("[DEFAULT]\nkey = d\n[s]\n", Some("d")),
            ("[s]\r\nkey = value\r\n", Some("value")),
            ("\u{feff}[s]\nkey = value", Some("value")),
            ("[s]\nkey = é☃", Some("é☃")),
            ("[other]\nkey = value", None),
            ("[S]\nkey = value", None),
        ];
        for (text, expected) in table {
            assert_eq!(value(text, "key").as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn dashes_and_underscores_are_the_same() {
        assert_eq!(
            value("[s]\nsoftware-root = x", "software_root").as_deref(),
            Some("x")
        );
        assert_eq!(
            value("[s]\nsoftware_root = x", "Software-Root").as_deref(),
            Some("x")
        );
    }

    #[test]
    fn broken_files_are_refused_with_the_line() {
        let table = [
            ("key = value", 1, SyntaxProblem::NoSection),
            (
                "[s]\n\nno delimiter",
                3,
                SyntaxProblem::NoDelimiter("no delimiter".to_owned()),
            ),
            (
                "[s]\n= value",
                2,
                SyntaxProblem::NoDelimiter("= value".to_owned()),
            ),
            ("[s\nkey = value", 1, SyntaxProblem::UnclosedSection),
            (
                "[s]\n[t]\n[s]",
                3,
                SyntaxProblem::DuplicateSection("s".to_owned(), 1),
            ),
            (
                "[s]\na-b = 1\na_b = 2",
                3,
                SyntaxProblem::DuplicateKey("a_b".to_owned(), "s".to_owned(), 2),
            ),
        ];
        for (text, expected_line, expected) in table {
            match parse(text) {
                Err(ReadError::Syntax { line, problem, .. }) => {
                    assert_eq!((line, problem), (expected_line, expected), "{text:?}");
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
        let error = ConfigFile::parse(Path::new("f"), b"[s]\nkey = \xff").unwrap_err();
        assert_eq!(error.to_string(), "f, line 2: not UTF-8");
    }

    #[test]
    fn references_that_lead_nowhere_are_refused_by_name() {
        let table = [
            (
                "[s]\nkey = %(no)s",
                InterpolationProblem::UnknownKey("no".to_owned()),
            ),
            ("[s]\nkey = 5%", InterpolationProblem::Malformed),
            ("[s]\nkey = %(a", InterpolationProblem::Malformed),
            ("[s]\nkey = %(a)d\na = 1", InterpolationProblem::Malformed),
            ("[s]\nkey = %(key)s", InterpolationProblem::TooDeep),
        ];
        for (text, expected) in table {
            let file = parse(text).unwrap();
            let error = file.section("s").get("key").unwrap_err();
            assert_eq!(
                error.problem,
                ValueProblem::Interpolation(expected),
                "{text:?}"
            );
            assert!(
                error
                    .to_string()
                    .starts_with("slapos.cfg: parameter key of [s]: "),
                "{error}"
            );
        }
    }

    #[test]
    fn references_cannot_fill_the_memory() {
        let mut text = "[s]\na0 = 0123456789\n".to_owned();
        for level in 1..10 {
            text += &format!("a{level} = {}\n", format!("%(a{})s", level - 1).repeat(10));
        }
        let file = parse(&text).unwrap();
        let error = file.section("s").get("a9").unwrap_err();
        assert_eq!(
            error.problem,
            ValueProblem::Interpolation(InterpolationProblem::TooLong)
        );
    }

    #[test]
    fn typed_values_and_what_they_refuse() {
        let file =
            parse("[s]\nyes = On\nno = FALSE\nn = 5\nbad = maybe\nlist =\n a\n\n b\nempty =")
                .unwrap();
        let section = file.section("s");
        assert_eq!(section.get_bool("yes").unwrap(), Some(true));
        assert_eq!(section.get_bool("no").unwrap(), Some(false));
        assert_eq!(section.get_bool("empty").unwrap(), None);
        assert_eq!(
            section.get_parsed::<u32>("n", "a whole number").unwrap(),
            Some(5)
        );
        assert_eq!(section.get_lines("list").unwrap(), ["a", "b"]);
        assert!(section.get_bool("bad").is_err());
        let error = section
            .get_parsed::<u32>("bad", "a whole number")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "slapos.cfg: parameter bad of [s]: \"maybe\" is not a whole number"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = ConfigFile::read(Path::new("/no/such.cfg")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the configuration file /no/such.cfg"
        );
    }

    #[test]
    fn the_example_of_the_project_can_be_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../slapos.cfg.example");
        let file = ConfigFile::read(&path).unwrap();
        for name in ["slapos", "slapformat", "slapproxy", "slapconsole"] {
            let section = file.section(name);
            assert!(section.exists(), "{name}");
            for key in section.keys() {
                section.get(key).unwrap();
            }
        }
    }
}
