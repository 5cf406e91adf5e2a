use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    DatasetRef, Error, Result, digest,
    rows::{self, Row},
    text::Extraction,
};

/// Where items come from and which of their fields mean what.
///
/// ```
/// let spec: jarre_eval::experiment::DatasetSpec = toml::from_str(r##"
///     path = "gsm8k/test.jsonl"
///     target = "answer"
///     target_extract = "last_number"
///     sample = 200
///     seed = 7
/// "##)?;
/// assert_eq!(spec.sample, Some(200));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetSpec {
    /// The file: `.jsonl`, `.csv`, or, with the feature `parquet`, `.parquet`. Relative to the experiment's file.
    pub path: PathBuf,
    /// The name that people know the data by; the file's stem where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The field with an item's id. Without it `id` where items have that, else a digest of the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The field with what is wanted: a text, a number, or a list of texts of which any will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How the wanted answer is found in that field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_extract: Option<Extraction>,
    /// The field with the unit that was drawn at random, where several items share one: a document, a conversation, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The field with the fixed category of an item: a subject, a language. It is also the slice that gates look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratum: Option<String>,
    /// Draws so many items; all where it is not given, or where there are fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// Seeds the draw.
    #[serde(default)]
    pub seed: u64,
}

/// Something to be asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// Names it: no other item of the dataset has this.
    pub id: String,
    /// All of it.
    pub fields: Map<String, Value>,
    /// What is wanted: a text, or a JSON list of texts of which any will do.
    pub target: Option<String>,
    /// The unit that was drawn at random.
    pub cluster: Option<String>,
    /// The fixed category.
    pub stratum: Option<String>,
}

/// Items, and a digest that is another one as soon as any of them is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// The name that people know it by.
    pub name: String,
    /// In the order of the file.
    pub items: Vec<Item>,
    /// The seed of the draw; `None` where all were taken.
    pub seed: Option<u64>,
}

impl Dataset {
    /// Reads what `spec` names, relative paths from `folder`.
    ///
    /// # Errors
    /// [`Error::File`] with the file and the line where it cannot be read, is no UTF-8, breaks its format, lacks a field, or repeats an id;
    /// [`Error::InvalidExperiment`] for a file whose kind is not known.
    pub fn load(spec: &DatasetSpec, folder: &Path) -> Result<Self> {
        let path = folder.join(&spec.path);
        let within = |error: Error| Error::File { path: path.clone(), source: Box::new(error) };
        let rows = rows::read(&path).map_err(within)?;
        let name = spec.name.clone().or_else(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        Self::from_rows(name.unwrap_or_default(), rows, spec).map_err(within)
    }

    pub(super) fn from_rows(name: String, rows: Vec<Row>, spec: &DatasetSpec) -> Result<Self> {
        let mut first: HashMap<String, usize> = HashMap::with_capacity(rows.len());
        let mut items = Vec::with_capacity(rows.len());
        for Row { line, fields } in rows {
            let item = item(line, fields, spec)?;
            if let Some(first) = first.insert(item.id.clone(), line) {
                return Err(at(line, format!("the id `{}` stands on line {first} already; give each item its own", shortened(&item.id))));
            }
            items.push(item);
        }
        let seed = draw(&mut items, spec);
        Ok(Self { name, items, seed })
    }

    /// Names the items that were drawn.
    pub fn reference(&self) -> DatasetRef {
        let digests = self.items.iter().map(|item| digest::of(&item.fields));
        DatasetRef { name: self.name.clone(), digest: digest::of_all(digests), items: self.items.len() as u64, seed: self.seed }
    }
}

/// Keeps the items whose ids have the least digests under the seed: a draw that does not depend on the order of the file, and of which a
/// smaller one is a part.
fn draw(items: &mut Vec<Item>, spec: &DatasetSpec) -> Option<u64> {
    let count = spec.sample.filter(|&count| count < items.len())?;
    let seed = spec.seed.to_string();
    let mut ranks: Vec<String> = items.iter().map(|item| digest::of_all([&seed, &item.id])).collect();
    let order = ranks.clone();
    ranks.sort_unstable();
    let bound = ranks.get(count).expect("fewer are drawn than there are");
    let mut order = order.iter();
    items.retain(|_| order.next().is_some_and(|rank| rank < bound));
    Some(spec.seed)
}

fn item(line: usize, fields: Map<String, Value>, spec: &DatasetSpec) -> Result<Item> {
    let named = |field: &Option<String>| field.as_ref().map(|field| text_of(line, &fields, field)).transpose();
    let id = match (&spec.id, fields.get("id")) {
        (Some(field), _) => text_of(line, &fields, field)?,
        (None, Some(Value::String(_) | Value::Number(_))) => text_of(line, &fields, "id")?,
        (None, _) => digest::of(&fields)[..16].to_owned(),
    };
    let target = spec.target.as_ref().map(|field| target_of(line, &fields, field, spec.target_extract.as_ref())).transpose()?;
    let (cluster, stratum) = (named(&spec.cluster)?, named(&spec.stratum)?);
    Ok(Item { id, fields, target, cluster, stratum })
}

fn target_of(line: usize, fields: &Map<String, Value>, field: &str, extract: Option<&Extraction>) -> Result<String> {
    let Some(Value::Array(wanted)) = fields.get(field) else {
        return extracted(line, text_of(line, fields, field)?, extract);
    };
    let texts: Result<Vec<String>> = wanted
        .iter()
        .map(|wanted| plain(wanted).ok_or_else(|| at(line, format!("`{field}` must hold texts or numbers, not {}", kind(wanted)))))
        .map(|text| extracted(line, text?, extract))
        .collect();
    Ok(serde_json::to_string(&texts?).expect("texts are JSON"))
}

fn extracted(line: usize, text: String, extract: Option<&Extraction>) -> Result<String> {
    let Some(extraction) = extract else { return Ok(text) };
    let found = extraction.extract(&text);
    found.ok_or_else(|| at(line, format!("`target_extract` finds nothing in `{}`", shortened(&text))))
}

fn text_of(line: usize, fields: &Map<String, Value>, field: &str) -> Result<String> {
    let value = fields.get(field).ok_or_else(|| {
        let there: Vec<&str> = fields.keys().map(String::as_str).collect();
        at(line, format!("there is no field `{field}`; there are: {}", there.join(", ")))
    })?;
    plain(value).ok_or_else(|| at(line, format!("`{field}` must be a text or a number, not {}", kind(value))))
}

/// A value as people would write it.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
        Value::Bool(_) | Value::Number(_) | Value::String(_) => "a plain value",
    }
}

fn at(line: usize, problem: String) -> Error {
    Error::Malformed { line, problem }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(60).chain(['…']).collect() }
}

/// The fields of an item by their names, as texts: lists and objects as JSON.
pub(super) fn values(fields: &Map<String, Value>) -> BTreeMap<String, String> {
    fields.iter().map(|(name, value)| (name.clone(), plain(value).unwrap_or_else(|| value.to_string()))).collect()
}
