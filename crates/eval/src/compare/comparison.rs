use serde::{Deserialize, Serialize};

use super::{LeftOut, Pairs, Units, slices, slices::Slice};
use crate::{
    Error, Result, Sample,
    stats::{
        BinaryPairs, Bootstrap, BootstrapEstimate, Design, Direction, Interval, McNemar, PairedMeans, Power, Question, SignificantCounts,
        Unit, Verdict,
    },
};

/// What is asked of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The metric's name.
    pub metric: String,
    /// Which way it is better.
    pub direction: Direction,
    /// How items hang together.
    pub units: Units,
    /// How sure intervals are.
    pub confidence: f64,
    /// The difference that one would want to see; with it a comparison that tells nothing says how many items would.
    pub effect: Option<f64>,
    /// Seeds the bootstrap.
    pub seed: u64,
}

impl Options {
    /// A comparison by `metric`, of which more is better: 95 %, units as the items have them.
    pub fn new(metric: impl Into<String>) -> Self {
        let direction = Direction::HigherIsBetter;
        Self { metric: metric.into(), direction, units: Units::Auto, confidence: 0.95, effect: None, seed: 0 }
    }
}

/// Two runs over the same items by one metric: how far they are apart, how sure that is, and what it would take to be surer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The metric's name.
    pub metric: String,
    /// What is said of it, in words.
    pub verdict: Verdict,
    /// The paired means with their standard errors.
    pub means: PairedMeans,
    /// How the items hang together: `items`, `clusters` or `strata`.
    pub units: Units,
    /// The interval of the difference: Newcombe's where answers are right or wrong and items stand for themselves, else Student's.
    pub interval: Option<Interval>,
    /// The difference with its bootstrap intervals, resampled as the items hang together.
    pub bootstrap: BootstrapEstimate,
    /// Of the test that goes with the verdict.
    pub p_value: Option<f64>,
    /// Where every figure is right or wrong.
    pub binary: Option<Binary>,
    /// What could not be paired.
    pub left_out: LeftOut,
    /// Each stratum by itself, with p-values adjusted for their number.
    pub slices: Vec<Slice>,
    /// How many slices differ: nominally, and after adjusting.
    pub slice_counts: Option<SignificantCounts>,
}

/// What right-or-wrong answers add.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binary {
    /// The 2 x 2 table.
    pub table: BinaryPairs,
    /// `McNemar`'s tests.
    pub mcnemar: McNemar,
    /// Items that the candidate alone gets right, for each that the baseline alone does; `None` where they never differ.
    pub odds_ratio: Option<f64>,
}

impl Comparison {
    /// Compares the answers of two runs.
    ///
    /// # Errors
    /// [`Error::Refused`] where no item can be paired, and those of [`Units::design`].
    ///
    /// # Panics
    /// Where the confidence is not between 0 and 1, both exclusive.
    pub fn new(baseline: &[Sample], candidate: &[Sample], options: &Options) -> Result<Self> {
        let pairs = Pairs::new(baseline, candidate, |sample| sample.value(&options.metric));
        Self::of(&pairs, options)
    }

    /// Compares figures that were paired before.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn of(pairs: &Pairs, options: &Options) -> Result<Self> {
        if pairs.items.is_empty() {
            return Err(nothing_to_pair(pairs.left_out, &options.metric));
        }
        let (baseline, candidate, design) = (pairs.baseline(), pairs.candidate(), options.units.design(pairs)?);
        let means = PairedMeans::of(&baseline, &candidate, &design)?;
        let table = BinaryPairs::of_scores(&baseline, &candidate);
        // McNemar's test takes each item for itself, which items of a cluster are not.
        let simple_table = table.filter(|_| design == Design::Simple);
        let question = options.question(&baseline, &candidate);
        let interval = match &simple_table {
            Some(table) => Some(table.newcombe(options.confidence)?),
            None => means.difference.interval(options.confidence),
        };
        let slices = slices::compare(pairs, options)?;
        Ok(Self {
            metric: options.metric.clone(),
            verdict: simple_table.map_or_else(|| question.means(&means), |table| question.pairs(&table)),
            units: units_of(&design),
            bootstrap: bootstrap(&baseline, &candidate, &design, options)?,
            p_value: simple_table.map(|table| table.mcnemar().exact).or(means.difference.p_value()),
            binary: table.map(|table| Binary {
                table,
                mcnemar: table.mcnemar(),
                odds_ratio: table.odds_ratio().filter(|odds| odds.is_finite()),
            }),
            slice_counts: slices::counts(&slices, options.confidence)?,
            left_out: pairs.left_out,
            means,
            interval,
            slices,
        })
    }
}

impl Options {
    /// Shares are told in points.
    fn question(&self, baseline: &[f64], candidate: &[f64]) -> Question {
        let share = baseline.iter().chain(candidate).all(|value| (0.0..=1.0).contains(value));
        let unit = if share { Unit::Points } else { Unit::Own(String::new()) };
        let question = Question::default().with_direction(self.direction).with_unit(unit).with_power(Power::new(self.confidence, 0.8));
        match self.effect {
            Some(effect) => question.with_effect(effect),
            None => question,
        }
    }
}

fn bootstrap(baseline: &[f64], candidate: &[f64], design: &Design, options: &Options) -> Result<BootstrapEstimate> {
    let differences: Vec<f64> = baseline.iter().zip(candidate).map(|(baseline, candidate)| candidate - baseline).collect();
    let mean = |items: &[usize]| items.iter().map(|item| differences[*item]).sum::<f64>() / items.len() as f64;
    Bootstrap::default().with_confidence(options.confidence).with_seed(options.seed).statistic_by(design, differences.len(), mean)
}

fn units_of(design: &Design) -> Units {
    match design {
        Design::Simple => Units::Items,
        Design::Clustered(_) | Design::ClusteredInStrata { .. } => Units::Clusters,
        Design::Stratified(_) => Units::Strata,
    }
}

fn nothing_to_pair(left_out: LeftOut, metric: &str) -> Error {
    let LeftOut { only_baseline, only_candidate, different, without_figure } = left_out;
    Error::Refused(format!(
        "the runs have no item in common that both have a figure of `{metric}` for ({only_baseline} items only in the first, {only_candidate} only in the \
         second, {different} with another input or target, {without_figure} without a figure)"
    ))
}
