use std::{error::Error, fs, path::Path};

use jarre_guardrails::learn::Example;
use serde_json::Value;

pub(crate) const LABELS: [&str; 8] = ["S", "H", "V", "HR", "SH", "S3", "H2", "V2"];

/// The moderation set: a text a line with a 0 or 1 for each category that somebody looked at.
pub(crate) fn moderation(data: &Path) -> Result<Vec<Example>, Box<dyn Error>> {
    let read = |line: &str| -> Result<Example, Box<dyn Error>> {
        let row: Value = serde_json::from_str(line)?;
        let text = row["prompt"].as_str().ok_or("a row has no prompt")?;
        Ok(Example::new(text, LABELS.map(|label| row[label].as_i64().map(|said| said == 1))))
    };
    fs::read_to_string(data.join("guard/moderation.jsonl"))?.lines().map(read).collect()
}
