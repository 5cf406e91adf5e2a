//! Several processes and threads on one file.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use jarre_core::{ChatResponse, FinishReason, Message, MetricSink, SystemClock};
use jarre_eval::{
    Error,
    track::{NewRun, RunQuery, Tracker, TrackerOptions},
};

use crate::{
    process::{part_path, start},
    support::{new_run, sample},
};

const ITEMS: usize = 150;
const PROCESSES: usize = 3;

fn open(path: &Path) -> Tracker {
    Tracker::open(path, Arc::new(SystemClock::new())).unwrap()
}

/// Opens the file, which may not be there yet, writes to a run of its own, and takes part in one that others write to.
#[test]
#[ignore = "a part of another test"]
fn take_part() {
    let Some(path) = part_path() else { return };
    let tracker = open(&path);
    let own = tracker.create_run(&NewRun::new("own")).unwrap();
    let shared = tracker.list_runs(&RunQuery::default().in_experiment("shared")).unwrap().rows.first().map(|row| row.id.clone());
    let sink = tracker.sink(&own).unwrap();
    let mut first = 0;
    for index in 0..ITEMS {
        tracker.insert_sample(&own, &sample(&index.to_string(), 0)).unwrap();
        sink.scalar("index", index as u64, index as f64).unwrap();
        if let Some(shared) = &shared {
            first += usize::from(tracker.insert_sample(shared, &sample(&index.to_string(), 0)).unwrap());
        }
        tracker.cache_response(&index.to_string(), &ChatResponse::new(Message::assistant("a"), FinishReason::Stop), None).unwrap();
    }
    sink.flush().unwrap();
    println!("first {first}");
}

#[test]
fn processes_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let tracker = open(&path);
    let shared = tracker.create_run(&NewRun::new("shared")).unwrap();
    let children: Vec<_> = (0..PROCESSES).map(|_| start("sharing::take_part", &path)).collect();
    let mut first = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let (said, problem) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}{problem}");
        let count = said.lines().find_map(|line| line.split_once("first ")).unwrap().1;
        first += count.trim().parse::<usize>().unwrap();
    }
    assert_eq!(first, ITEMS, "each shared sample was written by exactly one of them");
    assert_eq!(tracker.finished(&shared).unwrap().len(), ITEMS);
    let own = tracker.list_runs(&RunQuery::default().in_experiment("own").with_metrics(["index"])).unwrap().rows;
    assert_eq!(own.len(), PROCESSES, "their ids differ");
    for run in own {
        assert_eq!((tracker.finished(&run.id).unwrap().len(), run.metrics[0]), (ITEMS, Some((ITEMS - 1) as f64)));
    }
    assert_eq!(tracker.cache_stats().unwrap().entries, ITEMS as u64);
    tracker.verify().unwrap();
}

#[test]
fn processes_make_the_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let children: Vec<_> = (0..PROCESSES).map(|_| start("sharing::take_part", &path)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(open(&path).experiment("own").unwrap().runs, PROCESSES as u64);
}

#[test]
fn readers_see_whole_transactions_while_others_write() {
    const BATCH: usize = 10;
    let folder = tempfile::tempdir().unwrap();
    let tracker = open(&folder.path().join("runs.db"));
    let run = new_run(&tracker);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut seen = 0;
                // One look more after the writer's last.
                for last in 0..2 {
                    while last == 1 || !done.load(Ordering::SeqCst) {
                        let count = tracker.finished(&run).unwrap().len();
                        assert!(count.is_multiple_of(BATCH) && count >= seen, "{count} after {seen}");
                        seen = count;
                        if last == 1 {
                            break;
                        }
                    }
                }
                assert_eq!(seen, 60 * BATCH);
            });
        }
        for batch in 0..60 {
            let samples: Vec<_> = (0..BATCH).map(|index| sample(&format!("{batch}/{index}"), 0)).collect();
            assert_eq!(tracker.insert_samples(&run, &samples).unwrap(), BATCH);
        }
        done.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_writer_that_waits_in_vain_says_so_and_keeps_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let options = TrackerOptions::default().with_busy_timeout(Duration::from_millis(20));
    let tracker = Tracker::open_with(&path, Arc::new(SystemClock::new()), options).unwrap();
    let run = new_run(&tracker);
    let sink = tracker.sink(&run).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(tracker.insert_sample(&run, &sample("a", 0)), Err(Error::TrackingBusy { .. })));
    sink.scalar("loss", 0, 1.0).unwrap();
    assert!(matches!(sink.flush(), Err(Error::TrackingBusy { .. })));
    assert!(tracker.run(&run).is_ok(), "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    sink.flush().unwrap();
    assert_eq!(tracker.metric_history(&run, "loss").unwrap().len(), 1);
}
