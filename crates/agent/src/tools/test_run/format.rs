use serde::{Deserialize, Serialize};

use super::{cargo, pytest, unittest};
use crate::TestReport;

/// How the output of a test command is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestFormat {
    /// `cargo test`, with the pretty output of libtest.
    Cargo,
    /// `pytest`, verbose or not, with its short summary.
    Pytest,
    /// `python -m unittest`.
    Unittest,
    /// Any other: one test, which passes where the command ends with the code 0.
    ExitCode,
}

impl TestFormat {
    /// What the output says of tests. A part that is missing from its middle costs messages, and names only where every mention of them is missing.
    ///
    /// ```
    /// use jarre_agent::tools::TestFormat;
    ///
    /// let report = TestFormat::Cargo.parse("test a ... ok\ntest b ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored", "");
    /// assert_eq!((report.passed, report.failed, report.failures[0].name.as_str()), (1, 1, "b"));
    /// ```
    pub fn parse(self, stdout: &str, stderr: &str) -> TestReport {
        let mut report = match self {
            Self::Cargo => cargo::parse(stdout),
            Self::Pytest => pytest::parse(stdout),
            Self::Unittest => unittest::parse(&format!("{stdout}\n{stderr}")),
            Self::ExitCode => TestReport::default(),
        };
        for failure in &mut report.failures {
            failure.message.truncate(failure.message.trim_end().len());
        }
        report
    }

    /// Why no test could be run, where the output tells: the message, and the place.
    pub(super) fn broken(self, stderr: &str) -> Option<(String, Option<String>)> {
        match self {
            Self::Cargo => cargo::compile_errors(stderr),
            Self::Pytest | Self::Unittest | Self::ExitCode => None,
        }
    }

    pub(super) fn takes_filter(self) -> bool {
        self != Self::ExitCode
    }

    /// The arguments that leave only tests with this in their name.
    pub(super) fn filter(self, filter: &str) -> Vec<String> {
        match self {
            Self::Cargo => vec![filter.to_owned()],
            Self::Pytest | Self::Unittest => vec!["-k".to_owned(), filter.to_owned()],
            Self::ExitCode => Vec::new(),
        }
    }
}
