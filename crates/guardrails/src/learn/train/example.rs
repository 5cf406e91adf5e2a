use serde::{Deserialize, Serialize};

/// A text and what is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The text.
    pub text: String,
    /// For each label whether it fits; `None` where nobody has said so.
    pub targets: Vec<Option<bool>>,
    /// How much it counts, 1 for an ordinary one.
    pub weight: f32,
}

impl Example {
    /// An example that counts as one.
    pub fn new(text: impl Into<String>, targets: impl IntoIterator<Item = Option<bool>>) -> Self {
        Self { text: text.into(), targets: targets.into_iter().collect(), weight: 1.0 }
    }

    /// Counts as `weight` examples.
    pub fn with_weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }
}
