mod cargo;
mod format;
mod pytest;
mod unittest;

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use jarre_core::{Permission, Result, ToolOutput};
use jarre_sandbox::{Cancel, Command, Execution, LimitHit, Limits};
use serde::Deserialize;
use serde_json::json;

pub use self::format::TestFormat;
use super::{
    Runner,
    frame::Frame,
    offload::implement_offloaded,
    runner::{ending, executed, stream},
};
use crate::{TestFailure, TestReport, workspace::text::clipped};

/// The most failures of which more than the name is told to the model.
const TOLD: usize = 10;
/// The most characters of a failure.
const MESSAGE_CHARS: usize = 2000;
/// The most characters of output that a failure without a better message has.
const TAIL_CHARS: usize = 4000;

/// `test_run`: runs the tests of the folder in a sandbox and reads what they say.
///
/// The command is the caller's; the model may name tests. [`ToolOutput::data`] has the [`TestReport`] under `tests`, the ending under `exit` and limits
/// under `limits_hit`. The output is an error unless tests ran and all passed: a run that ends with a code other than 0, or at a limit, is not green
/// whatever it printed.
#[derive(Clone)]
pub struct TestRun {
    frame: Frame,
    runner: Arc<dyn Runner>,
    dir: PathBuf,
    command: Vec<String>,
    format: TestFormat,
    limits: Limits,
}

#[derive(Deserialize)]
struct Arguments {
    filter: Option<String>,
}

impl TestRun {
    /// Runs `command` in `dir` by `runner`, and reads its output as `format` says.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the command is empty.
    pub fn new<S: Into<String>>(
        runner: impl Runner + 'static,
        dir: impl Into<PathBuf>,
        command: impl IntoIterator<Item = S>,
        format: TestFormat,
    ) -> crate::Result<Self> {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        if command.is_empty() {
            return Err(crate::Error::Invalid("the tests are run by no command, give a program".into()));
        }
        let filter = json!({
            "type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_:.]*$", "maxLength": 200,
            "description": "only tests whose name has this in it (default: all)"
        });
        let properties = if format.takes_filter() { json!({"filter": filter}) } else { json!({}) };
        let description = format!(
            "Runs the tests of the folder that you work in (`{}`) and tells which failed, why and where. It cannot be given other commands.",
            command.join(" ")
        );
        let frame = Frame::new("test_run", &description, Permission::Execute, &properties, &[]);
        Ok(Self { frame, runner: Arc::new(runner), dir: dir.into(), command, format, limits: Limits::default() })
    }

    /// Runs them within these limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn command(&self, filter: Option<&str>) -> Command {
        let filter = filter.into_iter().flat_map(|filter| self.format.filter(filter));
        Command::new(&self.command[0], &self.dir).with_args(self.command[1..].iter().cloned().chain(filter))
    }

    fn run(&self, arguments: &Arguments, cancel: &Cancel) -> Result<ToolOutput> {
        let command = self.command(arguments.filter.as_deref());
        let execution = executed(&*self.runner, &command, &self.limits, cancel)?;
        let report = self.report(&execution);
        let (text, green) = (told(&report, &execution), report.is_green());
        let data = json!({"tests": report, "exit": execution.exit, "limits_hit": execution.limits_hit});
        let output = if green { ToolOutput::new(text) } else { ToolOutput::error(text) };
        Ok(output.with_data(data))
    }

    /// What the output says, and what the ending says in spite of it.
    fn report(&self, execution: &Execution) -> TestReport {
        let mut report = self.format.parse(&execution.stdout.text, &execution.stderr.text);
        for failure in &mut report.failures {
            failure.message = clipped(&failure.message, MESSAGE_CHARS);
        }
        let cut_short = execution.limits_hit.iter().any(|limit| *limit != LimitHit::Output);
        let unexplained = !execution.succeeded() && report.failures.is_empty();
        if cut_short || unexplained {
            report.failures.push(self.as_a_whole(execution));
            report.failed = report.failed.max(report.failures.len() as u64);
        } else if self.format == TestFormat::ExitCode {
            report.passed = 1;
        }
        report
    }

    /// The failure of the command itself: it did not compile, was ended, or says nothing of tests.
    fn as_a_whole(&self, execution: &Execution) -> TestFailure {
        let (name, ended) = (self.command.join(" "), ending(execution));
        if let Some((message, at)) = self.format.broken(&execution.stderr.text) {
            return TestFailure { name, message: format!("{ended}\n{}", clipped(&message, TAIL_CHARS)), at };
        }
        let (stdout, stderr) = (stream("stdout", &execution.stdout, TAIL_CHARS), stream("stderr", &execution.stderr, TAIL_CHARS));
        TestFailure { name, message: format!("{ended}\n{stderr}{stdout}"), at: None }
    }
}

implement_offloaded!(TestRun);

impl std::fmt::Debug for TestRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestRun").field("command", &self.command).field("dir", &self.dir).finish_non_exhaustive()
    }
}

fn told(report: &TestReport, execution: &Execution) -> String {
    let TestReport { passed, failed, skipped, failures } = report;
    let mut out = format!("{passed} passed, {failed} failed, {skipped} skipped ({})\n", ending(execution));
    for failure in failures.iter().take(TOLD) {
        let at = failure.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
        let _ = writeln!(out, "--- {}{at}\n{}", failure.name, failure.message.trim_end());
    }
    if failures.len() > TOLD {
        let names = failures[TOLD..].iter().map(|failure| failure.name.as_str()).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "--- and {} more\n{}", failures.len() - TOLD, clipped(&names, MESSAGE_CHARS));
    }
    if *passed == 0 && failures.is_empty() {
        out.push_str("no test ran\n");
        out.push_str(&stream("stderr", &execution.stderr, MESSAGE_CHARS));
        out.push_str(&stream("stdout", &execution.stdout, MESSAGE_CHARS));
    }
    out
}
