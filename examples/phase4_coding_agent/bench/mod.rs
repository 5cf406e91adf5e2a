//! `bench`: tasks in the sandbox, beside each other, with results that survive.

mod args;
mod judge;
mod place;
mod row;
mod summary;
mod tables;
mod task;
mod verify;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

pub(crate) use args::{BenchArgs, Codec, VerifyArgs};
pub(crate) use verify::verify;

use crate::{interrupt, tasks::TaskSpec};
use args::Tasks;
use row::{Results, Row};
use summary::Summary;
use task::Bench;

/// Whether everything that was to be measured was.
pub(crate) fn bench(args: &BenchArgs) -> Result<bool> {
    let machine = args.sandbox.machine(args.tasks.vendor()?.as_deref())?;
    let bench = Bench::new(args, machine.clone())?;
    interrupt::on_first({
        let (cancel, machine) = (bench.cancel.clone(), machine);
        move || {
            cancel.cancel("interrupted");
            machine.cancel.cancel();
        }
    })?;
    let (results, open) = (Mutex::new(Results::open(&args.resume)?), args.tasks.read()?);
    let name = bench.name();
    let done: Vec<(String, String)> =
        lock(&results).rows().iter().filter(|row| row.model == name).map(|row| (row.set.clone(), row.task.clone())).collect();
    let open: Vec<(String, TaskSpec)> = open.into_iter().filter(|(set, task)| !done.contains(&(set.clone(), task.name.clone()))).collect();
    if bench.needs_reference() && open.iter().any(|(_, task)| task.reference.is_none()) {
        bail!("the model {name} needs tasks with a reference: take the sets exercism, humaneval-py or written");
    }
    side_by_side(args.jobs, &open, &bar(open.len()), |(set, task)| {
        let row = bench.run(set, task).with_context(|| format!("task {}", task.name))?;
        row.map_or(Ok(()), |row| lock(&results).add(row))
    })?;
    let whole = bench.cancel.reason().is_none();
    if !whole {
        eprintln!("ended early: the same command goes on with {}", args.resume.display());
    }
    tell(args, lock(&results).rows())?;
    Ok(whole)
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `each` for every item, `jobs` at a time; after the first error no other is begun.
fn side_by_side<T: Sync>(jobs: usize, items: &[T], bar: &ProgressBar, each: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = each(item) {
                        next.store(items.len(), Ordering::Relaxed);
                        lock(&failed).get_or_insert(error);
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} tasks, {elapsed} gone, {eta} left") {
        bar.set_style(style);
    }
    bar
}

fn tell(args: &BenchArgs, rows: &[Row]) -> Result<()> {
    let summaries = summary::summaries(rows)?;
    if let Some(path) = &args.html {
        write(path, &tables::page(&summaries, rows, &command())?)?;
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", json!({"summaries": summaries}))?;
    } else {
        writeln!(out, "{}\n{}", told(&summaries)?, tables::failures(&summaries)?.to_plain_text())?;
    }
    Ok(())
}

fn told(summaries: &[Summary]) -> Result<String> {
    Ok(tables::results(summaries)?.to_plain_text())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The command as it was given, without the path of the program.
fn command() -> String {
    std::iter::once("phase4_coding_agent".to_owned()).chain(std::env::args().skip(1)).collect::<Vec<_>>().join(" ")
}

impl Tasks {
    /// The folder with the crates that exercises may depend on: commands see it under the same path.
    fn vendor(&self) -> Result<Option<PathBuf>> {
        let whole = |vendor: &PathBuf| vendor.canonicalize().with_context(|| format!("there is no {}", vendor.display()));
        self.vendor.as_ref().map(whole).transpose()
    }

    /// The tasks that are asked for, each with the name of its set.
    fn read(&self) -> Result<Vec<(String, TaskSpec)>> {
        let mut tasks = Vec::new();
        for set in &self.set {
            tasks.extend(set.read(&self.data)?.into_iter().map(|task| (set.name(), task)));
        }
        tasks.retain(|(_, task)| self.only.as_ref().is_none_or(|part| task.name.contains(part)));
        tasks.truncate(self.most.unwrap_or(usize::MAX));
        if tasks.is_empty() {
            bail!("no task is left: see --set, --only and --most");
        }
        Ok(tasks)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_item_is_done_once_and_an_error_ends_it() {
        let items: Vec<usize> = (0..50).collect();
        let seen = Mutex::new(Vec::new());
        side_by_side(4, &items, &ProgressBar::hidden(), |item| {
            lock(&seen).push(*item);
            Ok(())
        })
        .unwrap();
        let seen = seen.into_inner().unwrap();
        assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>().len()), (50, 50));
        let told = side_by_side(1, &items, &ProgressBar::hidden(), |item| if *item == 3 { bail!("three") } else { Ok(()) });
        assert_eq!(told.unwrap_err().to_string(), "three");
    }
}
