use jarre_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value as Column};
use serde_json::Value;

use super::{
    RunCursor, RunId, RunQuery, RunStatus, SortBy, Tracker,
    fault::{Fault, Step},
    filter::Sql,
    metric::figure,
    run::STATUS,
    run_cursor::Position,
};
use crate::Result;

/// A run in a list, and what was asked of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// The run.
    pub id: RunId,
    /// Its experiment.
    pub experiment: String,
    /// What people call it.
    pub name: String,
    /// How it stands.
    pub status: RunStatus,
    /// The model's name.
    pub model: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was started last.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The latest figures of the metrics that were asked for, in that order.
    pub metrics: Vec<Option<f64>>,
    /// The settings that were asked for, in that order.
    pub params: Vec<Option<Value>>,
    /// The tags that were asked for, in that order.
    pub tags: Vec<Option<String>>,
}

/// Some runs, and where the next begin.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPage {
    /// The runs, in order.
    pub rows: Vec<RunRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<RunCursor>,
}

/// The most runs a page.
const LARGEST_PAGE: usize = 1000;

impl Tracker {
    /// Lists runs. What a page costs does not depend on how many points the metrics have: it reads where they have come to.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) for a limit beyond 1 to 1,000, and for a cursor that is not one of this query's.
    pub fn list_runs(&self, query: &RunQuery) -> Result<RunPage> {
        if !(1..=LARGEST_PAGE).contains(&query.limit) {
            return Err(crate::Error::Refused(format!("a page holds 1 to {LARGEST_PAGE} runs, not {}", query.limit)));
        }
        let (sql, values) = statement(query, self.now())?;
        self.read(|reading| page(reading, query, &sql, values))
    }
}

fn page(reading: &Connection, query: &RunQuery, sql: &str, values: Vec<Column>) -> Step<RunPage> {
    let digest = query.digest();
    let mut statement = reading.prepare_cached(sql)?;
    let found = statement.query_and_then(params_from_iter(values), |row| Ok::<_, Fault>((position_of(row, &digest)?, row_of(row)?)))?;
    let mut found: Vec<(Position, RunRow)> = found.collect::<Step<_>>()?;
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    for (position, row) in &mut found {
        fill(reading, query, position.n, row)?;
    }
    let next = found.last().filter(|_| more).map(|(position, _)| position.cursor());
    Ok(RunPage { rows: found.into_iter().map(|(_, row)| row).collect(), next })
}

/// The statement that finds the runs of a page and one more, and its values.
pub(super) fn statement(query: &RunQuery, now: Timestamp) -> Result<(String, Vec<Column>)> {
    let mut sql = Sql::new(now.unix_micros());
    let (join, value, rank) = key(&query.sort.by, &mut sql);
    let mut conditions = vec![sql.filter(&query.filter)];
    if !query.deleted {
        conditions.push("r.deleted IS NULL AND e.deleted IS NULL".to_owned());
    }
    if let Some(experiment) = &query.experiment {
        let name = sql.bind(experiment.clone());
        conditions.push(format!("r.experiment = (SELECT n FROM experiment WHERE name = {name})"));
    }
    let behind = behind(query, &mut sql)?;
    let order = if query.sort.descending { "DESC" } else { "ASC" };
    let limit = sql.bind(query.limit as i64 + 1);
    let text = format!(
        "WITH listed AS (
           SELECT r.id, e.name AS experiment, r.name, {STATUS} AS status, r.model, r.created, r.started, r.ended,
                  r.n AS n, {value} AS value, {rank} AS rank
           FROM run r JOIN experiment e ON e.n = r.experiment {join} WHERE {})
         SELECT * FROM listed WHERE {behind} ORDER BY rank, value {order}, n {order} LIMIT {limit}",
        conditions.join(" AND ")
    );
    Ok((text, sql.values))
}

/// What runs are ordered by: the table that it comes from, the value, and the rank that keeps those without one apart.
fn key(by: &SortBy, sql: &mut Sql) -> (String, &'static str, String) {
    let own = |value: &'static str| (String::new(), value, format!("iif({value} IS NULL, 2, 0)"));
    match by {
        SortBy::Created => own("r.created"),
        SortBy::Started => own("r.started"),
        SortBy::Ended => own("r.ended"),
        SortBy::Name => own("r.name"),
        SortBy::Status => own(STATUS),
        SortBy::Metric(name) => {
            let name = sql.bind(name.clone());
            let join = format!("LEFT JOIN latest_metric k ON k.run = r.n AND k.metric = (SELECT n FROM metric WHERE name = {name})");
            (join, "k.value", "iif(k.run IS NULL, 2, iif(k.value IS NULL, 1, 0))".to_owned())
        }
        SortBy::Param(name) => {
            let join = format!("LEFT JOIN param k ON k.run = r.n AND k.name = {}", sql.bind(name.clone()));
            (join, "coalesce(k.number, k.text)", "iif(k.run IS NULL, 2, 0)".to_owned())
        }
        SortBy::Tag(name) => {
            let join = format!("LEFT JOIN tag k ON k.run = r.n AND k.name = {}", sql.bind(name.clone()));
            (join, "k.value", "iif(k.run IS NULL, 2, 0)".to_owned())
        }
    }
}

/// What holds of the runs behind the cursor.
fn behind(query: &RunQuery, sql: &mut Sql) -> Result<String> {
    let Some(cursor) = &query.after else {
        return Ok("1".to_owned());
    };
    let position = cursor.position(&query.digest())?;
    let (rank, value, n) = (sql.bind(position.rank), sql.bind(position.value()), sql.bind(position.n));
    let sign = if query.sort.descending { "<" } else { ">" };
    Ok(format!("(rank > {rank} OR (rank = {rank} AND (value {sign} {value} OR (value IS {value} AND n {sign} {n}))))"))
}

fn position_of(row: &Row<'_>, digest: &str) -> Step<Position> {
    Ok(Position::new(digest.to_owned(), row.get(10)?, row.get(9)?, row.get(8)?))
}

fn row_of(row: &Row<'_>) -> Step<RunRow> {
    let time = |index| Ok::<_, Fault>(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_unix_micros));
    Ok(RunRow {
        id: row.get::<_, String>(0)?.parse()?,
        experiment: row.get(1)?,
        name: row.get(2)?,
        status: RunStatus::parse(&row.get::<_, String>(3)?)?,
        model: row.get(4)?,
        created: Timestamp::from_unix_micros(row.get(5)?),
        started: time(6)?,
        ended: time(7)?,
        metrics: Vec::new(),
        params: Vec::new(),
        tags: Vec::new(),
    })
}

/// Reads what was asked of a run.
fn fill(reading: &Connection, query: &RunQuery, run: i64, row: &mut RunRow) -> Step<()> {
    let mut metric = reading.prepare_cached(METRIC)?;
    for name in &query.metrics {
        row.metrics.push(metric.query_row((run, name), |row| row.get(0).map(figure)).optional()?);
    }
    let mut param = reading.prepare_cached("SELECT value FROM param WHERE run = ?1 AND name = ?2")?;
    for name in &query.params {
        let json: Option<String> = param.query_row((run, name), |row| row.get(0)).optional()?;
        row.params.push(json.map(|json| serde_json::from_str(&json)).transpose()?);
    }
    let mut tag = reading.prepare_cached("SELECT value FROM tag WHERE run = ?1 AND name = ?2")?;
    for name in &query.tags {
        row.tags.push(tag.query_row((run, name), |row| row.get(0)).optional()?);
    }
    Ok(())
}

pub(super) const METRIC: &str =
    "SELECT l.value FROM latest_metric l WHERE l.run = ?1 AND l.metric = (SELECT n FROM metric WHERE name = ?2)";

/// How `SQLite` would carry a statement out, a line a step.
#[cfg(test)]
fn plan(reading: &Connection, sql: &str, values: &[Column]) -> Vec<String> {
    let mut statement = reading.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let rows = statement.query_map(params_from_iter(values), |row| row.get(3)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jarre_core::testing::ManualClock;

    use super::*;
    use crate::track::{Filter, RunSort, compare, metric};

    /// Steps that read a table of metrics from end to end.
    fn scans(plan: &[String]) -> Vec<&String> {
        let whole = |step: &&String| step.starts_with("SCAN") && !step.starts_with("SCAN r") && !step.starts_with("SCAN listed");
        plan.iter().filter(whole).collect()
    }

    #[test]
    fn metrics_are_found_by_their_indices() {
        let tracker = Tracker::open_in_memory(Arc::new(ManualClock::new())).unwrap();
        let filter = Filter::parse("metrics.a > 0.5 and metrics.b is nan or params.c = 'x' and tags.d like 'y%'").unwrap();
        for by in [SortBy::Created, SortBy::Metric("a".into()), SortBy::Param("b".into()), SortBy::Tag("c".into()), SortBy::Status] {
            let query = RunQuery::default().with_filter(filter.clone()).with_sort(RunSort::descending(by)).in_experiment("e");
            let (sql, values) = statement(&query, Timestamp::UNIX_EPOCH).unwrap();
            let plan = tracker.read(|reading| Ok(plan(reading, &sql, &values))).unwrap();
            assert!(plan.iter().any(|step| step.contains("SEARCH m USING PRIMARY KEY (run=? AND metric=?)")), "{plan:#?}");
            assert_eq!(scans(&plan), Vec::<&String>::new(), "{plan:#?}");
        }
        for sql in [METRIC, metric::LATEST, metric::HISTORY, compare::LATEST] {
            let values = [Column::Integer(1), Column::Text("a".into())];
            let values = if sql.contains("?2") { &values[..] } else { &values[..1] };
            let plan = tracker.read(|reading| Ok(plan(reading, sql, values))).unwrap();
            assert!(plan.iter().any(|step| step.contains("USING PRIMARY KEY (run=?")), "{plan:#?}");
            assert_eq!(scans(&plan), Vec::<&String>::new(), "{plan:#?}");
        }
    }
}
