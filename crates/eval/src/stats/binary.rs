use serde::{Deserialize, Serialize};

use super::{
    Interval,
    distribution::{binomial, normal},
    wilson,
};
use crate::{Error, Result};

/// Two runs over the same items, each right or wrong on each: the 2 x 2 table.
///
/// ```
/// use jarre_eval::stats::BinaryPairs;
///
/// let pairs = BinaryPairs { both: 21, baseline_only: 5, candidate_only: 17, neither: 7 };
/// assert!((pairs.difference() - 0.24).abs() < 1e-12);
/// assert!((pairs.mcnemar().exact - 0.0169).abs() < 1e-4);
/// assert!(pairs.newcombe(0.95)?.low > 0.0);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryPairs {
    /// Items that both got right.
    pub both: u64,
    /// Items that only the baseline got right: `b`.
    pub baseline_only: u64,
    /// Items that only the candidate got right: `c`.
    pub candidate_only: u64,
    /// Items that neither got right.
    pub neither: u64,
}

impl BinaryPairs {
    /// Counts item by item.
    ///
    /// # Errors
    /// [`Error::UnpairedLengths`].
    pub fn count(baseline: &[bool], candidate: &[bool]) -> Result<Self> {
        if baseline.len() != candidate.len() {
            return Err(Error::UnpairedLengths { first: baseline.len(), second: candidate.len() });
        }
        let mut pairs = Self::default();
        for pair in baseline.iter().zip(candidate) {
            *match pair {
                (true, true) => &mut pairs.both,
                (true, false) => &mut pairs.baseline_only,
                (false, true) => &mut pairs.candidate_only,
                (false, false) => &mut pairs.neither,
            } += 1;
        }
        Ok(pairs)
    }

    /// Counts scores of 0 and 1; `None` where there is another score, or the sides differ in length.
    pub fn of_scores(baseline: &[f64], candidate: &[f64]) -> Option<Self> {
        Self::count(&verdicts(baseline)?, &verdicts(candidate)?).ok()
    }

    /// Items.
    pub fn n(&self) -> u64 {
        self.both.saturating_add(self.discordant()).saturating_add(self.neither)
    }

    /// Items on which the two differ: all that tells them apart.
    pub fn discordant(&self) -> u64 {
        self.baseline_only.saturating_add(self.candidate_only)
    }

    fn baseline_right(&self) -> u64 {
        self.both.saturating_add(self.baseline_only)
    }

    fn candidate_right(&self) -> u64 {
        self.both.saturating_add(self.candidate_only)
    }

    /// The share that the baseline got right; NaN without items.
    pub fn baseline_share(&self) -> f64 {
        self.baseline_right() as f64 / self.n() as f64
    }

    /// The share that the candidate got right; NaN without items.
    pub fn candidate_share(&self) -> f64 {
        self.candidate_right() as f64 / self.n() as f64
    }

    /// The candidate's share less the baseline's; NaN without items.
    pub fn difference(&self) -> f64 {
        (self.candidate_only as f64 - self.baseline_only as f64) / self.n() as f64
    }

    /// `c / b`: how many items the candidate wins for each that it loses. Infinite where it loses none; `None` where it wins none either.
    pub fn odds_ratio(&self) -> Option<f64> {
        (self.discordant() > 0).then(|| self.candidate_only as f64 / self.baseline_only as f64)
    }

    /// Tests whether one side wins more of the items on which the two differ than chance would give it.
    pub fn mcnemar(&self) -> McNemar {
        let (fewer, trials) = (self.baseline_only.min(self.candidate_only), self.discordant());
        let tail = binomial::half_tail(fewer, trials);
        let mid_tail = tail - binomial::half_mass(fewer, trials) / 2.0;
        McNemar { exact: (2.0 * tail).min(1.0), mid_p: (2.0 * mid_tail).min(1.0), chi_squared: self.chi_squared() }
    }

    /// The interval of Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired data"
    /// (1998), method 10: Wilson's intervals of the two shares, put together by the correlation of the table. It keeps its coverage for few
    /// items and where one side wins all.
    ///
    /// # Errors
    /// [`Error::EmptySample`] without items.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn newcombe(&self, confidence: f64) -> Result<Interval> {
        if self.n() == 0 {
            return Err(Error::EmptySample);
        }
        let (first, second) = (self.baseline_share(), self.candidate_share());
        let first_interval = wilson(self.baseline_right(), self.n(), confidence)?;
        let second_interval = wilson(self.candidate_right(), self.n(), confidence)?;
        let phi = self.phi();
        let reach = |second: f64, first: f64| (second.powi(2) + first.powi(2) - 2.0 * phi * second * first).max(0.0).sqrt();
        let below = reach(second - second_interval.low, first_interval.high - first);
        let above = reach(second_interval.high - second, first - first_interval.low);
        Ok(Interval { low: self.difference() - below, high: self.difference() + above }.clamp(-1.0, 1.0))
    }

    /// Positive correlations with the correction for continuity that Newcombe gives them; 0 where a margin is empty.
    fn phi(&self) -> f64 {
        let cells = [self.both, self.candidate_only, self.baseline_only, self.neither].map(|count| count as f64);
        let [both, candidate_only, baseline_only, neither] = cells;
        let margins = (both + candidate_only) * (baseline_only + neither) * (both + baseline_only) * (candidate_only + neither);
        if margins == 0.0 {
            return 0.0;
        }
        let excess = both * neither - candidate_only * baseline_only;
        let corrected = if excess > 0.0 { (excess - self.n() as f64 / 2.0).max(0.0) } else { excess };
        corrected / margins.sqrt()
    }

    fn chi_squared(&self) -> ChiSquared {
        let (b, c, discordant) = (self.baseline_only as f64, self.candidate_only as f64, self.discordant());
        let statistic = if discordant == 0 { 0.0 } else { ((b - c).abs() - 1.0).max(0.0).powi(2) / discordant as f64 };
        if discordant < ChiSquared::LEAST_DISCORDANT {
            return ChiSquared::TooFewPairs { statistic, discordant };
        }
        ChiSquared::Valid { statistic, p_value: normal::two_sided(statistic.sqrt()) }
    }
}

/// The p-values of `McNemar`'s test of paired right-or-wrong answers, two-sided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// By the binomial distribution: `min(1, 2 P(X <= min(b, c)))`, with X of b + c trials at one half. Never rejects more often than its
    /// level; 1 where the two differ on no item.
    pub exact: f64,
    /// The same with half the weight of the table that was seen (Fagerland, Lydersen and Laake, 2013): close to its level where the exact test
    /// stays far below it.
    pub mid_p: f64,
    /// The approximation of the textbooks.
    pub chi_squared: ChiSquared,
}

/// `(|b - c| - 1)² / (b + c)`, with a p-value where it may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChiSquared {
    /// 25 or more items differ.
    Valid {
        /// The statistic, with the correction for continuity.
        statistic: f64,
        /// The chance to exceed it, by the chi-square distribution with one degree of freedom.
        p_value: f64,
    },
    /// Fewer differ: the approximation does not hold, so there is no p-value. Use the exact one.
    TooFewPairs {
        /// The statistic, for comparison with other programs.
        statistic: f64,
        /// Items that differ.
        discordant: u64,
    },
}

impl ChiSquared {
    /// From how many items on which the two differ the approximation holds.
    pub const LEAST_DISCORDANT: u64 = 25;

    /// The statistic, to be trusted or not.
    pub fn statistic(&self) -> f64 {
        match *self {
            Self::Valid { statistic, .. } | Self::TooFewPairs { statistic, .. } => statistic,
        }
    }
}

fn verdicts(scores: &[f64]) -> Option<Vec<bool>> {
    let verdict = |score: &f64| match *score {
        0.0 => Some(false),
        1.0 => Some(true),
        _ => None,
    };
    scores.iter().map(verdict).collect()
}
