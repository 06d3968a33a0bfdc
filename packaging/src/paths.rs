//! `paths.cfg`: where things lie on a system that packages are made for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use slapos_config::ConfigFile;

/// The paths of a `paths.cfg`.
#[derive(Debug)]
pub struct Paths(ConfigFile);

impl Paths {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(file: &Path) -> Result<Self> {
        Ok(Self(ConfigFile::read(file)?))
    }

    /// One of the paths.
    ///
    /// # Errors
    /// It is not given, or not absolute.
    pub fn absolute(&self, name: &str) -> Result<PathBuf> {
        Ok(Path::new("/").join(self.relative(name)?))
    }

    /// One of the paths, without its leading slash, to be put below another directory.
    ///
    /// # Errors
    /// As [`Paths::absolute`].
    pub fn relative(&self, name: &str) -> Result<PathBuf> {
        let path = self.get(name)?;
        let relative = path.strip_prefix('/');
        let relative = relative.with_context(|| format!("{name} = {path}: not absolute"))?;
        Ok(PathBuf::from(relative))
    }

    /// A text with the paths in place of `@NAME@`. Other words at an `@` stay.
    ///
    /// # Errors
    /// There is no path of a name.
    pub fn fill_in(&self, text: &str) -> Result<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('@') {
            filled.push_str(before);
            match after.split_once('@') {
                Some((name, after)) if is_name(name) => {
                    filled.push_str(&self.get(name)?);
                    rest = after;
                }
                _ => {
                    filled.push('@');
                    rest = after;
                }
            }
        }
        Ok(filled + rest)
    }

    /// A slapos.cfg with the paths as the values of the parameters that have their names.
    ///
    /// # Errors
    /// A path cannot be read.
    pub fn configure(&self, slapos_cfg: &str) -> Result<String> {
        let section = self.0.section("paths");
        let mut configured = String::new();
        for line in slapos_cfg.lines() {
            let key = line.split_once(" = ").map(|(key, _)| key);
            match key.filter(|key| section.keys().any(|name| name == *key)) {
                Some(key) => configured.push_str(&format!("{key} = {}", self.get(key)?)),
                None => configured.push_str(line),
            }
            configured.push('\n');
        }
        Ok(configured)
    }

    fn get(&self, name: &str) -> Result<String> {
        match self.0.section("paths").get_text(name)? {
            Some(path) => Ok(path),
            None => bail!("{}: no path {name}", self.0.path().display()),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Paths {
        let text = format!("[paths]\n{text}");
        Paths(ConfigFile::parse(Path::new("paths.cfg"), text.as_bytes()).unwrap())
    }

    #[test]
    fn names_are_replaced_and_other_signs_stay() {
        let paths = paths("bindir = /usr/bin\ncfg = %(bindir)s/x");
        let text = "Exec=@bindir@/a @cfg@\nFilter=@system-service ~@privileged @resources\nme@home";
        assert_eq!(
            paths.fill_in(text).unwrap(),
            "Exec=/usr/bin/a /usr/bin/x\nFilter=@system-service ~@privileged @resources\nme@home"
        );
    }

    #[test]
    fn what_is_missing_or_relative_is_named() {
        let paths = paths("bindir = usr/bin");
        let error = paths.fill_in("a @nodir@ b").unwrap_err().to_string();
        assert!(
            error.contains("nodir") && error.contains("paths.cfg"),
            "{error}"
        );
        let error = paths.relative("bindir").unwrap_err().to_string();
        assert!(error.contains("bindir = usr/bin"), "{error}");
    }

    #[test]
    fn a_configuration_gets_the_paths_of_its_parameters() {
        let paths = paths("instance_root = /data");
        let text = "[slapos]\ninstance_root = /srv/slapgrid\n#instance_root = /no\nother = 1\n";
        assert_eq!(
            paths.configure(text).unwrap(),
            "[slapos]\ninstance_root = /data\n#instance_root = /no\nother = 1\n"
        );
    }
}
