use std::{ops::Range, sync::LazyLock};

use super::features;
use crate::{
    Result,
    learn::{NgramModel, score_screened},
};

/// What the model that comes with this crate says of a text: whether it attacks.
pub(crate) const ATTACK: usize = 0;
/// Whether it asks something of an assistant, which data have no business to.
pub(crate) const DEMAND: usize = 1;

static BYTES: &[u8] = include_bytes!("../../models/injection.bin");
static MODEL: LazyLock<Result<NgramModel>> = LazyLock::new(|| NgramModel::with_hook(BYTES, features()));

/// The model that comes with this crate. `models/README.md` tells what it was trained on.
pub(crate) fn shipped() -> Result<NgramModel> {
    match &*MODEL {
        Ok(model) => Ok(model.clone()),
        Err(error) => Err(crate::Error::ModelFile { reason: error.to_string() }),
    }
}

/// Something that says how sure it is that a text attacks, or demands.
#[derive(Clone)]
pub(crate) struct Judge {
    shipped: Option<(NgramModel, usize)>,
    given: Vec<(std::sync::Arc<dyn jarre_core::TextClassifier>, String)>,
}

impl Judge {
    pub(crate) fn shipped(label: usize) -> Result<Self> {
        Ok(Self { shipped: Some((shipped()?, label)), given: Vec::new() })
    }

    pub(crate) fn join(&mut self, classifier: std::sync::Arc<dyn jarre_core::TextClassifier>, label: String) {
        self.given.push((classifier, label));
    }

    pub(crate) fn leave_out_shipped(&mut self) {
        self.shipped = None;
    }

    /// Whether nothing is asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.shipped.is_none() && self.given.is_empty()
    }

    /// The highest score that any of them gives to each text.
    pub(crate) fn score(&self, texts: &[&str]) -> Result<Vec<f32>> {
        let shipped = texts.iter().map(|text| self.shipped.as_ref().map_or(0.0, |(model, label)| model.score(text)[*label]));
        self.joined(shipped.collect(), texts)
    }

    /// As [`score`](Self::score), of windows of a text, of which those are read that share text with a run that is suspicious: has this score.
    /// `numbers` gives what [`features`] reads of one.
    pub(crate) fn score_windows(
        &self,
        text: &str,
        windows: &[Range<usize>],
        runs: &[Range<usize>],
        suspicious: f32,
        numbers: impl Fn(&Range<usize>) -> Vec<f32>,
    ) -> Result<Vec<f32>> {
        let own = |window: &Range<usize>| {
            self.shipped.as_ref().map_or(0.0, |(model, label)| model.score_with(&text[window.clone()], numbers(window))[*label])
        };
        let read = |windows: &[Range<usize>]| {
            let texts: Vec<&str> = windows.iter().map(|window| &text[window.clone()]).collect();
            let scores = self.joined(windows.iter().map(own).collect(), &texts)?;
            Ok(scores.into_iter().map(|score| vec![score]).collect())
        };
        let scores = score_screened(windows, runs, |scores| scores[0] >= suspicious, read)?;
        Ok(scores.into_iter().flatten().collect())
    }

    fn joined(&self, mut scores: Vec<f32>, texts: &[&str]) -> Result<Vec<f32>> {
        for (classifier, label) in &self.given {
            for (score, classes) in scores.iter_mut().zip(classifier.classify(texts)?) {
                *score = score.max(classes.score(label).unwrap_or(0.0));
            }
        }
        Ok(scores)
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Judge").field("shipped", &self.shipped.is_some()).field("given", &self.given.len()).finish()
    }
}
