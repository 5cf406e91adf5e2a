//! What the sandbox adds to starting a program: `/bin/true` with all layers, beside a plain start of it. Means by criterion, and the spread of
//! single starts.
//!
//! `cargo bench -p jarre-sandbox --bench start`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints figures, and says where there is nothing to measure")]

use std::{
    hint::black_box,
    process,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use jarre_sandbox::{Cancel, Command, Sandbox, SandboxConfig};

fn start(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("start");
    group.bench_function("plain", |bencher| {
        bencher.iter(|| black_box(process::Command::new("/bin/true").status().expect("a program that is there")));
    });
    match Sandbox::new(SandboxConfig::default()) {
        Ok(sandbox) => {
            let dir = sandbox.empty_dir().expect("a folder");
            let (command, cancel) = (Command::new("/bin/true", dir.path()), Cancel::new());
            group.bench_function("sandbox", |bencher| {
                bencher.iter(|| assert!(black_box(sandbox.run(&command, &cancel).expect("a program that is there")).succeeded()));
            });
            group.bench_function("sandbox and an empty folder", |bencher| {
                bencher.iter(|| {
                    let dir = sandbox.empty_dir().expect("a folder");
                    black_box(sandbox.run(&Command::new("/bin/true", dir.path()), &cancel).expect("a program that is there"))
                });
            });
        }
        Err(error) => eprintln!("no sandbox here: {error}"),
    }
    group.finish();
}

/// Percentiles of single starts, in turn, so that what else the machine does meets both alike.
fn spread(_: &mut Criterion) {
    let Ok(sandbox) = Sandbox::new(SandboxConfig::default()) else { return };
    let dir = sandbox.empty_dir().expect("a folder");
    let (command, cancel) = (Command::new("/bin/true", dir.path()), Cancel::new());
    let (mut plain, mut inside): (Vec<_>, Vec<_>) = (0..STARTS)
        .map(|_| {
            let plain = time(|| process::Command::new("/bin/true").status().expect("a program that is there").success());
            (plain, time(|| sandbox.run(&command, &cancel).expect("a program that is there").succeeded()))
        })
        .unzip();
    for (name, times) in [("plain", &mut plain), ("sandbox", &mut inside)] {
        times.sort_unstable();
        let [p50, p95, p99] = [50, 95, 99].map(|percent| times[STARTS * percent / 100]);
        println!("start: {name}: p50 {p50:.1?}, p95 {p95:.1?}, p99 {p99:.1?} over {STARTS} starts");
    }
}

const STARTS: usize = 300;

#[expect(clippy::disallowed_methods, reason = "the program measures time")]
fn time(succeeds: impl FnOnce() -> bool) -> Duration {
    let started = Instant::now();
    assert!(succeeds());
    started.elapsed()
}

criterion_group!(benches, spread, start);
criterion_main!(benches);
