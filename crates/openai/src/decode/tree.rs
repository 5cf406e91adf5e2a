use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::{ApiError, Result};

/// The JSON value that `bytes` hold. Nesting is bounded by `serde_json`; a key that stands twice in one object is refused, because
/// readers disagree on which of the two counts.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value> {
    let Tree(value) = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::invalid_request(format!("the body cannot be read as JSON: {error}")).with_code("invalid_json"))?;
    Ok(value)
}

struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Self)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} stands twice in one object")));
            }
            let Tree(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_bytes_are_refused() {
        let message = |bytes: &[u8]| parse(bytes).unwrap_err().body.message;
        assert!(message(br#"{"a": 1, "b": {"c": 1, "c": 2}}"#).contains(r#"the key "c" stands twice in one object at line 1"#));
        assert!(message(br#"{"a": 1, "\u0061": 2}"#).contains("stands twice"), "an escape does not hide a key");
        assert!(message("[".repeat(100_000).as_bytes()).contains("recursion limit"));
        assert!(message(r#"{"a":"#.repeat(100_000).as_bytes()).contains("recursion limit"));
        assert!(message(br#""\ud800""#).contains("surrogate") || message(br#""\ud800""#).contains("hex escape"));
        assert!(message(b"\"\xff\"").contains("unicode"));
        assert!(message(b"1e999").contains("out of range"));
        assert!(message(b"{} {}").contains("trailing"));
        assert!(message(b"NaN").contains("expected"));
        assert!(message(b"").contains("EOF"));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let object = proptest::collection::btree_map(any::<String>(), inner.clone(), 0..4);
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(Value::from),
                object.prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn sound_json_reads_as_it_was_written(value in value()) {
            prop_assert_eq!(parse(&serde_json::to_vec(&value).unwrap()).unwrap(), value);
        }
    }
}
