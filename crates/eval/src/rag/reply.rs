//! What is read out of a model's reply.

use serde_json::{Value, json};

use crate::judge::Unjudged;

/// The verdicts on `count` statements, by their numbers from 1. A number that is missing, or has two verdicts that differ, is `None`; numbers
/// beyond are ignored.
pub(super) fn verdicts(object: &Value, count: usize) -> Result<Vec<Option<bool>>, Unjudged> {
    let mut read: Vec<Vec<bool>> = vec![Vec::new(); count];
    for verdict in object["verdicts"].as_array().into_iter().flatten() {
        let index = number(&verdict["index"]).and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
        if let Some((place, supported)) = index.and_then(|index| read.get_mut(index)).zip(truth(&verdict["supported"])) {
            place.push(supported);
        }
    }
    if read.iter().all(Vec::is_empty) {
        return unreadable("verdicts");
    }
    let single = |verdicts: Vec<bool>| verdicts.first().copied().filter(|first| verdicts.iter().all(|verdict| verdict == first));
    Ok(read.into_iter().map(single).collect())
}

/// A list of texts, those without letters or digits left out.
pub(super) fn texts(object: &Value, key: &str) -> Result<Vec<String>, Unjudged> {
    let Some(list) = object[key].as_array() else { return unreadable(key) };
    let text = |value: &Value| value.as_str().map(str::trim).filter(|text| text.contains(char::is_alphanumeric)).map(str::to_owned);
    Ok(list.iter().filter_map(text).collect())
}

/// A yes or no.
pub(super) fn flag(object: &Value, key: &str) -> Result<bool, Unjudged> {
    truth(&object[key]).map_or_else(|| unreadable(key), Ok)
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) if number.as_u64() == Some(1) => Some(true),
        Value::Number(number) if number.as_u64() == Some(0) => Some(false),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn unreadable<T>(key: &str) -> Result<T, Unjudged> {
    Err(Unjudged::Unreadable(format!("the judge's reply has no {key:?} that can be read")))
}

/// The schema of an object with just these members.
pub(super) fn schema(members: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let members: serde_json::Map<String, Value> = members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "properties": members, "required": names, "additionalProperties": false})
}

pub(super) fn list_of(item: &Value) -> Value {
    json!({"type": "array", "items": item})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &Value, count: usize) -> Option<Vec<Option<bool>>> {
        verdicts(&json!({"verdicts": list}), count).ok()
    }

    #[test]
    fn verdicts_are_matched_by_number() {
        let (yes, no) = (|index: Value| json!({"index": index, "supported": true}), |index: Value| json!({"index": index, "supported": 0}));
        let in_order = json!([yes(json!(1)), no(json!(2))]);
        assert_eq!(read(&in_order, 2), Some(vec![Some(true), Some(false)]));
        let turned = json!([no(json!("2")), yes(json!(1))]);
        assert_eq!(read(&turned, 2), Some(vec![Some(true), Some(false)]));
        let doubled = json!([yes(json!(1)), yes(json!(1)), yes(json!(2)), no(json!(2))]);
        assert_eq!(read(&doubled, 3), Some(vec![Some(true), None, None]));
        let beyond = json!([yes(json!(0)), yes(json!(3)), yes(json!(-1)), yes(json!(1.5)), no(json!(2))]);
        assert_eq!(read(&beyond, 2), Some(vec![None, Some(false)]));
    }

    #[test]
    fn a_reply_without_a_single_verdict_is_unreadable() {
        for list in [json!([]), json!(null), json!([{"index": 1, "supported": "perhaps"}]), json!([{"supported": true}]), json!(["yes"])] {
            assert_eq!(read(&list, 1), None, "{list}");
        }
    }

    #[test]
    fn texts_and_flags() {
        assert_eq!(texts(&json!({"k": [" a ", "", "-", 3, null, "b"]}), "k").unwrap(), ["a", "b"]);
        assert!(texts(&json!({"k": "a"}), "k").is_err());
        assert_eq!(flag(&json!({"k": "Yes"}), "k"), Ok(true));
        assert!(flag(&json!({"k": 2}), "k").is_err() && flag(&json!({}), "k").is_err());
    }
}
