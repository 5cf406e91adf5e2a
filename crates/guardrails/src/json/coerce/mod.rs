//! Values fitted to a schema.

mod change;
mod fold;
mod kinds;
mod misfit;
mod object;
mod scalar;
mod schemas;

use std::fmt::Write as _;

use serde_json::{Map, Value};

pub use self::change::{Change, ChangeKind};
use self::{
    fold::{fold, unique},
    kinds::Kinds,
};

/// A value, and what was changed to fit it.
#[derive(Clone, Debug, PartialEq)]
pub struct Coerced {
    /// The value. Whether it is valid is for a validator to say.
    pub value: Value,
    /// What was changed, in the order in which it was.
    pub changes: Vec<Change>,
}

impl Coerced {
    /// What the changes cost together.
    pub fn price(&self) -> u32 {
        self.changes.iter().fold(0, |price, change| price.saturating_add(change.kind.price()))
    }
}

/// How deep schemas and values are followed together.
const DEPTH: usize = 256;
/// How many pairs of a value and a schema are looked at, and how many more for each byte of the document.
const LOOKS: usize = 100_000;

/// Changes in `value` what does not fit `schema`, a JSON Schema, where what was meant is clear; each [`ChangeKind`] says when it is.
///
/// Knows `type` (and `nullable` of `OpenAPI`), `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`, `prefixItems`,
/// `default`, `allOf`, `$ref` inside the document, and of `anyOf` and `oneOf` takes the alternative against which the least is left, then the
/// cheapest, then the first. Other keywords change nothing. Dates and units are never touched. Schemas that refer to themselves without end
/// are followed 256 steps, and schemas whose alternatives multiply until a limit; what is beyond stays as it is.
///
/// ```
/// use jarre_guardrails::json::{ChangeKind, coerce};
/// use serde_json::json;
///
/// let schema = json!({"type": "object", "properties": {"age": {"type": "integer"}, "mood": {"enum": ["Good", "Bad"]}}});
/// let coerced = coerce(json!({"age": "41", "mood": "good"}), &schema);
/// assert_eq!(coerced.value, json!({"age": 41, "mood": "Good"}));
/// assert_eq!((coerced.changes[0].pointer.as_str(), coerced.changes[0].kind), ("/age", ChangeKind::Number));
///
/// // Not clear, not touched.
/// assert_eq!(coerce(json!({"age": "41 years"}), &schema).value, json!({"age": "41 years"}));
/// ```
pub fn coerce(value: Value, schema: &Value) -> Coerced {
    let looks = LOOKS + 16 * nodes(&value);
    let mut coercer = Coercer { root: schema, looks, changes: Vec::new(), pointer: String::new() };
    let value = coercer.fit(value, schema, 0);
    Coerced { value, changes: coercer.changes }
}

/// How many values a value holds.
fn nodes(value: &Value) -> usize {
    let (mut open, mut count) = (vec![value], 0);
    while let Some(value) = open.pop() {
        count += 1;
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    count
}

struct Coercer<'a> {
    root: &'a Value,
    looks: usize,
    changes: Vec<Change>,
    pointer: String,
}

impl Coercer<'_> {
    fn fit(&mut self, mut value: Value, schema: &Value, depth: usize) -> Value {
        let Some(keywords) = schema.as_object() else { return value };
        if !self.spend(depth) {
            return value;
        }
        if let Some(target) = schemas::target(self.root, keywords) {
            value = self.fit(value, target, depth + 1);
        }
        for part in schemas::list(keywords, "allOf") {
            value = self.fit(value, part, depth + 1);
        }
        for name in ["anyOf", "oneOf"] {
            value = self.alternative(value, schemas::list(keywords, name), depth);
        }
        if let Some(choices) = schemas::choices(keywords) {
            return self.choice(value, choices);
        }
        let kinds = Kinds::of(schema);
        if !kinds.allow(&value) {
            return match scalar::convert(&value, kinds) {
                Some((converted, kind)) => {
                    self.tell(kind);
                    if kind == ChangeKind::Parsed { self.fit(converted, schema, depth + 1) } else { converted }
                }
                None => self.regroup(value, schema, depth),
            };
        }
        self.inside(&mut value, keywords, depth);
        value
    }

    fn inside(&mut self, value: &mut Value, keywords: &Map<String, Value>, depth: usize) {
        match value {
            Value::Object(members) => self.object(members, keywords, depth),
            Value::Array(items) => {
                for (place, item) in items.iter_mut().enumerate() {
                    let Some(schema) = schemas::item(keywords, place) else { continue };
                    let length = self.enter(&place.to_string());
                    *item = self.fit(std::mem::take(item), schema, depth + 1);
                    self.pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// Fits a value to the alternative that it fits best.
    fn alternative(&mut self, value: Value, alternatives: &[Value], depth: usize) -> Value {
        if alternatives.is_empty() || alternatives.iter().any(|schema| self.misfits(&value, schema, depth + 1) == 0) {
            return value;
        }
        let before = self.changes.len();
        let mut best: Option<(usize, u32, Value, Vec<Change>)> = None;
        for schema in alternatives {
            let fitted = self.fit(value.clone(), schema, depth + 1);
            let misfits = self.misfits(&fitted, schema, depth + 1);
            let changes = self.changes.split_off(before);
            let price = changes.iter().map(|change| change.kind.price()).sum();
            if best.as_ref().is_none_or(|(least, cheapest, ..)| (misfits, price) < (*least, *cheapest)) {
                best = Some((misfits, price, fitted, changes));
            }
        }
        let Some((_, _, fitted, changes)) = best else { return value };
        self.changes.extend(changes);
        fitted
    }

    /// The choice that a value means.
    fn choice(&mut self, value: Value, choices: &[Value]) -> Value {
        if choices.contains(&value) {
            return value;
        }
        let chosen = match &value {
            Value::String(text) => {
                let same = unique(choices.iter().filter_map(Value::as_str), &fold(text), fold).map(Value::from);
                let other = || {
                    let written: Value =
                        serde_json::from_str(text.trim()).ok().filter(|value: &Value| value.is_number() || value.is_boolean())?;
                    choices.contains(&written).then_some(written)
                };
                same.or_else(other)
            }
            Value::Number(_) | Value::Bool(_) => {
                let written = value.to_string();
                choices.iter().find(|choice| choice.as_str() == Some(&written)).cloned()
            }
            Value::Array(items) if items.len() == 1 && choices.contains(&items[0]) => {
                self.tell(ChangeKind::Unwrapped);
                return items[0].clone();
            }
            _ => None,
        };
        let Some(chosen) = chosen else { return value };
        self.tell(ChangeKind::Choice);
        chosen
    }

    /// Whether one more pair may be looked at.
    fn spend(&mut self, depth: usize) -> bool {
        let left = self.looks > 0 && depth < DEPTH;
        self.looks = self.looks.saturating_sub(1);
        left
    }

    /// Goes to a member or an item; the length of the pointer before.
    fn enter(&mut self, name: &str) -> usize {
        let length = self.pointer.len();
        write!(self.pointer, "/{}", name.replace('~', "~0").replace('/', "~1")).expect("a string can be written to");
        length
    }

    fn tell(&mut self, kind: ChangeKind) {
        self.changes.push(Change { pointer: self.pointer.clone(), kind });
    }

    fn tell_of(&mut self, name: &str, kind: ChangeKind) {
        let length = self.enter(name);
        self.tell(kind);
        self.pointer.truncate(length);
    }
}
