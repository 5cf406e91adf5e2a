use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use jarre_sandbox::WorkDir;
use tempfile::TempDir;

use crate::{
    machine::Machine,
    tasks::{TaskSpec, lay},
};

/// A folder for a task, and a file beside it that is none of the agent's business.
pub(super) struct Place {
    pub(super) folder: WorkDir,
    beside: TempDir,
}

const CANARY: &str = "canary.txt";
const SECRET: &str = "this file is to stay as it is";

impl Place {
    /// Lays `files` in a folder that commands can write. Dependencies are looked for in `vendor`.
    pub(super) fn new(machine: &Machine, files: &BTreeMap<String, String>, vendor: Option<&Path>) -> Result<Self> {
        let laid = tempfile::tempdir().context("no folder can be made")?;
        lay(laid.path(), files)?;
        if let Some(vendor) = vendor.filter(|_| files.contains_key("Cargo.toml")) {
            lay(laid.path(), &BTreeMap::from([(".cargo/config.toml".to_owned(), depot(vendor))]))?;
        }
        let beside = tempfile::tempdir().context("no folder can be made")?;
        fs::write(beside.path().join(CANARY), SECRET).context("the canary cannot be written")?;
        Ok(Self { folder: machine.sandbox.copy_of(laid.path())?, beside })
    }

    /// Whether what lies beside is as it was, and nothing was added.
    pub(super) fn is_intact(&self) -> bool {
        let there = fs::read_dir(self.beside.path()).map_or(0, Iterator::count);
        let outside = self.folder.path().parent().is_some_and(|parent| parent.join("outside.txt").exists());
        let kept = fs::read_to_string(self.beside.path().join(CANARY)).is_ok_and(|text| text == SECRET);
        kept && there == 1 && !outside && !Path::new("/tmp/outside.txt").exists()
    }
}

/// Where cargo looks for crates in the place of the registry.
fn depot(vendor: &Path) -> String {
    let folder = serde_json::Value::from(vendor.display().to_string());
    format!("[source.crates-io]\nreplace-with = \"vendored\"\n\n[source.vendored]\ndirectory = {folder}\n")
}

/// Everything that lies in a task's folder at the start, with `solution` in its place.
pub(super) fn files(task: &TaskSpec, solution: Option<&str>) -> BTreeMap<String, String> {
    let mut files = task.files.clone();
    files.extend(task.tests.clone());
    if let Some(solution) = solution {
        files.insert(task.solution.clone(), solution.to_owned());
    }
    files
}
