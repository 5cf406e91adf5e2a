use serde_json::Value;

/// A call as its object says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) name: String,
    /// As the model wrote them.
    pub(super) arguments: String,
}

/// Reads an object with a `name` and `arguments` or `parameters`, bare or as the `function` of another. `None` where it is something else.
pub(super) fn read(text: &str) -> Option<Call> {
    let Value::Object(object) = serde_json::from_str(text).ok()? else { return None };
    let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
    if let Some(Value::Object(_)) = object.get("function") {
        let inner = read(member(text, "function")?)?;
        return Some(Call { id: id.or(inner.id), ..inner });
    }
    let name = object.get("name")?.as_str().filter(|name| !name.is_empty())?.to_owned();
    let key = ["arguments", "parameters"].into_iter().find(|key| object.contains_key(*key))?;
    let arguments = match &object[key] {
        Value::Object(_) => member(text, key)?.to_owned(),
        // Some models write the arguments as JSON inside a string.
        Value::String(inner) => serde_json::from_str::<Value>(inner).ok().filter(Value::is_object).map(|_| inner.clone())?,
        Value::Null => "{}".to_owned(),
        _ => return None,
    };
    Some(Call { id, name, arguments })
}

/// The text of an object's member, of several of the same name the last; `text` is valid JSON.
fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text.trim_ascii_start().strip_prefix('{')?;
    let mut found = None;
    loop {
        let key;
        (key, rest) = value(rest)?;
        let after;
        (after, rest) = value(rest.trim_ascii_start().strip_prefix(':')?)?;
        if serde_json::from_str::<String>(key).is_ok_and(|key| key == name) {
            found = Some(after);
        }
        match rest.trim_ascii_start().strip_prefix(',') {
            Some(next) => rest = next,
            None => return found,
        }
    }
}

/// The first value of a text, and what stands behind it.
fn value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    values.next()?.ok()?;
    Some(text.split_at(values.byte_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: Option<&str>, name: &str, arguments: &str) -> Call {
        Call { id: id.map(str::to_owned), name: name.to_owned(), arguments: arguments.to_owned() }
    }

    #[test]
    fn arguments_stay_as_they_were_written() {
        assert_eq!(read(r#"{"name": "f", "arguments": {"b" : 1.50, "a":[ ]} }"#), Some(call(None, "f", r#"{"b" : 1.50, "a":[ ]}"#)));
        assert_eq!(read(r#"{"parameters":{},"name":"g","id":"1"}"#), Some(call(Some("1"), "g", "{}")));
        assert_eq!(
            read(r#"{"id":"x","type":"function","function":{"name":"h","arguments":"{\"a\":1}"}}"#),
            Some(call(Some("x"), "h", "{\"a\":1}"))
        );
        assert_eq!(read(r#"{"name":"f","\u0061rguments":{"first":1},"arguments":{"last":2}}"#), Some(call(None, "f", r#"{"last":2}"#)));
    }

    #[test]
    fn other_objects_are_no_calls() {
        for text in [
            r#"{"name":"f"}"#,
            r#"{"name":"","arguments":{}}"#,
            r#"{"name":"f","arguments":[1]}"#,
            r#"{"name":"f","arguments":"x"}"#,
            "{}",
            "[]",
            "{",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
