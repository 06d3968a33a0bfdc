//! What the log of a promise tells of its latest results.
//!
//! An entry is `DATE - LEVEL - RESULT - TEXT`, where RESULT is the same for all entries of a result;
//! lines that are no entry continue the text of the one before.

/// Whether the log ends with so many results that are all failures.
pub(crate) fn ends_with_failures(log: &str, count: usize) -> bool {
    let mut results: Vec<(&str, bool)> = Vec::new();
    for (level, result) in log.lines().rev().filter_map(entry) {
        let failed = matches!(level, "ERROR" | "CRITICAL");
        if let Some((last, has_failed)) = results.last_mut()
            && *last == result
        {
            *has_failed |= failed;
        } else if results.len() == count {
            break;
        } else {
            results.push((result, failed));
        }
    }
    results.len() == count && results.iter().all(|(_, failed)| *failed)
}

/// Level and result of a line, if it begins an entry.
fn entry(line: &str) -> Option<(&str, &str)> {
    let mut parts = line.splitn(4, " - ");
    let (date, level, result) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next()?;
    let (second, number) = result.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_entry = date.len() == "2026-11-23 21:49:55".len()
        && is_number(second)
        && is_number(number)
        && level.bytes().all(|byte| byte.is_ascii_uppercase());
    is_entry.then_some((level, result))
}

#[cfg(test)]
mod tests {
    use super::ends_with_failures;

    /// A log of one result for each letter: e is an error, c critical, w a warning, i an information.
    fn log(results: &str) -> String {
        let entry = |(number, letter)| {
            let level = match letter {
                'e' => "ERROR",
                'c' => "CRITICAL",
                'w' => "WARNING",
                _ => "INFO",
            };
            format!("2026-11-23 21:49:55 - {level} - 1795470595-{number:03} - text\n")
        };
        results.chars().enumerate().map(entry).collect()
    }

    #[test]
    fn failures_count_from_the_end() {
        for (results, two) in [
            ("", false),
            ("e", false),
            ("ee", true),
            ("iee", true),
            ("eie", false),
            ("eei", false),
            ("cc", true),
            ("we", false),
        ] {
            assert_eq!(ends_with_failures(&log(results), 2), two, "{results}");
        }
    }

    #[test]
    fn several_entries_of_a_result_are_one() {
        let text = "2026-11-23 21:49:55 - INFO - 1-001 - sensed\n\
                    2026-11-23 21:49:55 - ERROR - 1-001 - bad\n\
                    2026-11-23 21:49:56 - ERROR - 2-001 - bad\n\
                    2026-11-23 21:49:56 - INFO - 2-001 - and more\n";
        assert!(ends_with_failures(text, 2));
        assert!(!ends_with_failures(text, 3));
    }

    #[test]
    fn lines_of_a_long_text_are_no_results() {
        let text = log("ee") + "line - two - of it\n\nTraceback\n";
        assert!(ends_with_failures(&text, 2));
    }

    #[test]
    fn a_log_cut_at_its_beginning_and_one_of_garbage_are_read() {
        let cut = &log("ee")[30..];
        assert!(!ends_with_failures(cut, 2));
        assert!(!ends_with_failures("a - b - c\n - - - \n", 1));
    }
}
