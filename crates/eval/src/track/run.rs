use std::time::Duration;

use jarre_core::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::{
    NewRun, RunId, RunStatus, Tracker,
    experiment::experiment_for_runs,
    fault::{Fault, Step, missing, or_missing},
};
use crate::{Provenance, Result};

/// A run, as it was made and as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name among all runs.
    pub id: RunId,
    /// The experiment that it stands under.
    pub experiment: String,
    /// The run that it is a part of.
    pub parent: Option<RunId>,
    /// What people call it; need not be its own.
    pub name: String,
    /// How it stands.
    pub status: RunStatus,
    /// Why it failed.
    pub failure: Option<String>,
    /// The seed that everything random in it was drawn from.
    pub seed: Option<u64>,
    /// What people wrote about it.
    pub note: String,
    /// Where its figures come from.
    pub provenance: Provenance,
    /// When it was made.
    pub created: Timestamp,
    /// When it was started, for the last time.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How often it was started.
    pub attempt: u32,
    /// When it was put away.
    pub deleted: Option<Timestamp>,
}

impl Tracker {
    /// Makes a run, which waits to be started.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such parent, and those of [`create_experiment`](Self::create_experiment).
    pub fn create_run(&self, new: &NewRun) -> Result<RunId> {
        let now = self.now();
        self.write(|writing| {
            let experiment = experiment_for_runs(writing, &new.experiment, now)?;
            let parent = new.parent.as_ref().map(|parent| number(writing, parent)).transpose()?;
            let about = format!("{}\n{}\n{:?}\n{:?}", new.experiment, new.name, new.seed, new.provenance);
            let id = free_id(writing, &about, now)?;
            insert(writing, &id, experiment, parent, new, now)?;
            Ok(id)
        })
    }

    /// The run of this id, put away or not.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn run(&self, id: &RunId) -> Result<Run> {
        let now = self.now();
        self.read(|reading| find(reading, id, now))
    }

    /// The runs that are parts of `parent`, in the order in which they were made, those that were put away left out.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such parent.
    pub fn children(&self, parent: &RunId) -> Result<Vec<Run>> {
        let now = self.now();
        self.read(|reading| {
            let mut statement = reading.prepare(&select("WHERE r.parent = ?2 AND r.deleted IS NULL ORDER BY r.n"))?;
            statement.query_and_then((now.unix_micros(), number(reading, parent)?), run_of)?.collect()
        })
    }

    /// Puts a run away, so that lists leave it out; or brings it back.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn set_run_deleted(&self, id: &RunId, deleted: bool) -> Result<()> {
        let now = deleted.then(|| self.now().unix_micros());
        self.write(|writing| {
            let n = number(writing, id)?;
            writing.execute("UPDATE run SET deleted = ?2 WHERE n = ?1", (n, now))?;
            Ok(())
        })
    }

    /// Replaces what is written about a run.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn set_note(&self, id: &RunId, note: &str) -> Result<()> {
        self.write(|writing| {
            let n = number(writing, id)?;
            writing.execute("UPDATE run SET note = ?2 WHERE n = ?1", (n, note))?;
            Ok(())
        })
    }

    /// Replaces where the figures of a run come from: what a runner learns only while it runs, such as the name that a provider gives its
    /// model.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn set_provenance(&self, id: &RunId, provenance: &Provenance) -> Result<()> {
        self.write(|writing| {
            let n = number(writing, id)?;
            let sql = "UPDATE run SET provenance = ?2, git = ?3, dataset_digest = ?4, prompt_digest = ?5, model = ?6 WHERE n = ?1";
            let [dataset, prompt] = digests(provenance);
            let json = serde_json::to_string(provenance)?;
            writing.execute(sql, (n, json, &provenance.git, dataset, prompt, &provenance.model))?;
            Ok(())
        })
    }
}

/// The number that a run has in the tables.
pub(super) fn number(connection: &Connection, id: &RunId) -> Step<i64> {
    let mut statement = connection.prepare_cached("SELECT n FROM run WHERE id = ?1")?;
    or_missing(statement.query_row([id.as_str()], |row| row.get(0)).map_err(Fault::from), "run", id)
}

pub(super) fn find(connection: &Connection, id: &RunId, now: Timestamp) -> Step<Run> {
    let mut statement = connection.prepare_cached(&select("WHERE r.id = ?2"))?;
    statement.query_and_then((now.unix_micros(), id.as_str()), run_of)?.next().unwrap_or_else(|| Err(missing("run", id)))
}

/// The status of the run `r` at the time that is the first parameter.
pub(super) const STATUS: &str = "CASE WHEN r.status = 'running' AND r.lease_until < ?1 THEN 'interrupted' ELSE r.status END";

/// Whole runs; the first parameter is the time.
fn select(rest: &str) -> String {
    format!(
        "SELECT r.id, e.name, p.id, r.name, {STATUS}, r.failure, r.seed, r.note, r.provenance,
                r.created, r.started, r.ended, r.attempt, coalesce(r.deleted, e.deleted)
         FROM run r JOIN experiment e ON e.n = r.experiment LEFT JOIN run p ON p.n = r.parent {rest}"
    )
}

fn run_of(row: &Row<'_>) -> Step<Run> {
    let time = |index| Ok::<_, Fault>(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_unix_micros));
    let parent: Option<String> = row.get(2)?;
    Ok(Run {
        id: row.get::<_, String>(0)?.parse()?,
        experiment: row.get(1)?,
        parent: parent.map(|parent| parent.parse()).transpose()?,
        name: row.get(3)?,
        status: RunStatus::parse(&row.get::<_, String>(4)?)?,
        failure: row.get(5)?,
        seed: row.get::<_, Option<i64>>(6)?.map(|seed| seed as u64),
        note: row.get(7)?,
        provenance: serde_json::from_str(&row.get::<_, String>(8)?)?,
        created: Timestamp::from_unix_micros(row.get(9)?),
        started: time(10)?,
        ended: time(11)?,
        attempt: row.get(12)?,
        deleted: time(13)?,
    })
}

/// An id for the run that `about` describes, which sorts behind those of the runs that the file holds of this moment. Runs of later moments, which another clock may have made,
/// do not count.
pub(super) fn free_id(writing: &Connection, about: &str, now: Timestamp) -> Step<RunId> {
    const MOMENT: Duration = Duration::from_secs(1);
    let beyond = RunId::new(now.saturating_add(MOMENT), "");
    let latest: Option<String> = writing.query_row("SELECT max(id) FROM run WHERE id < ?1", [beyond.as_str()], |row| row.get(0))?;
    let after = |latest: RunId| latest.time().saturating_add(Duration::from_micros(1));
    let next = latest.map(|latest| latest.parse().map(after)).transpose()?;
    Ok(RunId::new(next.map_or(now, |next| next.max(now)), about))
}

/// Writes a run that waits to be started.
pub(super) fn insert(writing: &Connection, id: &RunId, experiment: i64, parent: Option<i64>, new: &NewRun, now: Timestamp) -> Step<()> {
    let sql = "INSERT INTO run (id, experiment, parent, name, status, seed, provenance, git, dataset_digest, prompt_digest, model, created)
               VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let provenance = &new.provenance;
    let [dataset, prompt] = digests(provenance);
    let json = serde_json::to_string(provenance)?;
    let seed = new.seed.map(|seed| seed as i64);
    writing.execute(
        sql,
        params![
            id.as_str(),
            experiment,
            parent,
            new.name,
            seed,
            json,
            provenance.git,
            dataset,
            prompt,
            provenance.model,
            now.unix_micros()
        ],
    )?;
    Ok(())
}

fn digests(provenance: &Provenance) -> [Option<&str>; 2] {
    [provenance.dataset.as_ref().map(|dataset| dataset.digest.as_str()), provenance.prompt.as_ref().map(|prompt| prompt.digest.as_str())]
}
