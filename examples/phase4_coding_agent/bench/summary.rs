use std::collections::BTreeMap;

use anyhow::Result;
use jarre_eval::stats::{BinaryPairs, Interval, wilson};
use serde::Serialize;

use super::row::{Failure, Row};

/// Of intervals.
const CONFIDENCE: f64 = 0.95;

/// What the rows of one set and model come to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) set: String,
    pub(crate) model: String,
    pub(crate) tasks: u64,
    /// Passed with what was tested first.
    pub(crate) first: Share,
    /// Passed in the end.
    pub(crate) last: Share,
    /// What reflection added: passed in the end less passed at first, over the same tasks.
    pub(crate) gain: Gain,
    /// Ended as stuck.
    pub(crate) stuck: f64,
    /// Whose judging tests did not end.
    pub(crate) timed_out: f64,
    pub(crate) failures: BTreeMap<&'static str, u64>,
    /// Rows beside whose folder something was changed.
    pub(crate) escapes: u64,
    pub(crate) steps: f64,
    pub(crate) attempts: f64,
    pub(crate) tokens: f64,
    pub(crate) cost_micros: u64,
    pub(crate) wall_ms: Percentiles,
    pub(crate) judge_ms: Percentiles,
}

/// A share with Wilson's interval of 95 %.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Share {
    pub(crate) passed: u64,
    pub(crate) of_all: f64,
    pub(crate) interval: Interval,
}

/// A paired difference with Newcombe's interval of 95 % and `McNemar`'s exact p.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Gain {
    pub(crate) difference: f64,
    pub(crate) interval: Interval,
    pub(crate) p: f64,
}

/// The median and the 95th percentile, by nearest rank.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: u64,
    pub(crate) p95: u64,
}

/// One summary a set and model, in their order.
pub(crate) fn summaries(rows: &[Row]) -> Result<Vec<Summary>> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry((&row.set, &row.model)).or_default().push(row);
    }
    groups.into_values().map(|rows| summary(&rows)).collect()
}

fn summary(rows: &[&Row]) -> Result<Summary> {
    let first: Vec<bool> = rows.iter().map(|row| row.passed_first).collect();
    let last: Vec<bool> = rows.iter().map(|row| row.passed).collect();
    let pairs = BinaryPairs::count(&first, &last)?;
    let n = rows.len() as f64;
    let mean = |of: fn(&Row) -> u64| rows.iter().map(|row| of(row) as f64).sum::<f64>() / n;
    let with = |failure: Failure| rows.iter().filter(|row| row.failure == Some(failure)).count();
    let failures = Failure::ALL.map(|failure| (failure.told(), with(failure) as u64));
    Ok(Summary {
        set: rows[0].set.clone(),
        model: rows[0].model.clone(),
        tasks: rows.len() as u64,
        first: share(&first)?,
        last: share(&last)?,
        gain: Gain { difference: pairs.difference(), interval: pairs.newcombe(CONFIDENCE)?, p: pairs.mcnemar().exact },
        stuck: with(Failure::Stuck) as f64 / n,
        timed_out: with(Failure::TestsTimedOut) as f64 / n,
        failures: failures.into_iter().filter(|(_, count)| *count > 0).collect(),
        escapes: rows.iter().filter(|row| !row.intact).count() as u64,
        steps: mean(|row| row.steps),
        attempts: mean(|row| row.attempts),
        tokens: mean(|row| row.usage.total_tokens()),
        cost_micros: rows.iter().map(|row| row.cost_micros).sum(),
        wall_ms: percentiles(rows.iter().map(|row| row.wall_ms).collect()),
        judge_ms: percentiles(rows.iter().map(|row| row.judge_ms).collect()),
    })
}

fn share(passed: &[bool]) -> Result<Share> {
    let count = passed.iter().filter(|passed| **passed).count() as u64;
    let trials = passed.len() as u64;
    Ok(Share { passed: count, of_all: count as f64 / trials as f64, interval: wilson(count, trials, CONFIDENCE)? })
}

fn percentiles(mut values: Vec<u64>) -> Percentiles {
    values.sort_unstable();
    let at = |percent: usize| values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0);
    Percentiles { p50: at(50), p95: at(95) }
}

#[cfg(test)]
mod tests {
    use super::{super::row::tests::row, *};

    #[test]
    fn the_gain_is_paired() {
        let rows = [row("a", true, true), row("b", false, true), row("c", false, true), row("d", false, false)];
        let summary = &summaries(&rows).unwrap()[0];
        assert_eq!((summary.first.passed, summary.last.passed, summary.tasks), (1, 3, 4));
        assert!((summary.gain.difference - 0.5).abs() < 1e-12);
        assert!(summary.gain.interval.contains(0.5) && summary.gain.interval.low < 0.5);
        assert!((summary.gain.p - 0.5).abs() < 1e-12, "two of two discordant pairs");
        assert_eq!(summary.failures, [("wrong answer", 1)].into());
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let Percentiles { p50, p95 } = percentiles((1..=100).rev().collect());
        assert_eq!((p50, p95), (50, 95));
        let Percentiles { p50, p95 } = percentiles(vec![7]);
        assert_eq!((p50, p95), (7, 7));
    }
}
