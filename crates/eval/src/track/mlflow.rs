use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use jarre_core::Timestamp;
use rusqlite::{Connection, params};
use serde_json::Value;

use super::{
    MetricPoint, NewRun, RunId, RunStatus, Tracker,
    about::{put_param, put_tag},
    experiment::experiment_for_runs,
    fault::{Step, refused},
    metric::Points,
    run,
};
use crate::{Error, Provenance, Result};

/// A run that was imported from `MLflow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MlflowRun {
    /// Its id there, which its tag `mlflow.run_id` keeps.
    pub mlflow_id: String,
    /// Its id here.
    pub id: RunId,
}

impl Tracker {
    /// Reads the experiments and runs of a folder `mlruns`, as `MLflow` 2 and 3 write it without a database, all of them or none: names,
    /// states, times, parameters, tags and metrics. Runs get ids of this database; artifacts stay where they are, and the tag
    /// `mlflow.artifact_uri` says where. Runs and experiments that were deleted there are left out.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be read, and [`Error::Refused`] with the file that is not as `MLflow` writes it.
    pub fn import_mlflow(&self, folder: impl AsRef<Path>) -> Result<Vec<MlflowRun>> {
        let now = self.now();
        self.write(|writing| {
            let mut imported = Vec::new();
            for experiment in folders(folder.as_ref())? {
                import_experiment(writing, &experiment, now, &mut imported)?;
            }
            Ok(imported)
        })
    }
}

fn import_experiment(writing: &Connection, folder: &Path, now: Timestamp, imported: &mut Vec<MlflowRun>) -> Step<()> {
    let Some(meta) = active(folder)? else { return Ok(()) };
    let name = meta.get("name").filter(|name| !name.is_empty()).ok_or_else(|| unlike(folder, "meta.yaml names no experiment"))?;
    for run in folders(folder)? {
        if let Some(meta) = active(&run)? {
            imported.push(import_run(writing, &run, name, &meta, now)?);
        }
    }
    Ok(())
}

fn import_run(writing: &Connection, folder: &Path, experiment: &str, meta: &BTreeMap<String, String>, now: Timestamp) -> Step<MlflowRun> {
    let mlflow_id = meta.get("run_id").or_else(|| meta.get("run_uuid")).ok_or_else(|| unlike(folder, "meta.yaml names no run"))?;
    let name = meta.get("run_name").cloned().unwrap_or_default();
    let new = NewRun { experiment: experiment.to_owned(), name, parent: None, seed: None, provenance: Provenance::default() };
    let started = time(folder, meta, "start_time")?;
    let id = run::free_id(writing, mlflow_id, started.unwrap_or(now))?;
    let number = experiment_for_runs(writing, experiment, now)?;
    run::insert(writing, &id, number, None, &new, started.unwrap_or(now))?;
    let run = writing.last_insert_rowid();
    let status = status(folder, meta)?;
    let lease = (status == RunStatus::Running).then_some(i64::MIN);
    let [started, ended] = [started, time(folder, meta, "end_time")?].map(|time| time.map(Timestamp::unix_micros));
    let sql = "UPDATE run SET status = ?2, started = ?3, ended = ?4, lease_until = ?5, attempt = 1 WHERE n = ?1";
    writing.execute(sql, params![run, status.as_str(), started, ended, lease])?;
    put_tag(writing, run, "mlflow.run_id", mlflow_id)?;
    if let Some(artifacts) = meta.get("artifact_uri") {
        put_tag(writing, run, "mlflow.artifact_uri", artifacts)?;
    }
    import_files(writing, folder, run)?;
    Ok(MlflowRun { mlflow_id: mlflow_id.clone(), id })
}

fn import_files(writing: &Connection, folder: &Path, run: i64) -> Step<()> {
    for (name, text) in files(&folder.join("params"))? {
        put_param(writing, run, &name, &Value::String(text))?;
    }
    for (name, text) in files(&folder.join("tags"))? {
        put_tag(writing, run, &name, &text)?;
    }
    let mut points = Points::new(writing, run);
    for (name, text) in files(&folder.join("metrics"))? {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let point = point(line).ok_or_else(|| unlike(folder, &format!("the metric `{name}` has the line `{line}`")))?;
            points.put(&name, point)?;
        }
    }
    Ok(())
}

/// A line of a metric: milliseconds since 1970, figure, and step, which early versions leave out.
fn point(line: &str) -> Option<MetricPoint> {
    let mut fields = line.split_ascii_whitespace();
    let at = fields.next()?.parse::<i64>().ok()?.checked_mul(1000)?;
    let value = fields.next()?.parse().ok()?;
    // There steps may be negative; here they begin at 0.
    let step = fields.next().map_or(Some(0), |step| step.parse::<i64>().ok())?.max(0) as u64;
    Some(MetricPoint { step, at: Timestamp::from_unix_micros(at), value })
}

/// The states by their numbers in `meta.yaml`, or by name.
fn status(folder: &Path, meta: &BTreeMap<String, String>) -> Step<RunStatus> {
    match meta.get("status").map(String::as_str) {
        Some("1" | "RUNNING") => Ok(RunStatus::Running),
        Some("2" | "SCHEDULED") | None => Ok(RunStatus::Queued),
        Some("3" | "FINISHED") => Ok(RunStatus::Done),
        Some("4" | "FAILED") => Ok(RunStatus::Failed),
        Some("5" | "KILLED") => Ok(RunStatus::Cancelled),
        Some(other) => Err(unlike(folder, &format!("meta.yaml has the status `{other}`"))),
    }
}

fn time(folder: &Path, meta: &BTreeMap<String, String>, name: &str) -> Step<Option<Timestamp>> {
    let written = meta.get(name).filter(|text| !matches!(text.as_str(), "" | "null" | "~"));
    let millis = written.map(|text| text.parse::<i64>().ok().and_then(|millis| millis.checked_mul(1000)));
    match millis {
        None => Ok(None),
        Some(Some(micros)) => Ok(Some(Timestamp::from_unix_micros(micros))),
        Some(None) => Err(unlike(folder, &format!("meta.yaml has no time in `{name}`"))),
    }
}

/// What `meta.yaml` of a folder says; `None` where there is none, or it says that the thing was deleted.
fn active(folder: &Path) -> Step<Option<BTreeMap<String, String>>> {
    match fs::read_to_string(folder.join("meta.yaml")) {
        Ok(text) => Ok(Some(flat_yaml(&text)).filter(|meta| meta.get("lifecycle_stage").is_none_or(|stage| stage != "deleted"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::from(error).into()),
    }
}

/// The pairs of a YAML file that is one flat mapping of scalars.
fn flat_yaml(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').filter(|_| !line.starts_with([' ', '#', '-']))?;
        Some((name.trim().to_owned(), unquoted(value.trim())))
    };
    text.lines().filter_map(pair).collect()
}

fn unquoted(value: &str) -> String {
    let inside = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if let Some(text) = inside('\'') {
        return text.replace("''", "'");
    }
    match inside('"') {
        // What YAML writes in double quotes is nearly what JSON does.
        Some(text) => serde_json::from_str(value).unwrap_or_else(|_| text.to_owned()),
        None => value.to_owned(),
    }
}

/// The folders in a folder, by name.
fn folders(folder: &Path) -> Step<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(Error::from)?;
    let mut folders: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

/// How deep the names of parameters, tags and metrics are looked for.
const DEEPEST: usize = 16;

/// The texts of the files in a folder, by name; a name with `/` is a file in folders.
fn files(folder: &Path) -> Step<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = waiting.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries.collect::<io::Result<Vec<_>>>().map_err(Error::from)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth == 0 => continue,
            Err(error) => return Err(Error::from(error).into()),
        };
        for entry in entries {
            let file_name = entry.file_name();
            let part = file_name.to_str().ok_or_else(|| unlike(&entry.path(), "its name is not UTF-8"))?;
            let name = format!("{prefix}{part}");
            let kind = entry.file_type().map_err(Error::from)?;
            if kind.is_dir() && depth < DEEPEST {
                waiting.push((entry.path(), format!("{name}/"), depth + 1));
            } else if kind.is_file() {
                found.insert(name, fs::read_to_string(entry.path()).map_err(Error::from)?);
            }
        }
    }
    Ok(found)
}

fn unlike(path: &Path, problem: &str) -> super::fault::Fault {
    refused(format!("{} is not as MLflow writes it: {problem}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_read_as_they_are_written() {
        let text = "a: 1\nb: 'it''s: so'\nc: \"x\\ty\"\nd: null\n# e: 1\n- f: 1\n  g: 1\nh:\ni: file:///a:b\n";
        let read = flat_yaml(text);
        let expected = [("a", "1"), ("b", "it's: so"), ("c", "x\ty"), ("d", "null"), ("h", ""), ("i", "file:///a:b")];
        assert!(read.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected), "{read:?}");
    }

    #[test]
    fn points_have_two_fields_or_three() {
        let value = |line| point(line).map(|point| (point.at.unix_micros(), point.value, point.step));
        assert_eq!(value("1700000000000 0.5 7"), Some((1_700_000_000_000_000, 0.5, 7)));
        assert_eq!(value("1 -1e-3"), Some((1000, -1e-3, 0)));
        assert_eq!(value("1 inf -4"), Some((1000, f64::INFINITY, 0)));
        assert!(point("1 nan 0").is_some_and(|point| point.value.is_nan()));
        for wrong in ["", "1", "a 1 1", "1 a 1", "1 1 a", "9223372036854775807 1 1"] {
            assert_eq!(point(wrong), None, "{wrong}");
        }
    }
}
