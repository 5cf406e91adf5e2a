use jarre_core::BoxFuture;

use super::{Case, Judge};
use crate::{Outcome, Sample, Score};

/// A judge as a scorer of an experiment: reads the whole output of a sample, with the target, where there is one, as reference.
#[derive(Clone, Debug)]
pub struct JudgeScorer<J> {
    judge: J,
}

impl<J: Judge> JudgeScorer<J> {
    /// Scores by `judge`.
    pub fn new(judge: J) -> Self {
        Self { judge }
    }

    /// The scorer's name: `judge/` and the judge's.
    pub fn name(&self) -> String {
        format!("judge/{}", self.judge.id().name)
    }

    /// The judge's version.
    pub fn version(&self) -> &str {
        &self.judge.id().version
    }

    /// What the judge says of `sample`, as a figure of its scale. A sample without an answer is unscored, and the judge is not asked.
    pub fn score<'a>(&'a self, sample: &'a Sample) -> BoxFuture<'a, Score> {
        Box::pin(async move {
            let (outcome, explanation) = if let Some(error) = &sample.error {
                (Outcome::Unscored(format!("there is no answer: {error}")), None)
            } else {
                let judgement = self.judge.judge(&Case::from(sample), 0).await;
                (judgement.outcome, judgement.reason)
            };
            Score { scorer: self.name(), version: self.version().to_owned(), outcome, explanation }
        })
    }
}

#[cfg(test)]
mod tests {
    use jarre_core::testing::ScriptedModel;
    use pollster::block_on;

    use super::*;
    use crate::judge::{LlmJudge, Scale};

    #[test]
    fn a_score_names_judge_and_version() {
        let model = ScriptedModel::new().with_text(r#"{"reason": "fine", "verdict": 1}"#);
        let scorer = JudgeScorer::new(LlmJudge::new(&model, "correctness", "Is it right?", Scale::Binary).unwrap());
        let sample = Sample { input: "2+2?".into(), target: Some("four".into()), output: "4".into(), ..Sample::default() };
        let score = block_on(scorer.score(&sample));
        assert_eq!((score.scorer.as_str(), score.outcome), ("judge/correctness[llm:scripted]", Outcome::Scored(1.0)));
        assert_eq!((score.version.as_str(), score.explanation.as_deref()), (scorer.version(), Some("fine")));
        assert!(model.requests()[0].messages[1].text().contains("| four"));
    }

    #[test]
    fn without_an_answer_the_judge_is_not_asked() {
        let model = ScriptedModel::new();
        let scorer = JudgeScorer::new(LlmJudge::new(&model, "n", "c", Scale::Binary).unwrap());
        let score = block_on(scorer.score(&Sample { error: Some("timed out".into()), ..Sample::default() }));
        assert!(matches!(score.outcome, Outcome::Unscored(why) if why.contains("timed out")));
        assert!(model.requests().is_empty());
    }
}
