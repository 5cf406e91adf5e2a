use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use anyhow::{Context, Result};
use jarre_agent::{Budget, Outcome, Reflection};
use jarre_core::Usage;
use serde::{Deserialize, Serialize};

/// What became of one task: a line of the results' file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) set: String,
    pub(crate) task: String,
    pub(crate) model: String,
    /// How the run ended, by the agent's own account.
    pub(crate) outcome: Outcome,
    /// Whether the tests pass, as they are and in a folder that the agent never had.
    pub(crate) passed: bool,
    /// Whether it passed and the first tests that ran after the first change did, too.
    pub(crate) passed_first: bool,
    /// Why it is no success.
    pub(crate) failure: Option<Failure>,
    /// What the tests said in the end: passed, failed.
    pub(crate) tests: (u64, u64),
    pub(crate) attempts: u64,
    pub(crate) steps: u64,
    pub(crate) malformed: u64,
    pub(crate) usage: Usage,
    pub(crate) cost_micros: u64,
    pub(crate) wall_ms: u64,
    /// Time of the judging tests alone.
    pub(crate) judge_ms: u64,
    /// Whether what lay beside the work folder is as it was.
    pub(crate) intact: bool,
    /// What the solution was broken by, where it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) broken_by: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reflections: Vec<Reflection>,
}

/// Why a task is no success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    /// It was said to be done, and the tests fail.
    WrongAnswer,
    /// What was written does not compile.
    DoesNotCompile,
    /// The tests did not end in their time.
    TestsTimedOut,
    /// It went round in circles, or gave up.
    Stuck,
    /// Answers that could not be read.
    Malformed,
    /// All attempts were used up.
    Attempts,
    /// Another budget was used up.
    Budget,
    /// The model or a tool failed for good.
    Failed,
    /// It passes, and something was changed that is none of its business.
    Escaped,
}

impl Failure {
    /// All of them, in the order of the tables.
    pub(crate) const ALL: [Self; 9] = [
        Self::WrongAnswer,
        Self::DoesNotCompile,
        Self::TestsTimedOut,
        Self::Stuck,
        Self::Malformed,
        Self::Attempts,
        Self::Budget,
        Self::Failed,
        Self::Escaped,
    ];

    /// In words.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::WrongAnswer => "wrong answer",
            Self::DoesNotCompile => "does not compile",
            Self::TestsTimedOut => "tests timed out",
            Self::Stuck => "stuck",
            Self::Malformed => "malformed",
            Self::Attempts => "attempts used up",
            Self::Budget => "budget used up",
            Self::Failed => "failed",
            Self::Escaped => "escaped",
        }
    }

    /// Of a run that ended so and was judged so: what the judge saw last comes after how the run ended.
    pub(crate) fn of(outcome: &Outcome, judged: Judged, intact: bool) -> Option<Self> {
        if !intact {
            return Some(Self::Escaped);
        }
        match (judged, outcome) {
            (Judged::Passed, _) => None,
            (Judged::TimedOut, _) => Some(Self::TestsTimedOut),
            (_, Outcome::Stuck { .. } | Outcome::Cancelled { .. }) => Some(Self::Stuck),
            (_, Outcome::OutOfBudget { budget: Budget::Malformed }) => Some(Self::Malformed),
            (_, Outcome::OutOfBudget { budget: Budget::Attempts }) => Some(Self::Attempts),
            (_, Outcome::OutOfBudget { .. }) => Some(Self::Budget),
            (_, Outcome::Failed { .. }) => Some(Self::Failed),
            (Judged::DoesNotCompile, _) => Some(Self::DoesNotCompile),
            (Judged::Failed, _) => Some(Self::WrongAnswer),
        }
    }
}

/// What the judging tests came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Passed,
    Failed,
    DoesNotCompile,
    TimedOut,
}

/// The file of results: a line a task, on the disk before the next task is counted as done.
pub(crate) struct Results {
    file: File,
    rows: Vec<Row>,
}

impl Results {
    /// Opens `path`, makes it where it is not there. A last line that was cut off is dropped from the file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let told = || format!("cannot use the results' file {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).with_context(told)?;
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(told)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let rows = text[..whole].lines().enumerate().map(|(number, line)| {
            serde_json::from_str(line).with_context(|| format!("{}, line {} is no result of a task", path.display(), number + 1))
        });
        let rows = rows.collect::<Result<_>>()?;
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0)).map(drop)).with_context(told)?;
        Ok(Self { file, rows })
    }

    /// Adds a row and waits until it is on the disk.
    pub(crate) fn add(&mut self, row: Row) -> Result<()> {
        let line = serde_json::to_string(&row)? + "\n";
        self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data()).context("a result cannot be written")?;
        self.rows.push(row);
        Ok(())
    }

    /// What is there.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(task: &str, passed_first: bool, passed: bool) -> Row {
        Row {
            set: "s".into(),
            task: task.into(),
            model: "m".into(),
            outcome: Outcome::Done { answer: String::new() },
            passed,
            passed_first,
            failure: (!passed).then_some(Failure::WrongAnswer),
            tests: (1, 0),
            attempts: 1,
            steps: 3,
            malformed: 0,
            usage: Usage::new(10, 2),
            cost_micros: 0,
            wall_ms: 5,
            judge_ms: 2,
            intact: true,
            broken_by: Vec::new(),
            reflections: Vec::new(),
        }
    }

    #[test]
    fn a_file_that_was_cut_off_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        let mut results = Results::open(&path).unwrap();
        results.add(row("a", true, true)).unwrap();
        results.add(row("b", false, false)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in 0..=whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let mut results = Results::open(&path).unwrap();
            let kept = usize::from(end >= first) + usize::from(end == whole.len());
            assert_eq!(results.rows().len(), kept);
            results.add(row("c", true, true)).unwrap();
            let names: Vec<String> = Results::open(&path).unwrap().rows().iter().map(|row| row.task.clone()).collect();
            assert_eq!(names, [&["a", "b"][..kept], &["c"]].concat());
        }
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        std::fs::write(&path, "notes\n").unwrap();
        assert!(format!("{:#}", Results::open(&path).err().unwrap()).contains("line 1"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "notes\n");
    }

    #[test]
    fn what_the_tests_say_counts_before_what_the_agent_says() {
        let done = Outcome::Done { answer: String::new() };
        let stuck = Outcome::Stuck { reason: String::new() };
        let attempts = Outcome::OutOfBudget { budget: Budget::Attempts };
        assert_eq!(Failure::of(&stuck, Judged::Passed, true), None);
        assert_eq!(Failure::of(&done, Judged::Passed, false), Some(Failure::Escaped));
        assert_eq!(Failure::of(&done, Judged::Failed, true), Some(Failure::WrongAnswer));
        assert_eq!(Failure::of(&done, Judged::DoesNotCompile, true), Some(Failure::DoesNotCompile));
        assert_eq!(Failure::of(&attempts, Judged::Failed, true), Some(Failure::Attempts));
        assert_eq!(Failure::of(&stuck, Judged::TimedOut, true), Some(Failure::TestsTimedOut));
    }
}
