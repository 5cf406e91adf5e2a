use jarre_core::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    fault::{Step, refused},
    metric,
};
use crate::{Outcome, Sample, Score};

/// Writes a score, and makes it the current one of its sample and scorer, which had none.
pub(super) fn insert(writing: &Connection, sample: i64, score: &Score, now: Timestamp) -> Step<i64> {
    add(writing, sample, score, None, None, now, true)
}

/// Writes a score of `author`, a person, or of the scorer itself.
pub(super) fn add(
    writing: &Connection,
    sample: i64,
    score: &Score,
    author: Option<&str>,
    reason: Option<&str>,
    now: Timestamp,
    current: bool,
) -> Step<i64> {
    if score.scorer.is_empty() {
        return Err(refused("a score needs the name of its scorer"));
    }
    let (status, value, problem) = match &score.outcome {
        Outcome::Scored(value) => ("scored", metric::column(*value), None),
        Outcome::Unscored(why) => ("unscored", None, Some(why)),
        Outcome::Failed(how) => ("failed", None, Some(how)),
    };
    let sql = "INSERT INTO score (sample, scorer, version, status, value, problem, explanation, author, reason, created, current)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let (at, score) = (now.unix_micros(), score);
    let values = params![sample, score.scorer, score.version, status, value, problem, score.explanation, author, reason, at, current];
    writing.prepare_cached(sql)?.execute(values)?;
    Ok(writing.last_insert_rowid())
}

/// Makes the score current that counts: the last one of a person that was not withdrawn, or else the scorer's last.
pub(super) fn settle(writing: &Connection, sample: i64, scorer: &str) -> Step<()> {
    writing.prepare_cached("UPDATE score SET current = 0 WHERE sample = ?1 AND scorer = ?2 AND current = 1")?.execute((sample, scorer))?;
    let sql = "UPDATE score SET current = 1 WHERE n = (SELECT n FROM score WHERE sample = ?1 AND scorer = ?2 AND withdrawn IS NULL
               ORDER BY author IS NOT NULL DESC, n DESC LIMIT 1)";
    writing.prepare_cached(sql)?.execute((sample, scorer))?;
    Ok(())
}

/// The columns that [`score_of`] reads, with the explanation or without.
pub(super) fn columns(texts: bool) -> String {
    format!("c.scorer, c.version, c.status, c.value, c.problem, {}", if texts { "c.explanation" } else { "NULL" })
}

pub(super) fn score_of(row: &Row<'_>) -> rusqlite::Result<Score> {
    let problem = || row.get::<_, Option<String>>(4).map(Option::unwrap_or_default);
    let outcome = match row.get::<_, String>(2)?.as_str() {
        "scored" => Outcome::Scored(metric::figure(row.get(3)?)),
        "failed" => Outcome::Failed(problem()?),
        _ => Outcome::Unscored(problem()?),
    };
    Ok(Score { scorer: row.get(0)?, version: row.get(1)?, outcome, explanation: row.get(5)? })
}

/// Gives the samples of a run, which stand in order of their numbers, their current scores.
pub(super) fn fill_all(reading: &Connection, run: i64, samples: &mut [(i64, Sample)], texts: bool) -> Step<()> {
    let sql = format!(
        "SELECT {}, c.sample FROM sample s JOIN score c ON c.sample = s.n AND c.current = 1 WHERE s.run = ?1 ORDER BY c.sample, c.n",
        columns(texts)
    );
    let mut statement = reading.prepare_cached(&sql)?;
    let scores = statement.query_map([run], |row| Ok((row.get::<_, i64>(6)?, score_of(row)?)))?;
    for score in scores {
        let (sample, score) = score?;
        if let Ok(index) = samples.binary_search_by_key(&sample, |(n, _)| *n) {
            samples[index].1.scores.push(score);
        }
    }
    Ok(())
}

/// Gives a few samples their current scores.
pub(super) fn fill_each(reading: &Connection, samples: &mut [(i64, Sample)]) -> Step<()> {
    let sql = format!("SELECT {} FROM score c WHERE c.sample = ?1 AND c.current = 1 ORDER BY c.n", columns(true));
    let mut statement = reading.prepare_cached(&sql)?;
    for (n, sample) in samples {
        sample.scores = statement.query_map([*n], score_of)?.collect::<Result<_, _>>()?;
    }
    Ok(())
}
