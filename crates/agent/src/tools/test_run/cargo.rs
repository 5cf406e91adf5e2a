//! What `cargo test` prints: the pretty format of libtest on standard output, the compiler's errors on standard error.

use std::fmt::Write as _;

use crate::{TestFailure, TestReport};

/// Reads the output of every test binary that ran.
pub(super) fn parse(stdout: &str) -> TestReport {
    let mut reader = Reader::default();
    for line in stdout.lines() {
        reader.line(line);
    }
    reader.end_suite();
    let mut report = reader.report;
    report.failed = report.failed.max(report.failures.len() as u64);
    report
}

#[derive(Default)]
struct Reader {
    report: TestReport,
    /// The first failure of the binary that is being read.
    suite: usize,
    /// What its lines say, used where its result is missing.
    seen: [u64; 3],
    /// Which failure the lines belong to.
    block: Option<usize>,
    /// Whether they are those of a backtrace.
    backtrace: bool,
    /// Whether names of failures are listed.
    listing: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.result(result);
        } else if line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test")) {
            self.end_suite();
        } else if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" ----")) {
            let name = name.trim_end_matches(" stdout").trim_end_matches(" stderr");
            (self.block, self.backtrace) = (Some(self.failure(name)), false);
        } else if line == "failures:" {
            (self.block, self.listing) = (None, true);
        } else if let (true, Some(name)) = (self.listing && self.block.is_none(), line.strip_prefix("    ")) {
            if !name.starts_with(' ') {
                self.failure(name);
            }
        } else if let Some(block) = self.block {
            message(&mut self.report.failures[block], &mut self.backtrace, line);
        } else if let Some((name, outcome)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            self.outcome(name, outcome);
        }
    }

    fn outcome(&mut self, name: &str, outcome: &str) {
        match outcome {
            "ok" => self.seen[0] += 1,
            "FAILED" => {
                self.seen[1] += 1;
                self.failure(name.trim_end_matches(" - should panic"));
            }
            outcome if outcome.starts_with("ignored") => self.seen[2] += 1,
            // Something that the test printed: its outcome is in the result.
            _ => {}
        }
    }

    /// The place of the failure of this name in the binary that is being read.
    fn failure(&mut self, name: &str) -> usize {
        let known = self.report.failures[self.suite..].iter().position(|failure| failure.name == name);
        known.map_or_else(
            || {
                self.report.failures.push(TestFailure { name: name.to_owned(), ..TestFailure::default() });
                self.report.failures.len() - 1
            },
            |index| self.suite + index,
        )
    }

    /// `FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
    fn result(&mut self, result: &str) {
        let count = |what: &str| -> u64 {
            let part = result.split([';', '.']).map(str::trim).find_map(|part| part.strip_suffix(what));
            part.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
        };
        self.seen = [count("passed"), count("failed"), count("ignored")];
        self.end_suite();
    }

    fn end_suite(&mut self) {
        let [passed, failed, skipped] = std::mem::take(&mut self.seen);
        self.report.passed = self.report.passed.saturating_add(passed);
        self.report.failed = self.report.failed.saturating_add(failed);
        self.report.skipped = self.report.skipped.saturating_add(skipped);
        self.suite = self.report.failures.len();
        (self.block, self.backtrace, self.listing) = (None, false, false);
    }
}

/// Adds a line of a failure's output, but for the backtrace.
fn message(failure: &mut TestFailure, backtrace: &mut bool, line: &str) {
    if let Some((_, place)) = line.split_once(" panicked at ") {
        failure.at = place.trim_end_matches(':').rsplit_once(':').map(|(at, _)| at.to_owned()).or(failure.at.take());
        return;
    }
    let note = line.starts_with("note: run with `RUST_BACKTRACE") || line.starts_with("note: Some details are omitted");
    *backtrace = (*backtrace || line == "stack backtrace:") && line.starts_with([' ', 's']);
    let leading = line.is_empty() && failure.message.is_empty();
    if !note && !*backtrace && !leading {
        failure.message.push_str(line);
        failure.message.push('\n');
    }
}

/// The most errors that are told.
const ERRORS: usize = 10;

/// The compiler's errors, and the place of the first.
pub(super) fn compile_errors(stderr: &str) -> Option<(String, Option<String>)> {
    let (mut errors, mut at, mut message) = (0, None, String::new());
    let mut inside = false;
    for line in stderr.lines() {
        if line.starts_with("error") {
            let summary = ["error: could not compile", "error: aborting", "error: test failed", "error: doctest failed"];
            inside = !summary.iter().any(|start| line.starts_with(start)) && !line.contains(" target failed:");
            errors += usize::from(inside);
        } else if line.starts_with("warning")
            || line.starts_with("For more information about this error")
            || line.starts_with("   Compiling ")
        {
            inside = false;
        }
        if inside && errors <= ERRORS {
            message.push_str(line);
            message.push('\n');
        }
        if let (true, Some(place)) = (inside && at.is_none(), line.trim_start().strip_prefix("--> ")) {
            at = place.rsplit_once(':').map(|(at, _)| at.to_owned());
        }
    }
    if errors > ERRORS {
        let _ = writeln!(message, "and {} more errors", errors - ERRORS);
    }
    (errors > 0).then_some((message, at))
}
