use std::collections::BTreeSet;

use jarre_core::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    Case, Judge, JudgeId, Judgement, Scale,
    words::{containment, content_words, overlap},
};
use crate::Outcome;

/// Compares words, without a model: the baseline that every other judge has to beat, and as blind to meaning as it looks.
///
/// Only words that carry meaning count (English function words are left out), in lower case. An answer that copies scores high whatever
/// it says; a right answer in other words scores low. Its figures are never to be quoted as those of a model's judgement.
///
/// ```
/// use jarre_eval::judge::{Against, Case, Judge, LexicalJudge};
///
/// # pollster::block_on(async {
/// let judge = LexicalJudge::containment(Against::Context);
/// let case = Case::new("Where is the head office?", "in New Delhi").with_context("The head office is in Delhi.");
/// assert_eq!(judge.judge(&case, 0).await.value(), Some(0.5));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct LexicalJudge {
    measure: Measure,
    against: Against,
    without_question: bool,
    threshold: Option<f64>,
    id: JudgeId,
}

/// What an answer is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The context that it had to rest on.
    Context,
    /// The reference answer.
    Reference,
    /// The question: whether the answer speaks of it at all.
    Question,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Containment,
    Overlap,
}

impl LexicalJudge {
    /// The share of the answer's words that the other text holds.
    pub fn containment(against: Against) -> Self {
        Self::new(Measure::Containment, against)
    }

    /// The F1 of the answer's words and the other text's: words that either has alone cost.
    pub fn overlap(against: Against) -> Self {
        Self::new(Measure::Overlap, against)
    }

    /// Leaves out the words of the question, which an answer repeats whether it is right or wrong.
    pub fn without_question(mut self) -> Self {
        self.without_question = true;
        self.identified()
    }

    /// Says 1 from `threshold` on and 0 below, on [`Scale::Binary`].
    ///
    /// # Panics
    /// Where `threshold` is not between 0 and 1.
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        assert!((0.0..=1.0).contains(&threshold), "a share is between 0 and 1, not {threshold}");
        self.threshold = Some(threshold);
        self.identified()
    }

    fn new(measure: Measure, against: Against) -> Self {
        Self { measure, against, without_question: false, threshold: None, id: JudgeId::default() }.identified()
    }

    fn identified(mut self) -> Self {
        let name = if self.measure == Measure::Containment { "containment" } else { "overlap" };
        let settings = format!("{:?} {} {:?}", self.against, self.without_question, self.threshold);
        self.id = JudgeId::new(format!("{name}[lexical]"), &["lexical", "1", name, &settings]);
        self
    }

    fn outcome(&self, case: &Case) -> Outcome {
        let other = match self.against {
            Against::Context => case.context.as_deref(),
            Against::Reference => case.reference.as_deref(),
            Against::Question => Some(case.question.as_str()),
        };
        let Some(other) = other else {
            return Outcome::Unscored(format!("the case has no {:?} to hold the answer against", self.against).to_lowercase());
        };
        match self.share(case, other) {
            Some(share) => Outcome::Scored(self.threshold.map_or(share, |threshold| f64::from(u8::from(share >= threshold)))),
            None => Outcome::Unscored("the answer has no words of its own".into()),
        }
    }

    fn share(&self, case: &Case, other: &str) -> Option<f64> {
        let (mut answer, mut other) = (content_words(&case.answer), content_words(other));
        if self.without_question {
            let asked: BTreeSet<String> = content_words(&case.question).into_iter().collect();
            answer.retain(|word| !asked.contains(word));
            other.retain(|word| !asked.contains(word));
        }
        match self.measure {
            Measure::Containment => containment(&answer, &other.into_iter().collect()),
            Measure::Overlap => overlap(&answer, &other).filter(|_| !answer.is_empty()),
        }
    }
}

impl Judge for LexicalJudge {
    fn id(&self) -> &JudgeId {
        &self.id
    }

    fn scale(&self) -> Scale {
        if self.threshold.is_some() { Scale::Binary } else { Scale::Unit }
    }

    fn judge<'a>(&'a self, case: &'a Case, _: u32) -> BoxFuture<'a, Judgement> {
        Box::pin(async move { Judgement::new(self, self.outcome(case)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        Case::new("Which magazine was first?", "First magazine Alpha").with_context("Alpha Beta magazine").with_reference("Alpha")
    }

    #[test]
    fn hand_computed_shares() {
        let table = [
            (LexicalJudge::containment(Against::Context), 2.0 / 3.0),
            (LexicalJudge::overlap(Against::Context), 4.0 / 6.0),
            (LexicalJudge::containment(Against::Question), 2.0 / 3.0),
            (LexicalJudge::containment(Against::Context).without_question(), 1.0),
            (LexicalJudge::overlap(Against::Reference), 2.0 / 4.0),
            (LexicalJudge::overlap(Against::Reference).with_threshold(0.5), 1.0),
            (LexicalJudge::overlap(Against::Reference).with_threshold(0.51), 0.0),
        ];
        for (judge, expected) in table {
            let Outcome::Scored(share) = judge.outcome(&case()) else { panic!("{judge:?} has a figure") };
            assert!((share - expected).abs() < 1e-12 && judge.scale().has(share), "{judge:?}: {share}");
        }
    }

    #[test]
    fn nothing_to_compare_is_unscored() {
        let judge = LexicalJudge::containment(Against::Context);
        assert!(matches!(judge.outcome(&Case::new("q", "a")), Outcome::Unscored(why) if why.contains("no context")));
        assert!(matches!(judge.outcome(&Case::new("q", "?!").with_context("c")), Outcome::Unscored(_)));
        assert_eq!(judge.outcome(&Case::new("q", "a").with_context("")), Outcome::Scored(0.0));
        let repeated = Case::new("Alpha?", "Alpha").with_context("Alpha");
        assert!(matches!(judge.without_question().outcome(&repeated), Outcome::Unscored(_)));
    }

    #[test]
    fn settings_make_versions() {
        let base = || LexicalJudge::containment(Against::Context);
        let ids = [base().id, LexicalJudge::containment(Against::Question).id, base().without_question().id, base().with_threshold(0.5).id];
        assert!((0..4).all(|index| !ids[..index].contains(&ids[index])));
    }
}
