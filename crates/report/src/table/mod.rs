//! Tables: cells and columns here, a file for each form in which a table is written.

mod cell;
mod csv;
mod html;
mod json;
mod markdown;
mod plain;

pub use cell::{Cell, NumberFormat};

use crate::{Error, Result};

/// Rows under named columns, written as Markdown, HTML, text, CSV or JSON.
///
/// Numbers are formatted for readers in the first three and written in full in the last two.
///
/// ```
/// use jarre_report::{Column, NumberFormat, Table};
///
/// let mut table = Table::new([Column::new("system"), Column::new("nDCG@10").format(NumberFormat::Fixed(3)), Column::new("ms")]);
/// table.row(["BM25".into(), 0.4271.into(), 3.into()])?;
/// table.row(["hybrid | reranked".into(), 0.51.into(), None::<f64>.into()])?;
/// assert_eq!(
///     table.to_markdown(),
///     "| system             | nDCG@10 |  ms |\n\
///      | :----------------- | ------: | --: |\n\
///      | BM25               |   0.427 |   3 |\n\
///      | hybrid \\| reranked |   0.510 |   – |\n",
/// );
/// # Ok::<(), jarre_report::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    caption: String,
}

/// A column: its name, and how its cells are written.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    name: String,
    align: Option<Align>,
    format: NumberFormat,
}

/// On which side cells line up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
    /// Marks and grades.
    Center,
}

impl Column {
    /// A column that lines its numbers up on the right and other text on the left.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), align: None, format: NumberFormat::Short }
    }

    /// Lines all cells up on one side.
    pub fn align(mut self, align: Align) -> Self {
        self.align = Some(align);
        self
    }

    /// How the numbers of this column that are not whole are written.
    pub fn format(mut self, format: NumberFormat) -> Self {
        self.format = format;
        self
    }
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new(), caption: String::new() }
    }

    /// Says above the table what it shows; in HTML only.
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`Error::RowLength`] where there is not one cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> Result<()> {
        let cells: Vec<Cell> = cells.into_iter().collect();
        if cells.len() != self.columns.len() {
            return Err(Error::RowLength { expected: self.columns.len(), found: cells.len() });
        }
        self.rows.push(cells);
        Ok(())
    }

    /// Number of rows, the heading not counted.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The side of a column: the one it was given, or that of its first cell with something in it.
    fn side(&self, column: usize) -> Align {
        let given = self.columns[column].align;
        let found = || self.rows.iter().map(|row| &row[column]).find(|cell| **cell != Cell::Missing);
        given.unwrap_or_else(|| if found().is_some_and(Cell::is_number) { Align::Right } else { Align::Left })
    }

    /// All cells as readers see them, by rows, the names of the columns first.
    fn shown(&self) -> Vec<Vec<String>> {
        let names = self.columns.iter().map(|column| column.name.clone()).collect();
        let row = |row: &Vec<Cell>| row.iter().zip(&self.columns).map(|(cell, column)| cell.shown(column.format)).collect();
        std::iter::once(names).chain(self.rows.iter().map(row)).collect()
    }
}

/// Fills with spaces up to `width` columns of a terminal.
fn padded(text: &str, width: usize, align: Align) -> String {
    let room = width.saturating_sub(crate::text::columns(text));
    let before = match align {
        Align::Left => 0,
        Align::Right => room,
        Align::Center => room / 2,
    };
    format!("{:before$}{text}{:after$}", "", "", after = room - before)
}

/// The width of each column, at least `least`.
fn widths(shown: &[Vec<String>], columns: usize, least: usize) -> Vec<usize> {
    let width = |column: usize| shown.iter().map(|row| crate::text::columns(&row[column])).max().unwrap_or(0);
    (0..columns).map(|column| width(column).max(least)).collect()
}
