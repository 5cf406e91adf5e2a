use std::time::Duration;

use jarre_core::{Cost, Timestamp, Usage};
use rusqlite::{Connection, Row, params};

use super::{
    fault::{Step, refused},
    score_rows,
};
use crate::{Sample, Score};

/// Writes a sample of a run, and says its number; `None` where it was there already.
pub(super) fn insert(writing: &Connection, run: i64, sample: &Sample, now: Timestamp) -> Step<Option<i64>> {
    if sample.item.is_empty() {
        return Err(refused("a sample needs the id of its item"));
    }
    if !insert_figures(writing, run, sample, now)? {
        return Ok(None);
    }
    let n = writing.last_insert_rowid();
    let mut texts = writing.prepare_cached("INSERT INTO sample_text VALUES (?1, ?2, ?3, ?4, ?5)")?;
    texts.execute((n, &sample.input, &sample.target, &sample.output, &sample.extracted))?;
    for (index, score) in sample.scores.iter().enumerate() {
        if sample.scores[..index].iter().any(|earlier| earlier.scorer == score.scorer) {
            return Err(refused(format!("the sample of item `{}` has two scores of `{}`; keep one", sample.item, score.scorer)));
        }
        score_rows::insert(writing, n, score, now)?;
    }
    Ok(Some(n))
}

fn insert_figures(writing: &Connection, run: i64, sample: &Sample, now: Timestamp) -> Step<bool> {
    let sql = "INSERT INTO sample (run, item, repeat, cluster, stratum, input_hash, request_hash, target_hash, finish_reason,
            prompt_tokens, completion_tokens, cached_tokens, cost, first_token, latency, attempts, error, created)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
        ON CONFLICT (run, item, repeat) DO NOTHING";
    let Usage { prompt_tokens, completion_tokens, cached_tokens } = sample.usage;
    let written = writing.prepare_cached(sql)?.execute(params![
        run,
        sample.item,
        sample.repeat,
        sample.cluster,
        sample.stratum,
        sample.input_hash,
        sample.request_hash,
        sample.target_hash,
        sample.finish_reason,
        count(prompt_tokens),
        count(completion_tokens),
        count(cached_tokens),
        count(sample.cost.micros()),
        sample.time_to_first_token.map(micros),
        micros(sample.latency),
        sample.attempts,
        sample.error,
        now.unix_micros(),
    ])?;
    Ok(written > 0)
}

/// What a count is written as: `SQLite`'s numbers end at 2^63 - 1, and so do ours then.
fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The columns that [`sample_of`] reads, with the long texts or without. Rows are those of `sample s LEFT JOIN sample_text t`.
pub(super) fn columns(texts: bool) -> String {
    let texts = if texts { "t.input, t.target, t.output, t.extracted" } else { "'', NULL, '', NULL" };
    format!(
        "s.n, s.item, s.repeat, s.cluster, s.stratum, s.input_hash, s.request_hash, s.target_hash, s.finish_reason, s.prompt_tokens,
         s.completion_tokens, s.cached_tokens, s.cost, s.first_token, s.latency, s.attempts, s.error, {texts}"
    )
}

/// The number of a sample and the sample, without its scores.
pub(super) fn sample_of(row: &Row<'_>) -> rusqlite::Result<(i64, Sample)> {
    let count = |index| row.get::<_, i64>(index).map(|count| count as u64);
    let duration = |micros: i64| Duration::from_micros(micros as u64);
    let sample = Sample {
        item: row.get(1)?,
        repeat: row.get(2)?,
        cluster: row.get(3)?,
        stratum: row.get(4)?,
        input_hash: row.get(5)?,
        request_hash: row.get(6)?,
        target_hash: row.get(7)?,
        finish_reason: row.get(8)?,
        usage: Usage { prompt_tokens: count(9)?, completion_tokens: count(10)?, cached_tokens: count(11)? },
        cost: Cost::from_micros(count(12)?),
        time_to_first_token: row.get::<_, Option<i64>>(13)?.map(duration),
        latency: duration(row.get(14)?),
        attempts: row.get(15)?,
        error: row.get(16)?,
        input: row.get(17)?,
        target: row.get(18)?,
        output: row.get(19)?,
        extracted: row.get(20)?,
        scores: Vec::<Score>::new(),
    };
    Ok((row.get(0)?, sample))
}
