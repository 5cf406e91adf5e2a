use serde::{Deserialize, Serialize};

use crate::Sample;

/// An answer to be judged, and what a judge may hold it against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Case {
    /// What was asked.
    pub question: String,
    /// What was answered; never trusted.
    pub answer: String,
    /// An answer that is right.
    pub reference: Option<String>,
    /// What the answer had to rest on: passages, a document.
    pub context: Option<String>,
}

impl Case {
    /// `answer` to `question`, with nothing to hold it against.
    pub fn new(question: impl Into<String>, answer: impl Into<String>) -> Self {
        Self { question: question.into(), answer: answer.into(), ..Self::default() }
    }

    /// Adds an answer that is right.
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// Adds what the answer had to rest on.
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }
}

impl From<&Sample> for Case {
    /// The whole output as the answer, and the target, where there is one, as the reference.
    fn from(sample: &Sample) -> Self {
        Self { question: sample.input.clone(), answer: sample.output.clone(), reference: sample.target.clone(), context: None }
    }
}
