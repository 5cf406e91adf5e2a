//! Clusters in simulated time, under faults that a seed stands for. See `docs/kv-store.md`.
//!
//! `JARRE_SIM_SEED=7` runs that one alone, `JARRE_SIM_SEEDS=100000` so many (1,000), from `JARRE_SIM_FIRST` on (0), and
//! `JARRE_SIM_SECONDS=3600` stops after so much time of the machine.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

mod clients;
mod faults;
mod front;
#[path = "../histories/mod.rs"]
mod histories;
mod looks;
mod members;
mod node;
mod operator;
mod run;
mod scripted;
mod settle;
mod world;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use jarre_core::{Clock, SystemClock};
#[cfg(feature = "mutants")]
use jarre_kv_store::mutants::Mutant;
use run::{Report, run};

/// A seed that failed, with all that happened in it.
struct Failure {
    seed: u64,
    problems: Vec<String>,
    story: Vec<String>,
}

/// What all runs met together.
#[derive(Default)]
struct Sum {
    runs: u64,
    rejected: u64,
    hours: f64,
    open: u64,
    acknowledged: u64,
    unknown: u64,
    failed: u64,
    changes: u64,
    text: Vec<String>,
    failures: Vec<Failure>,
}

impl Sum {
    fn add(&mut self, seed: u64, report: Report) {
        self.runs += 1;
        self.rejected += u64::from(!report.coverage.is_complete());
        self.hours += report.millis as f64 / 3.6e6;
        self.open += report.open;
        self.acknowledged += report.counts.acknowledged;
        self.unknown += report.counts.unknown;
        self.failed += report.counts.failed;
        self.changes += report.changes.added + report.changes.removed;
        if self.text.len() < 3 {
            self.text.push(format!(
                "seed {seed}: {} ms, {:?}, {:?}, {} refused to start, {:?}, {:?}",
                report.millis, report.counts, report.done, report.refused, report.changes, report.coverage
            ));
        }
        if !report.problems.is_empty() {
            println!("seed {seed} fails: {}", report.problems[0]);
            self.failures.push(Failure { seed, problems: report.problems, story: report.story });
        }
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_old_whatever_fails() {
    let first = number("JARRE_SIM_FIRST").unwrap_or(0);
    let seeds = match number("JARRE_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + number("JARRE_SIM_SEEDS").unwrap_or(1_000),
    };
    let limit = number("JARRE_SIM_SECONDS").map_or(Duration::MAX, Duration::from_secs);
    let (clock, next, sum) = (SystemClock::new(), AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, Into::into) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, SeqCst);
                    if seed >= seeds.end || clock.now() > limit || sum.lock().unwrap().failures.len() > 10 {
                        return;
                    }
                    let report = apart(move || run(seed)).unwrap_or_else(|problem| Report { problems: vec![problem], ..Report::default() });
                    sum.lock().unwrap().add(seed, report);
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap();
    println!(
        "{} seeds, {:.1} simulated hours in {:.0} s; {} changes acknowledged, {} unknown, {} failed; {} members came or went; {} searches open, {} runs rejected",
        sum.runs,
        sum.hours,
        clock.now().as_secs_f64(),
        sum.acknowledged,
        sum.unknown,
        sum.failed,
        sum.changes,
        sum.open,
        sum.rejected
    );
    for text in &sum.text {
        println!("{text}");
    }
    for Failure { seed, problems, story } in &sum.failures {
        println!("seed {seed}:");
        for event in story {
            println!("  {event}");
        }
        for problem in problems {
            println!("  {}", problem.chars().take(2_000).collect::<String>());
        }
    }
    assert!(sum.failures.is_empty(), "{} of {} seeds fail; run one with JARRE_SIM_SEED", sum.failures.len(), sum.runs);
}

/// Does `work` on a thread of its own: a panic is a problem like others.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    std::thread::spawn(work).join().map_err(|_| "it panicked".to_owned())
}

#[cfg(feature = "mutants")]
#[test]
fn known_defects_are_found() {
    let most = number("JARRE_SIM_MUTANT_SEEDS").unwrap_or(300);
    let only = number("JARRE_SIM_MUTANT");
    let mutants = Mutant::ALL.into_iter().enumerate().filter(|(at, _)| only.is_none_or(|only| only == *at as u64));
    let (queue, missed) = (Mutex::new(mutants), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, Into::into) {
            scope.spawn(|| {
                loop {
                    let Some((_, mutant)) = queue.lock().unwrap().next() else { return };
                    if let Some(found) = find(mutant, most) {
                        println!("{mutant:?}: {}", found.chars().take(160).collect::<String>());
                    } else {
                        println!("{mutant:?}: not found in {most} seeds, nor by a script");
                        missed.lock().unwrap().push(mutant);
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "not found in {most} seeds: {missed:?}");
}

/// Which seed, or else which script, finds a defect, and how.
#[cfg(feature = "mutants")]
fn find(mutant: Mutant, seeds: u64) -> Option<String> {
    let first = |problems: Result<Vec<String>, String>| problems.map_or_else(Some, |problems| problems.into_iter().next());
    let with = move |work: fn(u64) -> Vec<String>, seed| {
        first(apart(move || {
            Mutant::put_in(Some(mutant));
            work(seed)
        }))
    };
    let by_seed = (0..seeds).find_map(|seed| with(|seed| run(seed).problems, seed).map(|problem| format!("seed {seed}: {problem}")));
    by_seed.or_else(|| scripted::ALL.into_iter().find_map(|(name, play)| with(play, 0).map(|problem| format!("{name}: {problem}"))))
}

#[expect(clippy::disallowed_methods, reason = "a test's seed comes from whoever runs it")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
