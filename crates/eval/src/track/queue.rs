use std::time::Duration;

use jarre_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    FeedbackId, FeedbackTarget, Tracker, Verdict,
    fault::{Step, missing, refused},
    feedback::{Place, give, target_of},
    number_id::number_id,
};
use crate::Result;

/// An answer that waits for a person's verdict, claimed by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueItem {
    /// Its number.
    pub id: QueueItemId,
    /// The answer.
    pub target: FeedbackTarget,
    /// What was asked.
    pub input: String,
    /// What was answered.
    pub output: String,
}

number_id! {
    /// The number of an answer in a queue.
    QueueItemId
}

/// How far a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueProgress {
    /// Wait for somebody, those whose claim has run out among them.
    pub open: u64,
    /// Are looked at by somebody.
    pub claimed: u64,
    /// Have a verdict.
    pub done: u64,
    /// Were passed over.
    pub skipped: u64,
}

impl Tracker {
    /// Puts answers into the queue of this name, and says how many were not in it yet.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such sample; none is put in then.
    pub fn enqueue(&self, queue: &str, targets: &[FeedbackTarget]) -> Result<usize> {
        let now = self.now().unix_micros();
        self.write(|writing| {
            let mut added = 0;
            for target in targets {
                let Place { sample, input, output } = Place::of(writing, target)?;
                let sql = "INSERT INTO queue_item (queue, sample, input, output, state, created) SELECT ?1, ?2, ?3, ?4, 'open', ?5
                           WHERE NOT EXISTS (SELECT 1 FROM queue_item WHERE queue = ?1 AND sample IS ?2 AND input IS ?3 AND output IS ?4)";
                added += writing.prepare_cached(sql)?.execute((queue, sample, input, output, now))?;
            }
            Ok(added)
        })
    }

    /// Gives the answer that has waited longest to `user`, for `ttl`; nobody else gets it meanwhile. `None` where none is open.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn claim(&self, queue: &str, user: &str, ttl: Duration) -> Result<Option<QueueItem>> {
        let now = self.now();
        self.write(|writing| {
            let sql = "UPDATE queue_item SET state = 'claimed', claimed_by = ?2, lease_until = ?4 WHERE n = (
                         SELECT n FROM queue_item WHERE queue = ?1 AND (state = 'open' OR (state = 'claimed' AND lease_until < ?3))
                         ORDER BY n LIMIT 1) RETURNING n";
            let until = now.saturating_add(ttl).unix_micros();
            let claimed = writing.query_row(sql, (queue, user, now.unix_micros(), until), |row| row.get(0)).optional()?;
            claimed.map(|n| find(writing, n)).transpose()
        })
    }

    /// Gives the verdict on an answer that `user` claimed; a claim that has run out is good as long as nobody else has taken the answer.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) where it is not claimed by `user`, and for what [`give_feedback`](Self::give_feedback)
    /// refuses.
    pub fn finish_item(&self, item: QueueItemId, user: &str, verdict: &Verdict) -> Result<FeedbackId> {
        let now = self.now();
        self.write(|writing| {
            let place = claimed_by(writing, item, user)?;
            let feedback = give(writing, &place, user, verdict, now)?;
            set_state(writing, item, "done", Some(feedback))?;
            Ok(feedback)
        })
    }

    /// Passes over an answer that `user` claimed.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) where it is not claimed by `user`.
    pub fn skip_item(&self, item: QueueItemId, user: &str) -> Result<()> {
        self.write(|writing| claimed_by(writing, item, user).and_then(|_| set_state(writing, item, "skipped", None)))
    }

    /// Gives back an answer that `user` claimed, for others to take.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) where it is not claimed by `user`.
    pub fn release_item(&self, item: QueueItemId, user: &str) -> Result<()> {
        self.write(|writing| claimed_by(writing, item, user).and_then(|_| set_state(writing, item, "open", None)))
    }

    /// The names of all queues, in order.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn queues(&self) -> Result<Vec<String>> {
        self.read(|reading| {
            let mut statement = reading.prepare("SELECT DISTINCT queue FROM queue_item ORDER BY queue")?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(names)
        })
    }

    /// How far a queue is; zeros for one that does not exist.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn queue_progress(&self, queue: &str) -> Result<QueueProgress> {
        let now = self.now();
        self.read(|reading| progress(reading, queue, now))
    }
}

fn progress(reading: &Connection, queue: &str, now: Timestamp) -> Step<QueueProgress> {
    let sql = "SELECT iif(state = 'claimed' AND lease_until < ?2, 'open', state), count(*) FROM queue_item WHERE queue = ?1 GROUP BY 1";
    let mut statement = reading.prepare_cached(sql)?;
    let counts = statement.query_map((queue, now.unix_micros()), |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as u64)))?;
    let mut progress = QueueProgress::default();
    for count in counts {
        let (state, count) = count?;
        match state.as_str() {
            "open" => progress.open = count,
            "claimed" => progress.claimed = count,
            "done" => progress.done = count,
            _ => progress.skipped = count,
        }
    }
    Ok(progress)
}

fn find(reading: &Connection, n: i64) -> Step<QueueItem> {
    let sql = "SELECT q.n, r.id, s.item, s.repeat, coalesce(q.input, t.input), coalesce(q.output, t.output) FROM queue_item q
               LEFT JOIN sample s ON s.n = q.sample LEFT JOIN sample_text t ON t.sample = s.n LEFT JOIN run r ON r.n = s.run WHERE q.n = ?1";
    let item =
        |row: &Row<'_>| Ok(QueueItem { id: QueueItemId(row.get(0)?), target: target_of(row, 1)?, input: row.get(4)?, output: row.get(5)? });
    reading.prepare_cached(sql)?.query_and_then([n], item)?.next().unwrap_or_else(|| Err(missing("queue item", &n)))
}

/// What `user` has claimed.
fn claimed_by(reading: &Connection, item: QueueItemId, user: &str) -> Step<Place> {
    let sql = "SELECT sample, input, output FROM queue_item WHERE n = ?1 AND state = 'claimed' AND claimed_by = ?2";
    let place = |row: &Row<'_>| Ok(Place { sample: row.get(0)?, input: row.get(1)?, output: row.get(2)? });
    let found = reading.prepare_cached(sql)?.query_row((item.0, user), place).optional()?;
    found.ok_or_else(|| refused(format!("this answer is not claimed by `{user}`, or not any more; claim another")))
}

fn set_state(writing: &Connection, item: QueueItemId, state: &str, feedback: Option<FeedbackId>) -> Step<()> {
    let sql = "UPDATE queue_item SET state = ?2, feedback = ?3, claimed_by = NULL, lease_until = NULL WHERE n = ?1";
    writing.prepare_cached(sql)?.execute((item.0, state, feedback.map(|id| id.0)))?;
    Ok(())
}
