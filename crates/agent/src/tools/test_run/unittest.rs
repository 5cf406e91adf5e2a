//! What `python -m unittest` prints, on standard error.

use crate::{TestFailure, TestReport};

/// Reads the output.
pub(super) fn parse(output: &str) -> TestReport {
    let mut report = TestReport::default();
    let (mut ran, mut inside) = (0u64, false);
    for line in output.lines() {
        if let Some(name) = ["FAIL: ", "ERROR: "].iter().find_map(|word| line.strip_prefix(word)) {
            report.failures.push(TestFailure { name: name_of(name), ..TestFailure::default() });
            inside = true;
        } else if line.starts_with("=====") {
            inside = false;
        } else if let Some(count) = line.strip_prefix("Ran ").and_then(|rest| rest.split(' ').next()) {
            (ran, inside) = (count.parse().unwrap_or(0), false);
        } else if line == "OK" || line.starts_with("OK (") || line.starts_with("FAILED (") {
            let count = |what: &str| -> u64 {
                let counts = line.split(['(', ')', ',']).map(str::trim);
                counts.filter_map(|part| part.strip_prefix(what)).find_map(|count| count.parse().ok()).unwrap_or(0)
            };
            (report.failed, report.skipped) = (count("failures=") + count("errors=") + count("unexpected successes="), count("skipped="));
        } else if let (true, Some(failure)) = (inside, report.failures.last_mut()) {
            block_line(failure, line);
        }
    }
    report.failed = report.failed.max(report.failures.len() as u64);
    report.passed = ran.saturating_sub(report.failed).saturating_sub(report.skipped);
    report
}

/// `test_a (mod.Case.test_a)`, and `test_a (mod.Case)` before Python 3.11, as `mod.Case.test_a`.
fn name_of(line: &str) -> String {
    let Some((test, rest)) = line.split_once(" (") else { return line.to_owned() };
    let (case, more) = rest.split_once(')').unwrap_or((rest, ""));
    let name = if case.rsplit('.').next() == Some(test) { case.to_owned() } else { format!("{case}.{test}") };
    format!("{name}{more}")
}

fn block_line(failure: &mut TestFailure, line: &str) {
    let ruler = line.starts_with("-----");
    if let Some((file, rest)) = line.trim_start().strip_prefix("File \"").and_then(|rest| rest.split_once("\", line ")) {
        failure.at = rest.split(',').next().map(|number| format!("{file}:{number}"));
    }
    let leading = line.trim().is_empty() && failure.message.is_empty();
    if !ruler && !leading {
        failure.message.push_str(line);
        failure.message.push('\n');
    }
}
