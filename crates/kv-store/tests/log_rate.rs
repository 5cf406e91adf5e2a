//! Durable appends a second beside what the disk does: `cargo test --release -p jarre-kv-store --all-features --test log_rate -- --ignored --nocapture`.
#![cfg(all(feature = "cluster", unix))]
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::disallowed_methods, reason = "a rate is measured against the clock")]

use std::{
    os::unix::fs::FileExt,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use jarre_kv_store::log::{FsDisk, LogConfig, LogEntry, RaftLog};

const VALUE: [u8; 256] = [7; 256];
const TIME: Duration = Duration::from_secs(3);

/// Calls of `act` a second.
fn rate(mut act: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < TIME {
        act();
        calls += 1;
    }
    f64::from(calls) / start.elapsed().as_secs_f64()
}

fn append_and_sync() -> f64 {
    let file = tempfile::tempfile_in(".").unwrap();
    let mut offset = 0;
    rate(|| {
        file.write_all_at(&VALUE, offset).unwrap();
        file.sync_data().unwrap();
        offset += VALUE.len() as u64;
    })
}

fn appends(callers: usize) -> f64 {
    let dir = tempfile::tempdir_in(".").unwrap();
    let (log, _) = RaftLog::open(Arc::new(FsDisk::open(dir.path()).unwrap()), LogConfig::new(1, 1)).unwrap();
    let next = Mutex::new(0);
    let call = || {
        let (told, outcome) = std::sync::mpsc::channel();
        let mut next = next.lock().unwrap();
        log.append(vec![LogEntry::new(*next, 1, &VALUE)], move |result| told.send(result).unwrap()).unwrap();
        *next += 1;
        drop(next);
        outcome.recv().unwrap().unwrap();
    };
    thread::scope(|scope| {
        let rates: Vec<_> = (0..callers).map(|_| scope.spawn(|| rate(call))).collect();
        rates.into_iter().map(|rate| rate.join().unwrap()).sum()
    })
}

#[test]
#[ignore = "measures the disk"]
fn appends_beside_the_disk() {
    for _ in 0..2 {
        let disk = append_and_sync();
        let (one, many) = (appends(1), appends(64));
        println!(
            "append and fdatasync {disk:.0}/s; 1 caller {one:.0}/s ({:.2}x); 64 callers {many:.0}/s ({:.1}x)",
            one / disk,
            many / disk
        );
    }
}
