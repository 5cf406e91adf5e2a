use serde_json::{Map, Value};

/// A bracket that is open, with what was read inside.
#[derive(Debug)]
pub(super) enum Frame {
    Object {
        members: Map<String, Value>,
        key: Option<String>,
    },
    /// An array, or in round brackets a tuple.
    Array {
        items: Vec<Value>,
        round: bool,
        comma: bool,
    },
    /// A call that stands for its argument.
    Call {
        numeric: bool,
        value: Option<Value>,
    },
}

impl Frame {
    pub(super) fn object() -> Self {
        Self::Object { members: Map::new(), key: None }
    }

    pub(super) fn array(round: bool) -> Self {
        Self::Array { items: Vec::new(), round, comma: false }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object { .. })
    }

    pub(super) fn is_array(&self) -> bool {
        matches!(self, Self::Array { .. })
    }

    /// Whether nothing was read inside.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Object { members, .. } => members.is_empty(),
            Self::Array { items, .. } => items.is_empty(),
            Self::Call { value, .. } => value.is_none(),
        }
    }

    /// The bracket that closes it.
    pub(super) fn closer(&self) -> u8 {
        match self {
            Self::Object { .. } => b'}',
            Self::Array { round: false, .. } => b']',
            Self::Array { .. } | Self::Call { .. } => b')',
        }
    }

    /// What stands for it once it is closed. One value in round brackets without a comma is that value, as in Python.
    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Object { members, .. } => Some(members.into()),
            Self::Array { mut items, round: true, comma: false } if items.len() == 1 => items.pop(),
            Self::Array { items, .. } => Some(items.into()),
            Self::Call { numeric: true, value: Some(Value::String(text)) } => text.parse().ok().map(Value::Number),
            Self::Call { value, .. } => value,
        }
    }
}
