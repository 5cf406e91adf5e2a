//! The log of a run, in memory and in a file: appending a record, and appending and opening a log of 10,000.
//!
//! `cargo bench -p jarre-agent --bench log`; `JARRE_BENCH_DIR` names the folder of the file, on the disk that is meant.

#![expect(clippy::print_stdout, reason = "a program")]
#![expect(clippy::disallowed_methods, reason = "the program measures time and chooses its disk")]

use std::{
    hint::black_box,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use jarre_agent::{
    Event, Settings, Task,
    log::{EventLog, LogWriter},
    replay::{Replayed, replay},
};
use jarre_core::{ModelInfo, SystemClock, ToolOutput};
use jarre_kv_store::{Embedded, Memory, Store};
use pollster::block_on;
use serde_json::json;

/// A tool's output of the usual size: a kilobyte of text, and a report.
fn event(number: u64) -> Event {
    let output = ToolOutput::new("test sum ... ok\n".repeat(64)).with_data(json!({"tests": {"passed": number, "failed": 0}}));
    Event::ToolFinished { key: format!("{number:032x}"), output, took: Duration::from_millis(3) }
}

fn begin(log: &EventLog, run: &str) -> LogWriter {
    let writer = block_on(log.create(run)).expect("a new run");
    let model = ModelInfo::new("jarre", "bench");
    let started = Event::Started { run: run.into(), task: Task::default(), settings: Settings::default(), tools: Vec::new(), model };
    block_on(writer.append(started)).expect("the store takes it");
    writer
}

fn bench(criterion: &mut Criterion) {
    let folder = std::env::var_os("JARRE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let embedded = Embedded::open(folder.path().join("log.kv")).expect("a store");
    let stores: [(&str, Arc<dyn Store>); 2] = [("memory", Arc::new(Memory::new())), ("embedded", Arc::new(embedded))];
    // Cargo passes this when it benches, and not when it tests.
    let records = if std::env::args().any(|argument| argument == "--bench") { 10_000 } else { 10 };
    for (name, store) in stores {
        let log = EventLog::new(store, Arc::new(SystemClock::new()));
        let (writer, start) = (begin(&log, "long"), Instant::now());
        for number in 1..records {
            block_on(writer.append(event(number))).expect("the store takes it");
        }
        println!("{name}: {records} records appended in {:.2?}", start.elapsed());
        open(criterion, name, &log, records);
        let writer = begin(&log, "appending");
        criterion.bench_function(&format!("append a record of 1.3 kB/{name}"), |bencher| {
            bencher.iter(|| block_on(writer.append(event(7))).expect("the store takes it"));
        });
    }
}

fn open(criterion: &mut Criterion, name: &str, log: &EventLog, records: u64) {
    let mut group = criterion.benchmark_group(format!("{records} records"));
    group.sample_size(10);
    group.bench_function(format!("open/{name}"), |bencher| {
        bencher.iter(|| {
            let (_, read) = block_on(log.open("long")).expect("it is sound");
            assert_eq!(read.len() as u64, records);
        });
    });
    group.bench_function(format!("verify/{name}"), |bencher| {
        bencher.iter(|| block_on(log.verify("long")).expect("it is sound"));
    });
    group.bench_function(format!("list runs/{name}"), |bencher| {
        bencher.iter(|| black_box(block_on(log.runs(None, 100)).expect("they are sound")));
    });
    group.finish();
    let first = block_on(log.read("long", 0)).expect("it is sound");
    assert!(matches!(block_on(replay(&first[..1])), Ok(Replayed::Same { records: 1 })), "the log is one of a run");
}

criterion_group!(benches, bench);
criterion_main!(benches);
