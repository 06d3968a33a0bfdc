//! Which revision of a git checkout a release is built from, for those who look at it later.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::environment::Environment;
use crate::process::{self, Account, Interruption, Program};

/// git takes longer only where a file system hangs.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Before the revision in a comment of buildout.cfg.
const MARK: &str = " git revision: ";

/// The revision of the checkout that holds a profile, `heads/main-0-g137d52d`, and `-dirty` if it
/// was changed since. `None` for profiles elsewhere, and where there is no git.
pub(super) fn of_profile(
    url: &str,
    account: &Account,
    interruption: &Interruption,
) -> Option<String> {
    let directory = local_path(url)?.parent()?.to_owned();
    if !directory.is_dir() {
        return None;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // As whoever builds: what a checkout configures is run by git.
    let arguments = [
        "-c",
        "safe.directory=*",
        "describe",
        "--all",
        "--long",
        "--dirty",
    ];
    let environment = Environment::empty()
        .with("PATH", path)
        .with("GIT_OPTIONAL_LOCKS", "0");
    let mut program = Program::new(
        "git",
        arguments.map(OsString::from),
        &directory,
        environment,
    );
    program.account = Some(account.clone());
    program.timeout = Some(TIMEOUT);
    program.errors = process::Errors::Apart;
    let finished = process::run(&program, interruption, &mut |_| {}).ok()?;
    let finished = finished.into_success().ok()?;
    let revision = finished.output.last_lines(1).first()?.trim().to_owned();
    (!revision.is_empty()).then_some(revision)
}

fn local_path(url: &str) -> Option<PathBuf> {
    let path = Path::new(url.strip_prefix("file://").unwrap_or(url));
    path.is_absolute().then(|| path.to_owned())
}

/// `buildout.cfg` with the revision as a comment at its end; `None` if it says so already.
pub(super) fn noted(profile: &str, revision: &str, now: OffsetDateTime) -> Option<String> {
    let is_note = |line: &&str| line.starts_with('#') && line.contains(MARK);
    let last = profile.lines().rev().find(is_note);
    if last.is_some_and(|line| line.ends_with(&format!("{MARK}{revision}"))) {
        return None;
    }
    let format =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]");
    let date = now.format(format).unwrap_or_default();
    let gap = if last.is_some() { "" } else { "\n" };
    Some(format!("{profile}{gap}# {date}{MARK}{revision}\n"))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_revision_is_noted_once() {
        let now = datetime!(2026-11-24 14:38:39.331327 UTC);
        let first = noted("[buildout]\n", "heads/main-0-g7e32d46", now).unwrap();
        assert_eq!(
            first,
            "[buildout]\n\n# 2026-11-24 14:38:39.331327 git revision: heads/main-0-g7e32d46\n"
        );
        assert_eq!(noted(&first, "heads/main-0-g7e32d46", now), None);
        let second = noted(&first, "heads/main-0-g7e32d46-dirty", now).unwrap();
        assert_eq!(second.lines().count(), 4);
        assert!(
            noted(&second, "heads/main-0-g7e32d46", now).is_some(),
            "back"
        );
    }

    #[test]
    fn only_files_have_a_revision() {
        assert_eq!(local_path("https://lab.example.org/software.cfg"), None);
        assert_eq!(local_path("software.cfg"), None);
        for url in ["/opt/a/software.cfg", "file:///opt/a/software.cfg"] {
            assert_eq!(local_path(url), Some(PathBuf::from("/opt/a/software.cfg")));
        }
    }
}
