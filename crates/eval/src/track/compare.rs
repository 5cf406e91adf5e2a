use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;

use super::{RunId, Tracker, about, fault::Step, metric::figure, run::number};
use crate::Result;

/// Runs beside one another.
#[derive(Clone, Debug, PartialEq)]
pub struct RunMatrix {
    /// The runs, in the order in which they were asked for.
    pub runs: Vec<RunId>,
    /// The metrics that any of them has, by name.
    pub metrics: Vec<String>,
    /// The latest figures, `[runs, metrics]`; `None` where a run has no such metric.
    pub values: Vec<Vec<Option<f64>>>,
    /// The settings that are not the same in all of the runs, by name, with one value a run.
    pub differing_params: Vec<(String, Vec<Option<Value>>)>,
}

impl Tracker {
    /// The latest figures of all metrics of some runs, and the settings in which those differ.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run.
    pub fn run_matrix(&self, runs: &[RunId]) -> Result<RunMatrix> {
        self.read(|reading| {
            let numbers: Vec<i64> = runs.iter().map(|run| number(reading, run)).collect::<Step<_>>()?;
            let (metrics, values) = figures(reading, &numbers)?;
            let differing_params = differing(reading, &numbers)?;
            Ok(RunMatrix { runs: runs.to_vec(), metrics, values, differing_params })
        })
    }
}

pub(super) const LATEST: &str = "SELECT metric, value FROM latest_metric WHERE run = ?1 ORDER BY metric";

type Rows = Vec<Vec<Option<f64>>>;

/// The figures of a run by the numbers of their metrics, in that order.
type Figures = Vec<(i64, f64)>;

/// The places of metrics in a row by the numbers of the metrics, in that order.
type Columns = Vec<(i64, usize)>;

/// The names of the metrics, and a row of figures for each run.
fn figures(reading: &Connection, runs: &[i64]) -> Step<(Vec<String>, Rows)> {
    let mut statement = reading.prepare_cached(LATEST)?;
    let mut found: Vec<Figures> = Vec::with_capacity(runs.len());
    for run in runs {
        let rows = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1).map(figure)?)))?;
        found.push(rows.collect::<Result<_, _>>()?);
    }
    let (names, columns) = columns(reading, &found)?;
    let row = |figures: &Figures| {
        let mut row = vec![None; names.len()];
        // Both are in order of the metrics' numbers, and each metric has a column.
        let mut columns = columns.iter();
        for (metric, value) in figures {
            if let Some((_, column)) = columns.find(|(n, _)| n == metric) {
                row[*column] = Some(*value);
            }
        }
        row
    };
    let values = found.iter().map(row).collect();
    Ok((names, values))
}

/// The names of the metrics that were found, in order, and the place of each among them by its number.
fn columns(reading: &Connection, found: &[Figures]) -> Step<(Vec<String>, Columns)> {
    let mut numbers: Vec<i64> = found.iter().flatten().map(|(metric, _)| *metric).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut statement = reading.prepare_cached("SELECT name FROM metric WHERE n = ?1")?;
    let mut named: Vec<(String, i64)> = Vec::with_capacity(numbers.len());
    for n in numbers {
        named.push((statement.query_row([n], |row| row.get(0))?, n));
    }
    named.sort();
    let mut columns: Columns = named.iter().enumerate().map(|(column, (_, n))| (*n, column)).collect();
    columns.sort_unstable();
    Ok((named.into_iter().map(|(name, _)| name).collect(), columns))
}

fn differing(reading: &Connection, runs: &[i64]) -> Step<Vec<(String, Vec<Option<Value>>)>> {
    let params: Vec<BTreeMap<String, Value>> = runs.iter().map(|run| about::params(reading, *run)).collect::<Step<_>>()?;
    let names: BTreeSet<&String> = params.iter().flat_map(BTreeMap::keys).collect();
    let differs = |name: &String| params.windows(2).any(|pair| pair[0].get(name) != pair[1].get(name));
    let values = |name: &String| params.iter().map(|params| params.get(name).cloned()).collect();
    Ok(names.into_iter().filter(|name| differs(name)).map(|name| (name.clone(), values(name))).collect())
}
