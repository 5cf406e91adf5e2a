use super::Confusion;
use crate::{
    Error, Result,
    stats::{Bootstrap, BootstrapEstimate},
};

/// What a disagreement weighs, by how many places apart the two labels stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// Any disagreement 1: for labels without an order.
    #[default]
    Unweighted,
    /// As many places as lie between.
    Linear,
    /// Their square.
    Quadratic,
}

impl Confusion {
    /// Cohen's kappa, `1 - observed / expected` disagreement: 1 where raters agree on every item, 0 where they agree as often as raters that
    /// give the same labels in random order (Cohen 1960; weighted: 1968).
    ///
    /// # Errors
    /// [`Error::Undefined`] without items, or where both raters gave one and the same label throughout: then chance agrees as well as they do.
    pub fn kappa(&self, weights: Weights) -> Result<f64> {
        let cells = self.cells().map(|(row, column, count)| (row, column, count as f64));
        kappa(cells, self.labels().len(), weights).ok_or_else(undefined)
    }

    /// The same with an interval, items resampled.
    ///
    /// # Errors
    /// As [`Self::kappa`], and [`Error::OutOfRange`] for more than 100 million items. Resamples without a kappa are [counted](BootstrapEstimate::undefined).
    pub fn kappa_interval(&self, weights: Weights, bootstrap: &Bootstrap) -> Result<BootstrapEstimate> {
        self.kappa(weights)?;
        if self.n() > MOST_ITEMS {
            return Err(Error::OutOfRange { what: "number of items to resample", value: self.n() as f64, wanted: "at most 100 million" });
        }
        let pairs: Vec<(usize, usize)> =
            self.cells().flat_map(|(row, column, count)| std::iter::repeat_n((row, column), count as usize)).collect();
        bootstrap.statistic(pairs.len(), |items| {
            let cells = items.iter().map(|item| (pairs[*item].0, pairs[*item].1, 1.0));
            kappa(cells, self.labels().len(), weights).unwrap_or(f64::NAN)
        })
    }

    fn cells(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let labels = self.labels().len();
        (0..labels * labels).map(move |cell| (cell / labels, cell % labels, self.count(cell / labels, cell % labels)))
    }
}

impl Weights {
    fn of(self, first: usize, second: usize) -> f64 {
        let apart = first.abs_diff(second) as f64;
        match self {
            Self::Unweighted => f64::from(u8::from(first != second)),
            Self::Linear => apart,
            Self::Quadratic => apart * apart,
        }
    }
}

const MOST_ITEMS: u64 = 100_000_000;

/// Of cells (row, column, weight). `None` where chance never disagrees.
fn kappa(cells: impl Iterator<Item = (usize, usize, f64)>, labels: usize, weights: Weights) -> Option<f64> {
    let (mut rows, mut columns) = (vec![0.0; labels], vec![0.0; labels]);
    let (mut n, mut observed) = (0.0, 0.0);
    for (row, column, count) in cells {
        rows[row] += count;
        columns[column] += count;
        n += count;
        observed += weights.of(row, column) * count;
    }
    let expected_of = |(row, total): (usize, &f64)| -> f64 {
        columns.iter().enumerate().map(|(column, other)| weights.of(row, column) * total * other).sum()
    };
    let expected: f64 = rows.iter().enumerate().map(expected_of).sum::<f64>() / n;
    (expected > 0.0).then(|| 1.0 - observed / expected)
}

fn undefined() -> Error {
    Error::Undefined("kappa needs items, and labels that differ between them; rate items of more than one kind".to_owned())
}
