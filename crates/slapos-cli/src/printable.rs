//! Texts of others, in a terminal or a log.

use std::borrow::Cow;

/// A text as it can be shown: control characters, which could command a terminal, are escaped, and
/// lines after the first begin with `indent`, so that none of them looks like a line of ours.
pub fn printable<'a>(text: &'a str, indent: &str) -> Cow<'a, str> {
    if !text.contains(|character: char| character.is_control() && character != '\t') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => {
                shown.push('\n');
                shown.push_str(indent);
            }
            '\t' => shown.push('\t'),
            control if control.is_control() => shown.extend(control.escape_default()),
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_commands_the_terminal_or_looks_like_another_line() {
        assert_eq!(printable("plain\ttext é", "  "), "plain\ttext é");
        assert_eq!(printable("a\nINFO b", "  "), "a\n  INFO b");
        assert_eq!(printable("\u{1b}[2J\r", ""), "\\u{1b}[2J\\r");
    }
}
