use serde_json::Value;

/// The last object in a reply that has `key`, whatever stands around it: for models that write as they like. Only the last
/// [`READ`] bytes are looked at.
pub(crate) fn last_object(reply: &str, key: &str) -> Option<Value> {
    let mut rest = &reply[reply.ceil_char_boundary(reply.len().saturating_sub(READ))..];
    let mut last = None;
    while let Some(start) = rest.find('{') {
        rest = &rest[start..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let read = values.next().and_then(Result::ok);
        rest = &rest[if read.is_some() { values.byte_offset() } else { 1 }..];
        last = read.filter(|value| value.get(key).is_some()).or(last);
    }
    last
}

/// Enough for a verdict on each of several hundred statements.
const READ: usize = 1 << 17;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_object_with_the_key_counts() {
        let found = |reply: &str| last_object(reply, "v").map(|object| object["v"].clone());
        assert_eq!(found("it said {\"v\": 1}, but {\"v\": 2} ok {\"w\": 3}"), Some(json!(2)));
        assert_eq!(found("{not json} {{\"v\": 2}"), Some(json!(2)));
        assert_eq!(found("{\"w\": {\"v\": 1}}"), None);
        assert_eq!(found("{\"v\": 1"), None);
    }

    #[test]
    fn hostile_replies_end() {
        for piece in ["{", "{\"v\":", "{\"v\":[", "{\"{", "ä{\""] {
            assert_eq!(last_object(&piece.repeat(200_000), "v"), None);
        }
        let long = format!("{}{{\"v\": 1}}", "ä".repeat(READ));
        assert!(last_object(&long, "v").is_some());
    }
}
