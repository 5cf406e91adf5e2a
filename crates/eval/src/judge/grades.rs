use serde::{Deserialize, Serialize};

use super::{JudgeId, Judgement, Scale};
use crate::{
    Error, Outcome, Result,
    stats::{Bootstrap, MeanEstimate},
};

/// The judgements of one judge on many answers, summed up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grades {
    /// Who judged.
    pub judge: JudgeId,
    /// On which scale.
    pub scale: Scale,
    /// Answers judged.
    pub n: usize,
    /// Those without a verdict that could be read.
    pub unscored: usize,
    /// Those for which the judge could not be reached.
    pub failed: usize,
    /// The mean figure of the others; `None` where there are no others.
    pub mean: Option<MeanEstimate>,
}

impl Grades {
    /// Sums up `judgements`.
    ///
    /// # Errors
    /// [`Error::EmptySample`] without judgements, [`Error::MixedJudgements`] where they are of several judges, versions or scales.
    pub fn of(judgements: &[Judgement], bootstrap: &Bootstrap) -> Result<Self> {
        let first = judgements.first().ok_or(Error::EmptySample)?;
        if let Some(other) = judgements.iter().find(|other| other.scale != first.scale) {
            return Err(Error::MixedJudgements { first: first.scale.to_string(), second: other.scale.to_string() });
        }
        if let Some(other) = judgements.iter().find(|other| other.judge != first.judge) {
            return Err(Error::MixedJudgements { first: first.judge.to_string(), second: other.judge.to_string() });
        }
        let values: Vec<f64> = judgements.iter().filter_map(Judgement::value).collect();
        let count = |wanted: fn(&Outcome) -> bool| judgements.iter().filter(|judgement| wanted(&judgement.outcome)).count();
        Ok(Self {
            judge: first.judge.clone(),
            scale: first.scale,
            n: judgements.len(),
            unscored: count(|outcome| matches!(outcome, Outcome::Unscored(_))),
            failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
            mean: if values.is_empty() { None } else { Some(bootstrap.mean(&values)?) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Against, LexicalJudge};

    fn judgement(outcome: Outcome) -> Judgement {
        Judgement::new(&LexicalJudge::containment(Against::Context), outcome)
    }

    #[test]
    fn what_has_no_figure_is_counted_apart() {
        let judgements =
            [Outcome::Scored(0.25), Outcome::Unscored("?".into()), Outcome::Failed("!".into()), Outcome::Scored(0.75)].map(judgement);
        let grades = Grades::of(&judgements, &Bootstrap::default()).unwrap();
        assert_eq!((grades.n, grades.unscored, grades.failed, grades.mean.unwrap().mean), (4, 1, 1, 0.5));
        assert_eq!(Grades::of(&judgements[1..3], &Bootstrap::default()).unwrap().mean, None);
    }

    #[test]
    fn scales_and_versions_do_not_mix() {
        let other = Judgement::new(&LexicalJudge::containment(Against::Context).with_threshold(0.5), Outcome::Scored(1.0));
        let again = Judgement { scale: Scale::Unit, ..other.clone() };
        for other in [other, again] {
            let mixed = Grades::of(&[judgement(Outcome::Scored(1.0)), other], &Bootstrap::default());
            assert!(matches!(mixed, Err(Error::MixedJudgements { .. })));
        }
        assert!(matches!(Grades::of(&[], &Bootstrap::default()), Err(Error::EmptySample)));
    }
}
