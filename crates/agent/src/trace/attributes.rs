use serde::Serialize;

/// Attributes of a span as OTLP's JSON has them: whole numbers are texts, so that none is rounded.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Attributes(Vec<Attribute>);

#[derive(Debug, Serialize)]
struct Attribute {
    key: &'static str,
    value: Value,
}

#[derive(Debug, Serialize)]
enum Value {
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "intValue")]
    Integer(String),
    #[serde(rename = "doubleValue")]
    Number(f64),
    #[serde(rename = "arrayValue")]
    Several { values: Vec<Value> },
}

impl Attributes {
    pub(super) fn text(&mut self, key: &'static str, value: &str) {
        self.0.push(Attribute { key, value: Value::Text(value.to_owned()) });
    }

    pub(super) fn integer(&mut self, key: &'static str, value: u64) {
        self.0.push(Attribute { key, value: Value::Integer(value.to_string()) });
    }

    /// Numbers that JSON does not have are left out.
    pub(super) fn number(&mut self, key: &'static str, value: f64) {
        if value.is_finite() {
            self.0.push(Attribute { key, value: Value::Number(value) });
        }
    }

    pub(super) fn texts<'a>(&mut self, key: &'static str, values: impl IntoIterator<Item = &'a str>) {
        let values = values.into_iter().map(|value| Value::Text(value.to_owned())).collect();
        self.0.push(Attribute { key, value: Value::Several { values } });
    }
}
