//! Each thing once, although a master may name it several times in one answer.

use std::collections::BTreeMap;
use std::fmt;

/// A master that wants several things of the same subject: none of them is done, since one may be to
/// destroy what the other keeps.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguous(String);

impl fmt::Display for Ambiguous {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.0;
        write!(
            formatter,
            "the master says different things of {name}: nothing is done about it"
        )
    }
}

/// The entries in their order: of equal ones the first, and of those that have a name in common but
/// differ none; their names.
pub(super) fn take<T: PartialEq>(
    entries: Vec<T>,
    name: impl Fn(&T) -> String,
) -> (Vec<T>, Vec<Ambiguous>) {
    let mut by_name: BTreeMap<String, Vec<(usize, T)>> = BTreeMap::new();
    for (place, entry) in entries.into_iter().enumerate() {
        let same = by_name.entry(name(&entry)).or_default();
        if same.iter().all(|(_, known)| *known != entry) {
            same.push((place, entry));
        }
    }
    let mut ambiguous = Vec::new();
    let mut single = Vec::new();
    for (name, mut same) in by_name {
        match same.len() {
            1 => single.append(&mut same),
            _ => ambiguous.push(Ambiguous(name)),
        }
    }
    single.sort_unstable_by_key(|(place, _)| *place);
    (
        single.into_iter().map(|(_, entry)| entry).collect(),
        ambiguous,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_entries_count_once_and_contradictions_not_at_all() {
        let entries = vec![("b", 1), ("c", 1), ("a", 1), ("c", 2), ("b", 1), ("c", 1)];
        let (entries, ambiguous) = take(entries, |(name, _)| (*name).to_owned());
        assert_eq!(entries, [("b", 1), ("a", 1)]);
        assert_eq!(ambiguous, [Ambiguous("c".to_owned())]);
    }
}
