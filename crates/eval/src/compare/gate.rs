use serde::{Deserialize, Serialize};

use super::{Check, Comparison, Decision, Discrepancy, Options, Pairs, Policy, Units, discrepancies, slices::Slice};
use crate::{
    Provenance, Result, Sample,
    stats::{Bootstrap, BootstrapEstimate, Design, Direction, Interval, NonInferiority, holm, normal},
};

/// A run, as comparisons and gates take it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// What people call it.
    pub name: String,
    /// Its id.
    pub run: String,
    /// Where its figures come from.
    pub provenance: Provenance,
    /// Its answers with their scores.
    pub samples: Vec<Sample>,
}

/// Whether a candidate may take a baseline's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The run that is compared with.
    pub baseline: String,
    /// The run that is decided upon.
    pub candidate: String,
    /// The whole: incomparable before fail, fail before inconclusive.
    pub decision: Decision,
    /// What it was made of.
    pub checks: Vec<Check>,
}

impl Gate {
    /// Holds `candidate` against `baseline` by `policy`: that the runs can be compared; that the candidate is not worse by more than the margin,
    /// by the interval of the paired difference, as a whole and, by Holm, in each stratum; that few of its answers failed; and that it is neither
    /// slower nor dearer than it may be. Items hang together as `units` says; `seed` seeds the bootstrap.
    ///
    /// # Errors
    /// [`Error::InvalidExperiment`](crate::Error::InvalidExperiment) for a policy that cannot be, and those of [`Units::design`].
    pub fn decide(baseline: &Side, candidate: &Side, metric: &str, policy: &Policy, units: Units, seed: u64) -> Result<Self> {
        let policy = policy.clone().checked()?;
        let direction = if policy.lower_is_better { Direction::LowerIsBetter } else { Direction::HigherIsBetter };
        let options = Options { direction, units, confidence: policy.confidence, seed, ..Options::new(metric) };
        let pairs = Pairs::new(&baseline.samples, &candidate.samples, |sample| sample.value(metric));
        let mut checks = vec![comparable(baseline, candidate, metric, &pairs)];
        if checks[0].decision == Decision::Pass {
            let comparison = Comparison::of(&pairs, &options)?;
            checks.push(quality(&comparison, &policy, direction)?);
            checks.extend(slices(&comparison, &policy, direction)?);
            checks.push(errors(candidate, metric, &policy));
            checks.extend(cost_and_latency(baseline, candidate, &policy, seed));
        }
        let decision = checks.iter().map(|check| check.decision).max().unwrap_or(Decision::Incomparable);
        Ok(Self { baseline: baseline.name.clone(), candidate: candidate.name.clone(), decision, checks })
    }
}

impl Gate {
    /// Adds a check that somebody else made; the whole is decided anew.
    pub fn with_check(mut self, check: Check) -> Self {
        self.decision = self.decision.max(check.decision);
        self.checks.push(check);
        self
    }
}

fn comparable(baseline: &Side, candidate: &Side, metric: &str, pairs: &Pairs) -> Check {
    let forbidding = |found: &Discrepancy| found.forbids;
    let found: Vec<Discrepancy> =
        discrepancies(&baseline.provenance, &candidate.provenance, &[metric]).into_iter().filter(forbidding).collect();
    if let [first, ..] = found.as_slice() {
        let words = format!(
            "{} differs: {} and {}; run both over the same items with the same scorers",
            first.field, first.baseline, first.candidate
        );
        return Check::new("comparable", Decision::Incomparable, words);
    }
    let words = format!("{} items in common, {} left out", pairs.items.len(), pairs.left_out.total());
    let decision = if pairs.items.is_empty() || pairs.left_out.different > 0 { Decision::Incomparable } else { Decision::Pass };
    Check::new("comparable", decision, words)
}

fn quality(comparison: &Comparison, policy: &Policy, direction: Direction) -> Result<Check> {
    let found = match (&comparison.binary, comparison.units) {
        (Some(binary), Units::Items) => NonInferiority::of_pairs(&binary.table, policy.margin, direction, policy.confidence)?,
        _ => NonInferiority::of_means(&comparison.means, policy.margin, direction, policy.confidence)?,
    };
    let (decision, more) = match found {
        NonInferiority::NonInferior => (Decision::Pass, String::new()),
        NonInferiority::Inferior => (Decision::Fail, String::new()),
        NonInferiority::Inconclusive { more_items: Some(more) } => {
            (Decision::Inconclusive, format!("; {more} more items would decide, should it stay so"))
        }
        NonInferiority::Inconclusive { more_items: None } => (Decision::Inconclusive, String::new()),
    };
    let words = format!("{}: {}; it may lose {}{more}", comparison.metric, comparison.verdict, policy.margin);
    Ok(Check::new("quality", decision, words))
}

/// A slice fails where it is worse than its margin allows beyond what chance explains, over the whole family of slices; a slice that is merely
/// small passes, because no one can show every slice to be good.
fn slices(comparison: &Comparison, policy: &Policy, direction: Direction) -> Result<Vec<Check>> {
    let Some(margin) = policy.slice_margin else { return Ok(Vec::new()) };
    let p_values: Vec<f64> = comparison.slices.iter().map(|slice| beyond(slice, margin, direction, policy.confidence)).collect();
    let adjusted = holm(&p_values)?;
    let worse = comparison.slices.iter().zip(adjusted).filter(|(_, p)| *p <= 1.0 - policy.confidence);
    let mut checks: Vec<Check> = worse
        .map(|(slice, p)| {
            let words = format!(
                "{} items, from {:.4} to {:.4}; worse by more than {margin}, p = {p:.2e} by Holm",
                slice.n, slice.baseline, slice.candidate
            );
            Check::new(format!("slice {}", slice.name), Decision::Fail, words)
        })
        .collect();
    if checks.is_empty() && !comparison.slices.is_empty() {
        checks.push(Check::new(
            "slices",
            Decision::Pass,
            format!("none of {} is shown to lose more than {margin}", comparison.slices.len()),
        ));
    }
    Ok(checks)
}

/// How likely a difference as bad as the slice's is where the true one is at the margin: one-sided, by the normal distribution and the
/// standard error that the slice's interval stands on.
fn beyond(slice: &Slice, margin: f64, direction: Direction, confidence: f64) -> f64 {
    let Some(interval) = slice.interval else { return 1.0 };
    let improvement = direction.improvement(slice.difference);
    let half = match direction.improvement_interval(interval) {
        Interval { high, .. } if high > improvement => high - improvement,
        _ => return 1.0,
    };
    normal::cdf((improvement + margin) * normal::critical(confidence) / half)
}

fn errors(candidate: &Side, metric: &str, policy: &Policy) -> Check {
    let without = candidate.samples.iter().filter(|sample| sample.value(metric).is_none()).count();
    let share = without as f64 / candidate.samples.len().max(1) as f64;
    let decision = if share <= policy.max_errors { Decision::Pass } else { Decision::Fail };
    let words = format!(
        "{without} of {} answers failed or have no figure ({:.2} %, allowed {:.2} %)",
        candidate.samples.len(),
        100.0 * share,
        100.0 * policy.max_errors
    );
    Check::new("errors", decision, words)
}

fn cost_and_latency(baseline: &Side, candidate: &Side, policy: &Policy, seed: u64) -> Vec<Check> {
    let bootstrap = Bootstrap::default().with_confidence(policy.confidence).with_seed(seed);
    let mut checks = Vec::new();
    if let Some(limit) = policy.max_latency_ratio {
        let latency = |sample: &Sample| sample.error.is_none().then_some(sample.latency.as_secs_f64());
        let (first, second) = paired(baseline, candidate, latency);
        let found = bootstrap.ratio_of_quantiles(0.95, &first, &second, &Design::Simple);
        checks.push(ratio("latency", "the 95th percentile of latencies", found.ok(), limit));
    }
    if let Some(limit) = policy.max_cost_ratio {
        let cost = |sample: &Sample| sample.error.is_none().then_some(sample.cost.micros() as f64);
        let (first, second) = paired(baseline, candidate, cost);
        let found = bootstrap.ratio_of_means(&first, &second, &Design::Simple);
        checks.push(ratio("cost", "the cost of an answer", found.ok(), limit));
    }
    checks
}

fn paired(baseline: &Side, candidate: &Side, figure: impl Fn(&Sample) -> Option<f64>) -> (Vec<f64>, Vec<f64>) {
    let pairs = Pairs::new(&baseline.samples, &candidate.samples, figure);
    (pairs.baseline(), pairs.candidate())
}

fn ratio(name: &str, what: &str, found: Option<BootstrapEstimate>, limit: f64) -> Check {
    let Some(found) = found else {
        return Check::new(name, Decision::Inconclusive, format!("the runs have no figures of {what} to compare; leave the limit out"));
    };
    let Interval { low, high } = found.percentile;
    let decision = if high <= limit {
        Decision::Pass
    } else if low > limit {
        Decision::Fail
    } else {
        Decision::Inconclusive
    };
    Check::new(name, decision, format!("{what} is {:.2} times the baseline's ({low:.2} to {high:.2}), allowed {limit}", found.value))
}
