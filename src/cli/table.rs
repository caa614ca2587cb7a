//! Columns that line up and fit the terminal.

use clap::builder::styling::Style;

use super::text;
use super::ui::{PLAIN, STRONG};

/// What stands between two columns.
const GAP: usize = 2;

/// A flexible column is never made narrower than this.
const NARROWEST: usize = 12;

/// A column's heading, and whether its cells may be cut to fit.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    flexible: bool,
}

impl Column {
    /// A column that is shown whole.
    pub const fn whole(title: &'static str) -> Self {
        Self { title, flexible: false }
    }

    /// A column that is cut, with an ellipsis, where the terminal is too narrow.
    pub const fn flexible(title: &'static str) -> Self {
        Self { title, flexible: true }
    }
}

/// A text in a style.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A text in a style.
    pub fn styled(style: Style, text: impl Into<String>) -> Self {
        Self { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(PLAIN, text)
    }
}

/// Rows under headings.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    headed: bool,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new(), headed: true }
    }

    /// Leaves the headings out.
    #[must_use]
    pub fn without_headings(mut self) -> Self {
        self.headed = false;
        self
    }

    /// Adds a row, one cell a column.
    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        let mut cells = cells.into();
        for cell in &mut cells {
            if cell.text.contains(char::is_control) {
                cell.text = text::escape(&cell.text).replace('\t', " ");
            }
        }
        self.rows.push(cells);
    }

    /// The pieces of each line, padded, in at most `width` columns where that is possible.
    pub fn layout(&self, width: Option<usize>) -> Vec<Vec<(Style, String)>> {
        let widths = self.widths(width);
        let headings = self.columns.iter().map(|column| Cell::styled(STRONG, column.title));
        let headings: Vec<_> = if self.headed { headings.collect() } else { Vec::new() };
        std::iter::once(&headings)
            .filter(|headings| !headings.is_empty())
            .chain(&self.rows)
            .map(|row| layout_row(row, &widths))
            .collect()
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<_> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let title = if self.headed { column.title.len() } else { 0 };
                let cells = self.rows.iter().filter_map(|row| row.get(index)).map(length);
                cells.max().unwrap_or(0).max(title)
            })
            .collect();
        let gaps = GAP * widths.len().saturating_sub(1);
        while limit.is_some_and(|limit| widths.iter().sum::<usize>() + gaps > limit) {
            let flexible = |index: &usize| self.columns[*index].flexible;
            let widest = (0..widths.len()).filter(flexible).max_by_key(|index| widths[*index]);
            match widest {
                Some(index) if widths[index] > NARROWEST => widths[index] -= 1,
                _ => break,
            }
        }
        widths
    }
}

fn length(cell: &Cell) -> usize {
    cell.text.chars().count()
}

fn layout_row(row: &[Cell], widths: &[usize]) -> Vec<(Style, String)> {
    let mut pieces = Vec::with_capacity(row.len() * 2);
    for (index, (cell, &width)) in row.iter().zip(widths).enumerate() {
        let mut text = cell.text.clone();
        if length(cell) > width {
            text = text.chars().take(width.saturating_sub(1)).collect();
            text.push('…');
        }
        let used = text.chars().count();
        pieces.push((cell.style, text));
        if index + 1 < row.len() {
            pieces.push((PLAIN, " ".repeat(width - used + GAP)));
        }
    }
    while pieces.last().is_some_and(|(_, text)| text.trim().is_empty()) {
        pieces.pop();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(table: &Table, width: Option<usize>) -> Vec<String> {
        let text = |line: Vec<(Style, String)>| line.into_iter().map(|(_, text)| text).collect();
        table.layout(width).into_iter().map(text).collect()
    }

    fn images() -> Table {
        let mut table = Table::new([Column::whole("NAME"), Column::flexible("IMAGE")]);
        table.row(["web".into(), "docker.io/library/nginx:1.27".into()]);
        table.row(["a-long-name".into(), "".into()]);
        table
    }

    #[test]
    fn columns_line_up_without_trailing_blanks() {
        assert_eq!(
            lines(&images(), None),
            ["NAME         IMAGE", "web          docker.io/library/nginx:1.27", "a-long-name"]
        );
    }

    #[test]
    fn only_flexible_columns_are_cut() {
        let lines = lines(&images(), Some(30));
        assert_eq!(lines[1], "web          docker.io/librar…");
        assert!(lines.iter().all(|line| line.chars().count() <= 30));
    }

    #[test]
    fn a_cell_is_one_line() {
        let mut table = Table::new([Column::whole("A")]);
        table.row([Cell::from("x\ny\tz")]);
        assert_eq!(lines(&table, None)[1], "x\\ny z");
    }
}
