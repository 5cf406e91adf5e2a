use serde::{Deserialize, Serialize};

use crate::{Result, macros::forward};

/// Says which labels fit a text: injection or not, easy or hard, which intent.
///
/// The call blocks, as that of [`Embedder`](crate::Embedder): an async caller moves it off its runtime (`spawn_blocking`). A text's
/// scores do not depend on the rest of the batch (within floating-point tolerance).
///
/// [`testing::contract::text_classifier`](crate::testing::contract::text_classifier) checks an implementation.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a text classifier", note = "implement `jarre_core::TextClassifier`")]
pub trait TextClassifier: Send + Sync {
    /// What is known about the classifier.
    fn info(&self) -> &ClassifierInfo;

    /// The scores of each text, in order. An empty text is a text.
    ///
    /// # Errors
    /// Where the model cannot run or the remote side fails; no partial result is returned.
    fn classify(&self, texts: &[&str]) -> Result<Vec<Classification>>;
}

forward!(TextClassifier {
    fn info(&self) -> &ClassifierInfo;
    fn classify(&self, texts: &[&str]) -> Result<Vec<Classification>>;
});

/// What is known about a classifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassifierInfo {
    /// The name that people know the model by.
    pub name: String,
    /// All labels; at least one, each once.
    pub labels: Vec<String>,
    /// Whether several labels can fit a text. Where not, the scores of a text are a distribution and sum to 1.
    pub multi_label: bool,
}

/// The scores of one text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Classification {
    /// One a label, in the order of [`ClassifierInfo::labels`].
    pub scores: Vec<LabelScore>,
}

impl Classification {
    /// The scores in the order of the labels.
    pub fn new(scores: impl IntoIterator<Item = LabelScore>) -> Self {
        Self { scores: scores.into_iter().collect() }
    }

    /// The label that fits best, the first of equals; `None` where there is none.
    pub fn top(&self) -> Option<&LabelScore> {
        self.scores.iter().rev().max_by(|a, b| a.score.total_cmp(&b.score))
    }

    /// The score of `label`.
    pub fn score(&self, label: &str) -> Option<f32> {
        self.scores.iter().find(|score| score.label == label).map(|score| score.score)
    }
}

/// How well a label fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelScore {
    /// The label.
    pub label: String,
    /// A probability, in [0, 1].
    pub score: f32,
}

impl LabelScore {
    /// The score of a label.
    pub fn new(label: impl Into<String>, score: f32) -> Self {
        Self { label: label.into(), score }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_on_top() {
        let scores = Classification::new([LabelScore::new("a", 0.25), LabelScore::new("b", 0.375), LabelScore::new("c", 0.375)]);
        assert_eq!(scores.top().unwrap().label, "b");
        assert_eq!((scores.score("c"), scores.score("d")), (Some(0.375), None));
        assert_eq!(Classification::default().top(), None);
        let wire = serde_json::to_value(&scores).unwrap();
        assert_eq!(wire[0], serde_json::json!({"label": "a", "score": 0.25}));
        assert_eq!(serde_json::from_value::<Classification>(wire).unwrap(), scores);
    }
}
