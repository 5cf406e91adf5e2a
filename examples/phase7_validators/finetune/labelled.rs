use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::input;

/// Texts and the labels that somebody has given them.
pub(crate) struct Labelled {
    pub(crate) labels: Vec<String>,
    pub(crate) texts: Vec<Text>,
}

pub(crate) struct Text {
    pub(crate) text: String,
    /// For each label whether it fits, where somebody has said so.
    pub(crate) targets: Vec<Option<bool>>,
}

impl Labelled {
    /// Reads objects, one a line. Without `labels` every field but the text's is one, in the order of their names.
    pub(crate) fn read(file: &Path, field: &str, labels: &[String]) -> Result<Self> {
        let mut rows: Vec<(String, Map<String, Value>)> = Vec::new();
        input::lines(Some(file), |_, line| {
            let text = input::text_of(line, field)?;
            let mut object: Map<String, Value> = serde_json::from_slice(line).context("it is not an object")?;
            object.remove(field);
            rows.push((text, object));
            Ok(())
        })?;
        let mut found: Vec<String> =
            if labels.is_empty() { rows.iter().flat_map(|(_, row)| row.keys().cloned()).collect() } else { labels.to_vec() };
        found.sort();
        found.dedup();
        let texts = rows.into_iter().map(|(text, row)| {
            let targets = found.iter().map(|label| target(&row, label)).collect::<Result<_>>()?;
            Ok(Text { text, targets })
        });
        let this = Self { texts: texts.collect::<Result<_>>()?, labels: found };
        this.check()?;
        Ok(this)
    }

    fn check(&self) -> Result<()> {
        if self.labels.is_empty() {
            bail!("there is nothing to learn: no text has a field beside its own");
        }
        for (index, label) in self.labels.iter().enumerate() {
            if self.texts.iter().all(|text| text.targets[index].is_none()) {
                bail!("no text says whether `{label}` fits");
            }
        }
        Ok(())
    }
}

fn target(row: &Map<String, Value>, label: &str) -> Result<Option<bool>> {
    match row.get(label) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(fits)) => Ok(Some(*fits)),
        Some(Value::Number(number)) if number.as_f64() == Some(0.0) => Ok(Some(false)),
        Some(Value::Number(number)) if number.as_f64() == Some(1.0) => Ok(Some(true)),
        Some(other) => bail!("the field `{label}` is {other}, which is none of 0, 1, true, false and null; name the labels by --label"),
    }
}
