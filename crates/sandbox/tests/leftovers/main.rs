//! What is left when commands are over: nothing. In a program of its own, because it counts what this process has.
#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

#[path = "../place/mod.rs"]
mod place;

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use jarre_sandbox::{Cancel, Command, SandboxConfig};

use place::sandbox_of;

/// One test at a time: each counts all cgroups of this process.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs commands that leave all they can behind, and cancels each after a while that is short for some and long for others: nothing is left.
fn run_and_cancel(runs: u64, mark: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let scratch = tempfile::tempdir().unwrap();
    let Some(sandbox) = sandbox_of(SandboxConfig::default().with_scratch(scratch.path())) else { return };
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count();
    thread::scope(|scope| {
        for worker in 0..4 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for run in 0..runs / 4 {
                    let dir = sandbox.empty_dir().unwrap();
                    let cancel = Cancel::new();
                    let script = format!(
                        "(setsid sleep {mark} &); mkdir -p a/b; echo x > a/b/c; echo x > /tmp/x; sleep 0.02; kill -9 $PPID; sleep {mark}"
                    );
                    let command = Command::new("sh", dir.path()).with_args(["-c", &script]);
                    // A spread that is the same each time: 0 to 96 ms.
                    let delay = Duration::from_millis((run * 7 + worker * 13) * 31 % 97);
                    thread::scope(|inner| {
                        inner.spawn(|| {
                            thread::sleep(delay);
                            cancel.cancel();
                        });
                        sandbox.run(&command, &cancel).unwrap();
                    });
                }
            });
        }
    });
    assert_eq!(processes(mark), 0, "processes");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "files");
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count(), mounts, "mounts");
    let name = format!("jarre-sandbox-{}-", std::process::id());
    assert_eq!(cgroups(Path::new("/sys/fs/cgroup"), &name, 0), 0, "cgroups");
}

#[test]
fn nothing_is_left_after_forty_runs() {
    run_and_cancel(40, "70040.5");
}

#[test]
#[ignore = "takes a minute or more: a thousand runs"]
fn nothing_is_left_after_a_thousand_runs() {
    run_and_cancel(1000, "71000.5");
}

fn processes(mark: &str) -> usize {
    let has =
        |path: &Path| fs::read(path.join("cmdline")).is_ok_and(|line| line.split(|byte| *byte == 0).any(|part| part == mark.as_bytes()));
    fs::read_dir("/proc").unwrap().flatten().filter(|entry| has(&entry.path())).count()
}

fn cgroups(folder: &Path, name: &str, depth: u32) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders: Vec<_> = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).collect();
    let here = folders.iter().filter(|entry| entry.file_name().to_string_lossy().starts_with(name)).count();
    if depth > 6 { here } else { here + folders.iter().map(|entry| cgroups(&entry.path(), name, depth + 1)).sum::<usize>() }
}
