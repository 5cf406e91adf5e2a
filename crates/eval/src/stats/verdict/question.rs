use super::{Direction, Finding, Needed, Unit, Verdict};
use crate::stats::{BinaryPairs, Interval, PairedMeans, Power};

/// What is asked of a comparison.
///
/// ```
/// use jarre_eval::stats::{BinaryPairs, Question, Verdict};
///
/// let question = Question::default().with_effect(0.02);
/// let large = BinaryPairs { both: 747, baseline_only: 95, candidate_only: 383, neither: 94 };
/// assert_eq!(question.pairs(&large).to_string(), "better by 21.8 points (18.8 to 24.8), p = 5.1e-42");
///
/// let small = BinaryPairs { both: 70, baseline_only: 9, candidate_only: 10, neither: 11 };
/// let verdict = question.pairs(&small);
/// assert!(matches!(verdict, Verdict::NotDistinguishable(_)));
/// println!("{verdict}"); // not distinguishable: 95 % interval -7.9 to +9.9 points; 3626 more items would show a difference of 2
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    direction: Direction,
    unit: Unit,
    power: Power,
    effect: Option<f64>,
}

impl Default for Question {
    /// Of shares where higher is better, at 95 % confidence and 80 % power.
    fn default() -> Self {
        Self { direction: Direction::HigherIsBetter, unit: Unit::Points, power: Power::default(), effect: None }
    }
}

impl Question {
    /// Which way is up.
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// How figures are written.
    pub fn with_unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// How sure, and how likely to see what is there.
    pub fn with_power(mut self, power: Power) -> Self {
        self.power = power;
        self
    }

    /// The least difference that would matter, in the metric's own unit (0.02 for two points): a verdict that finds none says how many more
    /// items would show it.
    pub fn with_effect(mut self, effect: f64) -> Self {
        self.effect = Some(effect.abs());
        self
    }

    /// Two runs with a figure an item, by the t interval and test of the paired difference.
    pub fn means(&self, runs: &PairedMeans) -> Verdict {
        let difference = &runs.difference;
        let (Some(interval), Some(error)) = (difference.interval(self.power.confidence()), difference.standard_error) else {
            return Verdict::Undefined(format!("{} too few to tell; ask more", too_few(runs)));
        };
        if error == 0.0 && difference.mean != 0.0 {
            return Verdict::Undefined(format!("all {} differences are the same, so that their spread is unknown; ask more", difference.n));
        }
        let n = difference.n as u64;
        let variance = error.powi(2) * n as f64;
        let detectable = self.power.detectable(variance, n).ok();
        let needed = self.needed(n, |effect| self.power.items(variance, effect).ok());
        self.verdict(Finding { detectable, needed, ..self.finding(difference.mean, interval, difference.p_value(), n) })
    }

    /// Two runs that are right or wrong on each item, by Newcombe's interval and `McNemar`'s exact test. Both take items to be drawn one by
    /// one; where they come in clusters or strata, ask of the [`means`](Self::means) of zeros and ones.
    pub fn pairs(&self, pairs: &BinaryPairs) -> Verdict {
        let Ok(interval) = pairs.newcombe(self.power.confidence()) else {
            return Verdict::Undefined("there are no items that both runs answered".to_owned());
        };
        let n = pairs.n();
        // Of two runs that never differ, not even the share of differing items is known; one of half an item is a guess on the safe side.
        let discordant = (pairs.discordant() as f64).max(0.5) / n as f64;
        let detectable = self.power.mcnemar_detectable(discordant, n).ok().flatten();
        let needed = self.needed(n, |effect| self.power.mcnemar_items(discordant.max(effect).min(1.0), effect).ok());
        self.verdict(Finding { detectable, needed, ..self.finding(pairs.difference(), interval, Some(pairs.mcnemar().exact), n) })
    }

    /// Any difference of `n` items with its interval, as of a bootstrap, and the p-value of a test where there is one.
    pub fn interval(&self, difference: f64, interval: Interval, p_value: Option<f64>, n: u64) -> Verdict {
        if !(difference.is_finite() && interval.low.is_finite() && interval.high.is_finite()) {
            return Verdict::Undefined("the difference is no finite number; leave out what could not be scored".to_owned());
        }
        self.verdict(self.finding(difference, interval, p_value, n))
    }

    fn finding(&self, difference: f64, interval: Interval, p_value: Option<f64>, n: u64) -> Finding {
        let (confidence, unit) = (self.power.confidence(), self.unit.clone());
        Finding { difference, interval, confidence, p_value, n, detectable: None, needed: None, unit }
    }

    fn needed(&self, n: u64, items: impl Fn(f64) -> Option<u64>) -> Option<Needed> {
        let effect = self.effect?;
        Some(Needed { effect, more_items: items(effect)?.saturating_sub(n) })
    }

    /// Interval and test must both leave out zero: near the edge the two can differ.
    fn verdict(&self, finding: Finding) -> Verdict {
        let tested = finding.p_value.is_none_or(|p| p <= 1.0 - self.power.confidence());
        let improvement = self.direction.improvement_interval(finding.interval);
        if tested && improvement.low > 0.0 {
            Verdict::Better(finding)
        } else if tested && improvement.high < 0.0 {
            Verdict::Worse(finding)
        } else {
            Verdict::NotDistinguishable(finding)
        }
    }
}

/// What there is too little of.
fn too_few(runs: &PairedMeans) -> String {
    match (runs.difference.units, runs.difference.n) {
        (_, 1) => "1 item is".to_owned(),
        (1, n) => format!("one cluster of {n} items is"),
        (_, n) => format!("{n} items are"),
    }
}
