use serde::{Deserialize, Serialize};

use super::Example;
use crate::{
    Error, Result,
    learn::{FeatureHook, Ngrams},
};

/// How a model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// What the model is called.
    pub name: String,
    /// What is learnt, at least one.
    pub labels: Vec<String>,
    /// Which n-grams are read.
    pub ngrams: Ngrams,
    /// The binary logarithm of the number of buckets, from 8 to 22. The file has a byte for each bucket and for each of its labels.
    pub bits: u32,
    /// N-grams in fewer texts than this are not looked at.
    pub least_texts: usize,
    /// What the strength is chosen from: the cost of an error against the cost of the weights (`C` of support vector machines). The higher, the
    /// closer the fit.
    pub strengths: Vec<f32>,
    /// Above 0, n-grams are scaled by the log of how much more often they occur with the label (NB-SVM, Wang and Manning 2012), smoothed by
    /// this count.
    pub smoothing: f32,
    /// Errors on the rarer side of a label weigh the ratio of the sides to the power of this: 0 for alike, 1 for balance.
    pub balance: f32,
    /// How much of a text's vector a number of the hook is, where the n-grams together have length 1.
    pub hook_scale: f32,
    /// Above 0, what the other labels' margins say enters a label's probability, held to nothing by a ridge of this strength.
    pub mix: f32,
    /// In how many parts the examples are cut to choose the strength and to calibrate, at least 2.
    pub folds: usize,
    /// The most passes over the examples of one fit.
    pub epochs: usize,
    /// Decides the folds and the order of the passes.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            labels: Vec::new(),
            ngrams: Ngrams::default(),
            bits: 17,
            least_texts: 2,
            strengths: vec![0.5, 1.0, 2.0, 4.0, 8.0, 16.0],
            smoothing: 0.0,
            balance: 0.5,
            hook_scale: 0.3,
            mix: 0.0,
            folds: 5,
            epochs: 50,
            seed: 1,
        }
    }
}

/// How far the choice of the strength is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The strengths that are tried.
    pub done: usize,
    /// How many there are.
    pub of: usize,
    /// The one tried last.
    pub strength: f32,
    /// Its log loss in nats on texts left out, the mean over labels.
    pub log_loss: f64,
}

impl TrainConfig {
    pub(super) fn check(&self, hook: Option<&FeatureHook>, examples: &[Example]) -> Result<()> {
        self.ngrams.checked()?;
        let names = || self.labels.iter().chain([&self.name]).map(String::len);
        let given = hook.into_iter().flat_map(FeatureHook::names).map(|name| name.len());
        let weights = || examples.iter().map(|example| example.weight);
        let positive = |number: &f32| number.is_finite() && *number > 0.0;
        let rules = [
            ((1..=1000).contains(&self.labels.len()), "name the labels, at most 1,000"),
            (names().chain(given).all(|length| u16::try_from(length).is_ok()), "names have at most 65,535 bytes"),
            ((8..=22).contains(&self.bits), "set `bits` from 8 to 22"),
            (!self.strengths.is_empty() && self.strengths.iter().all(positive), "set positive `strengths`"),
            (
                [self.smoothing, self.balance, self.hook_scale, self.mix].iter().all(|&it| (0.0..1e6).contains(&it)),
                "set no negative numbers",
            ),
            (self.folds >= 2, "set at least 2 `folds`"),
            (weights().all(|weight| (0.0..1e6).contains(&weight)), "give each example a weight of at least 0"),
            (examples.iter().all(|example| example.targets.len() == self.labels.len()), "give each example one target a label"),
        ];
        let broken = rules.iter().find(|(holds, _)| !holds).map(|(_, rule)| (*rule).to_owned());
        let one_sided = || self.labels.iter().enumerate().find(|(label, _)| !both_sides(examples, *label)).map(|(_, name)| name);
        let broken = broken.or_else(|| one_sided().map(|name| format!("`{name}` needs examples of both sides")));
        broken.map_or(Ok(()), |reason| Err(Error::Training { reason }))
    }
}

fn both_sides(examples: &[Example], label: usize) -> bool {
    let has = |side| examples.iter().any(|example| example.targets[label] == Some(side) && example.weight > 0.0);
    has(true) && has(false)
}
