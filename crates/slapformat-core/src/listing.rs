//! Lists in messages.

/// The first of many, for a message.
pub(crate) fn some_of<'a, T: ToString + 'a>(all: impl IntoIterator<Item = &'a T>) -> String {
    const SHOWN: usize = 3;
    let mut all = all.into_iter();
    let first: Vec<_> = all.by_ref().take(SHOWN).map(T::to_string).collect();
    match all.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::some_of;

    #[test]
    fn long_lists_are_counted() {
        assert_eq!(some_of(&[1, 2, 3]), "1, 2, 3");
        assert_eq!(some_of(&[1, 2, 3, 4, 5]), "1, 2, 3 and 2 more");
    }
}
