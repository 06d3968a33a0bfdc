//! Names of instances, and the instances that have them.

use std::fmt;

use slap_proto::marshal::Dict;

use crate::MasterError;
use crate::master::{slave, tree};
use crate::storage::{PartitionRow, Records, SlaveRow};

const SEPARATOR: &str = "___";

/// The names of an instance. Written as one, they are what JSON-RPC calls its guid:
/// `TITLE___ROOT___0`, with 1 at the end for a slave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// Its title.
    pub(crate) title: String,
    /// The title of the root of its tree; empty for a root.
    pub(crate) root: String,
    /// Whether it is a slave.
    pub(crate) shared: bool,
}

impl fmt::Display for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            title,
            root,
            shared,
        } = self;
        let kind = u8::from(*shared);
        write!(formatter, "{title}{SEPARATOR}{root}{SEPARATOR}{kind}")
    }
}

impl Names {
    /// Of the instance in a partition.
    pub(crate) fn of_partition(row: &PartitionRow) -> Self {
        Self {
            title: row.partition_reference.clone().unwrap_or_default(),
            root: row.requested_by.clone(),
            shared: false,
        }
    }

    /// Of a slave. Its reference joins both titles by an underscore, which either may contain: who
    /// requested it tells them apart.
    pub(crate) fn of_slave(records: &dyn Records, slave: &SlaveRow) -> Result<Self, MasterError> {
        let requesters = tree::requesters_of_slave(records, slave)?;
        let root = requesters.first().map(tree::root_name).unwrap_or_default();
        let title = tree::slave_title(&slave.reference, root).map(|title| (root, title));
        // Its requester is gone.
        let (root, title) = title
            .or_else(|| slave.reference.split_once('_'))
            .unwrap_or(("", &slave.reference));
        Ok(Self {
            title: title.to_owned(),
            root: root.to_owned(),
            shared: true,
        })
    }

    /// The title of the root of the tree, which may be the instance itself.
    pub(crate) fn root_title(&self) -> &str {
        if self.root.is_empty() {
            &self.title
        } else {
            &self.root
        }
    }
}

/// A root of a tree, slave or not.
pub(crate) struct Tree {
    pub(crate) title: String,
    /// URL of its release.
    pub(crate) release: String,
    pub(crate) shared: bool,
}

impl Tree {
    fn of(names: Names, host: PartitionRow) -> Self {
        Self {
            title: names.title,
            release: host.software_release.unwrap_or_default(),
            shared: names.shared,
        }
    }
}

impl From<Found> for Tree {
    fn from(found: Found) -> Self {
        match found {
            Found::Instance(row) => Self::of(Names::of_partition(&row), row),
            Found::Shared(shared) => Self::of(shared.names, shared.host),
        }
    }
}

/// The roots of all trees.
pub(crate) fn trees(records: &dyn Records) -> Result<Vec<Tree>, MasterError> {
    let roots = records.roots()?.into_iter().map(Found::Instance);
    let mut trees: Vec<_> = roots.map(Tree::from).collect();
    for host in records.all_partitions()? {
        let shares = shares(records, &host)?.into_iter();
        let roots = shares.filter(|share| share.names.root.is_empty());
        trees.extend(roots.map(|share| Tree::of(share.names, host.clone())));
    }
    Ok(trees)
}

/// A slave as its host knows it.
pub(crate) struct Share {
    pub(crate) names: Names,
    /// What the host is told of it.
    pub(crate) entry: Dict,
}

/// The slaves of a host.
pub(crate) fn shares(
    records: &dyn Records,
    host: &PartitionRow,
) -> Result<Vec<Share>, MasterError> {
    let mut shares = Vec::new();
    for entry in slave::list(host) {
        let row = slave::name(&entry).map(|name| records.slave(name));
        if let (Some(row), Some(entry)) = (row.transpose()?.flatten(), entry.as_dict()) {
            shares.push(Share {
                names: Names::of_slave(records, &row)?,
                entry: entry.clone(),
            });
        }
    }
    Ok(shares)
}

/// The root of a tree, slave or not.
pub(crate) fn root(records: &dyn Records, title: &str) -> Result<Option<Found>, MasterError> {
    let names = |shared| Names {
        title: title.to_owned(),
        root: String::new(),
        shared,
    };
    match look_up(records, &names(false))? {
        Some(found) => Ok(Some(found)),
        None => look_up(records, &names(true)),
    }
}

/// An instance that was found by its name.
pub(crate) enum Found {
    /// An instance in a partition of its own.
    Instance(PartitionRow),
    /// A slave.
    Shared(Shared),
}

/// A slave and its host.
pub(crate) struct Shared {
    pub(crate) names: Names,
    pub(crate) slave: SlaveRow,
    pub(crate) host: PartitionRow,
    /// What the host is told of it.
    pub(crate) entry: Dict,
}

impl Found {
    /// The partition of the instance, or of the slave's host.
    pub(crate) fn partition(&self) -> &PartitionRow {
        match self {
            Self::Instance(row) => row,
            Self::Shared(shared) => &shared.host,
        }
    }

    /// The reference by which calls name a slave.
    pub(crate) fn slave_reference(&self) -> Option<String> {
        match self {
            Self::Instance(_) => None,
            Self::Shared(shared) => Some(shared.slave.reference.clone()),
        }
    }
}

/// The instance of a name.
pub(crate) fn find(records: &dyn Records, guid: &str) -> Result<Found, MasterError> {
    for names in readings(guid) {
        if let Some(found) = look_up(records, &names)? {
            return Ok(found);
        }
    }
    Err(MasterError::NotFound(format!(
        "there is no instance {guid}"
    )))
}

/// The instance of these names, if there is one.
pub(crate) fn look_up(records: &dyn Records, names: &Names) -> Result<Option<Found>, MasterError> {
    if names.shared {
        return Ok(shared(records, names)?.map(Found::Shared));
    }
    let row = records.instance(&names.title, &names.root)?;
    Ok(row.map(Found::Instance))
}

fn shared(records: &dyn Records, names: &Names) -> Result<Option<Shared>, MasterError> {
    let reference = tree::slave_reference(&names.root, &names.title);
    let Some(slave) = records.slave(&reference)? else {
        return Ok(None);
    };
    if Names::of_slave(records, &slave)? != *names {
        return Ok(None);
    }
    let host = records.partition(&slave.computer_reference, &slave.hosted_by)?;
    Ok(host.and_then(|host| {
        let list = slave::list(&host);
        let entry = list
            .iter()
            .find(|entry| slave::name(entry) == Some(&reference))?;
        let entry = entry.as_dict()?.clone();
        let names = names.clone();
        Some(Shared {
            names,
            slave,
            host,
            entry,
        })
    }))
}

/// What a name can mean: titles may contain the separator, too.
fn readings(guid: &str) -> Vec<Names> {
    let (both, shared) = match guid.rsplit_once(SEPARATOR) {
        Some((both, "0")) => (both, false),
        Some((both, "1")) => (both, true),
        _ => return Vec::new(),
    };
    let is_separator = |at: &usize| both.as_bytes()[*at..].starts_with(SEPARATOR.as_bytes());
    let names = |at: usize| Names {
        title: both[..at].to_owned(),
        root: both[at + SEPARATOR.len()..].to_owned(),
        shared,
    };
    (0..both.len()).filter(is_separator).map(names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(title: &str, root: &str, shared: bool) -> Names {
        Names {
            title: title.to_owned(),
            root: root.to_owned(),
            shared,
        }
    }

    #[test]
    fn a_name_is_read_as_it_was_written() {
        for names in [
            names("one", "", false),
            names("one", "root", true),
            names("é", "ü_", false),
            names("a___b", "c", false),
            names("_", "", true),
        ] {
            assert!(readings(&names.to_string()).contains(&names), "{names}");
        }
        assert_eq!(readings("one___root___0"), [names("one", "root", false)]);
    }

    #[test]
    fn what_is_no_name_means_nothing() {
        for text in ["", "one", "one___0", "one______2", "one___root", "______"] {
            assert_eq!(readings(text), [], "{text}");
        }
    }
}
