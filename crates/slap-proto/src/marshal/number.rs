//! Numbers as Python's `int()` and `float()` read them.

/// An integer: white space around it, a sign, single underscores between digits.
pub(super) fn integer(text: &str) -> Option<i128> {
    digits(text)?.parse().ok()
}

/// A float: as Rust reads it, with underscores as above; no hexadecimal digits in either language.
pub(super) fn float(text: &str) -> Option<f64> {
    digits(text)?.parse().ok()
}

/// The text without white space around it and without underscores, if these stand between digits.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let is_digit = |index: Option<usize>| {
        index
            .and_then(|index| bytes.get(index))
            .is_some_and(u8::is_ascii_digit)
    };
    let well_placed = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .all(|(index, _)| is_digit(index.checked_sub(1)) && is_digit(Some(index + 1)));
    well_placed.then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_python_does() {
        for (text, number) in [
            (" 5 ", 5),
            ("+7", 7),
            ("-5", -5),
            ("1_000", 1000),
            ("007", 7),
        ] {
            assert_eq!(integer(text), Some(number), "{text:?}");
        }
        for text in [
            "", " ", "0x10", "1.0", "12L", "1__0", "_1", "1_", "- 5", "True",
        ] {
            assert_eq!(integer(text), None, "{text:?}");
        }
    }

    #[test]
    fn floats_are_read_as_python_does() {
        for (text, number) in [
            ("1.5", 1.5),
            ("-0.0", 0.0),
            ("1e-07", 1e-7),
            ("Infinity", f64::INFINITY),
        ] {
            assert_eq!(float(text), Some(number), "{text:?}");
        }
        assert!(float("nan").is_some_and(f64::is_nan));
        for text in ["", "0x1p3", "1,5", "e5"] {
            assert_eq!(float(text), None, "{text:?}");
        }
    }
}
