use serde::{Deserialize, Serialize};

use super::distribution::normal;
use crate::{Error, Result};

/// How many items a comparison needs, and what the present ones could show.
///
/// Effects are differences of means in the metric's own unit: 0.02 for two points of a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    confidence: f64,
    power: f64,
}

/// What the variance of an item's difference is made of when both runs answer items several times (Miller 2024, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DifferenceVariance {
    /// Of the items' true differences: `ω²`.
    pub between: f64,
    /// Of the baseline's answers to one item: `σ_A²`.
    pub baseline_within: f64,
    /// How often the baseline answers: `K_A`.
    pub baseline_repeats: u32,
    /// Of the candidate's answers to one item: `σ_B²`.
    pub candidate_within: f64,
    /// How often the candidate answers: `K_B`.
    pub candidate_repeats: u32,
}

impl DifferenceVariance {
    /// `ω² + σ_A² / K_A + σ_B² / K_B`: infinite without answers.
    pub fn per_item(&self) -> f64 {
        self.between + self.baseline_within / f64::from(self.baseline_repeats) + self.candidate_within / f64::from(self.candidate_repeats)
    }
}

impl Default for Power {
    /// A difference that is there is seen in 80 of 100 comparisons; one that is not, in 5.
    fn default() -> Self {
        Self { confidence: 0.95, power: 0.8 }
    }
}

impl Power {
    /// How sure an interval that leaves out zero should be, and how likely it should come out so.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive, or `power` not from 0.5 up to 1, exclusive.
    pub fn new(confidence: f64, power: f64) -> Self {
        super::interval::check_confidence(confidence);
        assert!((0.5..1.0).contains(&power), "a power of {power} is not at least 0.5 and below 1");
        Self { confidence, power }
    }

    /// The confidence.
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// The chance to see what is there.
    pub fn power(&self) -> f64 {
        self.power
    }

    /// Items to show a mean that lies `effect` from what it is held against, or a paired difference of it, for values (or differences) with
    /// this variance: `(z_{α/2} + z_β)² variance / effect²`. That is by the normal distribution; of ten items or fewer, add two.
    ///
    /// ```
    /// use jarre_eval::stats::{DifferenceVariance, Power};
    ///
    /// let variance = DifferenceVariance { between: 1.0 / 9.0, baseline_within: 1.0 / 6.0, baseline_repeats: 1, candidate_within: 1.0 / 6.0, candidate_repeats: 1 };
    /// assert_eq!(Power::default().items(variance.per_item(), 0.03)?, 3876);
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a variance that is negative or an effect that is zero, or where one is not finite.
    pub fn items(&self, variance: f64, effect: f64) -> Result<u64> {
        check("variance", variance, "0 or more, and finite", |value| value >= 0.0)?;
        check_effect(effect)?;
        Ok((self.reach().powi(2) * variance / effect.powi(2)).ceil() as u64)
    }

    /// The least effect that `items` items are likely enough to show: `(z_{α/2} + z_β) √(variance / items)`; infinite without items.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a variance that is negative or not finite.
    pub fn detectable(&self, variance: f64, items: u64) -> Result<f64> {
        check("variance", variance, "0 or more, and finite", |value| value >= 0.0)?;
        Ok(if items == 0 { f64::INFINITY } else { self.reach() * (variance / items as f64).sqrt() })
    }

    /// Items for `McNemar`'s test to show a difference of `effect` between two shares, where the runs differ on this share of the items:
    /// `(z_{α/2} √ψ + z_β √(ψ - effect²))² / effect²` (Connor, "Sample size for testing differences in proportions for the paired-sample
    /// design", 1987).
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a share of differing items outside 0 to 1, or an effect that is zero or larger than that share.
    pub fn mcnemar_items(&self, discordant: f64, effect: f64) -> Result<u64> {
        check("share of differing items", discordant, "above 0 and at most 1", |value| value > 0.0 && value <= 1.0)?;
        check_effect(effect)?;
        check("effect", effect, "no larger than the share of differing items", |value| value.abs() <= discordant)?;
        let (z_confidence, z_power) = self.quantiles();
        let spread = z_confidence * discordant.sqrt() + z_power * (discordant - effect.powi(2)).sqrt();
        Ok((spread / effect).powi(2).ceil() as u64)
    }

    /// The least difference of two shares that `McNemar`'s test of `items` items is likely enough to show, where the runs differ on this share
    /// of them; `None` where even the largest would not show.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a share of differing items outside 0 to 1.
    pub fn mcnemar_detectable(&self, discordant: f64, items: u64) -> Result<Option<f64>> {
        check("share of differing items", discordant, "above 0 and at most 1", |value| value > 0.0 && value <= 1.0)?;
        // (z √ψ + z' √(ψ - e²))² = n e², solved for e.
        let (z_confidence, z_power) = self.quantiles();
        let (n, fixed) = (items as f64, z_confidence * discordant.sqrt());
        let lacks = |effect: f64| fixed + z_power * (discordant - effect.powi(2)).max(0.0).sqrt() > n.sqrt() * effect;
        if lacks(discordant) {
            return Ok(None);
        }
        let (mut low, mut high) = (0.0, discordant);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if lacks(middle) { low = middle } else { high = middle }
        }
        Ok(Some(high))
    }

    fn quantiles(&self) -> (f64, f64) {
        (normal::critical(self.confidence), normal::quantile(self.power))
    }

    /// How many standard errors an effect must measure.
    fn reach(&self) -> f64 {
        let (confidence, power) = self.quantiles();
        confidence + power
    }
}

fn check_effect(effect: f64) -> Result<()> {
    check("effect", effect, "other than 0, and finite", |value| value != 0.0)
}

fn check(what: &'static str, value: f64, wanted: &'static str, holds: impl Fn(f64) -> bool) -> Result<()> {
    if value.is_finite() && holds(value) { Ok(()) } else { Err(Error::OutOfRange { what, value, wanted }) }
}
