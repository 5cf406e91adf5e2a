use jarre_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::{
    Tracker,
    fault::{Step, missing, refused},
};
use crate::Result;

/// A name under which runs stand together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// Its name, which no other has.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was put away; its runs are kept, and lists leave them out.
    pub deleted: Option<Timestamp>,
    /// Its runs, those that were put away left out.
    pub runs: u64,
}

impl Tracker {
    /// Makes an experiment. One that is there already stays as it is.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) for an empty name, and for that of an experiment that was put away.
    pub fn create_experiment(&self, name: &str) -> Result<()> {
        let now = self.now();
        self.write(|writing| experiment_for_runs(writing, name, now).map(drop))
    }

    /// The experiment of this name, put away or not.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn experiment(&self, name: &str) -> Result<Experiment> {
        self.read(|reading| {
            let sql = format!("{SELECT} WHERE e.name = ?1");
            reading.query_row(&sql, [name], experiment_of).optional()?.ok_or_else(|| missing("experiment", name))
        })
    }

    /// All experiments by name, those that were put away among them.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn experiments(&self) -> Result<Vec<Experiment>> {
        self.read(|reading| {
            let mut statement = reading.prepare(&format!("{SELECT} ORDER BY e.name"))?;
            let found = statement.query_map([], experiment_of)?.collect::<Result<_, _>>()?;
            Ok(found)
        })
    }

    /// Puts an experiment away with its runs; [`restore_experiment`](Self::restore_experiment) brings it back as it was.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn delete_experiment(&self, name: &str) -> Result<()> {
        let now = self.now();
        self.set_deleted(name, Some(now))
    }

    /// Brings back an experiment that was put away.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn restore_experiment(&self, name: &str) -> Result<()> {
        self.set_deleted(name, None)
    }

    fn set_deleted(&self, name: &str, deleted: Option<Timestamp>) -> Result<()> {
        self.write(|writing| {
            let sql = "UPDATE experiment SET deleted = ?2 WHERE name = ?1";
            match writing.execute(sql, (name, deleted.map(Timestamp::unix_micros)))? {
                0 => Err(missing("experiment", name)),
                _ => Ok(()),
            }
        })
    }
}

const SELECT: &str = "SELECT e.name, e.created, e.deleted,
    (SELECT count(*) FROM run r WHERE r.experiment = e.n AND r.deleted IS NULL) FROM experiment e";

fn experiment_of(row: &Row<'_>) -> rusqlite::Result<Experiment> {
    Ok(Experiment {
        name: row.get(0)?,
        created: Timestamp::from_unix_micros(row.get(1)?),
        deleted: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_unix_micros),
        runs: row.get::<_, i64>(3)? as u64,
    })
}

/// The number of the experiment that a run is to stand under; it is made where there is none.
pub(super) fn experiment_for_runs(writing: &Connection, name: &str, now: Timestamp) -> Step<i64> {
    if name.trim().is_empty() {
        return Err(refused("an experiment needs a name"));
    }
    let found = "SELECT n, deleted IS NOT NULL FROM experiment WHERE name = ?1";
    let found: Option<(i64, bool)> = writing.query_row(found, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match found {
        Some((_, true)) => Err(refused(format!("the experiment `{name}` was put away; restore it, or take another name"))),
        Some((n, false)) => Ok(n),
        None => {
            writing.execute("INSERT INTO experiment (name, created) VALUES (?1, ?2)", (name, now.unix_micros()))?;
            Ok(writing.last_insert_rowid())
        }
    }
}
