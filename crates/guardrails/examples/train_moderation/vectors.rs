use std::{collections::HashMap, error::Error, fs, path::Path, sync::Arc};

use jarre_guardrails::learn::FeatureHook;
use serde::Deserialize;

/// The vector of each text.
pub(crate) type Vectors = Arc<HashMap<String, Vec<f32>>>;

#[derive(Deserialize)]
struct Row {
    text: String,
    vector: Vec<f32>,
}

/// Reads what `phase7_validators embed` writes.
pub(crate) fn read(file: &Path) -> Result<Vectors, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let rows = text.lines().map(|line| serde_json::from_str(line).map(|row: Row| (row.text, row.vector)));
    Ok(Arc::new(rows.collect::<Result<_, _>>()?))
}

/// The vectors as numbers beside n-grams, and those of `more` behind them. A text that has none has zeros.
pub(crate) fn hook(vectors: &Vectors, more: Option<FeatureHook>) -> FeatureHook {
    let dims = vectors.values().next().map_or(0, Vec::len);
    let names = (0..dims).map(|at| format!("dim{at}")).chain(more.iter().flat_map(FeatureHook::names).map(ToString::to_string));
    let vectors = Arc::clone(vectors);
    FeatureHook::new(names.collect::<Vec<_>>(), move |text| {
        let mut values = vectors.get(text).cloned().unwrap_or_default();
        values.resize(dims, 0.0);
        values.extend(more.iter().flat_map(|more| more.read(text)));
        values
    })
}
