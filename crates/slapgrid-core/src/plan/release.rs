//! What is to be done with each software release.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use slap_proto::documents::SoftwareState;

use crate::layout::release_name;

/// What the disk shows of a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObservedRelease {
    /// Its installation was finished and reported.
    pub completed: bool,
}

/// A release as the master names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRelease {
    /// Where its profile is.
    pub url: String,
    /// Whether it shall be there.
    pub state: SoftwareState,
}

/// Which releases are looked at, and which are done again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseSelection {
    /// MD5 names or URLs; none: all releases.
    pub only: Vec<String>,
    /// Install completed releases too.
    pub force: bool,
    /// Remove directories of releases that the master does not want.
    pub garbage_collect: bool,
}

/// What is to be done with one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleasePlan {
    /// Its URL; none for a directory that no release of the master has.
    pub url: Option<String>,
    /// The name of its directory.
    pub name: String,
    /// What to do.
    #[serde(flatten)]
    pub action: ReleaseAction,
}

/// What is to be done with a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ReleaseAction {
    /// Report building, install, report available, mark as completed.
    Install {
        /// Why it is not just kept.
        reason: InstallReason,
    },
    /// Remove the directory, report destroyed.
    Destroy,
    /// Remove the directory of a release that no master wants.
    Collect,
    /// It is as it shall be.
    Keep,
    /// It was not named on the command line.
    Ignore,
}

/// Why a release is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallReason {
    /// No installation was finished and reported.
    NotCompleted,
    /// All releases shall be installed again.
    Forced,
    /// This release shall be installed again.
    Named,
}

impl ReleasePlan {
    /// The URL where there is one, else the directory's name.
    pub fn subject(&self) -> &str {
        self.url.as_deref().unwrap_or(&self.name)
    }
}

impl ReleaseAction {
    /// Whether carrying it out changes anything.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Keep | Self::Ignore)
    }
}

impl fmt::Display for ReleasePlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject();
        match self.action {
            ReleaseAction::Install { reason } => write!(formatter, "install {subject}: {reason}"),
            ReleaseAction::Destroy => {
                write!(formatter, "remove {subject}: the master wants it destroyed")
            }
            ReleaseAction::Collect => {
                write!(
                    formatter,
                    "remove {subject}: no release of the master needs it"
                )
            }
            ReleaseAction::Keep => write!(formatter, "keep {subject}"),
            ReleaseAction::Ignore => write!(formatter, "ignore {subject}"),
        }
    }
}

impl fmt::Display for InstallReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotCompleted => "no installation was finished and reported",
            Self::Forced => "all releases shall be installed again",
            Self::Named => "it is named",
        })
    }
}

/// Whether a name on the command line, an MD5 or a URL, is that of a release.
pub fn is_release(name: &str, url: &str) -> bool {
    name == url || name == release_name(url)
}

impl ReleaseSelection {
    fn names(&self, url: &str) -> bool {
        self.only.iter().any(|name| is_release(name, url))
    }

    fn decide(&self, wanted: &WantedRelease, observed: ObservedRelease) -> ReleaseAction {
        let named = self.names(&wanted.url);
        if !self.only.is_empty() && !named {
            return ReleaseAction::Ignore;
        }
        match wanted.state {
            SoftwareState::Destroyed => ReleaseAction::Destroy,
            SoftwareState::Available if named => ReleaseAction::Install {
                reason: InstallReason::Named,
            },
            SoftwareState::Available if self.force => ReleaseAction::Install {
                reason: InstallReason::Forced,
            },
            SoftwareState::Available if observed.completed => ReleaseAction::Keep,
            SoftwareState::Available => ReleaseAction::Install {
                reason: InstallReason::NotCompleted,
            },
        }
    }
}

/// Decides about each wanted release, in the master's order, and then about the directories
/// found in the software root.
pub fn plan_releases(
    wanted: &[(WantedRelease, ObservedRelease)],
    directories: &[String],
    selection: &ReleaseSelection,
) -> Vec<ReleasePlan> {
    let decided = wanted.iter().map(|(release, observed)| ReleasePlan {
        url: Some(release.url.clone()),
        name: release_name(&release.url),
        action: selection.decide(release, *observed),
    });
    decided
        .chain(plan_collection(wanted, directories, selection))
        .collect()
}

fn plan_collection<'a>(
    wanted: &[(WantedRelease, ObservedRelease)],
    directories: &'a [String],
    selection: &ReleaseSelection,
) -> impl Iterator<Item = ReleasePlan> + use<'a> {
    let known: BTreeSet<String> = wanted
        .iter()
        .map(|(release, _)| release_name(&release.url))
        .collect();
    let collects = selection.garbage_collect && selection.only.is_empty();
    directories
        .iter()
        .filter(move |name| collects && is_release_name(name) && !known.contains(*name))
        .map(|name| ReleasePlan {
            url: None,
            name: name.clone(),
            action: ReleaseAction::Collect,
        })
}

/// Whether a directory may be that of a release: others in the software root are left alone.
pub fn is_release_name(name: &str) -> bool {
    name.len() == 32
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://example.org/software.cfg";
    const NAME: &str = "bc1395bc61d2561a166c18d50ca3964f";

    fn install(reason: InstallReason) -> ReleaseAction {
        ReleaseAction::Install { reason }
    }

    fn action(state: SoftwareState, completed: bool, only: &[&str], force: bool) -> ReleaseAction {
        let wanted = WantedRelease {
            url: URL.to_owned(),
            state,
        };
        let selection = ReleaseSelection {
            only: only.iter().map(|name| (*name).to_owned()).collect(),
            force,
            garbage_collect: false,
        };
        plan_releases(&[(wanted, ObservedRelease { completed })], &[], &selection)[0].action
    }

    #[test]
    fn decisions() {
        use InstallReason::{Forced, Named, NotCompleted};
        use ReleaseAction::{Destroy, Ignore, Keep};
        use SoftwareState::{Available, Destroyed};
        for (state, completed, only, force, expected) in [
            (
                Available,
                false,
                &[] as &[&str],
                false,
                install(NotCompleted),
            ),
            (Available, true, &[], false, Keep),
            (Available, true, &[], true, install(Forced)),
            (Available, true, &[URL], false, install(Named)),
            (Available, true, &[NAME], false, install(Named)),
            (Available, false, &["other"], false, Ignore),
            (Available, false, &["other"], true, Ignore),
            (Destroyed, true, &[], false, Destroy),
            (Destroyed, false, &[], false, Destroy),
            (Destroyed, true, &["other"], false, Ignore),
            (Destroyed, true, &[NAME], false, Destroy),
        ] {
            assert_eq!(
                action(state, completed, only, force),
                expected,
                "{state:?} {completed} {only:?} {force}"
            );
        }
    }

    fn collected(directories: &[&str], only: &[&str]) -> Vec<String> {
        let wanted = WantedRelease {
            url: URL.to_owned(),
            state: SoftwareState::Available,
        };
        let owned = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let selection = ReleaseSelection {
            only: owned(only),
            force: false,
            garbage_collect: true,
        };
        let observed = ObservedRelease { completed: true };
        plan_releases(&[(wanted, observed)], &owned(directories), &selection)
            .into_iter()
            .filter(|plan| plan.action == ReleaseAction::Collect)
            .map(|plan| plan.name)
            .collect()
    }

    #[test]
    fn only_unknown_release_directories_are_collected() {
        let unknown = "0123456789abcdef0123456789abcdef";
        let directories = [
            NAME,
            unknown,
            "shared",
            "0123456789ABCDEF0123456789ABCDEF",
            "..",
            "lost+found",
        ];
        assert_eq!(collected(&directories, &[]), [unknown]);
    }

    #[test]
    fn nothing_is_collected_when_releases_are_named() {
        assert!(collected(&["0123456789abcdef0123456789abcdef"], &[NAME]).is_empty());
    }
}
