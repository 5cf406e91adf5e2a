use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Two raters' labels for the same items, counted: rows are the first rater's, columns the second's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Confusion {
    labels: Vec<String>,
    counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// Counts item by item. `labels` are all that may occur, in their order where they have one: weights of kappa go by it.
    ///
    /// ```
    /// use jarre_eval::stats::{Confusion, Weights};
    ///
    /// let judge = ["bad", "fair", "good", "good"];
    /// let human = ["bad", "good", "good", "good"];
    /// let table = Confusion::new(["bad", "fair", "good"], &judge, &human)?;
    /// assert_eq!((table.count(1, 2), table.agreement()), (1, Some(0.75)));
    /// assert!(table.kappa(Weights::Quadratic)? > table.kappa(Weights::Unweighted)?);
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnpairedLengths`], and [`Error::Undefined`] for a label that is not among `labels` or stands among them twice.
    pub fn new<L: Into<String>, S: AsRef<str>>(labels: impl IntoIterator<Item = L>, first: &[S], second: &[S]) -> Result<Self> {
        if first.len() != second.len() {
            return Err(Error::UnpairedLengths { first: first.len(), second: second.len() });
        }
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        if let Some(twice) = labels.iter().enumerate().find(|(place, label)| labels[..*place].contains(label)) {
            return Err(Error::Undefined(format!("the label `{}` is listed twice; list each once", twice.1)));
        }
        let mut table = Self { counts: vec![vec![0; labels.len()]; labels.len()], labels };
        for (first, second) in first.iter().zip(second) {
            let (row, column) = (table.place(first.as_ref())?, table.place(second.as_ref())?);
            table.counts[row][column] += 1;
        }
        Ok(table)
    }

    /// From counts, a row a label of the first rater.
    ///
    /// # Errors
    /// [`Error::Undefined`] where the table is not square, with a row and a column a label.
    pub fn from_counts<L: Into<String>>(labels: impl IntoIterator<Item = L>, counts: Vec<Vec<u64>>) -> Result<Self> {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        if counts.len() != labels.len() || counts.iter().any(|row| row.len() != labels.len()) {
            return Err(Error::Undefined(format!("{} labels need a table of as many rows and columns", labels.len())));
        }
        Ok(Self { labels, counts })
    }

    /// The labels, in order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Items that the first rater gave label `row` and the second label `column`.
    ///
    /// # Panics
    /// Where there is no such label.
    pub fn count(&self, row: usize, column: usize) -> u64 {
        self.counts[row][column]
    }

    /// Items.
    pub fn n(&self) -> u64 {
        self.counts.iter().flatten().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The share of items on which the two agree; `None` without items.
    pub fn agreement(&self) -> Option<f64> {
        let same: f64 = (0..self.labels.len()).map(|place| self.counts[place][place] as f64).sum();
        (self.n() > 0).then(|| same / self.n() as f64)
    }

    /// How often the first rater gave each label.
    pub fn first_totals(&self) -> Vec<u64> {
        self.counts.iter().map(|row| row.iter().fold(0_u64, |sum, count| sum.saturating_add(*count))).collect()
    }

    /// How often the second rater gave each label.
    pub fn second_totals(&self) -> Vec<u64> {
        let column = |place: usize| self.counts.iter().fold(0_u64, |sum, row| sum.saturating_add(row[place]));
        (0..self.labels.len()).map(column).collect()
    }

    fn place(&self, label: &str) -> Result<usize> {
        let unknown = || Error::Undefined(format!("the label `{label}` is none of {}; list it, or read it again", self.labels.join(", ")));
        self.labels.iter().position(|known| known == label).ok_or_else(unknown)
    }
}

/// As it lies in a file, square or not.
#[derive(Deserialize)]
struct Unchecked {
    labels: Vec<String>,
    counts: Vec<Vec<u64>>,
}

impl TryFrom<Unchecked> for Confusion {
    type Error = Error;

    fn try_from(table: Unchecked) -> Result<Self> {
        Self::from_counts(table.labels, table.counts)
    }
}
