use jarre_core::{ChatRequest, ToolCall};

use crate::{ApprovalRequest, Outcome, Purpose, Reflection};

/// What a run waits for. Whoever drives it does that, appends the [`Event`](crate::Event) it led to, and asks again.
///
/// An action follows from the events so far and nothing else: asked twice, a run gives the same one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Write [`Event::Started`](crate::Event::Started): the run has not begun.
    Begin,
    /// Ask the model.
    CallModel {
        /// The number of the call in the run, from 0.
        call: u64,
        /// What for.
        purpose: Purpose,
        /// The request, with sampling, tools and deadline.
        request: Box<ChatRequest>,
    },
    /// Call these tools, in this order; each was allowed.
    CallTools(Vec<PendingCall>),
    /// Ask a person whether these calls are allowed. The run can pause here for as long as it takes.
    AskHuman(Vec<ApprovalRequest>),
    /// Look up what earlier tasks taught about a failure.
    Recall {
        /// The failure, in words.
        query: String,
        /// The most reflections to bring.
        limit: usize,
    },
    /// Keep a reflection for later tasks.
    Remember(Reflection),
    /// Write that the run ends so.
    Finish(Outcome),
    /// Nothing: the run has ended.
    Ended,
}

/// A call of a tool that was allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCall {
    /// What the model asked for; the arguments are JSON that the tool's schema allows.
    pub call: ToolCall,
    /// The same for every try of this call, different for every other call of any run.
    pub key: String,
    /// Whether the log says that it was begun and does not say how it ended.
    pub in_doubt: bool,
}
