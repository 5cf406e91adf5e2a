//! The keywords of JSON Schema that values are fitted by.

use serde_json::{Map, Value};

/// What a `$ref` inside the same document points to.
pub(super) fn target<'a>(root: &'a Value, keywords: &Map<String, Value>) -> Option<&'a Value> {
    root.pointer(keywords.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// The schemas of `allOf`, `anyOf` or `oneOf`.
pub(super) fn list<'a>(keywords: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    keywords.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The values that `enum` or `const` allow.
pub(super) fn choices(keywords: &Map<String, Value>) -> Option<&[Value]> {
    match (keywords.get("const"), keywords.get("enum")) {
        (Some(only), _) => Some(std::slice::from_ref(only)),
        (None, choices) => choices.and_then(Value::as_array).map(Vec::as_slice),
    }
}

/// The names of the properties that have to be there.
pub(super) fn required(keywords: &Map<String, Value>) -> impl Iterator<Item = &str> {
    keywords.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The schema of a property by its name.
pub(super) fn named<'a>(keywords: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    keywords.get("properties")?.get(name)
}

/// The schema of a property by its name, or else of all that have no own.
pub(super) fn property<'a>(keywords: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let others = || keywords.get("additionalProperties").filter(|others| others.is_object() && !keywords.contains_key("patternProperties"));
    named(keywords, name).or_else(others)
}

/// The schema of the item at a place of an array.
pub(super) fn item(keywords: &Map<String, Value>, place: usize) -> Option<&Value> {
    // Until draft 2019-09 an array of `items` was what `prefixItems` is now.
    let items = keywords.get("items");
    let prefix = keywords.get("prefixItems").or(items.filter(|items| items.is_array())).and_then(Value::as_array);
    match prefix.and_then(|prefix| prefix.get(place)) {
        Some(item) => Some(item),
        None => items.filter(|items| items.is_object()),
    }
}

/// Whether properties without a schema may not be there.
pub(super) fn closed(keywords: &Map<String, Value>) -> bool {
    keywords.get("additionalProperties") == Some(&Value::Bool(false)) && !keywords.contains_key("patternProperties")
}
