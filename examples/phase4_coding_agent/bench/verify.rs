//! `verify`: that references pass and stubs fail, in the sandbox and without an agent.

use std::{collections::BTreeMap, io::Write, sync::Mutex};

use anyhow::Result;
use jarre_report::{Cell, Column, Table};
use serde::Serialize;

use super::{
    VerifyArgs, bar,
    judge::{Verdict, judge},
    lock,
    row::Judged,
    side_by_side,
};
use crate::{interrupt, tasks::TaskSpec};

/// One task.
#[derive(Serialize)]
struct Checked {
    set: String,
    task: String,
    /// None where there is no reference.
    reference_passes: Option<bool>,
    stub_fails: bool,
    reference_ms: u64,
    stub_ms: u64,
    /// What a reference that does not pass says.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
}

/// Whether every reference passes and every stub fails.
pub(crate) fn verify(args: &VerifyArgs) -> Result<bool> {
    let vendor = args.tasks.vendor()?;
    let machine = args.sandbox.machine(vendor.as_deref())?;
    interrupt::cancels(&machine.cancel)?;
    let tasks = args.tasks.read()?;
    let checked = Mutex::new(Vec::new());
    side_by_side(args.jobs, &tasks, &bar(tasks.len()), |(set, task)| {
        let test = |text: &str, others: &BTreeMap<String, String>| judge(&machine, task, text, others, vendor.as_deref());
        let stub = test(task.files.get(&task.solution).map_or("", String::as_str), &BTreeMap::new())?;
        let reference = task.reference.as_ref().map(|reference| test(&reference.text, &reference.files)).transpose()?;
        lock(&checked).push(check(set, task, &stub, reference.as_ref()));
        Ok(())
    })?;
    let checked = lock(&checked);
    tell(args, &checked)?;
    Ok(!machine.cancel.is_cancelled() && checked.iter().all(|checked| checked.stub_fails && checked.reference_passes != Some(false)))
}

fn check(set: &str, task: &TaskSpec, stub: &Verdict, reference: Option<&Verdict>) -> Checked {
    let failed = reference.filter(|verdict| verdict.judged != Judged::Passed);
    let said = failed.and_then(|verdict| verdict.report.failures.first()).map(|failure| format!("{}: {}", failure.name, failure.message));
    Checked {
        set: set.into(),
        task: task.name.clone(),
        reference_passes: reference.map(|verdict| verdict.judged == Judged::Passed),
        stub_fails: stub.judged != Judged::Passed,
        reference_ms: reference.map_or(0, |verdict| verdict.took.as_millis() as u64),
        stub_ms: stub.took.as_millis() as u64,
        said,
    }
}

fn tell(args: &VerifyArgs, checked: &[Checked]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if args.json {
        for checked in checked {
            writeln!(out, "{}", serde_json::to_string(checked)?)?;
        }
        return Ok(());
    }
    let names = ["set", "tasks", "references", "that pass", "stubs that fail", "reference p50 ms", "p95 ms"];
    let mut table = Table::new(names.map(Column::new));
    let mut by_set: BTreeMap<&str, Vec<&Checked>> = BTreeMap::new();
    for checked in checked {
        by_set.entry(&checked.set).or_default().push(checked);
    }
    for (set, checked) in by_set {
        let count = |holds: fn(&Checked) -> bool| Cell::from(checked.iter().filter(|checked| holds(checked)).count());
        let mut times: Vec<u64> =
            checked.iter().filter(|checked| checked.reference_passes.is_some()).map(|checked| checked.reference_ms).collect();
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        table.row([
            set.into(),
            checked.len().into(),
            count(|checked| checked.reference_passes.is_some()),
            count(|checked| checked.reference_passes == Some(true)),
            count(|checked| checked.stub_fails),
            at(50).into(),
            at(95).into(),
        ])?;
    }
    writeln!(out, "{}", table.to_plain_text())?;
    for checked in checked.iter().filter(|checked| checked.reference_passes == Some(false) || !checked.stub_fails) {
        writeln!(out, "{}: {}", checked.task, checked.said.as_deref().unwrap_or("its stub passes"))?;
    }
    Ok(())
}
