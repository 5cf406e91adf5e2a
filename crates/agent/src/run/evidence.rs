use jarre_core::Permission;

use super::step::{CallState, StepCall};
use crate::{TestReport, codec::Catalogue, run::shorten::head_and_tail};

/// The tool whose presence says that there are tests.
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
    /// Whether something was changed after it.
    stale: bool,
    /// Whether something was changed in this attempt.
    changed: bool,
    /// Whether the last report was reflected on.
    reflected: bool,
}

impl Evidence {
    /// Books a call that was made; says whether it changed anything.
    pub(super) fn book(&mut self, call: &StepCall, tools: &Catalogue) -> bool {
        let Some(output) = call.output.as_ref().filter(|_| call.state == CallState::Made) else { return false };
        let data = |name: &str| output.data.as_ref().and_then(|data| data.get(name));
        let writes = tools.spec(&call.call.name).is_some_and(|spec| spec.permission == Permission::Write);
        // A tool that writes elsewhere than to what is tested (notes) says so.
        let changed = writes && !output.is_error && data("changed").and_then(serde_json::Value::as_bool) != Some(false);
        if changed {
            (self.stale, self.changed) = (true, true);
        }
        if let Some(report) = data("tests").and_then(|tests| serde_json::from_value(tests.clone()).ok()) {
            (self.last, self.stale, self.reflected) = (Some(report), false, false);
        }
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
            None if must_test && !self.stale => Some("not accepted: no test ran. Run the tests, then finish".to_owned()),
            _ if self.stale && (untested || self.last.is_some()) => {
                Some("not accepted: files were changed and no test ran after that. Run the tests, then finish".to_owned())
            }
            Some(report) if !report.is_green() => Some(format!(
                "not accepted: the last test run failed ({} failed, {} passed). Mend that, then finish",
                report.failed, report.passed
            )),
            _ => None,
        }
    }
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
