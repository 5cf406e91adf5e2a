use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use super::{
    RunId, Tracker,
    fault::{Step, missing, refused},
    number_id::number_id,
    run::number,
    sample_rows::{columns, insert, sample_of},
    score_rows,
};
use crate::{Result, Sample};

/// What of the samples of a run is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleTexts {
    /// All of it.
    Whole,
    /// Without inputs, targets, outputs, extracted answers and explanations, which are left empty: all that a comparison needs, in a
    /// fraction of the time and the memory.
    Lean,
}

/// Some of the samples of a run, and where the next begin.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplePage {
    /// In the order in which they were written.
    pub samples: Vec<Sample>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<SampleCursor>,
}

number_id! {
    /// Where a page of samples ends: the next begins behind it, whatever was written meanwhile.
    SampleCursor
}

/// The most samples a page.
const LARGEST_PAGE: usize = 1000;

impl Tracker {
    /// Writes a sample with its scores, and says whether it was not there yet: of one item and repeat, the first sample of a run stays and
    /// any other is ignored, so that work which is done twice counts once. Durations are kept to the microsecond.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run, [`Error::Refused`](crate::Error::Refused) where the item has
    /// no id or one scorer two scores.
    pub fn insert_sample(&self, run: &RunId, sample: &Sample) -> Result<bool> {
        self.insert_samples(run, std::slice::from_ref(sample)).map(|written| written == 1)
    }

    /// The same for many samples, all of them or none; says how many were not there yet.
    ///
    /// # Errors
    /// As [`insert_sample`](Self::insert_sample).
    pub fn insert_samples(&self, run: &RunId, samples: &[Sample]) -> Result<usize> {
        let now = self.now();
        self.write(|writing| {
            let run = number(writing, run)?;
            let mut written = 0;
            for sample in samples {
                written += usize::from(insert(writing, run, sample, now)?.is_some());
            }
            Ok(written)
        })
    }

    /// The items and repeats that have a sample, those that failed among them: what a run that is started again leaves out.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn finished(&self, run: &RunId) -> Result<HashSet<(String, u32)>> {
        self.read(|reading| {
            let mut statement = reading.prepare_cached("SELECT item, repeat FROM sample WHERE run = ?1")?;
            let rows = statement.query_map([number(reading, run)?], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Removes the samples that have an error in place of an answer, so that a run that is started again asks for them once more; says how
    /// many they were.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn forget_failed_samples(&self, run: &RunId) -> Result<usize> {
        self.write(|writing| Ok(writing.execute("DELETE FROM sample WHERE run = ?1 AND error IS NOT NULL", [number(writing, run)?])?))
    }

    /// All samples of a run with their current scores, by item and repeat.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn samples(&self, run: &RunId, texts: SampleTexts) -> Result<Vec<Sample>> {
        let whole = texts == SampleTexts::Whole;
        self.read(|reading| {
            let run = number(reading, run)?;
            let sql = format!("{} WHERE s.run = ?1 ORDER BY s.n", select(whole));
            let mut numbered: Vec<(i64, Sample)> = reading.prepare(&sql)?.query_map([run], sample_of)?.collect::<Result<_, _>>()?;
            score_rows::fill_all(reading, run, &mut numbered, whole)?;
            let mut samples: Vec<Sample> = numbered.into_iter().map(|(_, sample)| sample).collect();
            samples.sort_by(|a, b| (&a.item, a.repeat).cmp(&(&b.item, b.repeat)));
            Ok(samples)
        })
    }

    /// At most `limit` samples of a run (and at most 1,000) with their texts and current scores, from the first on or behind a page.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run, [`Error::Refused`](crate::Error::Refused) for a limit of 0.
    pub fn sample_page(&self, run: &RunId, after: Option<SampleCursor>, limit: usize) -> Result<SamplePage> {
        self.read(|reading| {
            if limit == 0 {
                return Err(refused("a page holds at least one sample"));
            }
            let limit = limit.min(LARGEST_PAGE);
            let sql = format!("{} WHERE s.run = ?1 AND s.n > ?2 ORDER BY s.n LIMIT ?3", select(true));
            let behind = after.map_or(0, |SampleCursor(n)| n);
            let mut statement = reading.prepare_cached(&sql)?;
            let rows = statement.query_map((number(reading, run)?, behind, limit as i64 + 1), sample_of)?;
            let mut numbered: Vec<(i64, Sample)> = rows.collect::<Result<_, _>>()?;
            let more = numbered.len() > limit;
            numbered.truncate(limit);
            let next = numbered.last().filter(|_| more).map(|(n, _)| SampleCursor(*n));
            score_rows::fill_each(reading, &mut numbered)?;
            Ok(SamplePage { samples: numbered.into_iter().map(|(_, sample)| sample).collect(), next })
        })
    }

    /// The sample of an item and a repeat, with its current scores.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run or sample.
    pub fn sample(&self, run: &RunId, item: &str, repeat: u32) -> Result<Sample> {
        self.read(|reading| {
            let n = sample_number(reading, run, item, repeat)?;
            let found = reading.prepare_cached(&format!("{} WHERE s.n = ?1", select(true)))?.query_row([n], sample_of)?;
            let mut numbered = [found];
            score_rows::fill_each(reading, &mut numbered)?;
            let [(_, sample)] = numbered;
            Ok(sample)
        })
    }
}

fn select(texts: bool) -> String {
    let join = if texts { "JOIN sample_text t ON t.sample = s.n" } else { "" };
    format!("SELECT {} FROM sample s {join}", columns(texts))
}

/// The number that a sample has in the tables.
pub(super) fn sample_number(connection: &Connection, run: &RunId, item: &str, repeat: u32) -> Step<i64> {
    let mut statement = connection.prepare_cached("SELECT n FROM sample WHERE run = ?1 AND item = ?2 AND repeat = ?3")?;
    let found = statement.query_row((number(connection, run)?, item, repeat), |row| row.get(0)).optional()?;
    found.ok_or_else(|| missing("sample", &format!("{item}/{repeat} of run {run}")))
}
