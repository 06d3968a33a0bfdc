//! `%(key)s` and `%%` in values.

use crate::parser::{Keys, normalise};

/// What can be wrong with the references of a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InterpolationProblem {
    /// A `%` that begins neither `%%` nor `%(key)s`.
    #[error("'%' must be followed by '%' or '(KEY)s'")]
    Malformed,
    /// The section has no such key.
    #[error("it refers to {0}, which is not set")]
    UnknownKey(String),
    /// References to references, too many or in a circle.
    #[error("its references are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// What the references stand for is too long.
    #[error("with its references it is longer than {LONGEST} bytes")]
    TooLong,
}

/// As ConfigParser's.
const MAX_DEPTH: usize = 10;
/// Longest value, in bytes; doubling references would otherwise fill the memory.
const LONGEST: usize = 1 << 20;

/// The value with its references replaced: keys of the section first, then of `DEFAULT`.
pub(crate) fn interpolate(
    text: &str,
    section: &Keys,
    defaults: &Keys,
) -> Result<String, InterpolationProblem> {
    let mut output = String::new();
    expand(text, section, defaults, 0, &mut output)?;
    Ok(output)
}

fn expand(
    text: &str,
    section: &Keys,
    defaults: &Keys,
    depth: usize,
    output: &mut String,
) -> Result<(), InterpolationProblem> {
    if depth > MAX_DEPTH {
        return Err(InterpolationProblem::TooDeep);
    }
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        output.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        if let Some(after) = tail.strip_prefix('%') {
            output.push('%');
            rest = after;
            continue;
        }
        let reference = tail
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'));
        let (key, after) = reference.ok_or(InterpolationProblem::Malformed)?;
        rest = after
            .strip_prefix('s')
            .ok_or(InterpolationProblem::Malformed)?;
        let key = normalise(key);
        let value = section.get(&key).or_else(|| defaults.get(&key));
        let value = value.ok_or(InterpolationProblem::UnknownKey(key))?;
        expand(&value.text, section, defaults, depth + 1, output)?;
    }
    output.push_str(rest);
    if output.len() > LONGEST {
        Err(InterpolationProblem::TooLong)
    } else {
        Ok(())
    }
}
