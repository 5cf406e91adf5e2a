use serde_json::Value;

/// What a value is, as its first character tells; of literals, which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Null,
    True,
    False,
    Number,
    String,
    Array,
    Object,
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Kinds {
    bits: u8,
    /// Numbers have to be whole.
    pub(in super::super) whole: bool,
}

impl Default for Kinds {
    /// All of them.
    fn default() -> Self {
        Self { bits: u8::MAX, whole: false }
    }
}

impl Kinds {
    const NONE: Self = Self { bits: 0, whole: false };

    pub(in super::super) fn has(self, kind: Kind) -> bool {
        self.bits & (1 << kind as u8) != 0
    }

    /// What `type` allows; names that are not known are ignored, as the schema does not get past its meta-schema with them.
    pub(super) fn of_type(types: &Value) -> Self {
        let names = types.as_array().map_or(std::slice::from_ref(types), Vec::as_slice).iter().filter_map(Value::as_str);
        let names: Vec<_> = names.collect();
        let mut kinds = names.iter().fold(Self::NONE, |kinds, name| match *name {
            "null" => kinds.with(Kind::Null),
            "boolean" => kinds.with(Kind::True).with(Kind::False),
            "number" | "integer" => kinds.with(Kind::Number),
            "string" => kinds.with(Kind::String),
            "array" => kinds.with(Kind::Array),
            "object" => kinds.with(Kind::Object),
            _ => Self::default(),
        });
        kinds.whole = names.contains(&"integer") && !names.contains(&"number");
        kinds
    }

    fn with(self, kind: Kind) -> Self {
        Self { bits: self.bits | (1 << kind as u8), ..self }
    }

    fn of_value(value: &Value) -> Kind {
        match value {
            Value::Null => Kind::Null,
            Value::Bool(true) => Kind::True,
            Value::Bool(false) => Kind::False,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        }
    }
}

/// The values that `enum` or `const` allow.
pub(in super::super) struct Values {
    pub(in super::super) kinds: Kinds,
    /// Sorted, so that those that begin alike stand together.
    pub(in super::super) strings: Vec<Box<str>>,
    pub(in super::super) numbers: Vec<f64>,
}

impl Values {
    pub(super) fn new(values: &[Value]) -> Self {
        let kinds = values.iter().fold(Kinds::NONE, |kinds, value| kinds.with(Kinds::of_value(value)));
        let mut strings: Vec<Box<str>> = values.iter().filter_map(Value::as_str).map(Box::from).collect();
        strings.sort_unstable();
        Self { kinds, strings, numbers: values.iter().filter_map(Value::as_f64).collect() }
    }
}
