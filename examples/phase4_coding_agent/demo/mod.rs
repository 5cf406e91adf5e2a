//! A small task with two faults, and a model that knows its part: a whole run without a network.

use std::collections::BTreeMap;

use crate::{
    models::{Scripted, calls},
    tasks::{Language, TaskSpec},
};

const SOLUTION: &str = "intervals.rs";
/// What the second attempt is about: an interval that lies within the one before.
const END: &str = "before.1 = last";

/// The task: intervals are to be merged, and are not where one comes early or lies within another.
pub(crate) fn task() -> TaskSpec {
    let tests = [
        ("tests.rs", include_str!("tests.rs")),
        ("run_tests.sh", "set -e\nrustc --test --edition 2021 -o tests.bin tests.rs\nexec ./tests.bin\n"),
    ];
    let owned = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
    TaskSpec {
        name: "merge_intervals".into(),
        language: Language::Rust,
        instructions: format!(
            "Some tests of `merge` in `{SOLUTION}` fail. Mend the function; leave the tests as they are. `sh run_tests.sh` runs them."
        ),
        files: BTreeMap::from([owned((SOLUTION, include_str!("intervals.rs")))]),
        tests: tests.map(owned).into(),
        solution: SOLUTION.into(),
        reference: None,
        command: vec!["sh".into(), "run_tests.sh".into()],
    }
}

/// What the model says: it sees the first fault at once and the second by what the tests say then.
pub(crate) fn script() -> Scripted {
    let sorted = "    let mut intervals = intervals;\n    intervals.sort();\n    let mut merged: Vec<(i64, i64)> = Vec::new();";
    let steps = [
        calls::list("I look at what is there."),
        calls::read("I read the function before I change it.", SOLUTION),
        calls::test("I see which tests fail."),
        calls::edit(
            "An interval is only compared with the last one, so the order matters: they have to be sorted first.",
            SOLUTION,
            "    let mut merged: Vec<(i64, i64)> = Vec::new();",
            sorted,
        ),
        calls::test("Sorted, the tests should pass."),
        calls::edit("The end must never move back: the larger of both is kept.", SOLUTION, END, "before.1 = before.1.max(last)"),
        calls::test("I run the tests again."),
        calls::finish("All tests pass.", "`merge` sorts its intervals first and keeps the larger end where one lies within another."),
    ];
    Scripted::new("1. Read the function. 2. Run the tests. 3. Mend what they show. 4. Run them again.", steps).with_analysis(
        "`one_within_another` and `within_another_and_first_in_the_list` still fail: the merged interval ends too early",
        "I took the order for the only fault; `before.1 = last` also shortens an interval that contains the next one",
        "keep the larger of both ends, and look at every place that writes an end",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_finds_what_it_edits_once() {
        let text = include_str!("intervals.rs");
        assert_eq!(text.matches(END).count(), 1);
        assert_eq!(text.matches("    let mut merged: Vec<(i64, i64)> = Vec::new();").count(), 1);
    }
}
