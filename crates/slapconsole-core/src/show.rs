//! What a person sees of a value.

use starlark::values::Value;

/// The longest value that is shown on one line, in characters.
const WIDTH: usize = 79;

/// A value as the prompt shows it; nothing for `None`.
pub(crate) fn shown(value: Value<'_>) -> Option<String> {
    if value.is_none() {
        return None;
    }
    let line = value.to_repr();
    if line.chars().count() <= WIDTH {
        return Some(line);
    }
    Some(format!("{value:#}"))
}

/// A value as a program gets it: texts without quotes.
pub(crate) fn plain(value: Value<'_>) -> Option<String> {
    match value.unpack_str() {
        Some(text) => Some(text.to_owned()),
        None => shown(value),
    }
}
