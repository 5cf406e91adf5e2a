use jarre_core::Usage;
use serde_json::Value;

use crate::{json::Step, schema::Violation};

/// An answer that its schema allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// The JSON that it was read from.
    pub json: Value,
    /// The tokens of all attempts together, those that failed included. What was broken off counts as far as the model told.
    pub usage: Usage,
    /// How it went, the successful attempt last.
    pub attempts: Vec<Attempt>,
}

/// One question to the model and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The tokens that it took.
    pub usage: Usage,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The answer fits.
    Fits {
        /// What was done to the text to make a document of it that fits, in order; nothing where it was one.
        steps: Vec<Step>,
    },
    /// The answer does not fit, or is no JSON.
    Violates(Vec<Violation>),
    /// The stream was broken off, as nothing could make it fit any more.
    BrokenOff {
        /// The byte of the text at which that was so.
        at: usize,
        /// What it broke.
        violation: Violation,
    },
    /// The schema allows the answer, but the Rust type does not take it.
    Mistyped(String),
    /// The model did not finish: its tokens ran out.
    CutOff,
    /// A policy kept the answer back; asking again does not help.
    Withheld,
}

impl Outcome {
    /// What was wrong, in lines for the model to read; none where nothing was.
    pub fn complaints(&self) -> Vec<String> {
        match self {
            Self::Fits { .. } => Vec::new(),
            Self::Violates(violations) => violations.iter().map(ToString::to_string).collect(),
            Self::BrokenOff { violation, .. } => vec![violation.to_string()],
            Self::Mistyped(reason) => vec![format!("the answer cannot be taken in: {reason}")],
            Self::CutOff => vec!["the answer was longer than it may be and was cut off, make it shorter".to_owned()],
            Self::Withheld => vec!["the answer was withheld by a policy".to_owned()],
        }
    }
}

/// How a model failed to give an answer that fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Unanswered {
    /// The tokens of all attempts together.
    pub usage: Usage,
    /// How it went.
    pub attempts: Vec<Attempt>,
}

impl Unanswered {
    /// What was wrong with the last answer, in one line.
    pub fn reason(&self) -> String {
        let last = self.attempts.last().map(|attempt| attempt.outcome.complaints().join("; "));
        last.unwrap_or_else(|| "the model was not asked".to_owned())
    }
}
