//! A database of 1,000 runs with 100 metrics of 20 steps each: what it costs to write, to list and to compare. What is read is held to what
//! was written before it is timed.
//!
//! `cargo bench -p jarre-eval --bench tracking`

#![expect(clippy::print_stdout, reason = "a program")]

use std::{hint::black_box, path::Path, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jarre_core::{MetricSink, SystemClock};
use jarre_eval::{
    Outcome, Sample, Score,
    track::{NewRun, RunId, RunQuery, RunSort, SampleTexts, SortBy, Tracker},
};
use serde_json::json;

const METRICS: usize = 100;
const STEPS: u64 = 20;
const PAGE: usize = 100;
const COLUMNS: usize = 10;
const ITEMS: usize = 1000;

/// All of it where cargo benches, a little where it only looks whether the bench works.
fn runs() -> usize {
    if std::env::args().any(|argument| argument == "--bench") { 1000 } else { 20 }
}

fn open(path: &Path) -> Tracker {
    Tracker::open(path, Arc::new(SystemClock::new())).expect("a database")
}

/// The last figure of a metric, which differs between any two.
fn figure(run: usize, metric: usize) -> f64 {
    (run * 7919 % 1009 * METRICS + metric) as f64
}

fn write_run(tracker: &Tracker, run: usize) -> RunId {
    let id = tracker.create_run(&NewRun::new("bench").with_name(format!("run {run}"))).expect("a run");
    let sink = tracker.sink(&id).expect("a sink");
    sink.param("lr", &json!(run % 10)).expect("a setting");
    for step in 0..STEPS {
        for metric in 0..METRICS {
            let value = figure(run, metric) - (STEPS - 1 - step) as f64;
            sink.scalar(&format!("group/{metric:03}"), step, value).expect("a figure");
        }
    }
    sink.flush().expect("a disk");
    id
}

fn reading(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("runs.db");
    let tracker = open(&path);
    let ids: Vec<RunId> = (0..runs()).map(|run| write_run(&tracker, run)).collect();
    let bytes = std::fs::metadata(&path).expect("the file").len();
    println!("{} runs of {METRICS} metrics of {STEPS} steps, {} MB", ids.len(), bytes / 1_000_000);

    let columns: Vec<String> = (0..COLUMNS).map(|metric| format!("group/{:03}", metric * 7)).collect();
    let query = RunQuery::default()
        .with_filter("metrics.group/050 > 0 and params.lr < 9 and status = 'queued'".parse().expect("a filter"))
        .with_sort(RunSort::descending(SortBy::Metric("group/000".into())))
        .with_metrics(columns)
        .with_limit(PAGE);
    check_list(&tracker, &query, &ids);
    check_matrix(&tracker, &ids);

    let mut group = criterion.benchmark_group("tracking");
    group.bench_function("list a page of 100 with 10 columns, filtered, by a metric", |bencher| {
        bencher.iter(|| tracker.list_runs(black_box(&query)).expect("a page"));
    });
    let second = query.clone().after(tracker.list_runs(&query.clone().with_limit(5)).expect("a page").next.expect("more"));
    group.bench_function("list a page behind a cursor", |bencher| {
        bencher.iter(|| tracker.list_runs(black_box(&second)).expect("a page"));
    });
    group.bench_function("compare all runs by all metrics", |bencher| {
        bencher.iter(|| tracker.run_matrix(black_box(&ids)).expect("a matrix"));
    });
    group.bench_function("open the file, list and compare", |bencher| {
        bencher.iter(|| {
            let fresh = open(&path);
            (fresh.list_runs(&query).expect("a page"), fresh.run_matrix(&ids).expect("a matrix"))
        });
    });
    group.finish();
}

fn check_list(tracker: &Tracker, query: &RunQuery, ids: &[RunId]) {
    let mut expected: Vec<usize> = (0..ids.len()).filter(|run| run % 10 < 9).collect();
    expected.sort_by(|a, b| figure(*b, 0).total_cmp(&figure(*a, 0)));
    let rows = tracker.list_runs(query).expect("a page").rows;
    assert_eq!(rows.len(), expected.len().min(PAGE));
    for (row, run) in rows.iter().zip(expected) {
        let columns = (0..COLUMNS).map(|column| Some(figure(run, column * 7)));
        assert!(row.id == ids[run] && row.metrics.iter().copied().eq(columns), "{row:?} is not run {run}");
    }
}

fn check_matrix(tracker: &Tracker, ids: &[RunId]) {
    let matrix = tracker.run_matrix(ids).expect("a matrix");
    assert_eq!((matrix.values.len(), matrix.metrics.len()), (ids.len(), METRICS));
    for (run, row) in matrix.values.iter().enumerate() {
        assert!(row.iter().copied().eq((0..METRICS).map(|metric| Some(figure(run, metric)))));
    }
}

fn writing(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let tracker = open(&folder.path().join("runs.db"));
    let mut group = criterion.benchmark_group("tracking");
    group.sample_size(10);
    group.throughput(Throughput::Elements(METRICS as u64 * STEPS));
    let mut run = 0;
    group.bench_function("log 2,000 figures of a run", |bencher| {
        bencher.iter(|| {
            run += 1;
            write_run(&tracker, run)
        });
    });
    group.throughput(Throughput::Elements(ITEMS as u64));
    let samples: Vec<Sample> = (0..ITEMS).map(sample).collect();
    let new_run = || tracker.create_run(&NewRun::new("bench")).expect("a run");
    group.bench_function("insert 1,000 samples, each in its own transaction", |bencher| {
        let insert = |id: RunId| samples.iter().for_each(|sample| assert!(tracker.insert_sample(&id, sample).expect("a sample")));
        bencher.iter_batched(new_run, insert, BatchSize::PerIteration);
    });
    let id = new_run();
    tracker.insert_samples(&id, &samples).expect("samples");
    group.bench_function("read 1,000 samples without texts", |bencher| {
        bencher.iter(|| tracker.samples(black_box(&id), SampleTexts::Lean).expect("samples"));
    });
    group.finish();
}

fn sample(item: usize) -> Sample {
    let score = Score { scorer: "exact_match".into(), version: "1".into(), outcome: Outcome::Scored(1.0), explanation: None };
    Sample { item: format!("item {item}"), input: "i".repeat(500), output: "o".repeat(500), scores: vec![score], ..Sample::default() }
}

criterion_group!(benches, reading, writing);
criterion_main!(benches);
