//! What lies in a release's directory before buildout runs: its profile, and what buildout needs
//! of its user's home.

use std::io;

use nix::unistd::geteuid;
use slapos_fs::{
    FileAttributes, Owner, WriteError, read_bounded, remove_file, write_file, write_if_changed,
};
use time::OffsetDateTime;

use super::install::{InstallError, Installation};
use super::revision;
use crate::layout::ReleaseLayout;
use crate::outcome::error_chain;
use crate::process::Account;

/// Longest file of these that is read, in bytes.
const LIMIT: u64 = 1 << 20;
/// Passwords for downloads, in the home of the user that buildout runs as.
const NETRC: &str = ".netrc";

impl Installation<'_> {
    /// Written once, since an admin may change it; only the revision that is built is noted later.
    pub(super) fn write_profile(
        &self,
        url: &str,
        layout: &ReleaseLayout,
        account: &Account,
    ) -> Result<(), WriteError> {
        let path = layout.profile();
        if !path.exists() {
            let text = self.profile(url);
            write_file(&path, text.as_bytes(), owned(account, 0o644))?;
        }
        let Some(revision) = revision::of_profile(url, account, self.interruption) else {
            return Ok(());
        };
        let now = OffsetDateTime::now_utc().to_offset(self.utc_offset);
        let present = read_bounded(&path, LIMIT).ok();
        // What an admin made of it may be no text: then there is no note.
        let present = present.and_then(|present| String::from_utf8(present).ok());
        match present.and_then(|present| revision::noted(&present, &revision, now)) {
            Some(text) => write_file(&path, text.as_bytes(), owned(account, 0o644)),
            None => Ok(()),
        }
    }

    /// buildout's home is the release's directory: there it finds the passwords of its user.
    pub(super) fn copy_netrc(
        &self,
        layout: &ReleaseLayout,
        account: &Account,
    ) -> Result<(), InstallError> {
        let copy = layout.directory().join(NETRC);
        match read_bounded(&account.home.join(NETRC), LIMIT) {
            Ok(passwords) => {
                write_if_changed(&copy, &passwords, owned(account, 0o600))?;
                return Ok(());
            }
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => log::warn!(target: self.name, "{}", error_chain(&error)),
        }
        remove_file(&copy)?;
        Ok(())
    }

    fn profile(&self, url: &str) -> String {
        let lines = |values: &[String]| {
            let lines = values.iter().map(|value| format!("\n  {value}"));
            lines.collect::<String>()
        };
        format!(
            "[buildout]\nextends = {url}\nshared-part-list ={}\nbuild-time-part-list ={}\n",
            lines(&self.settings.shared_part_list),
            lines(&self.settings.build_time_part_list),
        )
    }
}

/// A mode, and the owner if we may give files away.
pub(super) fn owned(account: &Account, mode: u32) -> FileAttributes {
    let (uid, gid) = account.ids();
    FileAttributes {
        mode,
        owner: geteuid().is_root().then_some(Owner { uid, gid }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use slapos_config::ConfigFile;
    use time::UtcOffset;

    use super::*;
    use crate::options::Options;
    use crate::process::Interruption;
    use crate::settings::Settings;

    #[test]
    fn passwords_follow_the_home_of_the_builder() {
        let root = tempfile::tempdir().unwrap();
        let here = root.path().display();
        let text = format!(
            "[slapos]\ncomputer_id = C\nmaster_url = http://m/\nsoftware_root = {here}\n\
             instance_root = {here}\n"
        );
        let file = ConfigFile::parse(Path::new("slapos.cfg"), text.as_bytes()).unwrap();
        let settings = Settings::from_config(&file, &Options::default()).unwrap();
        let interruption = Interruption::new().unwrap();
        let installation = Installation {
            settings: &settings,
            interruption: &interruption,
            utc_offset: UtcOffset::UTC,
            name: "release",
        };
        let layout = ReleaseLayout::new(root.path(), "http://releases.invalid/");
        fs::create_dir(layout.directory()).unwrap();
        let mut account = Account::owner_of(root.path()).unwrap();
        account.home = root.path().join("home");
        fs::create_dir(&account.home).unwrap();
        let copy = layout.directory().join(NETRC);
        installation.copy_netrc(&layout, &account).unwrap();
        assert!(!copy.exists());
        for passwords in ["machine a", "machine b"] {
            fs::write(account.home.join(NETRC), passwords).unwrap();
            installation.copy_netrc(&layout, &account).unwrap();
            assert_eq!(fs::read_to_string(&copy).unwrap(), passwords);
            assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_file(account.home.join(NETRC)).unwrap();
        installation.copy_netrc(&layout, &account).unwrap();
        assert!(!copy.exists());
    }
}
