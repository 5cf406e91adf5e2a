use std::error::Error;

use jarre_eval::{
    classification::{BinaryScores, OperatingPoint},
    stats::{Bootstrap, Design},
};
use jarre_guardrails::learn::Example;

use crate::data::LABELS;

/// What a model said of an example that it had not seen.
pub(crate) struct Judged {
    pub(crate) example: Example,
    pub(crate) scores: Vec<f32>,
}

impl Judged {
    /// The probability that anything is wrong, and whether something is.
    fn any(&self) -> (f64, bool) {
        let nothing: f64 = self.scores[..LABELS.len()].iter().map(|score| 1.0 - f64::from(*score)).product();
        (1.0 - nothing, self.example.targets[..LABELS.len()].contains(&Some(true)))
    }

    fn label(&self, label: usize) -> Option<(f64, bool)> {
        Some((f64::from(self.scores[label]), self.example.targets[label]?))
    }

    fn labels(&self) -> impl Iterator<Item = (f64, bool)> + '_ {
        (0..LABELS.len()).filter_map(|label| self.label(label))
    }
}

pub(crate) fn average_precision(scores: impl IntoIterator<Item = (f64, bool)>) -> f64 {
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

/// The figures with 95 % bootstrap intervals over the texts, and what thresholds do that flag 1 % and 5 % of the negatives, as a table.
pub(crate) fn table(judged: &[Judged]) -> Result<String, Box<dyn Error>> {
    let resampled = |items: &[usize]| figures(&items.iter().map(|item| &judged[*item]).collect::<Vec<_>>());
    let bootstrap = Bootstrap::default().with_resamples(2_000.try_into()?);
    let estimates = bootstrap.statistics_by(&Design::Simple, judged.len(), resampled)?;
    let mut lines = vec![
        "| label | positives of | AUPRC | 95 % | at 1 % FPR | at 5 % FPR |".to_owned(),
        "| --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    let names = LABELS.into_iter().chain(["micro", "any"]);
    for (at, (name, estimate)) in names.zip(estimates).enumerate() {
        let scores: Vec<(f64, bool)> = match at {
            8 => judged.iter().flat_map(Judged::labels).collect(),
            9 => judged.iter().map(Judged::any).collect(),
            label => judged.iter().filter_map(|judged| judged.label(label)).collect(),
        };
        let (count, positives) = (scores.len(), scores.iter().filter(|(_, side)| *side).count());
        let interval = estimate.percentile;
        let (low, high) = (interval.low, interval.high);
        let scores = BinaryScores::new(scores)?;
        let (strict, loose) = (point(&scores, 0.01), point(&scores, 0.05));
        lines.push(format!("| {name} | {positives} of {count} | {:.3} | {low:.3} to {high:.3} | {strict} | {loose} |", estimate.value));
    }
    Ok(lines.join("\n"))
}

fn point(scores: &BinaryScores, rate: f64) -> String {
    let Some(OperatingPoint { threshold: Some(threshold), recall, .. }) = scores.best_at_false_positive_rate(rate) else {
        return "none".into();
    };
    format!("{:.0} % from {threshold:.3}", recall * 100.0)
}
