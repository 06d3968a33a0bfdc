//! What an admin should know of a plan that stands in no step of it.

use std::collections::BTreeSet;

use crate::compose::has_global_v6;
use crate::computer::Computer;
use crate::listing::some_of;
use crate::observe::Observed;
use crate::plan::blind_spot;
use crate::settings::Settings;

/// All of it, as messages.
pub(crate) fn all(settings: &Settings, computer: &Computer, observed: &Observed) -> Vec<String> {
    let warnings = [
        other_amount(settings, observed),
        no_global_v6(settings, observed),
        blind_spot(settings, &observed.network).filter(|_| settings.alter_network),
        missing_users(settings, computer, observed),
        unreadable(observed),
        other_computer(settings, observed),
        others_root(settings, observed),
    ];
    warnings.into_iter().flatten().collect()
}

fn other_amount(settings: &Settings, observed: &Observed) -> Option<String> {
    let defined = observed.definition.as_ref()?.partitions.len();
    let amount = settings.partition_amount;
    (defined != amount).then(|| {
        format!(
            "partition_amount = {amount}, but the definition has {defined} partitions: \
             there will be {defined}"
        )
    })
}

fn no_global_v6(settings: &Settings, observed: &Observed) -> Option<String> {
    let borrows = observed.definition.is_none() && !settings.alter_network;
    (borrows && !has_global_v6(settings, observed)).then(|| {
        let interface = settings.v6_interface().unwrap_or("the machine");
        format!("{interface} has no global IPv6 address: partitions have those of the loopback")
    })
}

fn missing_users(settings: &Settings, computer: &Computer, observed: &Observed) -> Option<String> {
    let users = computer.partitions.iter().map(|one| one.user.as_str());
    let missing: BTreeSet<_> = users
        .filter(|user| !settings.alter_user && !observed.accounts.users.contains_key(*user))
        .collect();
    (!missing.is_empty()).then(|| {
        let missing = some_of(&missing);
        format!("these users do not exist, slapgrid will want them: {missing}")
    })
}

fn unreadable(observed: &Observed) -> Option<String> {
    let files: Vec<_> = observed
        .unreadable
        .iter()
        .map(|path| path.display())
        .collect();
    (!files.is_empty()).then(|| {
        let files = some_of(&files);
        format!("this user may not read, so it is not known whether they would change: {files}")
    })
}

fn other_computer(settings: &Settings, observed: &Observed) -> Option<String> {
    let former = &observed.kept.as_ref()?.reference;
    let (path, computer) = (settings.computer_xml.display(), &settings.computer_id);
    (former != computer)
        .then(|| format!("{path} was that of the computer {former}; it becomes that of {computer}"))
}

/// Who owns the directory of the partitions can put others in their place.
fn others_root(settings: &Settings, observed: &Observed) -> Option<String> {
    let root = &settings.instance_root;
    let place = observed.followed.get(root).unwrap_or(root);
    let uid = observed.directories.get(place)?.owner.uid;
    (observed.root && uid != 0).then(|| {
        let root = root.display();
        format!(
            "{root} belongs to the user {uid}, who can exchange partitions: it should be root's"
        )
    })
}
