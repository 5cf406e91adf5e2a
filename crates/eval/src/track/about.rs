use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::Value;

use super::{
    RunId, Tracker,
    fault::{Step, refused},
    run::number,
};
use crate::Result;

impl Tracker {
    /// Records a setting of a run; a repeated name replaces its value.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run, [`Error::Refused`](crate::Error::Refused) for an empty name.
    pub fn set_param(&self, run: &RunId, name: &str, value: &Value) -> Result<()> {
        self.write(|writing| put_param(writing, number(writing, run)?, name, value))
    }

    /// The settings of a run by name.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn params(&self, run: &RunId) -> Result<BTreeMap<String, Value>> {
        self.read(|reading| params(reading, number(reading, run)?))
    }

    /// Gives a run a tag; a repeated name replaces its value.
    ///
    /// # Errors
    /// As [`set_param`](Self::set_param).
    pub fn set_tag(&self, run: &RunId, name: &str, value: &str) -> Result<()> {
        self.write(|writing| put_tag(writing, number(writing, run)?, name, value))
    }

    /// Takes a tag away, and says whether it was there.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn remove_tag(&self, run: &RunId, name: &str) -> Result<bool> {
        self.write(|writing| {
            let sql = "DELETE FROM tag WHERE run = ?1 AND name = ?2";
            Ok(writing.execute(sql, (number(writing, run)?, name))? > 0)
        })
    }

    /// The tags of a run by name.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn tags(&self, run: &RunId) -> Result<BTreeMap<String, String>> {
        self.read(|reading| tags(reading, number(reading, run)?))
    }
}

/// Keeps the value beside the text and the number that filters and orders go by.
pub(super) fn put_param(writing: &Connection, run: i64, name: &str, value: &Value) -> Step<()> {
    named("setting", name)?;
    let json = serde_json::to_string(value)?;
    let text = value.as_str().unwrap_or(&json);
    let mut statement = writing.prepare_cached("INSERT OR REPLACE INTO param VALUES (?1, ?2, ?3, ?4, ?5)")?;
    statement.execute((run, name, &json, text, value.as_f64()))?;
    Ok(())
}

pub(super) fn put_tag(writing: &Connection, run: i64, name: &str, value: &str) -> Step<()> {
    named("tag", name)?;
    writing.prepare_cached("INSERT OR REPLACE INTO tag VALUES (?1, ?2, ?3)")?.execute((run, name, value))?;
    Ok(())
}

pub(super) fn params(reading: &Connection, run: i64) -> Step<BTreeMap<String, Value>> {
    let mut statement = reading.prepare_cached("SELECT name, value FROM param WHERE run = ?1")?;
    let rows = statement.query_and_then([run], |row| Ok((row.get(0)?, serde_json::from_str(&row.get::<_, String>(1)?)?)))?;
    rows.collect()
}

pub(super) fn tags(reading: &Connection, run: i64) -> Step<BTreeMap<String, String>> {
    let mut statement = reading.prepare_cached("SELECT name, value FROM tag WHERE run = ?1")?;
    let rows = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn named(what: &str, name: &str) -> Step<()> {
    if name.is_empty() { Err(refused(format!("a {what} needs a name"))) } else { Ok(()) }
}
