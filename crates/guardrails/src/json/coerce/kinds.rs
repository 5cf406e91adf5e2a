use serde_json::Value;

/// The types that a schema allows a value to be of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kinds<'a> {
    /// Any.
    All,
    /// This one.
    One(&'a str, bool),
    /// These.
    Some(&'a [Value], bool),
}

impl<'a> Kinds<'a> {
    pub(super) fn of(schema: &'a Value) -> Self {
        // OpenAPI 3.0 writes it beside the type.
        let nullable = schema.get("nullable") == Some(&Value::Bool(true));
        match schema.get("type") {
            Some(Value::String(kind)) => Self::One(kind, nullable),
            Some(Value::Array(kinds)) => Self::Some(kinds, nullable),
            _ => Self::All,
        }
    }

    pub(super) fn has(self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::One(only, nullable) => only == kind || nullable && kind == "null",
            Self::Some(kinds, nullable) => kinds.iter().any(|one| one == kind) || nullable && kind == "null",
        }
    }

    pub(super) fn allow(self, value: &Value) -> bool {
        match value {
            Value::Null => self.has("null"),
            Value::Bool(_) => self.has("boolean"),
            Value::Number(number) => {
                self.has("number") || self.has("integer") && number.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            Value::String(_) => self.has("string"),
            Value::Array(_) => self.has("array"),
            Value::Object(_) => self.has("object"),
        }
    }
}
