use serde::{Deserialize, Serialize};

/// What a run of tests came to. A tool that runs tests puts it under `tests` in [`ToolOutput::data`](jarre_core::ToolOutput::data), where the loop
/// reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that were left out.
    pub skipped: u64,
    /// Those that failed; or one, named after the command, where nothing could be run (it did not compile, it timed out).
    pub failures: Vec<TestFailure>,
}

impl TestReport {
    /// Whether tests ran and none failed.
    pub fn is_green(&self) -> bool {
        self.failed == 0 && self.failures.is_empty() && self.passed > 0
    }
}

/// A test that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestFailure {
    /// The test's name.
    pub name: String,
    /// What it said.
    pub message: String,
    /// The file and line, where told: `src/lib.rs:12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}
