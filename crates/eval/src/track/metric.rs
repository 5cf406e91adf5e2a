use std::collections::HashMap;

use jarre_core::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::{
    RunId, Tracker,
    fault::{Step, refused},
    run::number,
};
use crate::Result;

/// A figure of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricPoint {
    /// Where in the run.
    pub step: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The figure, which may be NaN or infinite.
    pub value: f64,
}

/// What a metric of a run has come to.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestMetric {
    /// Its name.
    pub name: String,
    /// The largest step that it has a figure of.
    pub step: u64,
    /// When that was recorded.
    pub at: Timestamp,
    /// That figure, which may be NaN or infinite.
    pub value: f64,
    /// The least of its figures that are not NaN; NaN where all are.
    pub least: f64,
    /// The greatest of its figures that are not NaN; NaN where all are.
    pub most: f64,
    /// How many steps have a figure.
    pub points: u64,
}

impl Tracker {
    /// Records a figure, in a transaction of its own: [`sink`](Self::sink) is for figures that come fast. That of a repeated step replaces
    /// the earlier one; NaN and infinities are kept, and the sign of a zero is not.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run, [`Error::Refused`](crate::Error::Refused) for an empty name
    /// and a step beyond 2^63 - 1.
    pub fn log_metric(&self, run: &RunId, name: &str, step: u64, value: f64) -> Result<()> {
        let at = self.now();
        self.write(|writing| {
            let run = number(writing, run)?;
            let mut points = Points::new(writing, run);
            points.put(name, MetricPoint { step, at, value })
        })
    }

    /// The figures of a metric by step; none where the run has no such metric.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn metric_history(&self, run: &RunId, name: &str) -> Result<Vec<MetricPoint>> {
        self.read(|reading| history(reading, number(reading, run)?, name))
    }

    /// What the metrics of a run have come to, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn latest_metrics(&self, run: &RunId) -> Result<Vec<LatestMetric>> {
        self.read(|reading| {
            let mut statement = reading.prepare_cached(LATEST)?;
            let rows = statement.query_map([number(reading, run)?], |row| {
                Ok(LatestMetric {
                    name: row.get(0)?,
                    step: row.get::<_, i64>(1)? as u64,
                    at: Timestamp::from_unix_micros(row.get(2)?),
                    value: figure(row.get(3)?),
                    least: figure(row.get(4)?),
                    most: figure(row.get(5)?),
                    points: row.get::<_, i64>(6)? as u64,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

pub(super) const LATEST: &str = "SELECT k.name, l.step, l.at, l.value, l.least, l.most, l.points
    FROM latest_metric l JOIN metric k ON k.n = l.metric WHERE l.run = ?1 ORDER BY k.name";

pub(super) const HISTORY: &str = "SELECT p.step, p.at, p.value FROM metric_point p
    WHERE p.run = ?1 AND p.metric = (SELECT n FROM metric WHERE name = ?2) ORDER BY p.step";

/// The figure that a column holds: NaN, which `SQLite` does not know, is written as nothing.
pub(super) fn figure(column: Option<f64>) -> f64 {
    column.unwrap_or(f64::NAN)
}

/// What of a figure is written: nothing for NaN.
pub(super) fn column(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

pub(super) fn history(connection: &Connection, run: i64, name: &str) -> Step<Vec<MetricPoint>> {
    let mut statement = connection.prepare_cached(HISTORY)?;
    let rows = statement.query_map((run, name), |row| {
        let (step, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(MetricPoint { step: step as u64, at: Timestamp::from_unix_micros(at), value: figure(row.get(2)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes figures of one run.
pub(super) struct Points<'c> {
    connection: &'c Connection,
    run: i64,
    metrics: HashMap<String, i64>,
}

impl<'c> Points<'c> {
    pub(super) fn new(connection: &'c Connection, run: i64) -> Self {
        Self { connection, run, metrics: HashMap::new() }
    }

    /// Records a figure and what its metric has come to.
    pub(super) fn put(&mut self, name: &str, point: MetricPoint) -> Step<()> {
        let metric = self.metric(name)?;
        let step = i64::try_from(point.step).map_err(|_| refused(format!("step {} of `{name}` is beyond 2^63 - 1", point.step)))?;
        let before = self.replace(metric, step, point)?;
        let Some(before) = before else {
            return self.extend(metric, step, point);
        };
        // Only where an extreme goes are the other figures looked at.
        if self.is_extreme(metric, before)? { self.settle(metric) } else { self.revise(metric, step, point) }
    }

    fn metric(&mut self, name: &str) -> Step<i64> {
        if let Some(metric) = self.metrics.get(name) {
            return Ok(*metric);
        }
        if name.is_empty() {
            return Err(refused("a metric needs a name"));
        }
        let mut find = self.connection.prepare_cached("SELECT n FROM metric WHERE name = ?1")?;
        let found = find.query_row([name], |row| row.get(0)).optional()?;
        let metric = if let Some(metric) = found {
            metric
        } else {
            self.connection.execute("INSERT INTO metric (name) VALUES (?1)", [name])?;
            self.connection.last_insert_rowid()
        };
        self.metrics.insert(name.to_owned(), metric);
        Ok(metric)
    }

    /// Writes the point, and says which figure stood at its step before.
    fn replace(&self, metric: i64, step: i64, point: MetricPoint) -> Step<Option<f64>> {
        let key = (self.run, metric, step);
        let mut find = self.connection.prepare_cached("SELECT value FROM metric_point WHERE run = ?1 AND metric = ?2 AND step = ?3")?;
        let before = find.query_row(key, |row| row.get(0).map(figure)).optional()?;
        let mut put = self.connection.prepare_cached("INSERT OR REPLACE INTO metric_point VALUES (?1, ?2, ?3, ?4, ?5)")?;
        put.execute((self.run, metric, step, point.at.unix_micros(), column(point.value)))?;
        Ok(before)
    }

    /// Takes the figure of a new step into what the metric has come to.
    fn extend(&self, metric: i64, step: i64, point: MetricPoint) -> Step<()> {
        let sql = "INSERT INTO latest_metric VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5, 1) ON CONFLICT DO UPDATE SET points = points + 1,
            value = iif(excluded.step >= step, excluded.value, value), at = iif(excluded.step >= step, excluded.at, at),
            step = max(step, excluded.step),
            least = min(coalesce(least, excluded.least), coalesce(excluded.least, least)),
            most = max(coalesce(most, excluded.most), coalesce(excluded.most, most))";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute((self.run, metric, step, point.at.unix_micros(), column(point.value)))?;
        Ok(())
    }

    /// Takes a figure in that has replaced one between the extremes.
    fn revise(&self, metric: i64, step: i64, point: MetricPoint) -> Step<()> {
        let sql = "UPDATE latest_metric SET value = iif(?3 = step, ?5, value), at = iif(?3 = step, ?4, at),
            least = min(coalesce(least, ?5), coalesce(?5, least)), most = max(coalesce(most, ?5), coalesce(?5, most))
            WHERE run = ?1 AND metric = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute((self.run, metric, step, point.at.unix_micros(), column(point.value)))?;
        Ok(())
    }

    fn is_extreme(&self, metric: i64, value: f64) -> Step<bool> {
        let sql = "SELECT coalesce(?3 <= least OR ?3 >= most, 0) FROM latest_metric WHERE run = ?1 AND metric = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row((self.run, metric, column(value)), |row| row.get(0))?)
    }

    /// Works out what the metric has come to from all of its figures.
    fn settle(&self, metric: i64) -> Step<()> {
        let sql = "INSERT OR REPLACE INTO latest_metric
            SELECT p.run, p.metric, p.step, p.at, p.value, a.least, a.most, a.points FROM metric_point p,
                (SELECT min(value) AS least, max(value) AS most, count(*) AS points FROM metric_point WHERE run = ?1 AND metric = ?2) a
            WHERE p.run = ?1 AND p.metric = ?2 ORDER BY p.step DESC LIMIT 1";
        self.connection.prepare_cached(sql)?.execute((self.run, metric))?;
        Ok(())
    }
}
