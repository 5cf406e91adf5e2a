//! Kill -9 at any moment, again and again: what was acknowledged is there, and nothing twice.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use jarre_core::{MetricSink, SystemClock};
use jarre_eval::track::{NewRun, RunId, RunQuery, RunSort, SampleTexts, SortBy, Tracker};

use crate::{
    process::{part_path, start},
    support::sample,
};

const ROUNDS: u64 = 20;
const WRITERS: usize = 2;

fn open(path: &Path) -> Tracker {
    Tracker::open(path, Arc::new(SystemClock::new())).unwrap()
}

fn runs(tracker: &Tracker) -> Vec<RunId> {
    let query = RunQuery::default().with_sort(RunSort::ascending(SortBy::Name));
    tracker.list_runs(&query).unwrap().rows.into_iter().map(|row| row.id).collect()
}

/// Goes on with two runs as fast as it can, and says each number once its sample and its figures were acknowledged.
#[test]
#[ignore = "a part of another test"]
fn keep_writing() {
    let Some(path) = part_path() else { return };
    let tracker = open(&path);
    thread::scope(|scope| {
        for (writer, run) in runs(&tracker).into_iter().enumerate() {
            let tracker = &tracker;
            scope.spawn(move || {
                let sink = tracker.sink(&run).unwrap();
                let finished = tracker.finished(&run).unwrap();
                for number in (0..).filter(|number: &u64| !finished.contains(&(number.to_string(), 0))) {
                    sink.scalar("number", number, number as f64).unwrap();
                    sink.scalar("again", number / 2, number as f64).unwrap();
                    sink.flush().unwrap();
                    assert!(tracker.insert_sample(&run, &sample(&number.to_string(), 0)).unwrap());
                    writeln!(std::io::stdout(), "{writer} {number}").unwrap();
                }
            });
        }
    });
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    for writer in 0..WRITERS {
        open(&path).create_run(&NewRun::new("e").with_name(writer.to_string())).unwrap();
    }
    let mut acknowledged = [0; WRITERS];
    for round in 0..ROUNDS {
        let mut child = start("kill::keep_writing", &path);
        let output = BufReader::new(child.stdout.take().unwrap());
        let reader = thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>());
        thread::sleep(Duration::from_millis(30 + round * 37 % 170));
        child.kill().unwrap();
        child.wait().unwrap();
        // The last line may have been cut off in its middle, in which case a smaller number was read, which was acknowledged too.
        for line in reader.join().unwrap() {
            let said = line.split_once(' ').map(|(writer, number)| (writer.parse::<usize>(), number.parse::<u64>()));
            if let Some((Ok(writer), Ok(number))) = said {
                acknowledged[writer] = acknowledged[writer].max(number + 1);
            }
        }
        check(&open(&path), &acknowledged, round);
    }
    assert!(acknowledged.iter().sum::<u64>() > ROUNDS, "hardly anything was written: {acknowledged:?}");
}

fn check(tracker: &Tracker, acknowledged: &[u64], round: u64) {
    tracker.verify().unwrap();
    for (writer, run) in runs(tracker).iter().enumerate() {
        let samples = tracker.samples(run, SampleTexts::Whole).unwrap();
        let written = samples.len() as u64;
        assert!(written >= acknowledged[writer], "round {round}: {} samples were acknowledged, {written} are there", acknowledged[writer]);
        assert_eq!(tracker.finished(run).unwrap().len() as u64, written, "none is there twice");
        assert!(samples.iter().all(|read| *read == sample(&read.item, 0)), "each is whole");

        // Figures are written before the sample of their number.
        let points = tracker.metric_history(run, "number").unwrap();
        let steps = points.len() as u64;
        assert!(steps == written || steps == written + 1, "round {round}: {steps} figures of {written} samples");
        assert!(points.iter().zip(0..).all(|(point, step)| point.step == step && point.value.to_bits() == (step as f64).to_bits()));
        let again = tracker.metric_history(run, "again").unwrap();
        assert_eq!(again.len() as u64, steps.div_ceil(2), "both figures or neither");
        for latest in tracker.latest_metrics(run).unwrap() {
            let history = tracker.metric_history(run, &latest.name).unwrap();
            let last = history.last().unwrap();
            assert_eq!((latest.step, latest.points), (last.step, history.len() as u64));
            assert_eq!((latest.value.to_bits(), latest.most.to_bits()), (last.value.to_bits(), last.value.to_bits()));
        }
    }
}

#[test]
#[ignore = "a part of another test"]
fn make_the_file() {
    let Some(path) = part_path() else { return };
    open(&path);
}

#[test]
fn a_file_whose_making_was_cut_off_is_made_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let path = folder.path().join(round.to_string());
        let mut child = start("kill::make_the_file", &path);
        thread::sleep(Duration::from_millis(round));
        child.kill().unwrap();
        child.wait().unwrap();
        let tracker = open(&path);
        tracker.create_run(&NewRun::new("e")).unwrap();
        tracker.verify().unwrap();
    }
}
