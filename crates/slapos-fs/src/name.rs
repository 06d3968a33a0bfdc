//! Names from the network that become names of files.

/// A name that must not become the name of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a plain file name")]
pub struct InvalidFileName {
    /// The name.
    pub name: String,
}

/// Longest name that Linux file systems take, in bytes.
const LONGEST: usize = 255;

/// Accepts names that denote one file in a directory and can be printed on one line.
///
/// # Errors
/// The name is empty, `.`, `..`, too long, or holds a slash or a control character.
pub fn check_file_name(name: &str) -> Result<(), InvalidFileName> {
    let plain = !matches!(name, "" | "." | "..")
        && name.len() <= LONGEST
        && !name
            .chars()
            .any(|character| character == '/' || character.is_control());
    if plain {
        Ok(())
    } else {
        Err(InvalidFileName {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_accepted() {
        for name in ["slappart0", "a b", ".hidden", "é", "..."] {
            assert_eq!(check_file_name(name), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "x".repeat(256);
        for name in ["", ".", "..", "a/b", "/", "a\0b", "a\nb", "a\u{7f}", &long] {
            assert!(check_file_name(name).is_err(), "{name:?}");
        }
    }
}
