//! What the sandbox adds to starting a program: `/bin/true` with all layers, beside a plain start of it.
#![expect(clippy::print_stderr, reason = "says where there is nothing to measure")]

use std::{hint::black_box, process};

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

criterion_group!(benches, start);
criterion_main!(benches);
