use jarre_core::Timestamp;
use rusqlite::{Connection, Row};

use super::{
    RunId, Tracker,
    fault::{Step, refused},
    sample::sample_number,
    score_rows,
};
use crate::{Result, Score};

/// A score that a sample has or had.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreVersion {
    /// The score.
    pub score: Score,
    /// The person who gave it; `None` where the scorer did.
    pub author: Option<String>,
    /// Why it was given again.
    pub reason: Option<String>,
    /// When it was given.
    pub created: Timestamp,
    /// When the person took it back.
    pub withdrawn: Option<Timestamp>,
    /// Whether it is the one that counts.
    pub current: bool,
}

impl Tracker {
    /// Gives a sample the scores of scorers that looked at it again. Earlier ones are kept as history; where a person has scored in a
    /// scorer's place, that counts on, and the new score is what [withdrawing](Self::withdraw_scores) it brings back.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run or sample.
    pub fn rescore(&self, run: &RunId, item: &str, repeat: u32, scores: &[Score], reason: &str) -> Result<()> {
        self.add_scores(run, item, repeat, scores, None, reason)
    }

    /// Scores a sample in the place of a scorer, by hand. Counts before whatever that scorer says, until
    /// [`withdraw_scores`](Self::withdraw_scores).
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run or sample, [`Error::Refused`](crate::Error::Refused) without
    /// an author.
    pub fn override_score(&self, run: &RunId, item: &str, repeat: u32, score: &Score, author: &str, reason: &str) -> Result<()> {
        self.add_scores(run, item, repeat, std::slice::from_ref(score), Some(author), reason)
    }

    /// Takes back what people scored in the place of a scorer: its own last score counts again. Says how many scores that were.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run or sample.
    pub fn withdraw_scores(&self, run: &RunId, item: &str, repeat: u32, scorer: &str) -> Result<usize> {
        let now = self.now();
        self.write(|writing| {
            let sample = sample_number(writing, run, item, repeat)?;
            let sql = "UPDATE score SET withdrawn = ?3 WHERE sample = ?1 AND scorer = ?2 AND author IS NOT NULL AND withdrawn IS NULL";
            let withdrawn = writing.execute(sql, (sample, scorer, now.unix_micros()))?;
            score_rows::settle(writing, sample, scorer)?;
            Ok(withdrawn)
        })
    }

    /// All scores that a sample has and had, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run or sample.
    pub fn score_history(&self, run: &RunId, item: &str, repeat: u32) -> Result<Vec<ScoreVersion>> {
        self.read(|reading| history(reading, sample_number(reading, run, item, repeat)?))
    }

    fn add_scores(&self, run: &RunId, item: &str, repeat: u32, scores: &[Score], author: Option<&str>, reason: &str) -> Result<()> {
        let now = self.now();
        self.write(|writing| {
            if author.is_some_and(str::is_empty) {
                return Err(refused("a score by hand needs the name of its author"));
            }
            let sample = sample_number(writing, run, item, repeat)?;
            for score in scores {
                score_rows::add(writing, sample, score, author, Some(reason), now, false)?;
                score_rows::settle(writing, sample, &score.scorer)?;
            }
            Ok(())
        })
    }
}

fn history(reading: &Connection, sample: i64) -> Step<Vec<ScoreVersion>> {
    let columns = score_rows::columns(true);
    let sql =
        format!("SELECT {columns}, c.author, c.reason, c.created, c.withdrawn, c.current FROM score c WHERE c.sample = ?1 ORDER BY c.n");
    let mut statement = reading.prepare_cached(&sql)?;
    Ok(statement.query_map([sample], version_of)?.collect::<Result<_, _>>()?)
}

fn version_of(row: &Row<'_>) -> rusqlite::Result<ScoreVersion> {
    Ok(ScoreVersion {
        score: score_rows::score_of(row)?,
        author: row.get(6)?,
        reason: row.get(7)?,
        created: Timestamp::from_unix_micros(row.get(8)?),
        withdrawn: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_unix_micros),
        current: row.get(10)?,
    })
}
