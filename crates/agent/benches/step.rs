//! What the loop itself takes: a step without the model's and the tool's time, at conversations of 10 and of 100 steps, with the log in memory;
//! and what 100 runs that stand beside each other take in memory. Each run is held to its known end before anything is timed.
//!
//! `cargo bench -p jarre-agent --bench step`

#![expect(clippy::print_stdout, reason = "a program")]

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_agent::{Budget, Driven, Driver, MemoryJournal, Outcome, Run, Settings, Task, Toolbox, Verdict};
use jarre_core::{
    BoxFuture, Capability, ChatModel, ChatRequest, ChatResponse, FinishReason, Message, ModelInfo, Permission, Result, SystemClock,
    ToolCall, ToolOutput, ToolSpec, Usage, testing::FnTool,
};
use serde_json::json;

/// A model that always reads on, another place each time, and takes no time.
struct Reads(ModelInfo, AtomicUsize);

impl ChatModel for Reads {
    fn info(&self) -> &ModelInfo {
        &self.0
    }

    fn chat(&self, _: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        let at = self.1.fetch_add(1, Ordering::Relaxed);
        let call = ToolCall::new(format!("c{at}"), "file_read", json!({"path": format!("src/{at}.rs")}).to_string());
        let message = Message::assistant("the next file").with_part(call);
        Box::pin(async { Ok(ChatResponse::new(message, FinishReason::ToolCalls).with_usage(Usage::new(1_000, 40))) })
    }
}

fn driver() -> Driver {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
    let text = "    let value = read(path)?;\n".repeat(40);
    let tool =
        FnTool::new(ToolSpec::new("file_read", "reads a file", schema, Permission::Read), move |_, _| Ok(ToolOutput::new(text.clone())));
    let info = ModelInfo::new("jarre", "none").with_capability(Capability::Tools).with_context_tokens(1_000_000);
    Driver::new(Arc::new(Reads(info, AtomicUsize::new(0))), Toolbox::new().with(tool), Arc::new(SystemClock::new()))
}

fn run_of(driver: &Driver, steps: u64) -> (Run, MemoryJournal) {
    let mut settings = Settings::default();
    (settings.limits.steps, settings.rules.otherwise) = (steps, Verdict::Allow);
    let journal = MemoryJournal::new("bench", Arc::new(SystemClock::new()));
    let task = Task { instructions: "read everything".into(), ..Task::default() };
    match pollster::block_on(driver.start(&journal, "bench", task, settings)).expect("nothing fails") {
        Driven::Ended(run) | Driven::Paused(run) => (run, journal),
    }
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for steps in [10, 100] {
        let (run, journal) = run_of(&driver(), steps);
        assert_eq!(run.outcome(), Some(&Outcome::OutOfBudget { budget: Budget::Steps }));
        group.throughput(Throughput::Elements(steps));
        group.bench_function(BenchmarkId::new("drive", steps), |bencher| {
            let driver = driver();
            bencher.iter(|| black_box(run_of(&driver, steps)));
        });
        let records = journal.records();
        group.bench_function(BenchmarkId::new("fold", steps), |bencher| {
            bencher.iter(|| black_box(Run::replay(&records).expect("it is a log")));
        });
    }
    group.finish();
}

/// What the process holds in memory, in KiB, where the system tells it.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What 100 runs of 20 steps hold that are there at once, with their logs.
fn memory(_: &mut Criterion) {
    let driver = driver();
    // What is set up once is not counted.
    drop(run_of(&driver, 20));
    let Some(before) = resident() else { return println!("memory: this system does not tell") };
    let runs: Vec<_> = (0..100).map(|_| run_of(&driver, 20)).collect();
    let after = resident().unwrap_or(before);
    println!("memory: {} runs of 20 steps with their logs hold {} KiB together", runs.len(), after.saturating_sub(before));
}

criterion_group!(benches, memory, steps);
criterion_main!(benches);
