use std::{
    collections::{BTreeMap, HashSet},
    error::Error,
    sync::Arc,
};

use jarre_eval::{classification::BinaryScores, stats::wilson};
use jarre_guardrails::injection::{InjectionConfig, InjectionGuard};

use crate::{
    fit, indirect,
    rows::{Row, rows},
    sets::Sets,
};

/// The sets of `guard/injection.jsonl`.
const GIVEN: [&str; 5] = ["inthewild", "valid", "wildguard", "BIPIA_text", "BIPIA_code"];

/// Reports how well attacks and demands are told from other texts that were not learnt from: a fifth of all texts and of all templates, and
/// beside them first nothing, then one of the given sets, then all of these.
pub(crate) fn report(sets: &Sets) -> Result<(), Box<dyn Error>> {
    let rows = rows(sets, 0);
    for left_out in [&[][..], &GIVEN, &GIVEN[..1], &GIVEN[1..2], &GIVEN[2..3]] {
        let is_test = |row: &Row| row.kept || left_out.contains(&row.set.as_str());
        // Some texts are in two sets.
        let seen: HashSet<&str> = rows.iter().filter(|row| is_test(row)).map(|row| row.text.as_str()).collect();
        let learnt: Vec<Row> = rows.iter().filter(|row| !seen.contains(row.text.as_str())).cloned().collect();
        println!("\n## Left out: a fifth of all; and all of: {}", left_out.join(", "));
        let model = Arc::new(fit(&learnt)?);
        let guard = InjectionGuard::new(InjectionConfig::default())?.without_own_classifier().joined_by(Arc::clone(&model) as _, "attack");
        let test: Vec<&Row> = rows.iter().filter(|row| is_test(row)).collect();
        let asked = test.iter().filter(|row| row.attack.is_some());
        let scored: Vec<(&Row, f32)> =
            asked.map(|row| Ok((*row, guard.score(&row.text)?))).collect::<Result<_, jarre_guardrails::Error>>()?;
        direct(&scored)?;
        worst(&scored);
        if left_out.is_empty() || left_out.len() == GIVEN.len() {
            indirect::report(&model, &test)?;
        }
    }
    Ok(())
}

/// Recall and false positives by set and family, where of the hard harmless requests 5 %, 1 % and those that the default lets through are found.
fn direct(scored: &[(&Row, f32)]) -> Result<(), Box<dyn Error>> {
    let hard = |row: &Row| row.attack == Some(true) || ["wildguard", "valid", "benign"].contains(&row.set.as_str());
    let pool =
        BinaryScores::new(scored.iter().filter(|(row, _)| hard(row)).map(|(row, score)| (f64::from(*score), row.attack == Some(true))))?;
    println!(
        "average precision against hard harmless requests {:.3}, ROC AUC {:.3}",
        pool.average_precision().unwrap_or(f64::NAN),
        pool.roc_auc().unwrap_or(f64::NAN)
    );
    let at = |rate| pool.best_at_false_positive_rate(rate).and_then(|point| point.threshold).unwrap_or(1.0);
    let thresholds = [at(0.01), at(0.05), f64::from(InjectionConfig::default().threshold)];
    println!(
        "{:<28} {:>6}  found at {:.3} (1 %)      at {:.3} (5 %)      at {:.2} (default)",
        "", "texts", thresholds[0], thresholds[1], thresholds[2]
    );
    let mut groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (row, score) in scored {
        let side = if row.attack == Some(true) { "attack" } else { "harmless" };
        groups.entry(format!("{side} {}", row.set)).or_default().push((*score).into());
        if !row.family.is_empty() {
            groups.entry(format!("{side} {} {}", row.set, row.family)).or_default().push((*score).into());
        }
    }
    for (name, scores) in groups {
        let shares: Vec<String> = thresholds.iter().map(|threshold| share(&scores, *threshold)).collect::<Result<_, _>>()?;
        println!("{name:<28} {:>6}  {}", scores.len(), shares.join("  "));
    }
    Ok(())
}

/// The share of scores that reach the threshold, with its 95 % interval (Wilson), in percent.
pub(crate) fn share(scores: &[f64], threshold: f64) -> Result<String, Box<dyn Error>> {
    let found = scores.iter().filter(|score| **score >= threshold).count() as u64;
    let interval = wilson(found, scores.len() as u64, 0.95)?;
    Ok(format!("{:>5.1} [{:>4.1}, {:>5.1}]", 100.0 * found as f64 / scores.len() as f64, 100.0 * interval.low, 100.0 * interval.high))
}

/// The harmless texts with the highest scores and the attacks with the lowest.
fn worst(scored: &[(&Row, f32)]) {
    let mut sorted: Vec<_> = scored.to_vec();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let start = |text: &str| text.chars().take(160).collect::<String>().replace('\n', " ");
    let harmless = sorted.iter().rev().filter(|(row, _)| row.attack == Some(false)).take(WORST);
    let attacks = sorted.iter().filter(|(row, _)| row.attack == Some(true)).take(WORST);
    for (row, score) in harmless.chain(attacks) {
        println!("{score:.2} {} {}: {}", row.set, row.family, start(&row.text));
    }
}

/// How many of each are shown.
const WORST: usize = 12;
