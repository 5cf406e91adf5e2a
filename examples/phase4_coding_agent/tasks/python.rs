use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use serde::Deserialize;

use super::{Language, TaskSpec, rows};

const SOLUTION: &str = "solution.py";
const TESTS: &str = "tests.py";
const RUNNER: &str = "run_tests.py";

#[derive(Deserialize)]
struct HumanEval {
    task_id: String,
    prompt: String,
    entry_point: String,
    canonical_solution: String,
    test: String,
}

#[derive(Deserialize)]
struct Mbpp {
    name: String,
    prompt: String,
    test: String,
}

/// `OpenAI`'s 164 tasks.
pub(super) fn read_human_eval(path: &Path) -> Result<Vec<TaskSpec>> {
    let rows: Vec<HumanEval> = rows::read(path)?;
    let tasks = rows.into_iter().map(|row| {
        let tests = format!("{}\n\ncheck({})\n", row.test, row.entry_point);
        let reference = format!("{}{}", row.prompt, row.canonical_solution);
        TaskSpec { reference: Some(reference.into()), ..task(row.task_id.replace('/', "_"), &row.prompt, &tests) }
    });
    Ok(tasks.collect())
}

/// MBPP as `MultiPL-E` has it.
pub(super) fn read_mbpp(path: &Path) -> Result<Vec<TaskSpec>> {
    let rows: Vec<Mbpp> = rows::read(path)?;
    Ok(rows.into_iter().map(|row| task(row.name, &row.prompt, &row.test)).collect())
}

fn task(name: String, prompt: &str, tests: &str) -> TaskSpec {
    let stub = format!("{}\n    raise NotImplementedError\n", prompt.trim_end());
    let tests =
        [(TESTS, format!("from {} import *\n\n{tests}", SOLUTION.trim_end_matches(".py"))), (RUNNER, include_str!("run_tests.py").into())];
    TaskSpec {
        name,
        language: Language::Python,
        instructions: format!(
            "Write the function in `{SOLUTION}` so that the tests in `{TESTS}` pass; `python3 {RUNNER}` runs them, every assertion as a \
             test of its own.\n\n{prompt}"
        ),
        files: BTreeMap::from([(SOLUTION.to_owned(), stub)]),
        tests: tests.map(|(path, text)| (path.to_owned(), text)).into(),
        solution: SOLUTION.into(),
        reference: None,
        command: vec!["python3".into(), RUNNER.into()],
    }
}
