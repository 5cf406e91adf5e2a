use std::{fs, path::Path};

use jarre_core::Timestamp;
use jarre_eval::{
    Error,
    track::{RunQuery, RunStatus},
};
use serde_json::json;

use crate::support::tracker;

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What the client of `MLflow` leaves behind in its file store.
fn mlruns() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "models/readme.txt", "no experiment");
    fs::create_dir_all(at.join(".trash")).unwrap();
    write(at, "7/meta.yaml", "artifact_location: file:///tmp/mlruns/7\nexperiment_id: '7'\nlifecycle_stage: active\nname: gsm8k\n");
    let run = "artifact_uri: file:///tmp/mlruns/7/abc/artifacts\nend_time: 1700000005000\nentry_point_name: ''\nlifecycle_stage: active\n\
               run_id: abc\nrun_name: calm-cat-1\nstart_time: 1700000000000\nstatus: 3\ntags: []\nuser_id: ann\n";
    write(at, "7/abc/meta.yaml", run);
    write(at, "7/abc/params/lr", "0.001");
    write(at, "7/abc/params/model/name", "a\nb");
    write(at, "7/abc/tags/mlflow.user", "ann");
    write(at, "7/abc/metrics/loss", "1700000001000 0.5 1\n1700000000500 1.5 0\n1700000002000 nan 2\n");
    write(at, "7/abc/metrics/val/acc", "1700000001000 0.25 1\n");
    fs::create_dir_all(at.join("7/abc/artifacts/model")).unwrap();
    write(
        at,
        "7/def/meta.yaml",
        &run.replace("abc", "def").replace("status: 3", "status: 1").replace("end_time: 1700000005000", "end_time: null"),
    );
    write(at, "7/gone/meta.yaml", &run.replace("abc", "gone").replace("lifecycle_stage: active", "lifecycle_stage: deleted"));
    folder
}

#[test]
fn a_folder_of_runs_is_taken_over() {
    let folder = mlruns();
    let (tracker, _) = tracker();
    let imported = tracker.import_mlflow(folder.path()).unwrap();
    let ids: Vec<&str> = imported.iter().map(|run| run.mlflow_id.as_str()).collect();
    assert_eq!(ids, ["abc", "def"]);
    let id = &imported[0].id;
    let run = tracker.run(id).unwrap();
    let time = |seconds: i64| Some(Timestamp::from_unix_micros((1_700_000_000 + seconds) * 1_000_000));
    assert_eq!((run.experiment.as_str(), run.name.as_str(), run.status), ("gsm8k", "calm-cat-1", RunStatus::Done));
    assert_eq!((Some(run.created), run.started, run.ended), (time(0), time(0), time(5)));
    assert_eq!(tracker.params(id).unwrap(), [("lr".to_owned(), json!("0.001")), ("model/name".to_owned(), json!("a\nb"))].into());
    let tags = tracker.tags(id).unwrap();
    assert_eq!((tags["mlflow.user"].as_str(), tags["mlflow.run_id"].as_str()), ("ann", "abc"));
    assert_eq!(tags["mlflow.artifact_uri"], "file:///tmp/mlruns/7/abc/artifacts");
    let latest = tracker.latest_metrics(id).unwrap();
    assert_eq!(
        latest.iter().map(|metric| (metric.name.as_str(), metric.step, metric.points)).collect::<Vec<_>>(),
        [("loss", 2, 3), ("val/acc", 1, 1)]
    );
    assert!(latest[0].value.is_nan() && latest[0].least.to_bits() == 0.5f64.to_bits());
    assert_eq!(tracker.run(&imported[1].id).unwrap().status, RunStatus::Interrupted, "whoever ran it does not run it here");

    let again = tracker.import_mlflow(folder.path()).unwrap();
    assert_eq!((again.len(), tracker.list_runs(&RunQuery::default()).unwrap().rows.len()), (2, 4), "a second import makes runs of its own");
}

#[test]
fn what_is_not_as_it_should_be_is_named_and_nothing_is_kept() {
    for (file, text, says) in [
        ("7/abc/metrics/loss", "yesterday 0.5 1", "`loss`"),
        ("7/abc/meta.yaml", "status: 3\n", "names no run"),
        ("7/abc/meta.yaml", "run_id: a\nstatus: 9\n", "status `9`"),
        ("7/abc/meta.yaml", "run_id: a\nstart_time: soon\n", "`start_time`"),
        ("7/meta.yaml", "experiment_id: '7'\n", "names no experiment"),
    ] {
        let folder = mlruns();
        write(folder.path(), file, text);
        let (tracker, _) = tracker();
        let error = tracker.import_mlflow(folder.path()).unwrap_err();
        assert!(matches!(&error, Error::Refused(why) if why.contains(says)), "{error}");
        assert!(tracker.experiments().unwrap().is_empty());
    }
    let (tracker, _) = tracker();
    assert!(matches!(tracker.import_mlflow("/nowhere/mlruns"), Err(Error::Io(_))));
}
