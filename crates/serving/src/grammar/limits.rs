//! What is refused unread, because a recursive reader of it would run out of stack or of time.

use std::fmt::Display;

use serde_json::Value;

use super::Grammar;
use crate::error::{Error, Result};

const MAX_BYTES: usize = 256 << 10;
const MAX_PATTERN_BYTES: usize = 16 << 10;
const MAX_DEPTH: usize = 64;
/// The compiler compares them pair by pair: thousands take minutes.
const MAX_NAME_PATTERNS: usize = 32;

/// Refuses a grammar that is too long or too deep.
pub(super) fn check(grammar: &Grammar) -> Result<()> {
    match grammar {
        Grammar::JsonSchema(schema) => check_schema(schema),
        Grammar::JsonObject => Ok(()),
        Grammar::Regex(pattern) => check_text("the regular expression", pattern, MAX_PATTERN_BYTES),
        Grammar::Choice(texts) => within("the choice", texts.iter().map(|text| text.len() + 1).sum(), MAX_BYTES, "bytes"),
        Grammar::Lark(source) => check_text("the grammar", source, MAX_BYTES),
    }
}

/// The beginning of a foreign message, without the state of the parser that may follow.
pub(super) fn first_lines(message: &dyn Display) -> String {
    let message = message.to_string();
    let end = message.find("\n<").unwrap_or(message.len()).min(message.floor_char_boundary(500));
    match message[..end].trim() {
        "NoExtensionBias" => "no text fits it".to_owned(),
        said if said.starts_with("panic") => "it is malformed".to_owned(),
        said => said.to_owned(),
    }
}

fn check_schema(schema: &Value) -> Result<()> {
    within("the schema", depth(schema), MAX_DEPTH, "levels")?;
    within("the schema", schema.to_string().len(), MAX_BYTES, "bytes")?;
    within("the schema", name_patterns(schema), MAX_NAME_PATTERNS, "patterns of names")?;
    refuse_settings(schema)
}

/// Members of every `patternProperties`, wherever it stands.
fn name_patterns(schema: &Value) -> usize {
    match schema {
        Value::Object(entries) => entries.iter().map(|(key, value)| members_of_patterns(key, value) + name_patterns(value)).sum(),
        Value::Array(items) => items.iter().map(name_patterns).sum(),
        _ => 0,
    }
}

fn members_of_patterns(key: &str, value: &Value) -> usize {
    value.as_object().filter(|_| key == "patternProperties").map_or(0, serde_json::Map::len)
}

/// Refuses settings of the compiler inside a schema, and patterns that are too long or too deep.
fn refuse_settings(schema: &Value) -> Result<()> {
    match schema {
        Value::Object(entries) => entries.iter().try_for_each(|(key, value)| match (key.as_str(), value) {
            ("x-guidance", _) => Err(Error::Invalid("`x-guidance` is not a keyword of JSON Schema".to_owned())),
            ("pattern", Value::String(pattern)) => check_text("a pattern of the schema", pattern, MAX_PATTERN_BYTES),
            ("patternProperties", Value::Object(patterns)) => {
                patterns.keys().try_for_each(|pattern| check_text("a pattern of the schema", pattern, MAX_PATTERN_BYTES))?;
                refuse_settings(value)
            }
            _ => refuse_settings(value),
        }),
        Value::Array(items) => items.iter().try_for_each(refuse_settings),
        _ => Ok(()),
    }
}

fn check_text(what: &str, text: &str, longest: usize) -> Result<()> {
    within(what, text.len(), longest, "bytes")?;
    within(what, brackets(text), MAX_DEPTH, "levels")
}

fn within(what: &str, found: usize, most: usize, unit: &str) -> Result<()> {
    if found > most {
        return Err(Error::Invalid(format!("{what} has {found} {unit}, and at most {most} are read; make it smaller")));
    }
    Ok(())
}

/// Levels of arrays and objects, counted without recursion.
fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut waiting = vec![(value, 1)];
    while let Some((value, level)) = waiting.pop() {
        deepest = deepest.max(level);
        match value {
            Value::Array(items) => waiting.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(entries) => waiting.extend(entries.values().map(|entry| (entry, level + 1))),
            _ => {}
        }
    }
    deepest
}

/// The most brackets that can be open at one place, whether or not they are quoted.
fn brackets(text: &str) -> usize {
    let mut deepest = 0usize;
    let mut open = 0usize;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_too_deep_or_too_long_is_refused_unread() {
        let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({"items": inner}));
        assert!(check(&Grammar::JsonSchema(nested(MAX_DEPTH))).is_ok());
        assert!(check(&Grammar::JsonSchema(nested(MAX_DEPTH + 1))).is_err());
        assert!(check(&Grammar::JsonSchema(json!({"title": "t".repeat(MAX_BYTES)}))).is_err());
        assert!(check(&Grammar::JsonSchema(json!({"properties": {"a": {"x-guidance": {"lenient": true}}}}))).is_err());
        assert!(check(&Grammar::JsonSchema(json!({"patternProperties": {"(".repeat(65): {}}}))).is_err());
        let patterns = |count: usize| (0..count).map(|i| (format!("^{i}$"), json!({}))).collect::<Value>();
        assert!(check(&Grammar::JsonSchema(json!({"patternProperties": patterns(MAX_NAME_PATTERNS)}))).is_ok());
        assert!(check(&Grammar::JsonSchema(json!({"items": [{"patternProperties": patterns(MAX_NAME_PATTERNS + 1)}]}))).is_err());
        assert!(check(&Grammar::Regex("(".repeat(64) + &")".repeat(64))).is_ok());
        assert!(check(&Grammar::Regex("(".repeat(65) + &")".repeat(65))).is_err());
        assert!(check(&Grammar::Regex("a".repeat(MAX_PATTERN_BYTES + 1))).is_err());
        assert!(check(&Grammar::Lark("[".repeat(1000))).is_err());
        assert!(check(&Grammar::Choice(vec!["a".repeat(MAX_BYTES)])).is_err());
    }

    #[test]
    fn messages_lose_what_is_not_for_readers() {
        assert_eq!(first_lines(&"no rule `x`\n<state>\n1</state>"), "no rule `x`");
        assert_eq!(first_lines(&"panic: end byte index 100"), "it is malformed");
        assert!(first_lines(&"é".repeat(1000)).len() <= 500);
    }
}
