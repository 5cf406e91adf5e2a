use jarre_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Map, Value, json};

use super::{
    Feedback, FeedbackTarget, Tracker,
    fault::{Step, missing, refused},
    feedback::{self, FeedbackId},
    sample::sample_number,
};
use crate::Result;

/// A version of a dataset, of which the rows never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetVersion {
    /// The dataset's name.
    pub name: String,
    /// Counted from 1.
    pub version: u32,
    /// BLAKE3 of the rows, in hexadecimal.
    pub digest: String,
    /// How many rows there are.
    pub items: u64,
    /// One JSON object a line, each with a line end.
    pub rows: String,
    /// Where they come from.
    pub source: String,
    /// When the version was made.
    pub created: Timestamp,
}

/// Two answers of which people want the one and not the other: what direct preference optimisation (Rafailov et al., 2023) learns from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreferencePair {
    /// What was asked.
    pub prompt: String,
    /// The answer that people want.
    pub chosen: String,
    /// The one that they do not.
    pub rejected: String,
    /// What people said of either.
    pub feedback: Vec<FeedbackId>,
}

impl Tracker {
    /// Keeps rows, one JSON object a line, as another version of a dataset. Rows that the latest version has already are that version.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) for an empty name, and for a line that is no JSON object, with its number.
    pub fn add_dataset(&self, name: &str, rows: &str, source: &str) -> Result<DatasetVersion> {
        let now = self.now();
        self.write(|writing| add(writing, name, rows, source, now))
    }

    /// A version of a dataset; the latest where none is said.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn dataset(&self, name: &str, version: Option<u32>) -> Result<DatasetVersion> {
        self.read(|reading| {
            let found = find(reading, name, version)?;
            found.ok_or_else(|| {
                missing("version of a dataset", &version.map_or_else(|| name.to_owned(), |version| format!("{name}/{version}")))
            })
        })
    }

    /// The names of all datasets, in order.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn datasets(&self) -> Result<Vec<String>> {
        self.read(|reading| {
            let mut statement = reading.prepare("SELECT DISTINCT name FROM dataset_version ORDER BY name")?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(names)
        })
    }

    /// Makes a version of a dataset of what people said of the answers in a queue that are done. A row has the item's `id`, its `input`, the
    /// `target` (the correction, or the answer itself where its thumb is up, or what the sample wanted), the `output` that was judged, the
    /// rest of the verdict, and the number of the `feedback`.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) where nothing in the queue is done.
    pub fn dataset_from_queue(&self, queue: &str, name: &str) -> Result<DatasetVersion> {
        let now = self.now();
        self.write(|writing| {
            let judged = judged(writing, queue)?;
            if judged.is_empty() {
                return Err(refused(format!("nothing in the queue `{queue}` is done; give verdicts first")));
            }
            let rows: String = judged.iter().map(|judged| judged.row().to_string() + "\n").collect();
            add(writing, name, &rows, &format!("queue `{queue}`"), now)
        })
    }

    /// What the verdicts in a queue say of one answer against another: each correction against what it corrects, and of answers to one
    /// input each with its thumb up against each with its thumb down.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn preference_pairs(&self, queue: &str) -> Result<Vec<PreferencePair>> {
        self.read(|reading| judged(reading, queue).map(|judged| pairs(&judged)))
    }
}

impl PreferencePair {
    /// The pairs as JSON, one a line, as trainers read them.
    pub fn to_jsonl(pairs: &[Self]) -> String {
        let fields =
            |pair: &Self| json!({"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected, "feedback": pair.feedback});
        pairs.iter().map(|pair| fields(pair).to_string() + "\n").collect()
    }
}

/// An answer with the verdict on it.
struct Judged {
    feedback: Feedback,
    input: String,
    output: String,
    target: Option<String>,
}

impl Judged {
    fn row(&self) -> Value {
        let id = match &self.feedback.target {
            FeedbackTarget::Sample { run, item, repeat } => json!({"item": item, "run": run, "repeat": repeat}),
            FeedbackTarget::Free { .. } => json!({}),
        };
        let verdict = &self.feedback.verdict;
        let mut row: Map<String, Value> = id.as_object().cloned().unwrap_or_default();
        let approved = (verdict.thumb == Some(true)).then_some(&self.output);
        let target = verdict.correction.as_ref().or(approved).or(self.target.as_ref());
        let name = row.get("item").and_then(Value::as_str).map_or_else(|| format!("feedback/{}", self.feedback.id.0), str::to_owned);
        row.insert("id".into(), name.into());
        row.insert("input".into(), self.input.clone().into());
        row.insert("output".into(), self.output.clone().into());
        row.insert("author".into(), self.feedback.author.clone().into());
        row.insert("feedback".into(), self.feedback.id.0.into());
        let score = verdict.score.as_ref().map(|(scorer, value)| json!({"scorer": scorer, "value": value}));
        let optional = [
            ("target", target.map(|target| json!(target))),
            ("thumb", verdict.thumb.map(|thumb| json!(thumb))),
            ("score", score),
            ("text", verdict.text.as_ref().map(|text| json!(text))),
        ];
        row.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Value::Object(row)
    }
}

/// The answers of a queue that are done, in the order in which they came into it.
fn judged(reading: &Connection, queue: &str) -> Step<Vec<Judged>> {
    let mut statement = reading
        .prepare_cached("SELECT feedback FROM queue_item WHERE queue = ?1 AND state = 'done' AND feedback IS NOT NULL ORDER BY n")?;
    let ids: Vec<i64> = statement.query_map([queue], |row| row.get(0))?.collect::<Result<_, _>>()?;
    ids.into_iter().map(|id| judge(reading, feedback::find(reading, FeedbackId(id))?)).collect()
}

fn judge(reading: &Connection, feedback: Feedback) -> Step<Judged> {
    let (input, output, target) = match &feedback.target {
        FeedbackTarget::Free { input, output } => (input.clone(), output.clone(), None),
        FeedbackTarget::Sample { run, item, repeat } => {
            let sample = sample_number(reading, run, item, *repeat)?;
            let mut statement = reading.prepare_cached("SELECT input, output, target FROM sample_text WHERE sample = ?1")?;
            statement.query_row([sample], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        }
    };
    Ok(Judged { feedback, input, output, target })
}

fn pairs(judged: &[Judged]) -> Vec<PreferencePair> {
    let mut pairs: Vec<PreferencePair> = Vec::new();
    let mut pair = |prompt: &str, chosen: &str, rejected: &str, feedback: Vec<FeedbackId>| {
        let known = pairs.iter().any(|pair| pair.prompt == prompt && pair.chosen == chosen && pair.rejected == rejected);
        if chosen != rejected && !known {
            pairs.push(PreferencePair { prompt: prompt.to_owned(), chosen: chosen.to_owned(), rejected: rejected.to_owned(), feedback });
        }
    };
    for one in judged {
        if let Some(correction) = &one.feedback.verdict.correction {
            pair(&one.input, correction, &one.output, vec![one.feedback.id]);
        }
        let thumb = |judged: &Judged| judged.feedback.verdict.thumb;
        let worse = |other: &&Judged| other.input == one.input && thumb(other) == Some(false);
        for other in judged.iter().filter(|_| thumb(one) == Some(true)).filter(worse) {
            pair(&one.input, &one.output, &other.output, vec![one.feedback.id, other.feedback.id]);
        }
    }
    pairs
}

fn add(writing: &Connection, name: &str, rows: &str, source: &str, now: Timestamp) -> Step<DatasetVersion> {
    if name.is_empty() {
        return Err(refused("a dataset needs a name"));
    }
    let rows = normalized(rows)?;
    let digest = blake3::hash(rows.as_bytes()).to_hex().to_string();
    let latest = find(writing, name, None)?;
    if let Some(latest) = latest.as_ref().filter(|latest| latest.digest == digest) {
        return Ok(latest.clone());
    }
    let version = latest.map_or(0, |latest| latest.version) + 1;
    let (items, source) = (rows.lines().count() as u64, source.to_owned());
    let made = DatasetVersion { name: name.to_owned(), version, digest, items, rows, source, created: now };
    let sql = "INSERT INTO dataset_version VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    writing.execute(sql, (name, version, &made.digest, items as i64, &made.rows, &made.source, now.unix_micros()))?;
    Ok(made)
}

/// The rows with one line end each and no empty lines, so that equal rows have equal digests.
fn normalized(rows: &str) -> Step<String> {
    let mut text = String::with_capacity(rows.len() + 1);
    for (index, line) in rows.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let parsed: Result<Map<String, Value>, _> = serde_json::from_str(line);
        if let Err(error) = parsed {
            return Err(refused(format!("row {} is no JSON object: {error}", index + 1)));
        }
        text.push_str(line.trim());
        text.push('\n');
    }
    Ok(text)
}

fn find(reading: &Connection, name: &str, version: Option<u32>) -> Step<Option<DatasetVersion>> {
    let sql = "SELECT name, version, digest, items, rows, source, created FROM dataset_version
               WHERE name = ?1 AND version = coalesce(?2, (SELECT max(version) FROM dataset_version WHERE name = ?1))";
    Ok(reading.prepare_cached(sql)?.query_row((name, version), version_of).optional()?)
}

fn version_of(row: &Row<'_>) -> rusqlite::Result<DatasetVersion> {
    Ok(DatasetVersion {
        name: row.get(0)?,
        version: row.get(1)?,
        digest: row.get(2)?,
        items: row.get::<_, i64>(3)? as u64,
        rows: row.get(4)?,
        source: row.get(5)?,
        created: Timestamp::from_unix_micros(row.get(6)?),
    })
}
