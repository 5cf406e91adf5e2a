use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Sample;

/// The items that two runs have in common, with a figure of each: what a comparison stands on. Repeats of an item come in as their mean,
/// because they are no items of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pairs {
    /// In the order of their ids.
    pub items: Vec<Pair>,
    /// What could not be paired. It is no part of any figure, and a reader has to be told of it.
    pub left_out: LeftOut,
}

/// An item with the figures of two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The item's id.
    pub item: String,
    /// The first run's figure.
    pub baseline: f64,
    /// The second run's.
    pub candidate: f64,
    /// The unit that was drawn at random.
    pub cluster: Option<String>,
    /// The fixed category.
    pub stratum: Option<String>,
}

/// Items of two runs that make no pair, each counted once, by the first reason that holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Only the first run has them.
    pub only_baseline: usize,
    /// Only the second run has them.
    pub only_candidate: usize,
    /// Both have an item of that id, with another input or target.
    pub different: usize,
    /// At least one of the runs has no figure for them: the model failed, or the scorer had nothing to say.
    pub without_figure: usize,
}

impl LeftOut {
    /// All of them.
    pub fn total(self) -> usize {
        self.only_baseline + self.only_candidate + self.different + self.without_figure
    }
}

impl Pairs {
    /// Pairs the answers of two runs by item, with the figures that `metric` reads off an answer; it says `None` where there is none.
    ///
    /// ```
    /// use jarre_eval::{Outcome, Sample, Score, compare::Pairs};
    ///
    /// let answer = |item: &str, value| {
    ///     let score = Score { scorer: "exact_match".into(), version: "1".into(), outcome: Outcome::Scored(value), explanation: None };
    ///     Sample { item: item.into(), scores: vec![score], ..Sample::default() }
    /// };
    /// let baseline = [answer("a", 0.0), answer("b", 1.0), answer("c", 1.0)];
    /// let candidate = [answer("b", 1.0), answer("a", 1.0)];
    /// let pairs = Pairs::new(&baseline, &candidate, |answer| answer.value("exact_match"));
    /// assert_eq!(pairs.baseline(), [0.0, 1.0]);
    /// assert_eq!(pairs.candidate(), [1.0, 1.0]);
    /// assert_eq!(pairs.left_out.only_baseline, 1);
    /// ```
    pub fn new(baseline: &[Sample], candidate: &[Sample], metric: impl Fn(&Sample) -> Option<f64>) -> Self {
        let (first, mut second) = (by_item(baseline), by_item(candidate));
        let mut pairs = Self::default();
        for (item, first) in first {
            match second.remove(item) {
                None => pairs.left_out.only_baseline += 1,
                Some(second) if !same_question(first[0], second[0]) => pairs.left_out.different += 1,
                Some(second) => pairs.push(item, mean(&first, &metric).zip(mean(&second, &metric)), first[0]),
            }
        }
        pairs.left_out.only_candidate = second.len();
        pairs
    }

    fn push(&mut self, item: &str, figures: Option<(f64, f64)>, sample: &Sample) {
        let Some((baseline, candidate)) = figures else {
            self.left_out.without_figure += 1;
            return;
        };
        let (cluster, stratum) = (sample.cluster.clone(), sample.stratum.clone());
        self.items.push(Pair { item: item.to_owned(), baseline, candidate, cluster, stratum });
    }

    /// The first run's figures, in the order of the items.
    pub fn baseline(&self) -> Vec<f64> {
        self.items.iter().map(|pair| pair.baseline).collect()
    }

    /// The second run's figures, in the order of the items.
    pub fn candidate(&self) -> Vec<f64> {
        self.items.iter().map(|pair| pair.candidate).collect()
    }

    /// The items' units, where every item names one.
    pub fn clusters(&self) -> Option<Vec<&str>> {
        self.items.iter().map(|pair| pair.cluster.as_deref()).collect()
    }

    /// The items' categories, where every item names one.
    pub fn strata(&self) -> Option<Vec<&str>> {
        self.items.iter().map(|pair| pair.stratum.as_deref()).collect()
    }

    /// Whether every figure is 0 or 1, so that wins and losses can be counted.
    pub fn is_binary(&self) -> bool {
        let binary = |value: f64| [0.0, 1.0].iter().any(|whole: &f64| whole.total_cmp(&value).is_eq());
        self.items.iter().all(|pair| binary(pair.baseline) && binary(pair.candidate))
    }

    /// The pairs of each category, in the order of their names.
    pub fn by_stratum(&self) -> BTreeMap<&str, Self> {
        let mut slices: BTreeMap<&str, Self> = BTreeMap::new();
        for pair in &self.items {
            if let Some(stratum) = &pair.stratum {
                slices.entry(stratum).or_default().items.push(pair.clone());
            }
        }
        slices
    }
}

fn by_item(samples: &[Sample]) -> BTreeMap<&str, Vec<&Sample>> {
    let mut items: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        items.entry(&sample.item).or_default().push(sample);
    }
    items
}

fn same_question(first: &Sample, second: &Sample) -> bool {
    first.input_hash == second.input_hash && first.target_hash == second.target_hash
}

/// The mean over the repeats that have a figure.
fn mean(repeats: &[&Sample], metric: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    let figures: Vec<f64> = repeats.iter().filter_map(|sample| metric(sample)).filter(|figure| figure.is_finite()).collect();
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}
