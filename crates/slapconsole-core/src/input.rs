//! Source text as it is typed: its tokens, whether it is complete, and whether it is too much.
//!
//! The language's own lexer knows whole programs only. This one knows as much as is needed of one
//! that is being typed.

use std::borrow::Cow;

/// What a piece of source text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    /// A text in quotes; whether it ends, and whether it may hold line ends.
    Text {
        ends: bool,
        has_lines: bool,
    },
    /// An opening bracket.
    Open,
    /// A closing bracket.
    Close,
    Dot,
    Comma,
    Colon,
    /// The end of a line.
    Newline,
    /// A backslash that joins a line with the next.
    Joint,
    Other,
}

/// A piece of source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

/// The tokens of a source text, without blanks and comments.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut rest = source;
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (kind, length) = token(first, rest);
        let (text, after) = rest.split_at(length);
        found.extend(kind.map(|kind| Token { kind, text }));
        rest = after;
    }
    found
}

/// The first token, or nothing for what is none; and its length.
fn token(first: char, rest: &str) -> (Option<Kind>, usize) {
    let one = |kind| (Some(kind), first.len_utf8());
    match first {
        '\n' => one(Kind::Newline),
        '(' | '[' | '{' => one(Kind::Open),
        ')' | ']' | '}' => one(Kind::Close),
        '.' => one(Kind::Dot),
        ',' => one(Kind::Comma),
        ':' => one(Kind::Colon),
        '\\' if rest.starts_with("\\\n") => (Some(Kind::Joint), 2),
        '\\' if rest.len() == 1 => one(Kind::Joint),
        '#' => (None, rest.find('\n').unwrap_or(rest.len())),
        '"' | '\'' => text(first, rest),
        _ if first.is_whitespace() => (None, first.len_utf8()),
        _ if is_of_name(first) => {
            let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
            (Some(Kind::Name), end)
        }
        _ => one(Kind::Other),
    }
}

/// Whether a character may be in a name; digits, too.
pub(crate) fn is_of_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn text(quote: char, rest: &str) -> (Option<Kind>, usize) {
    let triple = [quote; 3].iter().collect::<String>();
    let has_lines = rest.starts_with(&triple);
    let end = if has_lines {
        triple.as_str()
    } else {
        &triple[..1]
    };
    let mut at = end.len();
    while let Some(next) = rest[at..].chars().next() {
        if rest[at..].starts_with(end) {
            let kind = Kind::Text {
                ends: true,
                has_lines,
            };
            return (Some(kind), at + end.len());
        }
        if next == '\n' && !has_lines {
            break;
        }
        at += next.len_utf8();
        if next == '\\' {
            at += rest[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    let kind = Kind::Text {
        ends: false,
        has_lines,
    };
    (Some(kind), at)
}

/// Whether more lines must follow: a bracket or a text of several lines is open, lines are joined, or
/// a block has not been ended by an empty line.
pub(crate) fn is_incomplete(source: &str) -> bool {
    let source = without_prompts(source);
    let tokens = tokens(&source);
    let is_open = depth(&tokens) > 0;
    let is_cut = matches!(
        tokens.last().map(|token| token.kind),
        Some(
            Kind::Joint
                | Kind::Text {
                    ends: false,
                    has_lines: true
                }
        )
    );
    let last_line = source.rsplit('\n').next().unwrap_or_default();
    let is_blank = last_line.trim().is_empty();
    let is_indented = !is_blank && last_line.starts_with(char::is_whitespace);
    let begins_block = !is_blank && tokens.last().is_some_and(|token| token.kind == Kind::Colon);
    is_open || is_cut || begins_block || (has_block(&tokens) && is_indented)
}

/// How many brackets are open.
fn depth(tokens: &[Token<'_>]) -> usize {
    tokens
        .iter()
        .fold(0, |depth: usize, token| match token.kind {
            Kind::Open => depth + 1,
            Kind::Close => depth.saturating_sub(1),
            _ => depth,
        })
}

/// Whether a line ends in a colon, outside of brackets, and another one follows.
fn has_block(tokens: &[Token<'_>]) -> bool {
    let mut depth: usize = 0;
    let mut previous = Kind::Newline;
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Newline if depth == 0 && previous == Kind::Colon => return true,
            _ => {}
        }
        previous = token.kind;
    }
    false
}

/// What was copied from a session with Python's prompts, without them.
pub(crate) fn without_prompts(source: &str) -> Cow<'_, str> {
    const PROMPTS: [&str; 2] = [">>>", "..."];
    if !source.trim_start().starts_with(PROMPTS[0]) {
        return Cow::Borrowed(source);
    }
    let line = |line: &str| {
        let begin = line.trim_start();
        let prompt = PROMPTS.iter().find_map(|prompt| begin.strip_prefix(prompt));
        match prompt {
            Some(rest) => rest.strip_prefix(' ').unwrap_or(rest).to_owned(),
            None => line.to_owned(),
        }
    };
    let lines: Vec<_> = source.split('\n').map(line).collect();
    Cow::Owned(lines.join("\n"))
}

/// How deep a program may be nested: for each level, the language's parser and compiler call
/// themselves, for which there must be room on the stack.
const DEEPEST: usize = 5000;

/// A program is nested too deeply to be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "this is nested too deeply, or a statement has too many operators (the limit is {DEEPEST})"
)]
pub(crate) struct TooDeep;

/// Refuses what could be nested more deeply than there is room for. An operator may be a level, and so
/// may be a call of what another call gives, and `elif`; items of lists are none, nor are statements.
pub(crate) fn check_depth(source: &str) -> Result<(), TooDeep> {
    let mut brackets = vec![0];
    let mut alternatives = 0;
    for token in tokens(source) {
        alternatives += usize::from(token.text == "elif");
        match (token.kind, &mut brackets[..]) {
            (Kind::Comma, [.., level]) => *level = 0,
            (Kind::Newline, [level]) => *level = 0,
            (Kind::Close, [_, .., _]) => drop(brackets.pop()),
            (kind, [.., level]) => {
                *level += 1;
                if kind == Kind::Open {
                    brackets.push(0);
                }
            }
            _ => {}
        }
        if brackets.iter().sum::<usize>() > DEEPEST || alternatives > DEEPEST {
            return Err(TooDeep);
        }
    }
    let blanks = |line: &str| line.len() - line.trim_start().len();
    match source.lines().map(blanks).max() {
        Some(indent) if indent > DEEPEST => Err(TooDeep),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_told_from_what_is_complete() {
        for source in [
            "request(kvm,",
            "{\"a\": [",
            "x = \"\"\"a\nb",
            "x = 1 + \\",
            "def f():",
            "def f():\n    return 1",
            "for x in y: # all",
            "if x:\n    f(\n\n",
            ">>> request(kvm,",
        ] {
            assert!(is_incomplete(source), "{source:?}");
        }
        for source in [
            "",
            "1",
            "request(kvm, \"x\")",
            "\"(\"",
            "# (",
            "'it\\'s ('",
            "\"unfinished (",
            "x)",
            "def f():\n    return 1\n",
            "def f():\n    return 1\nf()",
            "if x: print(1)",
            "{1: 2}",
            "[x\nfor x in {1:\n2}]",
            "x = \"\"\"a\nb\"\"\"",
            ">>> 1\n... ",
        ] {
            assert!(!is_incomplete(source), "{source:?}");
        }
    }

    #[test]
    fn prompts_are_taken_off_where_the_first_line_has_one() {
        for (source, expected) in [
            (">>> f(1,\n  2)", "f(1,\n  2)"),
            (
                "\n>>> for x in y:\n...     x\n...\n>>> 1",
                "\nfor x in y:\n    x\n\n1",
            ),
            ("f(\n... )", "f(\n... )"),
            (">>>", ""),
        ] {
            assert_eq!(without_prompts(source), expected, "{source:?}");
        }
    }

    #[test]
    fn tokens_are_told_apart() {
        let kinds: Vec<_> = tokens("é.b(1, 'x' # c\n)")
            .iter()
            .map(|token| token.kind)
            .collect();
        let text = Kind::Text {
            ends: true,
            has_lines: false,
        };
        assert_eq!(
            kinds,
            [
                Kind::Name,
                Kind::Dot,
                Kind::Name,
                Kind::Open,
                Kind::Name,
                Kind::Comma,
                text,
                Kind::Newline,
                Kind::Close
            ]
        );
    }

    #[test]
    fn depth_is_counted_and_length_is_not() {
        assert!(check_depth(&"[1, (2, 3), {4: 5}],\n".repeat(10_000)).is_ok());
        assert!(check_depth(&"x = f(1) + 2\n".repeat(10_000)).is_ok());
        for deep in [
            "(",
            "-",
            ".a",
            "[",
            "not ",
            "f(",
            "1 if x else ",
            "elif x:\n",
        ] {
            assert!(check_depth(&deep.repeat(DEEPEST + 1)).is_err(), "{deep}");
            assert!(check_depth(&deep.repeat(1000)).is_ok(), "{deep}");
        }
    }
}
