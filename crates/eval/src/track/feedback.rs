use jarre_core::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    RunId, Tracker,
    fault::{Step, missing, refused},
    metric::figure,
    number_id::number_id,
    sample::sample_number,
    score_rows,
};
use crate::{Outcome, Result, Score};

number_id! {
    /// The number of what a person said.
    FeedbackId
}

/// What a person speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedbackTarget {
    /// A sample of a run.
    Sample {
        /// The run.
        run: RunId,
        /// The item's id.
        item: String,
        /// Which of the repeats.
        repeat: u32,
    },
    /// An answer that belongs to no run, such as one of a system in use.
    Free {
        /// What was asked.
        input: String,
        /// What was answered.
        output: String,
    },
}

/// What a person says of an answer: at least one of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Good or bad.
    pub thumb: Option<bool>,
    /// A figure in the place of a scorer's: its name, and the figure.
    pub score: Option<(String, f64)>,
    /// What there is to say.
    pub text: Option<String>,
    /// What should have been answered.
    pub correction: Option<String>,
}

/// What a person said of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// Its number.
    pub id: FeedbackId,
    /// What it is about.
    pub target: FeedbackTarget,
    /// Who said it.
    pub author: String,
    /// What.
    pub verdict: Verdict,
    /// When.
    pub created: Timestamp,
    /// When it was taken back.
    pub cleared: Option<Timestamp>,
}

impl Tracker {
    /// Keeps what a person says of an answer. A score counts in the place of the scorer's on that sample, until it is
    /// [cleared](Self::clear_feedback).
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such sample, [`Error::Refused`](crate::Error::Refused) for a verdict
    /// that says nothing, a score that is not finite, and without an author.
    pub fn give_feedback(&self, target: &FeedbackTarget, author: &str, verdict: &Verdict) -> Result<FeedbackId> {
        let now = self.now();
        self.write(|writing| {
            let place = Place::of(writing, target)?;
            give(writing, &place, author, verdict, now)
        })
    }

    /// Takes back what a person said: the scorer's own score counts again, and where the answer stood in a queue it is open again. Taking it
    /// back once more changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn clear_feedback(&self, id: FeedbackId) -> Result<()> {
        let now = self.now().unix_micros();
        self.write(|writing| {
            if writing.execute("UPDATE feedback SET cleared = coalesce(cleared, ?2) WHERE n = ?1", (id.0, now))? == 0 {
                return Err(missing("feedback", &id.0));
            }
            let sql = "UPDATE score SET withdrawn = ?2 WHERE feedback = ?1 AND withdrawn IS NULL RETURNING sample, scorer";
            let withdrawn = writing
                .prepare(sql)?
                .query_map((id.0, now), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<Vec<(i64, String)>, _>>()?;
            for (sample, scorer) in withdrawn {
                score_rows::settle(writing, sample, &scorer)?;
            }
            let reopen = "UPDATE queue_item SET state = 'open', claimed_by = NULL, lease_until = NULL, feedback = NULL WHERE feedback = ?1";
            writing.execute(reopen, [id.0])?;
            Ok(())
        })
    }

    /// All that people said of an answer, the oldest first, what was taken back among it.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such sample.
    pub fn feedback_on(&self, target: &FeedbackTarget) -> Result<Vec<Feedback>> {
        self.read(|reading| {
            let place = Place::of(reading, target)?;
            let sql = format!("{SELECT} WHERE f.sample IS ?1 AND f.input IS ?2 AND f.output IS ?3 ORDER BY f.n");
            let mut statement = reading.prepare_cached(&sql)?;
            statement.query_and_then((place.sample, &place.input, &place.output), feedback_of)?.collect()
        })
    }
}

/// A target as tables hold it.
pub(super) struct Place {
    pub(super) sample: Option<i64>,
    pub(super) input: Option<String>,
    pub(super) output: Option<String>,
}

impl Place {
    pub(super) fn of(connection: &Connection, target: &FeedbackTarget) -> Step<Self> {
        Ok(match target {
            FeedbackTarget::Sample { run, item, repeat } => {
                Self { sample: Some(sample_number(connection, run, item, *repeat)?), input: None, output: None }
            }
            FeedbackTarget::Free { input, output } => Self { sample: None, input: Some(input.clone()), output: Some(output.clone()) },
        })
    }
}

/// Writes what a person says.
pub(super) fn give(writing: &Connection, place: &Place, author: &str, verdict: &Verdict, now: Timestamp) -> Step<FeedbackId> {
    check(author, verdict)?;
    let sql = "INSERT INTO feedback (sample, input, output, author, thumb, scorer, score, text, correction, created)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let Verdict { thumb, score, text, correction } = verdict;
    let (scorer, value) = score.as_ref().map(|(scorer, value)| (scorer, *value)).unzip();
    let Place { sample, input, output } = place;
    writing.execute(sql, params![sample, input, output, author, thumb, scorer, value, text, correction, now.unix_micros()])?;
    let id = writing.last_insert_rowid();
    if let (Some(sample), Some((scorer, value))) = (place.sample, score) {
        overrule(writing, sample, (scorer, *value), author, verdict.text.as_deref(), id, now)?;
    }
    Ok(FeedbackId(id))
}

fn check(author: &str, verdict: &Verdict) -> Step<()> {
    if author.is_empty() {
        return Err(refused("feedback needs the name of its author"));
    }
    if *verdict == Verdict::default() {
        return Err(refused("feedback needs a thumb, a score, a text or a correction"));
    }
    match &verdict.score {
        Some((scorer, value)) if scorer.is_empty() || !value.is_finite() => {
            Err(refused("a score by hand needs the name of the scorer in whose place it stands, and a finite figure"))
        }
        _ => Ok(()),
    }
}

/// Puts a person's score in the place of a scorer's.
fn overrule(
    writing: &Connection,
    sample: i64,
    (scorer, value): (&str, f64),
    author: &str,
    reason: Option<&str>,
    feedback: i64,
    now: Timestamp,
) -> Step<()> {
    let score = Score { scorer: scorer.to_owned(), version: "by hand".to_owned(), outcome: Outcome::Scored(value), explanation: None };
    let n = score_rows::add(writing, sample, &score, Some(author), reason, now, false)?;
    writing.execute("UPDATE score SET feedback = ?2 WHERE n = ?1", (n, feedback))?;
    score_rows::settle(writing, sample, scorer)
}

/// Rows that [`feedback_of`] reads; conditions follow.
pub(super) const SELECT: &str = "SELECT f.n, r.id, s.item, s.repeat, f.input, f.output, f.author, f.thumb, f.scorer, f.score, f.text,
    f.correction, f.created, f.cleared
    FROM feedback f LEFT JOIN sample s ON s.n = f.sample LEFT JOIN run r ON r.n = s.run";

pub(super) fn feedback_of(row: &Row<'_>) -> Step<Feedback> {
    let scorer: Option<String> = row.get(8)?;
    let score: Option<f64> = row.get(9)?;
    Ok(Feedback {
        id: FeedbackId(row.get(0)?),
        target: target_of(row, 1)?,
        author: row.get(6)?,
        verdict: Verdict {
            thumb: row.get(7)?,
            score: scorer.map(|scorer| (scorer, figure(score))),
            text: row.get(10)?,
            correction: row.get(11)?,
        },
        created: Timestamp::from_unix_micros(row.get(12)?),
        cleared: row.get::<_, Option<i64>>(13)?.map(Timestamp::from_unix_micros),
    })
}

/// The target in the columns `run, item, repeat, input, output` from `first` on.
pub(super) fn target_of(row: &Row<'_>, first: usize) -> Step<FeedbackTarget> {
    let run: Option<String> = row.get(first)?;
    Ok(match run {
        Some(run) => FeedbackTarget::Sample { run: run.parse()?, item: row.get(first + 1)?, repeat: row.get(first + 2)? },
        None => FeedbackTarget::Free { input: row.get(first + 3)?, output: row.get(first + 4)? },
    })
}

/// The feedback of this number.
pub(super) fn find(connection: &Connection, id: FeedbackId) -> Step<Feedback> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE f.n = ?1"))?;
    statement.query_and_then([id.0], feedback_of)?.next().unwrap_or_else(|| Err(missing("feedback", &id.0)))
}
