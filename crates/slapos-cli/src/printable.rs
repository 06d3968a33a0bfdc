//! Texts of others, in a terminal or a log.

use std::borrow::Cow;

/// A text as it can be shown: control characters, which could command a terminal, are escaped, and
/// lines after the first begin with `indent`, so that none of them looks like a line of ours.
pub fn printable<'a>(text: &'a str, indent: &str) -> Cow<'a, str> {
    escaped(text, Some(indent))
}

/// As [`printable`], for a text that shall stay on its line: line ends are escaped, too.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    escaped(text, None)
}

/// Without an indent, there are no further lines.
fn escaped<'a>(text: &'a str, indent: Option<&str>) -> Cow<'a, str> {
    if !text.contains(|character: char| character.is_control() && character != '\t') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match (character, indent) {
            ('\n', Some(indent)) => {
                shown.push('\n');
                shown.push_str(indent);
            }
            ('\t', _) => shown.push('\t'),
            (control, _) if control.is_control() => shown.extend(control.escape_default()),
            (other, _) => shown.push(other),
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

    #[test]
    fn what_stays_on_its_line_has_no_line_end() {
        assert_eq!(on_one_line("plain\ttext é \\n"), "plain\ttext é \\n");
        assert_eq!(on_one_line("a\nb\r\u{1b}c"), "a\\nb\\r\\u{1b}c");
    }
}
