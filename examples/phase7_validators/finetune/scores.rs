use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::labelled::Text;
use crate::input;

/// A file of what models say of texts that they have not seen, a part after another.
pub(crate) struct Scores {
    file: File,
    path: PathBuf,
    run: String,
    done: HashSet<usize>,
}

/// A line of it.
#[derive(Deserialize, Serialize)]
struct Row {
    text: String,
    fold: usize,
    /// The settings.
    run: String,
    scores: Map<String, Value>,
}

impl Scores {
    /// Opens `path` to go on in it, or makes it.
    pub(crate) fn open(path: &Path, run: &str) -> Result<Self> {
        let mut done = HashSet::new();
        if path.exists() {
            input::lines(Some(path), |_, line| {
                let row: Row = serde_json::from_slice(line).context("it is no row of scores")?;
                if row.run != run {
                    bail!("it is of another run ({}) than this one ({run}); give another file, or remove it", row.run);
                }
                done.insert(row.fold);
                Ok(())
            })
            .with_context(|| path.display().to_string())?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { file, path: path.to_owned(), run: run.to_owned(), done })
    }

    /// Whether part `fold` is in it.
    pub(crate) fn has(&self, fold: usize) -> bool {
        self.done.contains(&fold)
    }

    /// Adds a part in one write, so that it is in the file either whole or not at all.
    pub(crate) fn add(&mut self, fold: usize, texts: &[&Text], labels: &[String], scores: &[Vec<f32>]) -> Result<()> {
        let mut lines = Vec::new();
        for (text, scores) in texts.iter().zip(scores) {
            let scores = labels.iter().cloned().zip(scores.iter().map(|&score| score.into())).collect();
            serde_json::to_writer(&mut lines, &Row { text: text.text.clone(), fold, run: self.run.clone(), scores })?;
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        written.with_context(|| format!("cannot write {}", self.path.display()))?;
        self.done.insert(fold);
        Ok(())
    }
}
