//! Values of `[slapformat]`, else of `[slapos]`.

use std::path::PathBuf;
use std::str::FromStr;

use slapos_config::{ConfigFile, Section, ValueError};

/// Looks up the parameters of slapformat.
pub(crate) struct Lookup<'a>(pub(crate) &'a ConfigFile);

impl<'a> Lookup<'a> {
    fn first<T>(
        &self,
        look: impl Fn(Section<'a>) -> Result<Option<T>, ValueError>,
    ) -> Result<Option<T>, ValueError> {
        match look(self.0.section("slapformat"))? {
            Some(value) => Ok(Some(value)),
            None => look(self.0.section("slapos")),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, ValueError> {
        self.first(|section| section.get_text(key))
    }

    pub(crate) fn text_or(&self, key: &str, default: &str) -> Result<String, ValueError> {
        Ok(self.text(key)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(crate) fn path(&self, key: &str) -> Result<Option<PathBuf>, ValueError> {
        self.first(|section| section.get_path(key))
    }

    pub(crate) fn truth(&self, key: &str) -> Result<Option<bool>, ValueError> {
        self.first(|section| section.get_bool(key))
    }

    pub(crate) fn truth_or(&self, key: &str, default: bool) -> Result<bool, ValueError> {
        Ok(self.truth(key)?.unwrap_or(default))
    }

    pub(crate) fn parsed_or<T: FromStr>(
        &self,
        key: &str,
        default: T,
        expected: &'static str,
    ) -> Result<T, ValueError> {
        let value = self.first(|section| section.get_parsed(key, expected))?;
        Ok(value.unwrap_or(default))
    }

    pub(crate) fn wrong(&self, key: &str, value: String, expected: &'static str) -> ValueError {
        self.0.section("slapformat").wrong(key, value, expected)
    }
}
