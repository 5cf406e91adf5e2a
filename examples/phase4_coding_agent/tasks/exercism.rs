use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Language, Reference, TaskSpec, rows};

const SOLUTION: &str = "src/lib.rs";

#[derive(Deserialize)]
struct Row {
    slug: String,
    instructions: String,
    stub: BTreeMap<String, String>,
    tests: BTreeMap<String, String>,
    example: BTreeMap<String, String>,
}

/// The exercises of `path`.
pub(super) fn read(path: &Path) -> Result<Vec<TaskSpec>> {
    rows::read(path)?.into_iter().map(task).collect()
}

fn task(row: Row) -> Result<TaskSpec> {
    let tests: Vec<&str> = row.tests.keys().map(String::as_str).collect();
    let instructions = format!(
        "Write `{SOLUTION}` so that the tests in `{}` pass. They are run by `cargo test`, those marked `#[ignore]` as well. \
         There is no network.\n\n{}",
        tests.join("`, `"),
        row.instructions.trim()
    );
    // Most tests are marked `#[ignore]` for those who learn, to be taken one by one.
    let command = ["cargo", "test", "--offline", "--quiet", "--tests", "--no-fail-fast", "--", "--include-ignored", "--format=pretty"];
    Ok(TaskSpec {
        reference: Some(reference(&row).with_context(|| format!("the exercise {}", row.slug))?),
        name: row.slug,
        language: Language::Rust,
        instructions,
        files: row.stub,
        tests: row.tests,
        solution: SOLUTION.into(),
        command: command.map(str::to_owned).into(),
    })
}

fn reference(row: &Row) -> Result<Reference> {
    let text = row.example.iter().find(|(path, _)| is(path, "rs")).context("its example has no file in Rust")?.1.clone();
    let manifest = row.example.iter().find(|(path, _)| is(path, "toml"));
    let files = manifest.map(|(_, text)| ("Cargo.toml".to_owned(), text.clone())).into_iter().collect();
    Ok(Reference { text, files })
}

fn is(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}
