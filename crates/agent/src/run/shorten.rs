use serde_json::{Map, Value};

/// The head and the tail of a text of more than `most` bytes, with a line between them that says how much is left out.
pub(crate) fn head_and_tail(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = &text[..text.floor_char_boundary(most / 3 * 2)];
    let tail = &text[text.ceil_char_boundary(text.len() - most / 3)..];
    let left_out = text.len() - head.len() - tail.len();
    format!("{head}\n[... {left_out} bytes are left out here ...]\n{tail}")
}

/// The same for every string within the JSON text of a call's arguments, which stay JSON.
pub(super) fn arguments(text: &str, most: usize) -> String {
    match serde_json::from_str(text) {
        Ok(value) => strings(value, most).to_string(),
        Err(_) => unreadable(text, most),
    }
}

/// Arguments that are no JSON, as JSON: providers do not take back what is none.
pub(super) fn unreadable(text: &str, most: usize) -> String {
    let mut object = Map::new();
    object.insert("unreadable".to_owned(), Value::String(head_and_tail(text, most)));
    Value::Object(object).to_string()
}

/// The reader that made the value has a limit of depth, so this goes no deeper.
fn strings(value: Value, most: usize) -> Value {
    match value {
        Value::String(text) => Value::String(head_and_tail(&text, most)),
        Value::Array(items) => items.into_iter().map(|item| strings(item, most)).collect(),
        Value::Object(members) => members.into_iter().map(|(key, member)| (key, strings(member, most))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn head_and_tail_are_kept() {
        let text = format!("begin{}end", "é".repeat(500));
        let short = head_and_tail(&text, 60);
        assert!(short.starts_with("begin") && short.ends_with("end") && short.contains("bytes are left out"), "{short}");
        assert_eq!(head_and_tail("short", 5), "short");
    }

    #[test]
    fn arguments_stay_json() {
        let long = serde_json::json!({"path": "a.rs", "lines": ["x".repeat(900)]}).to_string();
        let short: Value = serde_json::from_str(&arguments(&long, 90)).unwrap();
        assert_eq!(short["path"], "a.rs");
        assert!(short["lines"][0].as_str().unwrap().len() < 200);
        assert_eq!(arguments("{broken", 90), r#"{"unreadable":"{broken"}"#);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_nothing_grows_beyond_its_limit(text: String, most in 0..200_usize) {
            let short = head_and_tail(&text, most);
            prop_assert!(short == text || short.len() <= most + 60);
        }
    }
}
