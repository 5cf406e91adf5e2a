//! Rows of files, each with its line, as JSON objects.

mod csv;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;

use std::{fs::File, path::Path};

use serde_json::{Map, Value};

use crate::{Error, Result};

pub(crate) struct Row {
    /// Counted from 1; the row's number in files without lines.
    pub(crate) line: usize,
    pub(crate) fields: Map<String, Value>,
}

pub(crate) fn read(path: &Path) -> Result<Vec<Row>> {
    let kind = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match kind.as_deref() {
        Some("jsonl" | "ndjson") => jsonl::read(File::open(path)?),
        Some("csv") => csv::read(File::open(path)?),
        #[cfg(feature = "parquet")]
        Some("parquet") => parquet::read(File::open(path)?),
        #[cfg(not(feature = "parquet"))]
        Some("parquet") => Err(Error::InvalidExperiment("Parquet files are read with the cargo feature `parquet` of jarre-eval".into())),
        _ => Err(Error::InvalidExperiment("items are read from .jsonl, .csv and .parquet files; convert it to one of them".into())),
    }
}
