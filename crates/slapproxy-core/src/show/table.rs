//! Tables for a terminal.

use unicode_width::UnicodeWidthStr;

/// Columns of texts.
pub(super) struct Table {
    name: &'static str,
    skipped: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

/// Blanks between two columns.
const GAP: &str = "  ";

impl Table {
    /// An empty table; `skipped` names the columns that are left out of it.
    pub(super) fn new(
        name: &'static str,
        skipped: &'static [&'static str],
        columns: &[&str],
    ) -> Self {
        Self {
            name,
            skipped,
            rows: vec![columns.iter().map(|name| (*name).to_owned()).collect()],
        }
    }

    /// Adds a row; what is absent is shown as a dash.
    pub(super) fn row<'a>(&mut self, cells: impl IntoIterator<Item = Option<&'a str>>) {
        let cells = cells.into_iter().map(|cell| one_line(cell.unwrap_or("-")));
        self.rows.push(cells.collect());
    }

    /// Its title, and the rows below their names.
    pub(super) fn render(&self) -> String {
        if self.rows.len() == 1 {
            return format!("table {}: empty\n", self.name);
        }
        let widths = self.widths();
        let mut text = self.title();
        for (number, row) in self.rows.iter().enumerate() {
            text += &line(row, &widths);
            if number == 0 {
                let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
                text += &line(&rules, &widths);
            }
        }
        text
    }

    fn title(&self) -> String {
        if self.skipped.is_empty() {
            return format!("table {}\n", self.name);
        }
        format!(
            "table {}: skipping {}\n",
            self.name,
            self.skipped.join(", ")
        )
    }

    /// The width of each column, in cells of a terminal.
    fn widths(&self) -> Vec<usize> {
        let column = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        };
        (0..self.rows[0].len()).map(column).collect()
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| {
        let blanks = width.saturating_sub(cell.width());
        format!("{cell}{}", " ".repeat(blanks))
    });
    let line = padded.collect::<Vec<_>>().join(GAP);
    format!("{}\n", line.trim_end())
}

/// A text as a part of one line: line breaks and other control characters are escaped.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_on_the_terminal() {
        let mut table = Table::new("t18", &["x", "y"], &["name", "state"]);
        table.row([Some("日本"), Some("started")]);
        table.row([None, Some("")]);
        assert_eq!(
            table.render(),
            "table t18: skipping x, y\n\
             name  state\n\
             ----  -------\n\
             日本  started\n\
             -\n"
        );
    }

    #[test]
    fn a_table_without_rows_says_so() {
        assert_eq!(
            Table::new("t18", &["x"], &["a"]).render(),
            "table t18: empty\n"
        );
    }

    #[test]
    fn a_cell_is_one_line() {
        assert_eq!(one_line("a\x1b[2J\nb\u{9b}1m"), "a\\u{1b}[2J\\nb\\u{9b}1m");
    }
}
