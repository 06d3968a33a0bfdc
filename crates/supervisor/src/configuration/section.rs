//! One section of a configuration file, written key by key.

use std::fmt::Display;
use std::path::Path;

use super::{Problem, RenderError, text};

pub(crate) struct Section {
    header: String,
    lines: String,
}

impl Section {
    /// A section with a fixed name, such as `unix_http_server`.
    pub(crate) fn fixed(name: &str) -> Self {
        Section {
            header: name.to_owned(),
            lines: String::new(),
        }
    }

    /// A section `[KIND:NAME]`, whose name comes from elsewhere and is checked.
    pub(crate) fn named(kind: &'static str, name: &str) -> Result<Self, RenderError> {
        match text::name(name) {
            Ok(()) => Ok(Section::fixed(&format!("{kind}:{name}"))),
            Err(problem) => Err(RenderError::Name {
                kind,
                name: name.to_owned(),
                problem,
            }),
        }
    }

    /// Writes a value that this crate chose itself.
    pub(crate) fn fact(&mut self, key: &str, value: impl Display) {
        self.lines.push_str(&format!("{key} = {value}\n"));
    }

    /// Writes a text from elsewhere, escaped.
    pub(crate) fn text(&mut self, key: &str, value: &str) -> Result<(), RenderError> {
        let escaped = text::value(value);
        self.checked(key, value, escaped)
    }

    /// Writes an absolute path, with something of ours behind it (`/*.conf`).
    pub(crate) fn path(&mut self, key: &str, path: &Path, behind: &str) -> Result<(), RenderError> {
        let escaped = absolute(path)
            .and_then(text::value)
            .map(|escaped| escaped + behind);
        self.checked(key, &path.to_string_lossy(), escaped)
    }

    /// Writes the absolute path of a program's log, which supervisord expands twice.
    pub(crate) fn log_path(&mut self, key: &str, path: &Path) -> Result<(), RenderError> {
        let escaped = absolute(path)
            .and_then(text::value)
            .map(|once| text::escape_percent(&once));
        self.checked(key, &path.to_string_lossy(), escaped)
    }

    /// Writes a command line, quoted.
    pub(crate) fn command(&mut self, words: &[String]) -> Result<(), RenderError> {
        self.checked("command", &words.join(" "), text::command(words))
    }

    /// Writes `environment`, unless there are no variables.
    pub(crate) fn environment(
        &mut self,
        variables: &[(String, String)],
    ) -> Result<(), RenderError> {
        if variables.is_empty() {
            return Ok(());
        }
        let value = variables
            .iter()
            .map(|(name, text)| format!("{name}={text}"))
            .collect::<Vec<_>>();
        self.checked(
            "environment",
            &value.join(","),
            text::environment(variables),
        )
    }

    /// The section with its header and an empty line behind it.
    pub(crate) fn render(self) -> String {
        format!("[{}]\n{}\n", self.header, self.lines)
    }

    fn checked(
        &mut self,
        key: &str,
        value: &str,
        escaped: Result<String, Problem>,
    ) -> Result<(), RenderError> {
        match escaped {
            Ok(escaped) => {
                self.fact(key, escaped);
                Ok(())
            }
            Err(problem) => Err(RenderError::Value {
                section: self.header.clone(),
                key: key.to_owned(),
                value: value.to_owned(),
                problem,
            }),
        }
    }
}

fn absolute(path: &Path) -> Result<&str, Problem> {
    match path.to_str() {
        None => Err(Problem::NotUtf8),
        Some(_) if !path.is_absolute() => Err(Problem::RelativePath),
        Some(path) => Ok(path),
    }
}
