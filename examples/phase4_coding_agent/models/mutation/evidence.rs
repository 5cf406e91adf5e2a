use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

/// What a run of tests said, as far as a text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) passed: u64,
    pub(super) failed: u64,
    /// The lines that tell of failures, in no order, because tests run beside each other.
    pub(super) said: BTreeSet<String>,
    /// Lines of the program that are named.
    pub(super) lines: BTreeSet<usize>,
}

static PASSED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d+) passed"));
static FAILED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d+) failed"));
static RAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"Ran (\d+) tests?"));
static COUNTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:failures|errors)=(\d+)"));
static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?:solution\.rs:|src/lib\.rs:|solution\.py"?(?:, line |:))(\d+)"#));
static TELLS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^\s*(?:FAIL|ERROR|left|right|got|Assertion\w*|error(?:\[E\d+\])?|\w+Error|panicked)\b|^--- |panicked at|took too long")
});

#[expect(clippy::expect_used, reason = "the patterns are constants")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that is tested")
}

impl Evidence {
    /// Read from what a run of tests printed, or from a tool's account of it.
    pub(super) fn read(text: &str) -> Self {
        let largest = |pattern: &Regex| numbers(pattern, text).max().unwrap_or(0);
        let by_unittest: u64 = numbers(&COUNTS, text).sum();
        let failed = largest(&FAILED).max(by_unittest);
        let passed = largest(&PASSED).max(largest(&RAN).saturating_sub(by_unittest));
        let said =
            text.lines().filter(|line| TELLS.is_match(line) && !line.starts_with("--- std")).map(|line| line.trim().to_owned()).collect();
        Self { passed, failed, said, lines: numbers(&PLACE, text).map(|line| line as usize).collect() }
    }

    /// Whether tests ran and none failed.
    pub(super) fn is_green(&self) -> bool {
        self.passed > 0 && self.failed == 0 && self.said.is_empty()
    }

    /// Whether the tests could be run at all: they may not have compiled, or not have ended.
    pub(super) fn ran(&self) -> bool {
        self.passed + self.failed > 0 && !self.said.iter().any(|line| line.starts_with("error") || line.contains("took too long"))
    }
}

fn numbers(pattern: &Regex, text: &str) -> impl Iterator<Item = u64> {
    pattern.captures_iter(text).filter_map(|found| found.get(1)?.as_str().parse().ok()).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unittest_is_read() {
        let text = "FAIL: case_02 (tests.py:4)\n---\nAssertionError: f(2) == 4\n  got 5\n\nERROR: case_03 (tests.py:5)\n---\n  File \"solution.py\", line 3, \
                    in f\nKeyError: 'no'\n---\nRan 7 tests in 0.015s\n\nFAILED (failures=1, errors=1)";
        let evidence = Evidence::read(text);
        assert_eq!((evidence.passed, evidence.failed), (5, 2));
        assert_eq!(evidence.lines, [3].into());
        assert_eq!(evidence.said.len(), 5, "{:?}", evidence.said);
        assert!(evidence.ran() && !evidence.is_green());
        assert!(Evidence::read("Ran 3 tests in 0.1s\n\nOK").is_green());
    }

    #[test]
    fn a_tool_that_sums_up_is_read() {
        let text = "3 passed, 1 failed, 0 skipped (exit code 101)\n--- case_02 at solution.rs:8\nassertion failed\n  left: 1\n right: 2\n";
        let evidence = Evidence::read(text);
        assert_eq!((evidence.passed, evidence.failed, evidence.lines.clone()), (3, 1, [8].into()));
        assert_eq!(evidence.said.len(), 3);
        assert!(Evidence::read("6 passed, 0 failed, 0 skipped (exit code 0)\n").is_green());
        assert!(
            !Evidence::read(
                "0 passed, 1 failed, 0 skipped (ended by signal 9, it took too long and was ended)\n--- sh: ended, it took too long"
            )
            .ran()
        );
    }

    #[test]
    fn libtest_is_read() {
        let text = "test case_01 ... ok\ntest case_02 ... FAILED\n\nthread 'case_02' (7) panicked at src/lib.rs:8:5:\nassertion `left == right` failed\n  \
                    left: 1\n right: 2\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored";
        let evidence = Evidence::read(text);
        assert_eq!((evidence.passed, evidence.failed), (1, 1));
        assert_eq!(evidence.lines, [8].into());
        assert!(evidence.said.contains("left: 1"));
        assert!(Evidence::read("running 0 tests\ntest result: ok. 0 passed; 0 failed\ntest result: ok. 4 passed; 0 failed").is_green());
        assert!(!Evidence::read("error[E0308]: mismatched types\n --> solution.rs:4:9").ran());
        assert!(!Evidence::read("").is_green());
    }
}
