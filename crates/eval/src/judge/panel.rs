use jarre_core::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    Case, Judge, JudgeId, Judgement, Scale,
    agreement::{alpha, measure},
};
use crate::{Error, Outcome, Result};

/// Several judges of one scale that vote. The figure with more votes than each other one wins; where there is none the panel says so and
/// has no figure. Judges without a verdict do not vote.
pub struct Panel {
    judges: Vec<Box<dyn Judge>>,
    id: JudgeId,
}

/// What a panel said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PanelJudgement {
    /// What each of its judges said.
    pub votes: Vec<Judgement>,
    /// What most said.
    pub overall: Judgement,
    /// The share of the pairs of votes that are equal; `None` with fewer than two votes.
    pub agreement: Option<f64>,
}

impl Panel {
    /// A panel of `judges`; `name` is what people call it.
    ///
    /// # Errors
    /// [`Error::InvalidJudge`] without judges and for [`Scale::Unit`], on which hardly two figures are equal: give those judges a
    /// threshold. [`Error::MixedJudgements`] where their scales differ.
    pub fn new(name: &str, judges: Vec<Box<dyn Judge>>) -> Result<Self> {
        let Some(scale) = judges.first().map(Judge::scale).filter(|scale| *scale != Scale::Unit) else {
            return Err(Error::InvalidJudge("a panel needs judges, and a scale of steps that they can agree on".into()));
        };
        if let Some(other) = judges.iter().find(|judge| judge.scale() != scale) {
            return Err(Error::MixedJudgements { first: scale.to_string(), second: other.scale().to_string() });
        }
        let versions: Vec<&str> = judges.iter().flat_map(|judge| [judge.id().name.as_str(), &judge.id().version]).collect();
        let id = JudgeId::new(format!("{name}[panel of {}]", judges.len()), &versions);
        Ok(Self { judges, id })
    }

    /// What each judge says, one after another, and what most say.
    pub async fn vote(&self, case: &Case, repeat: u32) -> PanelJudgement {
        let mut votes = Vec::with_capacity(self.judges.len());
        for judge in &self.judges {
            votes.push(judge.judge(case, repeat).await);
        }
        let mut overall = Judgement::new(self, majority(&votes));
        overall.usage = votes.iter().map(|vote| vote.usage).sum();
        PanelJudgement { agreement: agreement(&votes), overall, votes }
    }

    /// Krippendorff's alpha of the panel's judges over the cases `judged`: 1 where they always agree, 0 where they agree as often as chance
    /// would. Nominal or ordinal as the scale is; `None` where all votes are the same or no case has two.
    pub fn alpha(&self, judged: &[PanelJudgement]) -> Option<f64> {
        let figures = |judgement: &PanelJudgement| judgement.votes.iter().filter_map(Judgement::value).collect();
        alpha(&judged.iter().map(figures).collect::<Vec<_>>(), measure(self.scale()))
    }
}

impl std::fmt::Debug for Panel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Panel").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Judge for Panel {
    fn id(&self) -> &JudgeId {
        &self.id
    }

    fn scale(&self) -> Scale {
        self.judges[0].scale()
    }

    fn judge<'a>(&'a self, case: &'a Case, repeat: u32) -> BoxFuture<'a, Judgement> {
        Box::pin(async move { self.vote(case, repeat).await.overall })
    }
}

fn majority(votes: &[Judgement]) -> Outcome {
    let mut counts: Vec<(f64, usize)> = Vec::new();
    for value in votes.iter().filter_map(Judgement::value) {
        match counts.iter_mut().find(|(known, _)| is_same(*known, value)) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    match counts.as_slice() {
        [] => none(votes),
        [(value, count), (other, again), ..] if count == again => {
            Outcome::Unscored(format!("tied: {value} and {other} have {count} votes each"))
        }
        [(value, _), ..] => Outcome::Scored(*value),
    }
}

/// Why a panel without a single figure has none: a failure where one of its judges could be asked again.
fn none(votes: &[Judgement]) -> Outcome {
    let failed = votes.iter().find(|vote| matches!(vote.outcome, Outcome::Failed(_)));
    failed.map_or_else(|| Outcome::Unscored("no judge of the panel has a verdict".into()), |vote| vote.outcome.clone())
}

/// The share of the pairs of figures that are equal.
pub(crate) fn agreement(votes: &[Judgement]) -> Option<f64> {
    let values: Vec<f64> = votes.iter().filter_map(Judgement::value).collect();
    let pairs = values.len() * values.len().saturating_sub(1) / 2;
    let equal = |(index, value): (usize, &f64)| values[..index].iter().filter(|other| is_same(**other, *value)).count();
    (pairs > 0).then(|| values.iter().enumerate().map(equal).sum::<usize>() as f64 / pairs as f64)
}

fn is_same(first: f64, second: f64) -> bool {
    (first - second).abs() < f64::EPSILON
}

#[cfg(test)]
mod tests {
    use jarre_core::testing::ScriptedModel;
    use pollster::block_on;

    use super::*;
    use crate::judge::{Against, LexicalJudge, LlmJudge};

    fn judge(reply: &str) -> Box<dyn Judge> {
        let model = ScriptedModel::new();
        let model = if reply.is_empty() { model } else { model.with_text(format!(r#"{{"reason": "", "verdict": {reply}}}"#)) };
        Box::new(LlmJudge::new(model, "n", "c", Scale::OneToFive).unwrap())
    }

    fn vote(replies: &[&str]) -> PanelJudgement {
        let panel = Panel::new("three", replies.iter().map(|reply| judge(reply)).collect()).unwrap();
        block_on(panel.vote(&Case::new("q", "a"), 0))
    }

    #[test]
    fn the_most_votes_win_and_ties_are_said() {
        let judged = vote(&["4", "2", "4"]);
        assert_eq!((judged.overall.value(), judged.agreement), (Some(4.0), Some(1.0 / 3.0)));
        let judged = vote(&["4", "2", "null"]);
        assert!(matches!(&judged.overall.outcome, Outcome::Unscored(why) if why.contains("tied")), "{judged:?}");
        assert_eq!((judged.votes.len(), judged.agreement), (3, Some(0.0)));
        assert_eq!(vote(&["3", "null", ""]).overall.value(), Some(3.0));
    }

    #[test]
    fn a_panel_without_verdicts_says_whether_asking_again_can_help() {
        assert!(matches!(vote(&["9", "null"]).overall.outcome, Outcome::Unscored(_)));
        assert!(matches!(vote(&["9", ""]).overall.outcome, Outcome::Failed(_)));
        assert_eq!(vote(&["3"]).agreement, None);
    }

    #[test]
    fn alpha_is_over_many_cases() {
        let panel = Panel::new("two", vec![judge(""), judge("")]).unwrap();
        assert_eq!(panel.alpha(&[vote(&["2", "2"]), vote(&["4", "4"])]), Some(1.0));
        // Squared distances by rank: 1 of 4 and 5, 2.25 of 2 and 4, 6.25 of 2 and 5; so 1 - 3 * 1 / (1 + 2 * 2.25 + 2 * 6.25).
        let mixed = panel.alpha(&[vote(&["2", "2"]), vote(&["4", "5"]), vote(&["1", "null"])]).unwrap();
        assert!((mixed - 5.0 / 6.0).abs() < 1e-12, "{mixed}");
        assert_eq!(panel.alpha(&[vote(&["2", "2"]), vote(&["4", "null"])]), None);
    }

    #[test]
    fn scales_that_differ_or_have_no_steps_are_refused() {
        let lexical = || Box::new(LexicalJudge::containment(Against::Context));
        let thresholded = Box::new(LexicalJudge::containment(Against::Context).with_threshold(0.5));
        assert!(matches!(Panel::new("p", vec![judge("1"), thresholded]), Err(Error::MixedJudgements { .. })));
        assert!(matches!(Panel::new("p", vec![lexical()]), Err(Error::InvalidJudge(_))));
        assert!(matches!(Panel::new("p", vec![]), Err(Error::InvalidJudge(_))));
    }
}
