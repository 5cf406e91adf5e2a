use jarre_core::{ErrorKind, Permission, ToolOutput};
use serde::Deserialize;

use super::step::{CallState, StepCall};
use crate::{TestReport, codec::Catalogue, run::shorten::head_and_tail};

/// The tool that runs tests: its reports alone are believed, and its presence says that there are tests.
const TEST_TOOL: &str = "test_run";
/// Bytes of a failure's message that the model reads again.
const MESSAGE_BYTES: usize = 600;
/// Failures that are told in full.
const TOLD: usize = 8;

/// What is known of whether the work is good: not what the model says, but what ran.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// The last report of tests.
    last: Option<TestReport>,
    /// Whether something was changed after it, or may have been.
    stale: bool,
    /// Whether something is known to have been changed in this attempt.
    changed: bool,
    /// Whether the last report was reflected on.
    reflected: bool,
}

impl Evidence {
    /// Books a call that was made; says whether it is known to have changed anything.
    ///
    /// What may have changed something makes the last report old: a call of the class `Write` or `Execute`, also one that failed or of which it is
    /// not known how it ended, unless it says that it changed nothing, or was not begun.
    pub(super) fn book(&mut self, call: &StepCall, tools: &Catalogue) -> bool {
        let Some(output) = call.output.as_ref().filter(|_| call.state == CallState::Made) else { return false };
        if let Some(report) = data(output, "tests").filter(|_| call.call.name == TEST_TOOL) {
            (self.last, self.stale, self.reflected) = (Some(report), false, false);
            return false;
        }
        let class = tools.spec(&call.call.name).map(|spec| spec.permission);
        // A tool that writes elsewhere than to what is tested (notes) says so.
        let said = data::<bool>(output, "changed");
        if !matches!(class, Some(Permission::Write | Permission::Execute)) || said == Some(false) || was_not_begun(output) {
            return false;
        }
        self.stale = true;
        let changed = said == Some(true) || (class == Some(Permission::Write) && !output.is_error);
        self.changed |= changed;
        changed
    }

    /// Begins another attempt.
    pub(super) fn next_attempt(&mut self) {
        (self.changed, self.reflected) = (false, true);
    }

    /// The failing tests at which an attempt ends: those after a change, or, where the model says that it is `done`, any that are new.
    pub(super) fn failed(&self, done: bool) -> Option<&TestReport> {
        let red = self.last.as_ref().filter(|report| !report.is_green())?;
        (!self.reflected && !self.stale && (self.changed || done)).then_some(red)
    }

    /// The tests that failed when they last ran.
    pub(super) fn open(&self) -> Option<&TestReport> {
        self.last.as_ref().filter(|report| !report.is_green())
    }

    /// Why it is not believed that the work is done; `None` where nothing speaks against it. `must_test` asks for tests also where nothing
    /// was changed.
    pub(super) fn doubt(&self, tools: &Catalogue, must_test: bool) -> Option<String> {
        let untested = self.last.is_none() && tools.spec(TEST_TOOL).is_some();
        match &self.last {
            _ if self.stale && (untested || self.last.is_some()) => {
                Some("not accepted: files were changed and no test ran after that. Run the tests, then finish".to_owned())
            }
            None if must_test => Some("not accepted: no test ran. Run the tests, then finish".to_owned()),
            Some(report) if !report.is_green() => Some(format!(
                "not accepted: the last test run failed ({} failed, {} passed). Mend that, then finish",
                report.failed, report.passed
            )),
            _ => None,
        }
    }
}

/// A field of the output for programs, where it is what is expected.
fn data<T: for<'a> Deserialize<'a>>(output: &ToolOutput, name: &str) -> Option<T> {
    T::deserialize(output.data.as_ref()?.get(name)?).ok()
}

/// Whether a failure is one of those that a tool returns before it acts: the arguments do not fit, or the sandbox did not run it.
fn was_not_begun(output: &ToolOutput) -> bool {
    output.is_error && matches!(data(output, "error"), Some(ErrorKind::InvalidRequest | ErrorKind::Refused))
}

/// A report's failures, in words.
pub(super) fn failures(report: &TestReport) -> String {
    let told = report.failures.iter().take(TOLD).map(|failure| {
        let at = failure.at.as_deref().map(|at| format!(" at {at}")).unwrap_or_default();
        format!("{}{at}: {}", failure.name, head_and_tail(failure.message.trim(), MESSAGE_BYTES))
    });
    let mut lines: Vec<String> = told.collect();
    let names: Vec<&str> = report.failures.iter().skip(TOLD).take(100).map(|failure| failure.name.as_str()).collect();
    if !names.is_empty() {
        lines.push(format!("and {}: {}", report.failures.len() - TOLD, names.join(", ")));
    }
    if lines.is_empty() {
        lines.push("no test passed, and none is named".to_owned());
    }
    lines.join("\n")
}
