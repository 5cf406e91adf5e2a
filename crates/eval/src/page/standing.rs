use super::{Answer, Direction, Metric};
use crate::{Outcome, Score};

/// How a variant did on an item by one metric, over its repeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Standing {
    /// The variant was not asked.
    Absent,
    /// Nobody knows, because an answer or its scorer failed.
    Failed,
    /// The metric has nothing to say.
    Unscored,
    /// The mean of the repeats that have a figure, and whether it passes, where the metric has a mark for that.
    Scored { value: f64, passes: Option<bool> },
}

impl Standing {
    pub(super) fn of(answers: &[Answer], metric: &Metric) -> Self {
        let scores = || answers.iter().filter_map(|answer| score(answer, metric));
        let values: Vec<f64> = scores().filter_map(|score| score.outcome.value()).filter(|value| value.is_finite()).collect();
        if !values.is_empty() {
            let value = values.iter().sum::<f64>() / values.len() as f64;
            return Self::Scored { value, passes: metric.passes(value) };
        }
        let failed = |answer: &Answer| answer.error.is_some();
        if answers.is_empty() {
            Self::Absent
        } else if answers.iter().any(failed) || scores().any(|score| matches!(score.outcome, Outcome::Failed(_))) {
            Self::Failed
        } else {
            Self::Unscored
        }
    }

    /// The letter that stands for it in the page's data.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Absent => '-',
            Self::Failed => 'e',
            Self::Unscored => 'u',
            Self::Scored { passes: Some(true), .. } => 'p',
            Self::Scored { passes: Some(false), .. } => 'f',
            Self::Scored { passes: None, .. } => 's',
        }
    }
}

impl Metric {
    /// Whether a figure passes; none without a mark.
    fn passes(&self, value: f64) -> Option<bool> {
        let mark = self.pass_mark?;
        Some(match self.direction {
            Direction::HigherIsBetter => value >= mark,
            Direction::LowerIsBetter => value <= mark,
        })
    }
}

/// What the metric's scorer said of the answer.
pub(super) fn score<'a>(answer: &'a Answer, metric: &Metric) -> Option<&'a Score> {
    answer.scores.iter().find(|score| score.scorer == metric.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(outcome: Outcome) -> Answer {
        let score = Score { scorer: "m".to_owned(), version: String::new(), outcome, explanation: None };
        Answer { scores: vec![score], ..Answer::default() }
    }

    fn letter(metric: &Metric, answers: &[Answer]) -> char {
        Standing::of(answers, metric).letter()
    }

    #[test]
    fn what_has_no_figure_is_not_wrong() {
        let metric = Metric::new("m").with_pass_mark(0.5);
        let failed = Answer { error: Some("timeout".to_owned()), ..Answer::default() };
        assert_eq!(letter(&metric, &[]), '-');
        assert_eq!(letter(&metric, &[answer(Outcome::Unscored("no verdict".to_owned()))]), 'u');
        assert_eq!(letter(&metric, &[Answer::default()]), 'u', "never scored");
        assert_eq!(letter(&metric, &[answer(Outcome::Failed("no judge".to_owned()))]), 'e');
        assert_eq!(letter(&metric, std::slice::from_ref(&failed)), 'e');
        assert_eq!(letter(&metric, &[answer(Outcome::Scored(f64::NAN))]), 'u');
        assert_eq!(letter(&metric, &[failed, answer(Outcome::Scored(1.0))]), 'p', "by what has a figure");
    }

    #[test]
    fn repeats_pass_by_their_mean() {
        let repeats = [answer(Outcome::Scored(1.0)), answer(Outcome::Scored(0.0)), answer(Outcome::Scored(0.0))];
        assert_eq!(letter(&Metric::new("m").with_pass_mark(0.5), &repeats), 'f');
        assert_eq!(letter(&Metric::new("m").with_pass_mark(0.3), &repeats), 'p');
        assert_eq!(letter(&Metric::new("m").with_pass_mark(0.5).lower_is_better(), &repeats), 'p');
        assert_eq!(letter(&Metric::new("m"), &repeats), 's');
        assert_eq!(letter(&Metric::new("other"), &repeats), 'u');
    }
}
