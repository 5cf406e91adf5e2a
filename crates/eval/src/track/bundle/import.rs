use std::io::{BufRead, Read};

use jarre_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Bytes, Figure, Record, ScoreRecord, VERSION};
use crate::{
    Error, Result,
    track::{
        Artifact, MetricPoint, NewRun, Run, RunId, RunStatus, Tracker, about, artifact,
        experiment::experiment_for_runs,
        fault::{Fault, Step, refused},
        metric::{self, Points},
        run, sample_rows, score_rows,
    },
};

/// What becomes of a run whose id is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing of the bundle is imported.
    Refuse,
    /// It gets another id, and the tag `imported_from` keeps its own.
    Rename,
}

/// A run that was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its id in the bundle.
    pub from: RunId,
    /// Its id here.
    pub id: RunId,
}

/// The longest line, in bytes.
const LONGEST: u64 = 1 << 28;

impl Tracker {
    /// Reads what [`export_runs`](Self::export_runs) wrote, all of it or nothing. Ids are kept where they are free, and experiments found by
    /// their names. A run that was not ended is interrupted here, and one whose parent is neither in the bundle nor here has none.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the line where it is no bundle or was cut off, [`Error::Refused`] where an id is taken and where a later
    /// version wrote it, [`Error::Io`] where it cannot be read.
    pub fn import_runs(&self, from: impl BufRead, on_conflict: OnConflict) -> Result<Vec<Imported>> {
        let now = self.now();
        self.write(|writing| {
            let mut import = Import { writing, now, on_conflict, current: None, imported: Vec::new() };
            let mut lines = Lines { from, number: 0 };
            lines.header()?;
            loop {
                let record = lines.next()?;
                if let Record::End { lines: before } = record {
                    lines.end(before)?;
                    return Ok(import.imported);
                }
                import.take(record).map_err(|fault| lines.placed(fault))?;
            }
        })
    }
}

/// Reads records, and counts lines.
struct Lines<R> {
    from: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    fn header(&mut self) -> Step<()> {
        match self.next()? {
            Record::Bundle { version: VERSION } => Ok(()),
            Record::Bundle { version } => Err(refused(format!("the bundle has version {version} and this program knows {VERSION}"))),
            _ => Err(self.malformed("a bundle begins with its version").into()),
        }
    }

    fn next(&mut self) -> Step<Record> {
        self.number += 1;
        let mut line = Vec::new();
        (&mut self.from).take(LONGEST).read_until(b'\n', &mut line).map_err(Error::from)?;
        if line.is_empty() {
            return Err(self.malformed("the bundle was cut off: its last line is missing").into());
        }
        if line.last() != Some(&b'\n') {
            return Err(self.malformed("the line was cut off, or is too long").into());
        }
        Ok(serde_json::from_slice(&line).map_err(|error| self.malformed(&error.to_string()))?)
    }

    /// Whether the last line counts those before it, and nothing follows.
    fn end(&mut self, before: u64) -> Step<()> {
        if before != self.number as u64 - 1 {
            return Err(self.malformed(&format!("{before} lines belong before the last, not {}", self.number - 1)).into());
        }
        if self.from.fill_buf().map_err(Error::from)?.is_empty() {
            Ok(())
        } else {
            Err(self.malformed("something follows the last line").into())
        }
    }

    fn malformed(&self, problem: &str) -> Error {
        Error::Malformed { line: self.number, problem: problem.to_owned() }
    }

    /// Says of what is wrong with a record on which line it stands.
    fn placed(&self, fault: Fault) -> Fault {
        match fault {
            Fault::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
                self.malformed(&format!("the record does not fit: {error}")).into()
            }
            other => other,
        }
    }
}

struct Import<'c> {
    writing: &'c Connection,
    now: Timestamp,
    on_conflict: OnConflict,
    /// The run that records belong to.
    current: Option<i64>,
    imported: Vec<Imported>,
}

impl Import<'_> {
    fn take(&mut self, record: Record) -> Step<()> {
        let writing = self.writing;
        match record {
            Record::Bundle { .. } | Record::End { .. } => Err(refused("a bundle stands inside a bundle")),
            Record::Run(run) => self.run(*run),
            Record::Param { name, value } => about::put_param(writing, self.current()?, &name, &value),
            Record::Tag { name, value } => about::put_tag(writing, self.current()?, &name, &value),
            Record::Metric { name, points } => self.metric(&name, &points),
            Record::Artifact { name, media_type, digest, size, created, path, bytes } => {
                let created = Timestamp::from_unix_micros(created);
                self.artifact(&Artifact { name, media_type, digest, size, path, created }, bytes)
            }
            Record::Sample { created, sample, scores } => {
                let at = Timestamp::from_unix_micros(created);
                let twice = || refused(format!("the sample of item `{}` and repeat {} stands twice", sample.item, sample.repeat));
                let n = sample_rows::insert(writing, self.current()?, &sample, at)?.ok_or_else(twice)?;
                self.scores(n, &scores)
            }
        }
    }

    fn current(&self) -> Step<i64> {
        self.current.ok_or_else(|| refused("a record of a run stands before the first run"))
    }

    fn run(&mut self, found: Run) -> Step<()> {
        let id = self.free_id(&found.id)?;
        let experiment = experiment_for_runs(self.writing, &found.experiment, self.now)?;
        let parent = found.parent.as_ref().map(|parent| self.parent(parent)).transpose()?.flatten();
        let new = NewRun { experiment: found.experiment, name: found.name, parent: None, seed: found.seed, provenance: found.provenance };
        run::insert(self.writing, &id, experiment, parent, &new, found.created)?;
        let n = self.writing.last_insert_rowid();
        let status = if found.status == RunStatus::Interrupted { RunStatus::Running } else { found.status };
        let lease = (status == RunStatus::Running).then_some(i64::MIN);
        let sql =
            "UPDATE run SET status = ?2, failure = ?3, note = ?4, started = ?5, ended = ?6, attempt = ?7, lease_until = ?8 WHERE n = ?1";
        let (started, ended) = (found.started.map(Timestamp::unix_micros), found.ended.map(Timestamp::unix_micros));
        self.writing.execute(sql, params![n, status.as_str(), found.failure, found.note, started, ended, found.attempt, lease])?;
        if id != found.id {
            about::put_tag(self.writing, n, "imported_from", found.id.as_str())?;
        }
        self.current = Some(n);
        self.imported.push(Imported { from: found.id, id });
        Ok(())
    }

    fn free_id(&self, id: &RunId) -> Step<RunId> {
        let taken: bool = self.writing.query_row("SELECT EXISTS (SELECT 1 FROM run WHERE id = ?1)", [id.as_str()], |row| row.get(0))?;
        match self.on_conflict {
            _ if !taken => Ok(id.clone()),
            OnConflict::Rename => run::free_id(self.writing, id.as_str(), self.now),
            OnConflict::Refuse => Err(refused(format!("there is a run {id} already; import under another id, or remove the one here"))),
        }
    }

    /// The parent by its new id, where it came with the bundle, or by its own.
    fn parent(&self, parent: &RunId) -> Step<Option<i64>> {
        let imported = self.imported.iter().find(|imported| imported.from == *parent);
        let id = imported.map_or(parent, |imported| &imported.id);
        Ok(self.writing.query_row("SELECT n FROM run WHERE id = ?1", [id.as_str()], |row| row.get(0)).optional()?)
    }

    fn metric(&self, name: &str, points: &[(u64, i64, Figure)]) -> Step<()> {
        let mut written = Points::new(self.writing, self.current()?);
        for (step, at, figure) in points {
            written.put(name, MetricPoint { step: *step, at: Timestamp::from_unix_micros(*at), value: figure.value() })?;
        }
        Ok(())
    }

    fn artifact(&self, found: &Artifact, bytes: Option<Bytes>) -> Step<()> {
        let bytes = bytes.map(|Bytes(bytes)| bytes);
        let whole = |bytes: &Vec<u8>| blake3::hash(bytes).to_hex().as_str() == found.digest && bytes.len() as u64 == found.size;
        if bytes.as_ref().is_some_and(|bytes| !whole(bytes)) {
            return Err(refused(format!("the artifact `{}` does not have the digest that the bundle says", found.name)));
        }
        artifact::put(self.writing, self.current()?, found, bytes.as_deref())
    }

    fn scores(&self, sample: i64, scores: &[ScoreRecord]) -> Step<()> {
        let sql =
            "INSERT INTO score (sample, scorer, version, status, value, problem, explanation, author, reason, created, withdrawn, current)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)";
        let mut statement = self.writing.prepare_cached(sql)?;
        for score in scores {
            let ScoreRecord { scorer, version, status, value, problem, explanation, author, reason, created, withdrawn } = score;
            let value = value.and_then(|value| metric::column(value.value()));
            statement.execute(params![sample, scorer, version, status, value, problem, explanation, author, reason, created, withdrawn])?;
            score_rows::settle(self.writing, sample, scorer)?;
        }
        Ok(())
    }
}
