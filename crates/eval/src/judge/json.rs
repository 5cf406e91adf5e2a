use serde_json::Value;

/// The object that a reply is, bare or in a code fence, and nothing else: for models that keep to a schema.
pub(crate) fn whole_object(reply: &str) -> Option<Value> {
    let text = reply.trim();
    let fenced = text.strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    let text = fenced.map_or(text, |text| text.strip_prefix("json").unwrap_or(text).trim());
    serde_json::from_str(text).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_object_has_nothing_around_it() {
        for reply in ["{\"v\": 1}", " {\"v\":1}\n", "```json\n{\"v\": 1}\n```", "```{\"v\": 1}```"] {
            assert_eq!(whole_object(reply), Some(json!({"v": 1})), "{reply}");
        }
        for reply in ["Sure: {\"v\": 1}", "{\"v\": 1} {\"v\": 2}", "[1]", "1", "", "{", "```"] {
            assert_eq!(whole_object(reply), None, "{reply}");
        }
    }
}
