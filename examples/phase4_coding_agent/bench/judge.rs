use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use jarre_agent::TestReport;
use jarre_core::{Tool, ToolContext};
use serde_json::{Value, json};

use super::{
    place::{self, Place},
    row::Judged,
};
use crate::{machine::Machine, tasks::TaskSpec};

/// What the tests of a task say of a solution.
pub(super) struct Verdict {
    pub(super) judged: Judged,
    pub(super) report: TestReport,
    pub(super) took: Duration,
}

/// Tests `solution`, with `others` of its project, in a folder that nobody else has touched.
pub(super) fn judge(
    machine: &Machine,
    task: &TaskSpec,
    solution: &str,
    others: &BTreeMap<String, String>,
    vendor: Option<&Path>,
) -> Result<Verdict> {
    let mut files = place::files(task, Some(solution));
    files.extend(others.clone());
    // The tests last: nothing that is named like one of them stands in its place.
    files.extend(task.tests.clone());
    let place = Place::new(machine, &files, vendor)?;
    let tests = machine.tests(place.folder.path(), &task.command, task.language.format())?;
    let begun = Instant::now();
    let output = pollster::block_on(tests.call(json!({}), &ToolContext::new("judge")))?;
    let data = output.data.context("the tests have no report")?;
    let report: TestReport = serde_json::from_value(data["tests"].clone()).context("the report of the tests cannot be read")?;
    Ok(Verdict { judged: judged(&report, &data, task), report, took: begun.elapsed() })
}

fn judged(report: &TestReport, data: &Value, task: &TaskSpec) -> Judged {
    let met = |limit: &str| data["limits_hit"].as_array().is_some_and(|limits| limits.iter().any(|met| met == limit));
    if report.is_green() {
        Judged::Passed
    } else if met("wall") || met("cpu") {
        Judged::TimedOut
    } else if report.passed == 0 && report.failures.len() == 1 && report.failures[0].name == task.command.join(" ") {
        Judged::DoesNotCompile
    } else {
        Judged::Failed
    }
}
