//! Tasks: what is to be written, by which tests it is judged, and how both lie in a folder.

mod exercism;
mod folder;
mod python;
mod rows;
mod rust;
mod solutions;

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use clap::ValueEnum;
use jarre_agent::tools::TestFormat;
use serde::{Deserialize, Serialize};

pub(crate) use folder::lay;

/// One task. Paths are relative to the folder that it is laid in.
#[derive(Clone, Debug)]
pub(crate) struct TaskSpec {
    pub(crate) name: String,
    pub(crate) language: Language,
    /// What the agent is told.
    pub(crate) instructions: String,
    /// What lies there at the start: a stub and what belongs to the project.
    pub(crate) files: BTreeMap<String, String>,
    /// The tests and what runs them. Laid again before a task is judged, so that an agent that rewrites them gains nothing.
    pub(crate) tests: BTreeMap<String, String>,
    /// The file that is to be written.
    pub(crate) solution: String,
    /// A solution that passes, where one is known.
    pub(crate) reference: Option<Reference>,
    /// The program and its arguments by which it is tested.
    pub(crate) command: Vec<String>,
}

/// A solution that passes.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// The text of [`TaskSpec::solution`].
    pub(crate) text: String,
    /// Files that it needs otherwise than the stub does.
    pub(crate) files: BTreeMap<String, String>,
}

impl From<String> for Reference {
    fn from(text: String) -> Self {
        Self { text, files: BTreeMap::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Language {
    Python,
    Rust,
}

impl Language {
    /// How its tests report.
    pub(crate) fn format(self) -> TestFormat {
        match self {
            Self::Python => TestFormat::Unittest,
            Self::Rust => TestFormat::Cargo,
        }
    }
}

/// A set of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Set {
    /// 50 exercises of Exercism's Rust track, each a Cargo project.
    Exercism,
    /// `HumanEval`'s 164 tasks in Python, with their references.
    HumanevalPy,
    /// `HumanEval` in Rust, 156 tasks, 15 of them with a solution written here.
    HumanevalRs,
    /// MBPP in Python, 397 tasks, without references.
    MbppPy,
    /// MBPP in Rust, 354 tasks, 15 of them with a solution written here.
    MbppRs,
    /// The 30 tasks in Rust that have a solution written here.
    Written,
}

impl Set {
    /// Its name on the command line and in files.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Its tasks, in the order of the file. `data` is the folder that holds `agent/`.
    pub(crate) fn read(self, data: &Path) -> Result<Vec<TaskSpec>> {
        let benchmarks = data.join("agent/benchmarks");
        match self {
            Self::Exercism => exercism::read(&data.join("agent/exercism_rust.jsonl")),
            Self::HumanevalPy => python::read_human_eval(&data.join("agent/humaneval/HumanEval.jsonl.gz")),
            Self::HumanevalRs => rust::read(&benchmarks.join("humaneval-rs.jsonl")),
            Self::MbppPy => python::read_mbpp(&benchmarks.join("mbpp-py.jsonl")),
            Self::MbppRs => rust::read(&benchmarks.join("mbpp-rs.jsonl")),
            Self::Written => {
                let mut tasks = Self::HumanevalRs.read(data)?;
                tasks.extend(Self::MbppRs.read(data)?);
                tasks.retain(|task| task.reference.is_some());
                Ok(tasks)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    #[ignore = "needs JARRE_DATA"]
    fn every_set_is_read_whole() {
        let data = PathBuf::from(std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder with the data"));
        let sets = [
            (Set::Exercism, 50, 50),
            (Set::HumanevalPy, 164, 164),
            (Set::HumanevalRs, 156, 15),
            (Set::MbppPy, 397, 0),
            (Set::MbppRs, 354, 15),
            (Set::Written, 30, 30),
        ];
        for (set, tasks, references) in sets {
            let read = set.read(&data).unwrap();
            assert_eq!(read.len(), tasks, "{set:?}");
            assert_eq!(read.iter().filter(|task| task.reference.is_some()).count(), references, "{set:?}");
            for task in read {
                assert!(task.files.contains_key(&task.solution), "{} has a stub", task.name);
                assert!(!task.tests.is_empty() && !task.instructions.is_empty() && !task.command.is_empty());
            }
        }
    }
}
