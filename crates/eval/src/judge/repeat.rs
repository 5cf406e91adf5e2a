use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{Case, Judge, Judgement, panel::agreement};

/// What a judge said of one answer, asked several times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// What it said each time.
    pub judgements: Vec<Judgement>,
}

/// Asks `judge` of `case` as often as `times`, one after another, each time with another seed. A judge of a seed and no temperature that
/// still flips is noisy by itself.
pub async fn repeat(judge: &dyn Judge, case: &Case, times: NonZeroU32) -> Repeats {
    let mut judgements = Vec::new();
    for repeat in 0..times.get() {
        judgements.push(judge.judge(case, repeat).await);
    }
    Repeats { judgements }
}

impl Repeats {
    /// How likely two of the judgements differ: the share of their pairs that do. `None` with fewer than two figures.
    pub fn flip_rate(&self) -> Option<f64> {
        agreement(&self.judgements).map(|agreement| 1.0 - agreement)
    }

    /// The mean of the figures; `None` without any.
    pub fn mean(&self) -> Option<f64> {
        let values: Vec<f64> = self.judgements.iter().filter_map(Judgement::value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use jarre_core::testing::ScriptedModel;
    use pollster::block_on;

    use super::*;
    use crate::judge::{LlmJudge, Scale};

    fn repeated(verdicts: &[&str]) -> Repeats {
        let reply = |verdict: &&str| format!(r#"{{"reason": "", "verdict": {verdict}}}"#);
        let model = verdicts.iter().fold(ScriptedModel::new(), |model, verdict| model.with_text(reply(verdict)));
        let judge = LlmJudge::new(model, "n", "c", Scale::OneToTen).unwrap();
        block_on(repeat(&judge, &Case::new("q", "a"), NonZeroU32::new(verdicts.len() as u32).unwrap()))
    }

    #[test]
    fn flips_are_counted_over_pairs() {
        assert_eq!(repeated(&["2", "2", "7", "7"]).flip_rate(), Some(1.0 - 2.0 / 6.0));
        assert_eq!(repeated(&["5", "5", "5"]).flip_rate(), Some(0.0));
        assert_eq!(repeated(&["5", "null"]).flip_rate(), None);
        assert_eq!(repeated(&["2", "7", "99"]).mean(), Some(4.5));
        assert_eq!(repeated(&["99"]).mean(), None);
    }
}
