//! Texts as PostgreSQL can hold them: all that others can, but for U+0000.

use std::borrow::Cow;

/// Stands before what it means: `0` for U+0000, `1` for itself. Of the private use area, so that
/// texts are stored as they are.
const ESCAPE: char = '\u{F8FE}';

/// The text as it is stored.
pub(super) fn stored(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return text.into();
    }
    let mut stored = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => stored.extend([ESCAPE, '0']),
            ESCAPE => stored.extend([ESCAPE, '1']),
            other => stored.push(other),
        }
    }
    stored.into()
}

/// The text that was stored.
pub(super) fn plain(stored: String) -> String {
    if !stored.contains(ESCAPE) {
        return stored;
    }
    let mut plain = String::with_capacity(stored.len());
    let mut characters = stored.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE if characters.next() == Some('0') => plain.push('\0'),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in ["", "plain é", "a\0b", "\u{F8FE}", "\u{F8FE}0\0\u{F8FE}1"] {
            let stored = stored(text).into_owned();
            assert!(!stored.contains('\0'), "{text:?}");
            assert_eq!(plain(stored), text);
        }
    }
}
