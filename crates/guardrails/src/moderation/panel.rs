use std::{
    ops::Range,
    sync::{Arc, LazyLock},
};

use jarre_core::TextClassifier;

use super::{Category, Join, hook};
use crate::{
    Error, Result,
    learn::{NgramModel, score_screened},
};

static MODEL: LazyLock<Arc<NgramModel>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../models/moderation.bin");
    Arc::new(NgramModel::with_hook(bytes, hook()).expect("the model was written for this version and this hook, which a test holds"))
});

/// The classifier that comes with the crate; its labels are the codes of the categories.
pub fn model() -> Arc<NgramModel> {
    Arc::clone(&MODEL)
}

/// Classifiers that are asked together.
#[derive(Clone)]
pub(super) struct Panel {
    members: Vec<Member>,
    join: Join,
}

#[derive(Clone)]
struct Member {
    classifier: Classifier,
    /// For each of its labels the category, where it is one.
    categories: Vec<Option<Category>>,
}

#[derive(Clone)]
enum Classifier {
    /// The one that comes with the crate.
    Own(Arc<NgramModel>),
    Given(Arc<dyn TextClassifier>),
}

impl Panel {
    /// The classifier that comes with the crate alone.
    pub(super) fn own(join: Join) -> Result<Self> {
        Ok(Self { members: vec![Member::new(Classifier::Own(model()))?], join })
    }

    pub(super) fn new(classifiers: Vec<Arc<dyn TextClassifier>>, join: Join) -> Result<Self> {
        let members = classifiers.into_iter().map(|given| Member::new(Classifier::Given(given))).collect::<Result<Vec<_>>>()?;
        let some = !members.is_empty();
        some.then_some(Self { members, join }).ok_or_else(|| Error::Moderation { reason: "give at least one classifier".into() })
    }

    /// The score of each category that some member knows.
    pub(super) fn score(&self, text: &str) -> Result<Vec<(Category, f32)>> {
        let whole = 0..text.len();
        Ok(self.score_windows(text, std::slice::from_ref(&whole), |_| 0.0)?.pop().unwrap_or_default())
    }

    /// As [`score`](Self::score), of each of `windows`, in the order of their places: overlapping by half. Each second one is read where a
    /// category has the score in one beside it from which on it is `suspicious`.
    pub(super) fn score_windows(
        &self,
        text: &str,
        windows: &[Range<usize>],
        suspicious: impl Fn(Category) -> f32,
    ) -> Result<Vec<Vec<(Category, f32)>>> {
        let said = self.members.iter().map(|member| member.score_windows(text, windows, &suspicious)).collect::<Result<Vec<_>>>()?;
        Ok((0..windows.len()).map(|window| self.joined(said.iter().map(|said| &said[window][..]))).collect())
    }

    /// What the members say of one window, together.
    fn joined<'a>(&self, said: impl Iterator<Item = &'a [f32]>) -> Vec<(Category, f32)> {
        let mut scores: Vec<Vec<f32>> = vec![Vec::new(); Category::ALL.len()];
        for (said, member) in said.zip(&self.members) {
            for (&score, category) in said.iter().zip(&member.categories) {
                let known = category.and_then(|category| Category::ALL.iter().position(|&other| other == category));
                if let Some(at) = known {
                    scores[at].push(score);
                }
            }
        }
        let joined = scores.iter().map(|scores| self.join(scores));
        Category::ALL.into_iter().zip(joined).filter_map(|(category, score)| Some((category, score?))).collect()
    }

    fn join(&self, scores: &[f32]) -> Option<f32> {
        match self.join {
            Join::Max => scores.iter().copied().reduce(f32::max),
            Join::Mean => (!scores.is_empty()).then(|| scores.iter().sum::<f32>() / scores.len() as f32),
        }
    }
}

impl Member {
    fn new(classifier: Classifier) -> Result<Self> {
        let info = match &classifier {
            Classifier::Own(model) => model.info(),
            Classifier::Given(given) => given.info(),
        };
        let categories: Vec<_> = info.labels.iter().map(|label| Category::of_label(label)).collect();
        if categories.iter().all(Option::is_none) {
            let reason = format!("no label of `{}` is the name or the code of a category", info.name);
            return Err(Error::Moderation { reason });
        }
        Ok(Self { classifier, categories })
    }

    /// The score of each label, window by window.
    fn score_windows(&self, text: &str, windows: &[Range<usize>], suspicious: impl Fn(Category) -> f32) -> Result<Vec<Vec<f32>>> {
        let least: Vec<f32> = self.categories.iter().map(|category| category.map_or(f32::INFINITY, &suspicious)).collect();
        let any = |scores: &[f32]| scores.iter().zip(&least).any(|(score, least)| score >= least);
        // What the last one ends with is in none before.
        let runs: Vec<_> =
            windows.iter().enumerate().filter(|(at, _)| at % 2 == 0 || at + 1 == windows.len()).map(|(_, window)| window.clone()).collect();
        score_screened(windows, &runs, any, |windows| windows.iter().map(|window| self.score(&text[window.clone()])).collect())
    }

    fn score(&self, text: &str) -> Result<Vec<f32>> {
        let classification = match &self.classifier {
            Classifier::Own(model) => return Ok(model.score(text)),
            Classifier::Given(given) => given.classify(&[text])?.pop().unwrap_or_default(),
        };
        Ok(classification.scores.iter().map(|score| score.score).collect())
    }
}
