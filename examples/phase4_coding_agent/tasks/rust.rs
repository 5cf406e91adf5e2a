use std::{collections::BTreeMap, fmt::Write, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Language, TaskSpec, rows, solutions};

const SOLUTION: &str = "solution.rs";
const TESTS: &str = "tests.rs";
const RUNNER: &str = "run_tests.sh";
/// What runs the tests: a file of its own, because there are two steps.
const SCRIPT: &str = "set -e\nrustc --test --edition 2021 -o tests.bin tests.rs\nexec ./tests.bin\n";

#[derive(Deserialize)]
struct Row {
    name: String,
    prompt: String,
    entry_point: String,
    test: String,
}

/// `HumanEval` or MBPP as `MultiPL-E` has them in Rust, with the solutions that are written here.
pub(super) fn read(path: &Path) -> Result<Vec<TaskSpec>> {
    let rows: Vec<Row> = rows::read(path)?;
    let solutions = solutions::all();
    let tasks = rows.into_iter().map(|row| {
        let reference = solutions.get(row.name.as_str()).map(|text| (*text).to_owned().into());
        let name = row.name.clone();
        task(row).map(|task| TaskSpec { reference, ..task }).with_context(|| format!("{}, task {name}", path.display()))
    });
    tasks.collect()
}

fn task(row: Row) -> Result<TaskSpec> {
    let stub = format!("{}\n    todo!()\n}}\n", row.prompt.trim_end());
    let tests = [(TESTS, cases(&row.test, &row.entry_point)?), (RUNNER, SCRIPT.into())];
    Ok(TaskSpec {
        name: row.name,
        language: Language::Rust,
        instructions: format!(
            "Write the function in `{SOLUTION}` so that the tests in `{TESTS}` pass; `sh {RUNNER}` compiles and runs them.\n\n```rust\n{}\n```",
            row.prompt.trim_end()
        ),
        files: BTreeMap::from([(SOLUTION.to_owned(), stub)]),
        tests: tests.map(|(path, text)| (path.to_owned(), text)).into(),
        solution: SOLUTION.into(),
        reference: None,
        command: vec!["sh".into(), RUNNER.into()],
    })
}

/// The assertions of the set's `main`, each as a test of its own.
fn cases(test: &str, entry_point: &str) -> Result<String> {
    let body = test.split_once("fn main() {").context("its test has no `main`")?.1;
    let body = body.trim_end().strip_suffix('}').context("its test does not end")?;
    let mut cases = format!("#![allow(warnings)]\ninclude!(\"{SOLUTION}\");\n");
    for (index, case) in body.split("\n    assert").skip(1).enumerate() {
        write!(cases, "\n#[test]\nfn case_{:02}() {{\n    let candidate = {entry_point};\n    assert{}\n}}\n", index + 1, case.trim_end())?;
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_assertion_becomes_a_test() {
        let test =
            "\n\nfn main() {\n    let candidate = f;\n    assert_eq!(candidate(1), 2);\n    assert_eq!(candidate(\"a\nb\"), 3);\n}\n";
        let cases = cases(test, "f").unwrap();
        assert_eq!(cases.matches("#[test]").count(), 2);
        assert!(cases.contains("fn case_01() {\n    let candidate = f;\n    assert_eq!(candidate(1), 2);\n}"), "{cases}");
        assert!(cases.contains("assert_eq!(candidate(\"a\nb\"), 3);\n}"), "{cases}");
        assert!(super::cases("fn main() {", "f").is_err());
    }
}
