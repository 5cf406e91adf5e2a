//! Digests that name what an answer depends on: equal for equal values, whatever the order of an object's keys.

use serde::Serialize;
use serde_json::Value;

/// The digest of `value` as JSON, in hexadecimal.
pub(crate) fn of(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("what has text for keys is JSON");
    let mut hasher = blake3::Hasher::new();
    absorb(&value, &mut hasher);
    short(&hasher)
}

/// The digest of several digests or texts, in order.
pub(crate) fn of_all<T: AsRef<str>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        text(part.as_ref(), &mut hasher);
    }
    short(&hasher)
}

/// 128 bits: no two of 2^50 values are expected to share one.
fn short(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Each value is told with its kind and length, so that no two values are told alike. Keys are sorted here, because whether `serde_json`
/// sorts them is another crate's choice.
fn absorb(value: &Value, hasher: &mut blake3::Hasher) {
    match value {
        Value::Null => drop(hasher.update(b"n")),
        Value::Bool(value) => drop(hasher.update(if *value { b"t" } else { b"f" })),
        Value::Number(number) => {
            hasher.update(b"d");
            text(&number.to_string(), hasher);
        }
        Value::String(string) => {
            hasher.update(b"s");
            text(string, hasher);
        }
        Value::Array(values) => {
            hasher.update(b"a").update(&(values.len() as u64).to_le_bytes());
            for value in values {
                absorb(value, hasher);
            }
        }
        Value::Object(fields) => {
            hasher.update(b"o").update(&(fields.len() as u64).to_le_bytes());
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in sorted {
                text(key, hasher);
                absorb(value, hasher);
            }
        }
    }
}

fn text(text: &str, hasher: &mut blake3::Hasher) {
    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_is_that_of_the_value() {
        let one: Value = serde_json::from_str(r#"{"a": 1, "b": [true, null]}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b": [true, null], "a": 1}"#).unwrap();
        assert_eq!(of(&one), of(&other));
        assert_eq!(of(&one).len(), 32);
    }

    #[test]
    fn neighbours_do_not_run_together() {
        let values = [
            json!(["ab", "c"]),
            json!(["a", "bc"]),
            json!([["a"], "bc"]),
            json!("ab"),
            json!(1),
            json!("1"),
            json!({"1": null}),
            json!([]),
        ];
        let digests: std::collections::BTreeSet<_> = values.iter().map(of).collect();
        assert_eq!(digests.len(), values.len());
        assert_ne!(of_all(["ab", "c"]), of_all(["a", "bc"]));
    }
}
