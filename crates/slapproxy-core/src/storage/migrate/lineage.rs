//! Who belongs to which root: what tables of version 16 and before do not say.
//!
//! There, `requested_by` names the partition that requested an instance. Since version 17 it is
//! the title of the root of the tree.

use std::collections::{HashMap, HashSet};

/// An instance, by what tells its ancestors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    /// Reference of its computer.
    pub(super) computer: String,
    /// Reference of its partition.
    pub(super) partition: String,
    /// Its title; empty for a free partition.
    pub(super) title: String,
    /// Reference of the partition that requested it; empty for a root.
    pub(super) requested_by: String,
}

/// Title of the root and reference of the direct requester.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lineage {
    /// Empty for a root.
    pub(super) root: String,
    /// Empty for a root.
    pub(super) requester: String,
}

/// The lineage of each instance, in their order. One whose requester is gone, or that descends
/// from itself, is a root from now on: a user can still name it.
pub(super) fn lineages(instances: &[Instance]) -> Vec<Lineage> {
    let family = Family::new(instances);
    let lineage = |instance| {
        let root = family.root(instance).filter(|root| *root != instance);
        root.map_or_else(Lineage::default, |root| Lineage {
            root: root.title.clone(),
            requester: instance.requested_by.clone(),
        })
    };
    instances.iter().map(lineage).collect()
}

/// The instances by the reference of their partition, which several computers may have.
struct Family<'a>(HashMap<&'a str, Vec<&'a Instance>>);

impl<'a> Family<'a> {
    fn new(instances: &'a [Instance]) -> Self {
        let mut members: HashMap<_, Vec<_>> = HashMap::new();
        for instance in instances
            .iter()
            .filter(|instance| !instance.title.is_empty())
        {
            let namesakes = members.entry(instance.partition.as_str()).or_default();
            namesakes.push(instance);
        }
        Self(members)
    }

    /// The topmost ancestor; `None` where there is none.
    fn root(&self, of: &'a Instance) -> Option<&'a Instance> {
        let mut seen = HashSet::new();
        let mut top = of;
        while let Some(parent) = self.requester(top) {
            if !seen.insert((&parent.computer, &parent.partition)) {
                return None;
            }
            top = parent;
        }
        Some(top)
    }

    /// The instance that requested another one. Its computer is not noted: the same is likelier.
    fn requester(&self, of: &Instance) -> Option<&'a Instance> {
        let candidates = self.0.get(of.requested_by.as_str())?;
        let near = candidates.iter().find(|near| near.computer == of.computer);
        near.or(candidates.last()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(line: &str) -> Instance {
        let words: Vec<_> = line.split('/').map(|word| word.trim().to_owned()).collect();
        let [computer, partition, title, requested_by] = words.try_into().unwrap();
        Instance {
            computer,
            partition,
            title,
            requested_by,
        }
    }

    #[test]
    fn each_kind_of_ancestry() {
        // (computer / partition / title / requested by), root and requester.
        let table = [
            ("C / p0 / root / ", "", ""),
            ("C / p1 / kid / p0", "root", "p0"),
            ("C / p2 / grandkid / p1", "root", "p1"),
            ("C / p3 / early / p9", "late", "p9"),
            ("C / p9 / late / ", "", ""),
            // The requester's partition is free, or not there.
            ("C / p4 /  / ", "", ""),
            ("C / p5 / of the free / p4", "", ""),
            ("C / p6 / orphan / gone", "", ""),
            ("C / p7 / orphan's kid / p6", "orphan", "p6"),
            // Descending from oneself.
            ("C / p10 / narcissus / p10", "", ""),
            ("C / p11 / hen / p12", "", ""),
            ("C / p12 / egg / p11", "", ""),
            ("C / p13 / chick / p12", "", ""),
            // Another computer has partitions of the same names.
            ("D / p0 / other root / ", "", ""),
            ("D / p1 / other kid / p0", "other root", "p0"),
            ("D / p8 / far kid / p2", "root", "p2"),
        ];
        let instances: Vec<_> = table.iter().map(|row| instance(row.0)).collect();
        for (found, (line, root, requester)) in lineages(&instances).iter().zip(table) {
            assert_eq!(
                (&*found.root, &*found.requester),
                (root, requester),
                "{line}"
            );
        }
    }
}
