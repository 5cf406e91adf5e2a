use serde::{Deserialize, Serialize};

use crate::judge::Unjudged;

/// A question, its answer, and what was retrieved for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RagSample {
    /// What was asked.
    pub question: String,
    /// What was answered.
    pub answer: String,
    /// What was retrieved, best first.
    pub contexts: Vec<String>,
    /// An answer that is right.
    pub reference: Option<String>,
    /// What should have been retrieved.
    pub reference_contexts: Vec<String>,
    /// Ids of what was retrieved, best first.
    pub context_ids: Vec<String>,
    /// Ids of what should have been.
    pub reference_ids: Vec<String>,
}

impl RagSample {
    /// `answer` to `question`, for which nothing was retrieved.
    pub fn new(question: impl Into<String>, answer: impl Into<String>) -> Self {
        Self { question: question.into(), answer: answer.into(), ..Self::default() }
    }

    /// Sets what was retrieved, best first.
    pub fn with_contexts<S: Into<String>>(mut self, contexts: impl IntoIterator<Item = S>) -> Self {
        self.contexts = contexts.into_iter().map(Into::into).collect();
        self
    }

    /// Sets an answer that is right.
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// The contexts as one text.
    pub(super) fn joined_contexts(&self) -> String {
        self.contexts.join("\n\n")
    }

    /// The reference, or that there is none.
    pub(super) fn reference(&self) -> Result<&str, Unjudged> {
        self.reference.as_deref().ok_or_else(|| Unjudged::Unreadable("the sample has no reference answer".into()))
    }
}
