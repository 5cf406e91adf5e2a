//! Tables for people.

use std::fmt;

use jarre_eval::stats::{Interval, MeanEstimate, PairedDifference};

/// Rows of equal length under headings, each column as wide as its widest cell; the first is left-aligned, the others right.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { rows: vec![headings.into_iter().map(Into::into).collect()] }
    }

    pub(crate) fn push(&mut self, row: Vec<String>) {
        assert_eq!(row.len(), self.rows[0].len(), "a row has a cell for each heading");
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.rows[0].len()).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            if number == 1 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(f, "{}", rules.join("  "))?;
            }
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A mean and its interval: `0.921 [0.905, 0.936]`.
pub(crate) fn estimate(estimate: &MeanEstimate) -> String {
    let Interval { low, high } = estimate.bca;
    format!("{:.3} [{low:.3}, {high:.3}]", estimate.mean)
}

/// A difference, its interval, and a star where that leaves out 0: `+0.018 [+0.010, +0.027] *`.
pub(crate) fn difference(compared: &PairedDifference) -> String {
    let Interval { low, high } = compared.difference.bca;
    let star = if compared.is_significant() { '*' } else { ' ' };
    format!("{:+.3} [{low:+.3}, {high:+.3}] {star}", compared.difference.mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["leg", "nDCG@10"]);
        table.push(vec!["dense é".into(), "0.9".into()]);
        table.push(vec!["rrf".into(), "0.925".into()]);
        assert_eq!(table.to_string(), "leg      nDCG@10\n-------  -------\ndense é      0.9\nrrf        0.925\n");
    }

    #[test]
    fn differences_carry_sign_and_star() {
        let bootstrap = jarre_eval::stats::Bootstrap::default();
        let better = bootstrap.paired_difference(&[0.0, 0.25, 0.5], &[0.5, 0.75, 1.0]).unwrap();
        assert_eq!(difference(&better), "+0.500 [+0.500, +0.500] *");
        let same = bootstrap.paired_difference(&[0.5], &[0.5]).unwrap();
        assert_eq!(difference(&same), "+0.000 [+0.000, +0.000]  ");
    }
}
