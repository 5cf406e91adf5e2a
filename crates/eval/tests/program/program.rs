//! The program, and a folder to use it in.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Bench {
    folder: TempDir,
}

/// What the program said and ended with.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jarre-eval"));
        command.current_dir(self.folder.path()).env("JARRE_EVAL_DB", "runs.db").env("USER", "ann").args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    /// Runs it, and it has to be done.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.out
    }

    /// Its lines of JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let lines = self.ok(&[&["--json"], arguments].concat());
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said { out: text(&output.stdout), err: text(&output.stderr), code: output.status.code().unwrap_or(-1) }
}

/// An experiment over answers that stand in `answers.csv`: two models, of which the first is right on `first` of 200 items and the second on
/// `second`.
pub(crate) fn recorded(bench: &Bench, first: usize, second: usize) {
    let mut csv = "id,question,answer,topic,old,new\n".to_owned();
    for item in 0..200 {
        let said = |right: usize| if item < right { item.to_string() } else { "wrong".to_owned() };
        writeln!(csv, "q{item},\"what is {item}, really?\",{item},t{},{},{}", item % 4, said(first), said(second)).unwrap();
    }
    bench.write("answers.csv", &csv);
    bench.write(
        "experiment.toml",
        r#"
        name = "recorded"
        metrics = ["exact_match"]
        dataset = { path = "answers.csv", target = "answer", stratum = "topic" }
        prompt = { user = "{{question}}" }
        models = [{ name = "old", recorded = "old" }, { name = "new", recorded = "new" }]
        "#,
    );
}

pub(crate) fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}
