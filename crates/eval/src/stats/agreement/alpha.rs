use super::Ratings;
use crate::{
    Error, Result,
    stats::{Bootstrap, BootstrapEstimate},
};

/// What the values of ratings mean, and so how far apart two of them are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Names: the same or not.
    Nominal,
    /// Ranks: apart by how many ratings lie between.
    Ordinal,
    /// Measures: apart by their difference.
    Interval,
}

impl Ratings {
    /// Krippendorff's alpha, `1 - observed / expected` disagreement, for any number of raters and with gaps: 1 where raters agree on every
    /// item, 0 where their ratings are as good as shuffled over the items (Krippendorff, "Computing Krippendorff's alpha-reliability", 2011).
    /// Items with fewer than two ratings do not count.
    ///
    /// ```
    /// use jarre_eval::stats::{Ratings, Scale};
    ///
    /// let ratings = Ratings::new(&[[Some(1.0), Some(1.0), None], [Some(2.0), Some(3.0), Some(3.0)], [None, Some(4.0), None]])?;
    /// assert!((ratings.alpha(Scale::Interval)? - 0.8).abs() < 0.2);
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Undefined`] where no item has two ratings, or where all ratings of such items are the same: then chance agrees as well.
    pub fn alpha(&self, scale: Scale) -> Result<f64> {
        self.alpha_of(&(0..self.n()).collect::<Vec<_>>(), scale).ok_or_else(undefined)
    }

    /// The same with an interval, items resampled.
    ///
    /// # Errors
    /// As [`Self::alpha`]. Resamples without an alpha are [counted](BootstrapEstimate::undefined).
    pub fn alpha_interval(&self, scale: Scale, bootstrap: &Bootstrap) -> Result<BootstrapEstimate> {
        self.alpha(scale)?;
        bootstrap.statistic(self.n(), |items| self.alpha_of(items, scale).unwrap_or(f64::NAN))
    }

    fn alpha_of(&self, items: &[usize], scale: Scale) -> Option<f64> {
        let rated = || items.iter().map(|item| &self.items()[*item][..]).filter(|ratings| ratings.len() > 1);
        let mut totals = vec![0.0; self.values().len()];
        rated().flatten().for_each(|place| totals[*place] += 1.0);
        let positions = match scale {
            Scale::Nominal => None,
            Scale::Ordinal => Some(mid_ranks(&totals)),
            Scale::Interval => Some(self.values().to_vec()),
        };
        let n: f64 = totals.iter().sum();
        let all: Vec<usize> = rated().flatten().copied().collect();
        let expected = disagreement(&all, positions.as_deref());
        let observed: f64 = rated().map(|ratings| disagreement(ratings, positions.as_deref()) / (ratings.len() - 1) as f64).sum();
        (expected > 0.0).then(|| 1.0 - (n - 1.0) * observed / expected)
    }
}

/// The squared distances of all ordered pairs of ratings: of positions where there are some, else 1 for any two that differ.
fn disagreement(ratings: &[usize], positions: Option<&[f64]>) -> f64 {
    let n = ratings.len() as f64;
    let Some(positions) = positions else { return n * n - same_pairs(ratings) };
    let mean = ratings.iter().map(|place| positions[*place]).sum::<f64>() / n;
    2.0 * n * ratings.iter().map(|place| (positions[*place] - mean).powi(2)).sum::<f64>()
}

fn same_pairs(ratings: &[usize]) -> f64 {
    let mut sorted = ratings.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(usize::eq).map(|same| (same.len() as f64).powi(2)).sum()
}

/// The distance of two ranks is the number of ratings between them, half of those at either counted: that of their mid-ranks.
fn mid_ranks(totals: &[f64]) -> Vec<f64> {
    let mut below = 0.0;
    let mid_rank = |total: &f64| {
        below += total;
        below - total / 2.0
    };
    totals.iter().map(mid_rank).collect()
}

fn undefined() -> Error {
    Error::Undefined("alpha needs items with two ratings or more that are not all the same; have more items rated twice".to_owned())
}
