//! Answering a question from the passages that were found for it.
//!
//! An [`Answerer`] reads a question and its [`Passages`] and gives an [`Answer`]: text, the citations that it rests on, and whether the
//! passages answer at all. [`Extractive`] quotes the sentences that answer and needs no model; [`ChatAnswerer`] writes with any
//! [`ChatModel`](jarre_core::ChatModel). Both cite the same way: a [`Citation`] is checked against the text of its document before it is
//! returned, so a quote that does not stand in the source cannot reach a reader.

mod budget;
mod candidate;
mod chat;
mod citation;
mod expected;
mod extractive;
mod features;
mod passages;
mod plain;
mod prompt;
mod question;
mod reason;
mod refusal;
mod support;

use jarre_core::BoxFuture;
use serde::{Deserialize, Serialize};

pub use budget::{Budget, Context, Dropped, Omission};
pub use chat::ChatAnswerer;
pub use citation::Citation;
pub use expected::Expected;
pub use extractive::{Extractive, Scored};
pub use features::SentenceFeatures;
pub use passages::{Passage, Passages, Vocabulary};
pub use prompt::PROMPT_VERSION;
pub use reason::Reason;
pub use refusal::{Calibration, RefusalWeights, Signals};

use crate::Result;

/// Answers questions from passages.
pub trait Answerer: Send + Sync {
    /// Answers `question` from `passages` alone, or refuses.
    ///
    /// # Errors
    /// Where the model or the index fails. Passages that do not answer are no error but a [refusal](Verdict::Refused).
    fn answer<'a>(&'a self, question: &'a str, passages: &'a Passages<'a>) -> BoxFuture<'a, Result<Answer>>;
}

/// What a reader is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The answer, without markup; where it was refused, why.
    pub text: String,
    /// Whether the documents answer.
    pub verdict: Verdict,
    /// From 0 to 1. Of a quoted answer, and of a refusal before a model was asked: how likely the passages hold the answer, as
    /// [`Calibration`] estimates it. Of a written one: the share of its sentences that their sources carry.
    pub confidence: f32,
    /// What the answer rests on, in the order of the text; none where it was refused.
    pub citations: Vec<Citation>,
    /// What a reader should distrust; never anything for answers that are quotes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

impl Answer {
    /// Whether the documents were found not to answer.
    pub fn is_refused(&self) -> bool {
        matches!(self.verdict, Verdict::Refused { .. })
    }

    fn refused(reason: Reason, confidence: f32) -> Self {
        let text = reason.to_string();
        Self { text, verdict: Verdict::Refused { reason }, confidence, citations: Vec::new(), flags: Vec::new() }
    }
}

/// Whether the documents answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// They do.
    Answered,
    /// They do not, as far as can be told.
    Refused {
        /// Why it is thought so.
        reason: Reason,
    },
}

/// Something in a written answer that its sources do not carry. The text is left as the model wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flag {
    /// A sentence whose words do not stand in the sources that it cites.
    Unsupported {
        /// The sentence, without its marks.
        sentence: String,
    },
    /// A sentence that cites nothing.
    Uncited {
        /// The sentence.
        sentence: String,
    },
    /// A mark for a source that was not given.
    UnknownSource {
        /// The number in the mark.
        number: usize,
    },
    /// The model ran out of tokens before it was done.
    CutOff,
}
