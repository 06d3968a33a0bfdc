//! The beginning and the end of a long text, in bounded memory.

use std::collections::VecDeque;
use std::fmt;

/// How much of the beginning is kept, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;
/// How much of the end is kept, in bytes.
const TAIL_LIMIT: usize = 48 * 1024;

/// Lines of output of which the first and the last are kept when there are too many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    left_out: u64,
}

impl Excerpt {
    /// Adds a line, given without its line feed.
    pub fn push(&mut self, line: &str) {
        let fits = self.head.len() + line.len() < HEAD_LIMIT;
        if self.tail.is_empty() && self.left_out == 0 && fits {
            self.head.push_str(line);
            self.head.push('\n');
            return;
        }
        self.tail_bytes += line.len() + 1;
        self.tail.push_back(line.to_owned());
        while self.tail_bytes > TAIL_LIMIT {
            let Some(oldest) = self.tail.pop_front() else {
                break;
            };
            self.tail_bytes -= oldest.len() + 1;
            self.left_out += 1;
        }
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty() && self.tail.is_empty()
    }

    /// The last lines, oldest first.
    pub fn last_lines(&self, count: usize) -> Vec<&str> {
        let from_tail = self.tail.iter().rev().map(String::as_str);
        let from_head = self
            .head
            .lines()
            .rev()
            .take(if self.left_out == 0 { count } else { 0 });
        let mut lines: Vec<&str> = from_tail.chain(from_head).take(count).collect();
        lines.reverse();
        lines
    }
}

/// The text, with a remark in place of what was left out.
impl fmt::Display for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.head)?;
        if self.left_out > 0 {
            writeln!(formatter, "[... {} lines left out ...]", self.left_out)?;
        }
        for line in &self.tail {
            writeln!(formatter, "{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_is_kept_whole() {
        let mut excerpt = Excerpt::default();
        excerpt.push("one");
        excerpt.push("");
        assert_eq!(excerpt.to_string(), "one\n\n");
        assert_eq!(excerpt.last_lines(5), ["one", ""]);
    }

    #[test]
    fn flood_is_bounded_and_keeps_both_ends() {
        let mut excerpt = Excerpt::default();
        for number in 0..1_000_000 {
            excerpt.push(&format!("line {number}"));
        }
        let text = excerpt.to_string();
        assert!(text.len() < HEAD_LIMIT + TAIL_LIMIT + 100, "{}", text.len());
        assert!(text.starts_with("line 0\n") && text.ends_with("line 999999\n"));
        assert!(text.contains("lines left out"));
        assert_eq!(excerpt.last_lines(2), ["line 999998", "line 999999"]);
    }

    #[test]
    fn last_lines_reach_back_into_the_head_only_without_a_gap() {
        let mut excerpt = Excerpt::default();
        excerpt.push(&"h".repeat(HEAD_LIMIT - 2));
        excerpt.push("a");
        assert_eq!(excerpt.last_lines(3).len(), 2);
        excerpt.push(&"t".repeat(TAIL_LIMIT - 1));
        assert_eq!(excerpt.last_lines(3).len(), 1);
    }
}
