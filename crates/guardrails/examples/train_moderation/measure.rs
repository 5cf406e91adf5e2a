use jarre_eval::classification::BinaryScores;
use jarre_guardrails::learn::Example;

use crate::data::LABELS;

/// What a model said of an example that it had not seen.
pub(crate) struct Judged {
    pub(crate) example: Example,
    pub(crate) scores: Vec<f32>,
}

impl Judged {
    /// The probability that anything is wrong, and whether something is.
    pub(crate) fn any(&self) -> (f64, bool) {
        let nothing: f64 = self.scores[..LABELS.len()].iter().map(|score| 1.0 - f64::from(*score)).product();
        (1.0 - nothing, self.example.targets[..LABELS.len()].contains(&Some(true)))
    }

    /// The probability of a category, where somebody has said whether it fits, and whether it does.
    pub(crate) fn label(&self, label: usize) -> Option<(f64, bool)> {
        Some((f64::from(self.scores[label]), self.example.targets[label]?))
    }

    /// The same of all categories.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (f64, bool)> + '_ {
        (0..LABELS.len()).filter_map(|label| self.label(label))
    }
}

fn average_precision(scores: impl IntoIterator<Item = (f64, bool)>) -> f64 {
    BinaryScores::new(scores).ok().and_then(|scores| scores.average_precision()).unwrap_or(f64::NAN)
}

/// Each category, all of them together (micro), and whether there is any.
pub(crate) fn figures(judged: &[&Judged]) -> [f64; 10] {
    std::array::from_fn(|at| match at {
        8 => average_precision(judged.iter().flat_map(|judged| judged.labels())),
        9 => average_precision(judged.iter().map(|judged| judged.any())),
        label => average_precision(judged.iter().filter_map(|judged| judged.label(label))),
    })
}
