//! What `pytest` prints: sections of failures, the short summary, and the line of totals.

use std::path::Path;

use crate::{TestFailure, TestReport};

/// Reads the output.
pub(super) fn parse(stdout: &str) -> TestReport {
    let mut report = TestReport::default();
    let blocks = blocks(stdout);
    for line in stdout.lines() {
        if let Some(failure) = ["FAILED ", "ERROR "].iter().find_map(|word| line.strip_prefix(word)).and_then(summary) {
            add(&mut report.failures, failure);
        } else if let Some(totals) = totals(line) {
            (report.passed, report.failed, report.skipped) = totals;
        }
    }
    // Where the summary is missing, the names of sections are what is left.
    let known = |report: &TestReport, block: &Block| report.failures.iter().any(|failure| is_of(failure, &block.name));
    for block in &blocks {
        if !known(&report, block) {
            add(&mut report.failures, TestFailure { name: block.name.clone(), ..TestFailure::default() });
        }
    }
    for failure in &mut report.failures {
        if let Some(block) = blocks.iter().find(|block| is_of(failure, &block.name)) {
            if !block.message.is_empty() {
                failure.message.clone_from(&block.message);
            }
            failure.at.clone_from(&block.at);
        }
    }
    report.failed = report.failed.max(report.failures.len() as u64);
    report
}

fn add(failures: &mut Vec<TestFailure>, failure: TestFailure) {
    if !failures.iter().any(|known| known.name == failure.name) {
        failures.push(failure);
    }
}

/// `tests/test_a.py::test_b - AssertionError: ..` of the short summary. A line of the log that begins with the same word names no test.
fn summary(line: &str) -> Option<TestFailure> {
    let (name, message) = line.split_once(" - ").unwrap_or((line, ""));
    let is_name = name.contains("::") || name.split_whitespace().count() == 1 && is_python(name);
    is_name.then(|| TestFailure { name: name.trim().to_owned(), message: message.to_owned(), at: None })
}

/// Whether a section of this heading is about the failure: `TestA.test_b` about `a.py::TestA::test_b`.
fn is_of(failure: &TestFailure, heading: &str) -> bool {
    let test = failure.name.split_once("::").map_or(failure.name.as_str(), |(_, test)| test);
    failure.name == heading || test.replace("::", ".") == heading
}

fn is_python(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "py")
}

struct Block {
    name: String,
    message: String,
    indent: usize,
    at: Option<String>,
}

impl Block {
    /// Adds a line, less the indentation of the first.
    fn add(&mut self, line: &str) {
        let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
        if self.message.is_empty() {
            self.indent = spaces(line);
        }
        self.message.push_str(&line[spaces(line).min(self.indent)..]);
        self.message.push('\n');
    }
}

/// The sections that begin with `____ name ____`.
fn blocks(stdout: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in stdout.lines() {
        if let Some(name) = heading(line, '_') {
            let name = ["ERROR at setup of ", "ERROR at teardown of ", "ERROR collecting "]
                .iter()
                .find_map(|start| name.strip_prefix(start))
                .unwrap_or(name);
            blocks.push(Block { name: name.to_owned(), message: String::new(), indent: 0, at: None });
            inside = true;
        } else if heading(line, '=').is_some() {
            inside = false;
        } else if let (true, Some(block)) = (inside, blocks.last_mut()) {
            if line == "E" || line.starts_with("E  ") {
                block.add(&line[1..]);
            } else if let Some(at) = place(line) {
                block.at = Some(at);
            }
        }
    }
    blocks
}

fn heading(line: &str, rule: char) -> Option<&str> {
    let name = line.trim_matches(rule);
    let framed = line.starts_with(&*rule.to_string().repeat(2)) && line.ends_with(rule) && !name.trim().is_empty();
    framed.then_some(name.trim())
}

/// `tests/test_a.py:12: AssertionError`.
fn place(line: &str) -> Option<String> {
    let (file, rest) = line.split_once(':')?;
    let (number, _) = rest.split_once(':')?;
    let is_place = is_python(file) && !file.starts_with(' ') && number.parse::<u32>().is_ok();
    is_place.then(|| format!("{file}:{number}"))
}

/// Passed, failed and skipped of `== 1 failed, 2 passed, 3 skipped in 0.05s ==`.
fn totals(line: &str) -> Option<(u64, u64, u64)> {
    let line = line.trim_matches('=').trim();
    let (counts, time) = line.rsplit_once(" in ")?;
    let timed = time.split(['s', ' ']).next()?.parse::<f64>().is_ok();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for count in counts.split(", ").filter(|_| timed) {
        let (number, what) = count.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match what {
            "passed" | "xpassed" => passed += number,
            "failed" | "error" | "errors" => failed += number,
            "skipped" | "xfailed" => skipped += number,
            "warning" | "warnings" | "deselected" | "rerun" => {}
            _ => return None,
        }
    }
    timed.then_some((passed, failed, skipped))
}
