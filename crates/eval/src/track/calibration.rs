use jarre_core::Timestamp;
use rusqlite::{Connection, Row};
use serde_json::Value;

use super::{Tracker, fault::Step};
use crate::Result;

/// How well a judge agreed with people's labels, as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The judge's name.
    pub judge: String,
    /// The digest of all that its verdicts depend on: prompt, model, scale.
    pub version: String,
    /// The digest of the labels.
    pub labels_digest: String,
    /// The figures.
    pub figures: Value,
    /// When they were found.
    pub created: Timestamp,
}

/// What is known of the judge that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub enum CalibrationState {
    /// This version was calibrated.
    Fresh(Calibration),
    /// Only another version was, last this one: what it says does not hold any more.
    Stale(Calibration),
    /// No version ever was.
    Missing,
}

impl Tracker {
    /// Keeps the calibration of a version of a judge, in the place of an earlier one.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save_calibration(&self, judge: &str, version: &str, labels_digest: &str, figures: &Value) -> Result<()> {
        let now = self.now().unix_micros();
        self.write(|writing| {
            let sql = "INSERT OR REPLACE INTO judge_calibration VALUES (?1, ?2, ?3, ?4, ?5)";
            writing.execute(sql, (judge, version, labels_digest, serde_json::to_string(figures)?, now))?;
            Ok(())
        })
    }

    /// What is known of a version of a judge.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn calibration(&self, judge: &str, version: &str) -> Result<CalibrationState> {
        self.read(|reading| {
            let latest = latest(reading, judge, version)?;
            Ok(match latest {
                Some(found) if found.version == version => CalibrationState::Fresh(found),
                Some(found) => CalibrationState::Stale(found),
                None => CalibrationState::Missing,
            })
        })
    }
}

/// The calibration of this version, or else the last of another.
fn latest(reading: &Connection, judge: &str, version: &str) -> Step<Option<Calibration>> {
    let sql = "SELECT judge, version, labels_digest, figures, created FROM judge_calibration WHERE judge = ?1
               ORDER BY version = ?2 DESC, created DESC, version LIMIT 1";
    reading.prepare_cached(sql)?.query_and_then((judge, version), calibration_of)?.next().transpose()
}

fn calibration_of(row: &Row<'_>) -> Step<Calibration> {
    Ok(Calibration {
        judge: row.get(0)?,
        version: row.get(1)?,
        labels_digest: row.get(2)?,
        figures: serde_json::from_str(&row.get::<_, String>(3)?)?,
        created: Timestamp::from_unix_micros(row.get(4)?),
    })
}
