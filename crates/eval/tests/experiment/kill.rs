//! A process that runs an experiment is killed, again and again: what was written is not asked for again, and everything is there in the end.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use jarre_core::SystemClock;
use jarre_eval::track::{RunId, RunStatus, SampleTexts, Tracker};

use crate::model::{Model, dataset, new_run, runner};

const FOLDER: &str = "JARRE_TEST_RUN_FOLDER";
const ITEMS: usize = 1500;
const KILLS: u64 = 20;

#[test]
#[ignore = "a part of another test"]
fn ask_until_killed() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let calls = fs::OpenOptions::new().create(true).append(true).open(folder.join("calls")).unwrap();
    let model = Model::new(move |question, _| {
        // One write, so that a kill leaves no half of it.
        (&calls).write_all(format!("{question}\n").as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(4));
        Ok(question.to_owned())
    });
    let tracker = open(&folder);
    let run: RunId = fs::read_to_string(folder.join("run")).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(runner(&Arc::new(model), &tracker).without_cache().run(&run, &dataset(ITEMS))).unwrap();
}

#[test]
fn a_run_survives_twenty_kills_and_asks_nothing_twice_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = open(folder.path());
    let run = new_run(&tracker);
    fs::write(folder.path().join("run"), run.as_str()).unwrap();
    let mut answered = BTreeMap::new();
    for kill in 0..KILLS {
        let mut child = start(folder.path());
        // From before the first answer to well into the run.
        thread::sleep(Duration::from_millis(20 + 13 * (kill % 7)));
        child.kill().unwrap();
        child.wait().unwrap();
        let calls = calls(folder.path());
        for (item, _) in tracker.finished(&run).unwrap() {
            let now = calls[&item];
            assert_eq!(*answered.entry(item.clone()).or_insert(now), now, "{item} was answered, and asked for again");
        }
        release(&tracker, &run);
    }
    assert_ne!(tracker.run(&run).unwrap().status, RunStatus::Done, "nothing was left for the last start");
    assert!(start(folder.path()).wait().unwrap().success());
    let samples = tracker.samples(&run, SampleTexts::Whole).unwrap();
    assert_eq!((samples.len(), tracker.run(&run).unwrap().status), (ITEMS, RunStatus::Done));
    assert!(samples.iter().all(|sample| sample.output == sample.item));
    let last = calls(folder.path());
    assert!(answered.iter().all(|(item, calls)| last[item] == *calls), "something was asked for again");
    assert!(!answered.is_empty(), "no answer was written before a kill: the test has shown nothing");
    // What was in flight when the process died is asked for again: no more than four at each kill.
    assert!(last.values().sum::<usize>() <= ITEMS + 4 * KILLS as usize, "{last:?}");
}

fn open(folder: &Path) -> Tracker {
    Tracker::open(folder.join("runs.db"), Arc::new(SystemClock::new())).unwrap()
}

/// The dead process's lease would run for a minute.
fn release(tracker: &Tracker, run: &RunId) {
    if tracker.run(run).unwrap().status == RunStatus::Running {
        tracker.cancel_run(run).unwrap();
    }
}

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["kill::ask_until_killed", "--exact", "--ignored", "--quiet"]).env(FOLDER, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn calls(folder: &Path) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for line in fs::read_to_string(folder.join("calls")).unwrap_or_default().lines() {
        *calls.entry(line.to_owned()).or_default() += 1;
    }
    calls
}
