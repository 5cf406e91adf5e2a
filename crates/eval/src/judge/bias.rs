use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{
    Calibrator, Gate, GatePolicy, JudgeId, PairJudgement, Preference,
    agreement::{better_than_chance, kappa, rate},
    calibration::{Coefficient, Rate},
    calibrator::labels_digest,
    gate::{self, Standing},
};
use crate::{Error, Result};

/// A pair that people compared and a judge judged in both orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledPair {
    /// The item.
    pub item: String,
    /// What people prefer.
    pub label: Preference,
    /// Characters of the first answer.
    pub first_length: usize,
    /// Characters of the second.
    pub second_length: usize,
    /// What the judge said.
    pub judgement: PairJudgement,
}

/// What a judge of pairs is worth, as labels by people show it, and what sways it that should not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairCalibration {
    /// Whose it is. It holds for no other version.
    pub judge: JudgeId,
    /// The confidence of all intervals.
    pub confidence: f64,
    /// Digest of the labels and the items that they are of.
    pub labels_digest: String,
    /// Labels.
    pub n: usize,
    /// Pairs without a verdict in one order or both; they are in none of the figures below.
    pub unscored: usize,
    /// How often judge and label prefer the same, ties included.
    pub accuracy: Rate,
    /// Cohen's kappa of first, second and tie. `None` where chance alone would agree always.
    pub kappa: Option<Coefficient>,
    /// How often both orders gave the same.
    pub position_consistency: Rate,
    /// Of the showings that had a winner, how often it was the answer shown first; half without bias.
    pub first_position_wins: Rate,
    /// Of the pairs with a winner and two lengths, how often the longer one won.
    pub prefers_longer: Rate,
    /// The same of the labels: length can be a merit, and only what the judge has more of is its bias.
    pub labels_prefer_longer: Rate,
    /// The kappa that always preferring the longer one, or always the shorter one, reaches. `None` where neither is better than chance.
    pub length_kappa: Option<f64>,
}

impl Calibrator {
    /// What the judge of `pairs` is worth.
    ///
    /// # Errors
    /// [`Error::EmptySample`] without pairs, [`Error::MixedJudgements`] where several judges judged them.
    pub fn pairs(&self, pairs: &[LabelledPair]) -> Result<PairCalibration> {
        let judge = &pairs.first().ok_or(Error::EmptySample)?.judgement.judge;
        if let Some(other) = pairs.iter().find(|pair| pair.judgement.judge != *judge) {
            return Err(Error::MixedJudgements { first: judge.to_string(), second: other.judgement.judge.to_string() });
        }
        let scored: Vec<(&LabelledPair, Preference)> =
            pairs.iter().filter_map(|pair| Some((pair, *pair.judgement.preference.as_ref().ok()?))).collect();
        let (trials, count) = (scored.len() as u64, |holds: &dyn Fn(&LabelledPair, Preference) -> bool| {
            scored.iter().filter(|(pair, preference)| holds(pair, *preference)).count() as u64
        });
        let share = |successes, trials| rate(successes, trials, self.confidence);
        let by_place = scored.iter().map(|(pair, _)| pair.judgement.wins_by_place());
        let (first, last) = by_place.fold((0, 0), |(first, last), (also_first, also_last)| (first + also_first, last + also_last));
        let longer = |prefers: &dyn Fn(&LabelledPair, Preference) -> Preference| {
            let wins = |wanted| count(&|pair, preference| longer_wins(pair, prefers(pair, preference)) == Some(wanted));
            share(wins(true), wins(true) + wins(false))
        };
        let figures: Vec<(f64, f64)> = scored.iter().map(|(pair, preference)| (figure(pair.label), figure(*preference))).collect();
        Ok(PairCalibration {
            judge: judge.clone(),
            confidence: self.confidence,
            labels_digest: labels_digest(pairs.iter().map(|pair| format!("{}\t{:?}", pair.item, pair.label))),
            n: pairs.len(),
            unscored: pairs.len() - scored.len(),
            accuracy: share(count(&|pair, preference| pair.label == preference), trials),
            kappa: kappa(&figures, false, self.confidence),
            position_consistency: share(count(&|pair, _| pair.judgement.is_consistent() == Some(true)), trials),
            first_position_wins: share(first as u64, (first + last) as u64),
            prefers_longer: longer(&|_, preference| preference),
            labels_prefer_longer: longer(&|pair, _| pair.label),
            length_kappa: length_kappa(&scored),
        })
    }
}

impl PairCalibration {
    /// Whether `judge`, as it is now, is another than the one that was calibrated.
    pub fn is_stale(&self, judge: &JudgeId) -> bool {
        self.judge != *judge
    }

    /// Whether decisions may rest on `judge`.
    pub fn gate(&self, judge: &JudgeId, policy: &GatePolicy) -> Gate {
        let by_length = self.kappa.zip(self.length_kappa);
        gate::decide(&Standing { calibrated: &self.judge, labels: self.n - self.unscored, kappa: self.kappa, by_length }, judge, policy)
    }
}

/// Whether the longer answer is the preferred one; `None` for ties and equal lengths.
fn longer_wins(pair: &LabelledPair, preference: Preference) -> Option<bool> {
    match preference {
        _ if pair.first_length == pair.second_length => None,
        Preference::Tie => None,
        Preference::First => Some(pair.first_length > pair.second_length),
        Preference::Second => Some(pair.second_length > pair.first_length),
    }
}

/// The better of the two rules of length; equal lengths tie by both.
fn length_kappa(scored: &[(&LabelledPair, Preference)]) -> Option<f64> {
    let longer = |pair: &LabelledPair| match pair.first_length.cmp(&pair.second_length) {
        Ordering::Less => Preference::Second,
        Ordering::Equal => Preference::Tie,
        Ordering::Greater => Preference::First,
    };
    let rule = |prefers: &dyn Fn(&LabelledPair) -> Preference| {
        let figures: Vec<(f64, f64)> = scored.iter().map(|(pair, _)| (figure(pair.label), figure(prefers(pair)))).collect();
        kappa(&figures, false, 0.95).map_or(0.0, |kappa| kappa.value)
    };
    better_than_chance(rule(&longer).max(rule(&|pair| longer(pair).swapped())))
}

fn figure(preference: Preference) -> f64 {
    f64::from(preference as u8)
}
