use std::io::Write;

use rusqlite::{Connection, Row};

use super::{Bytes, Figure, Record, ScoreRecord, VERSION};
use crate::{
    Result,
    track::{
        Run, RunId, Tracker, about, artifact,
        fault::{Fault, Step, or_missing},
        metric::{self, figure},
        run,
        sample_rows::{columns, sample_of},
    },
};

/// Points of a metric a line.
const POINTS: usize = 1000;

impl Tracker {
    /// Writes runs with all that belongs to them, one JSON record a line: settings, tags, metrics, artifacts that are kept inside (of others
    /// their paths), and samples with every score that they had. Feedback, prompts and cached responses stay behind.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such run, [`Error::Io`](crate::Error::Io) where `out` cannot be written.
    pub fn export_runs(&self, runs: &[RunId], out: impl Write) -> Result<()> {
        let now = self.now();
        self.read(|reading| {
            let mut lines = Lines { out, written: 0 };
            lines.write(&Record::Bundle { version: VERSION })?;
            for id in runs {
                export(reading, run::find(reading, id, now)?, &mut lines)?;
            }
            let end = Record::End { lines: lines.written };
            lines.write(&end)?;
            Ok(lines.out.flush().map_err(crate::Error::from)?)
        })
    }

    /// Writes the runs of an experiment, those that were put away left out, as [`export_runs`](Self::export_runs) does.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such experiment, [`Error::Io`](crate::Error::Io) where `out` cannot be
    /// written.
    pub fn export_experiment(&self, name: &str, out: impl Write) -> Result<()> {
        let runs = self.read(|reading| {
            let found = reading.query_row("SELECT n FROM experiment WHERE name = ?1", [name], |row| row.get::<_, i64>(0));
            let experiment = or_missing(found.map_err(Fault::from), "experiment", name)?;
            let mut statement = reading.prepare("SELECT id FROM run WHERE experiment = ?1 AND deleted IS NULL ORDER BY n")?;
            let ids = statement.query_and_then([experiment], |row| Ok(row.get::<_, String>(0)?.parse()?))?;
            ids.collect::<Step<Vec<RunId>>>()
        })?;
        self.export_runs(&runs, out)
    }
}

struct Lines<W> {
    out: W,
    written: u64,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, record: &Record) -> Step<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.out.write_all(&line).map_err(crate::Error::from)?;
        self.written += 1;
        Ok(())
    }
}

fn export(reading: &Connection, run: Run, lines: &mut Lines<impl Write>) -> Step<()> {
    let n = run::number(reading, &run.id)?;
    lines.write(&Record::Run(Box::new(run)))?;
    for (name, value) in about::params(reading, n)? {
        lines.write(&Record::Param { name, value })?;
    }
    for (name, value) in about::tags(reading, n)? {
        lines.write(&Record::Tag { name, value })?;
    }
    export_metrics(reading, n, lines)?;
    export_artifacts(reading, n, lines)?;
    export_samples(reading, n, lines)
}

fn export_metrics(reading: &Connection, run: i64, lines: &mut Lines<impl Write>) -> Step<()> {
    let mut statement = reading.prepare_cached(metric::LATEST)?;
    let names: Vec<String> = statement.query_map([run], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for name in names {
        for points in metric::history(reading, run, &name)?.chunks(POINTS) {
            let points = points.iter().map(|point| (point.step, point.at.unix_micros(), Figure::of(point.value))).collect();
            lines.write(&Record::Metric { name: name.clone(), points })?;
        }
    }
    Ok(())
}

fn export_artifacts(reading: &Connection, run: i64, lines: &mut Lines<impl Write>) -> Step<()> {
    let mut statement = reading.prepare_cached("SELECT bytes FROM artifact WHERE run = ?1 AND name = ?2")?;
    for artifact in artifact::artifacts(reading, run)? {
        let bytes: Option<Vec<u8>> = statement.query_row((run, &artifact.name), |row| row.get(0))?;
        lines.write(&Record::Artifact {
            name: artifact.name,
            media_type: artifact.media_type,
            digest: artifact.digest,
            size: artifact.size,
            created: artifact.created.unix_micros(),
            path: artifact.path,
            bytes: bytes.map(Bytes),
        })?;
    }
    Ok(())
}

fn export_samples(reading: &Connection, run: i64, lines: &mut Lines<impl Write>) -> Step<()> {
    let columns = columns(true);
    let sql = format!("SELECT {columns}, s.created FROM sample s JOIN sample_text t ON t.sample = s.n WHERE s.run = ?1 ORDER BY s.n");
    let mut statement = reading.prepare(&sql)?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let (n, sample) = sample_of(row)?;
        lines.write(&Record::Sample { created: row.get("created")?, sample: Box::new(sample), scores: scores(reading, n)? })?;
    }
    Ok(())
}

fn scores(reading: &Connection, sample: i64) -> Step<Vec<ScoreRecord>> {
    let sql = "SELECT scorer, version, status, value, problem, explanation, author, reason, created, withdrawn FROM score
               WHERE sample = ?1 ORDER BY n";
    let mut statement = reading.prepare_cached(sql)?;
    Ok(statement.query_map([sample], score_of)?.collect::<Result<_, _>>()?)
}

fn score_of(row: &Row<'_>) -> rusqlite::Result<ScoreRecord> {
    let status: String = row.get(2)?;
    let value = (status == "scored").then(|| row.get(3).map(figure)).transpose()?;
    Ok(ScoreRecord {
        scorer: row.get(0)?,
        version: row.get(1)?,
        value: value.map(Figure::of),
        status,
        problem: row.get(4)?,
        explanation: row.get(5)?,
        author: row.get(6)?,
        reason: row.get(7)?,
        created: row.get(8)?,
        withdrawn: row.get(9)?,
    })
}
