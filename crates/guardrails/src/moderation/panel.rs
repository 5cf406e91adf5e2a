use std::sync::{Arc, LazyLock};

use jarre_core::TextClassifier;

use super::{Category, Join, hook};
use crate::{Error, Result, learn::NgramModel};

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
    classifier: Arc<dyn TextClassifier>,
    /// For each of its labels the category, where it is one.
    categories: Vec<Option<Category>>,
}

impl Panel {
    pub(super) fn new(classifiers: Vec<Arc<dyn TextClassifier>>, join: Join) -> Result<Self> {
        let members = classifiers.into_iter().map(Member::new).collect::<Result<Vec<_>>>()?;
        let some = !members.is_empty();
        some.then_some(Self { members, join }).ok_or_else(|| Error::Moderation { reason: "give at least one classifier".into() })
    }

    /// The score of each category that some member knows.
    pub(super) fn score(&self, text: &str) -> Result<Vec<(Category, f32)>> {
        let mut scores: Vec<Vec<f32>> = vec![Vec::new(); Category::ALL.len()];
        for member in &self.members {
            let classification = member.classifier.classify(&[text])?.pop().unwrap_or_default();
            for (score, category) in classification.scores.iter().zip(&member.categories) {
                let known = category.and_then(|category| Category::ALL.iter().position(|&other| other == category));
                if let Some(at) = known {
                    scores[at].push(score.score);
                }
            }
        }
        let joined = scores.iter().map(|scores| self.join(scores));
        Ok(Category::ALL.into_iter().zip(joined).filter_map(|(category, score)| Some((category, score?))).collect())
    }

    fn join(&self, scores: &[f32]) -> Option<f32> {
        match self.join {
            Join::Max => scores.iter().copied().reduce(f32::max),
            Join::Mean => (!scores.is_empty()).then(|| scores.iter().sum::<f32>() / scores.len() as f32),
        }
    }
}

impl Member {
    fn new(classifier: Arc<dyn TextClassifier>) -> Result<Self> {
        let categories: Vec<_> = classifier.info().labels.iter().map(|label| Category::of_label(label)).collect();
        if categories.iter().all(Option::is_none) {
            let reason = format!("no label of `{}` is the name or the code of a category", classifier.info().name);
            return Err(Error::Moderation { reason });
        }
        Ok(Self { classifier, categories })
    }
}
