//! One string of a JSON object, the rest of which is skipped over without being built.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

/// The string that `field` of the object in `line` holds, or what is wrong with the line.
pub(super) fn text_of(line: &str, field: &str) -> Result<String, String> {
    let mut json = serde_json::Deserializer::from_str(line);
    let text = Field(field).deserialize(&mut json).and_then(|text| json.end().map(|()| text));
    text.map_err(|error| describe(&error))
}

/// The name of the field that is wanted.
struct Field<'f>(&'f str);

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Field<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a string `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        let mut text = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != self.0 {
                map.next_value::<IgnoredAny>()?;
            } else if text.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format!("`{}` stands twice", self.0)));
            }
        }
        text.ok_or_else(|| A::Error::custom(format!("`{}` is missing", self.0)))
    }
}

/// The message without the line, which is always the first of a text of one line.
fn describe(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    format!("column {}: {message}", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_found_among_others_whatever_they_hold() {
        let line = r#"{"id": {"text": "inner", "a": [1, null, 2.5e3]}, "text": "a\nb\u00e9", "more": true}"#;
        assert_eq!(text_of(line, "text").unwrap(), "a\nbé");
        let deep = format!(r#"{{"x": {}{}, "text": "t"}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(text_of(&deep, "text").unwrap(), "t");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_column() {
        let cases = [
            (r#"{"txt": "a"}"#, "`text` is missing"),
            (r#"{"text": 3}"#, "expected a string"),
            (r#"{"text": "a", "text": "b"}"#, "`text` stands twice"),
            (r#"{"text": "a"} x"#, "trailing characters"),
            (r#"{"text": "a"#, "EOF"),
            (r#"{"text": "\ud800"}"#, "hex escape"),
            ("[1]", "an object with a string `text`"),
            ("", "EOF"),
        ];
        for (line, problem) in cases {
            let said = text_of(line, "text").unwrap_err();
            assert!(said.starts_with("column ") && said.contains(problem) && !said.contains("at line"), "{line}: {said}");
        }
    }
}
