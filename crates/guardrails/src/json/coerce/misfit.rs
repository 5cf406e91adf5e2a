use serde_json::{Map, Value};

use super::{Coercer, kinds::Kinds, schemas};

impl Coercer<'_> {
    /// How many things a schema has against a value, as far as can be told from types, choices, properties and sizes: a guide to the
    /// right alternative, no validation.
    pub(super) fn misfits(&mut self, value: &Value, schema: &Value, depth: usize) -> usize {
        if schema == &Value::Bool(false) {
            return 1;
        }
        let Some(keywords) = schema.as_object() else { return 0 };
        if !self.spend(depth) {
            return 0;
        }
        let mut misfits = 0;
        if let Some(target) = schemas::target(self.root, keywords) {
            misfits += self.misfits(value, target, depth + 1);
        }
        for part in schemas::list(keywords, "allOf") {
            misfits += self.misfits(value, part, depth + 1);
        }
        for name in ["anyOf", "oneOf"] {
            let mut least = None;
            for alternative in schemas::list(keywords, name) {
                let here = self.misfits(value, alternative, depth + 1);
                least = Some(least.map_or(here, |least: usize| least.min(here)));
            }
            misfits += least.unwrap_or(0);
        }
        let chosen = schemas::choices(keywords).is_none_or(|choices| choices.contains(value));
        misfits += usize::from(!chosen);
        if !Kinds::of(schema).allow(value) {
            return misfits + 1;
        }
        misfits
            + match value {
                Value::Object(members) => self.member_misfits(members, keywords, depth),
                Value::Array(items) => self.item_misfits(items, keywords, depth),
                Value::Number(number) => outside(keywords, "minimum", "maximum", number.as_f64()),
                Value::String(text) => outside(keywords, "minLength", "maxLength", Some(text.chars().count() as f64)),
                _ => 0,
            }
    }

    fn member_misfits(&mut self, members: &Map<String, Value>, keywords: &Map<String, Value>, depth: usize) -> usize {
        let missing = schemas::required(keywords).filter(|name| !members.contains_key(*name)).count();
        let closed = schemas::closed(keywords);
        let mut misfits = missing;
        for (name, member) in members {
            misfits += match schemas::property(keywords, name) {
                Some(schema) => self.misfits(member, schema, depth + 1),
                None => usize::from(closed),
            };
        }
        misfits
    }

    fn item_misfits(&mut self, items: &[Value], keywords: &Map<String, Value>, depth: usize) -> usize {
        let mut misfits = outside(keywords, "minItems", "maxItems", Some(items.len() as f64));
        for (place, item) in items.iter().enumerate() {
            misfits += schemas::item(keywords, place).map_or(0, |schema| self.misfits(item, schema, depth + 1));
        }
        misfits
    }
}

fn outside(keywords: &Map<String, Value>, least: &str, most: &str, size: Option<f64>) -> usize {
    let bound = |name| keywords.get(name).and_then(Value::as_f64);
    let Some(size) = size else { return 0 };
    usize::from(bound(least).is_some_and(|least| size < least)) + usize::from(bound(most).is_some_and(|most| size > most))
}
