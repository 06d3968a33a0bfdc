//! Steps that make users and groups.

use std::collections::BTreeSet;
use std::path::Path;

use super::Step;
use crate::accounts::Accounts;
use crate::computer::Computer;
use crate::settings::Settings;

/// What the users lack.
pub(super) fn steps(settings: &Settings, computer: &Computer, accounts: &Accounts) -> Vec<Step> {
    let software = computer.software_user.as_str();
    let mut steps = user(accounts, software, &settings.software_root, None);
    // A user of before may have another group; the partitions' users need this one.
    let made = steps.iter().any(|step| matches!(step, Step::User { .. }));
    if !made && !accounts.groups.contains_key(software) {
        steps.insert(
            0,
            Step::Group {
                name: software.to_owned(),
            },
        );
    }
    let mut seen = BTreeSet::from([software]);
    for partition in &computer.partitions {
        if seen.insert(&partition.user) {
            let home = settings.instance_root.join(&partition.reference);
            steps.extend(user(accounts, &partition.user, &home, Some(software)));
        }
    }
    steps
}

/// What one user lacks: a present one is completed, never reset.
fn user(accounts: &Accounts, name: &str, home: &Path, group: Option<&str>) -> Vec<Step> {
    if !accounts.users.contains_key(name) {
        return vec![Step::User {
            name: name.to_owned(),
            home: home.to_owned(),
            new_group: !accounts.groups.contains_key(name),
            group: group.map(str::to_owned),
        }];
    }
    let join = group
        .filter(|group| !accounts.is_member(name, group))
        .map(|group| Step::JoinGroup {
            user: name.to_owned(),
            group: group.to_owned(),
        });
    // Software may belong to root, who shall still be able to log in.
    let lock = (accounts.with_password.contains(name) && !accounts.is_root(name)).then(|| {
        Step::LockPassword {
            user: name.to_owned(),
        }
    });
    join.into_iter().chain(lock).collect()
}
