use std::error::Error;

use jarre_eval::{
    classification::{BinaryScores, OperatingPoint},
    stats::{Bootstrap, Design},
};

use crate::{
    data::LABELS,
    measure::{Judged, figures},
};

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
