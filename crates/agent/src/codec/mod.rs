//! How calls of tools are written: two ways of one loop. A codec says what a request carries and reads what comes back; it knows nothing of runs.

mod catalogue;
mod native;
mod react;

use jarre_core::{ChatRequest, ChatResponse, FinishReason, Message, ToolCall, ToolChoice, ToolOutput, ToolResult};
use serde_json::Value;

pub(crate) use catalogue::{Catalogue, FINISH, finish_spec};

use crate::CodecKind;

/// The most calls that one answer can ask for.
const MOST_CALLS: usize = 32;

/// What an answer asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// Why, in the model's words.
    pub(crate) thought: String,
    /// What, in the order of the answer.
    pub(crate) calls: Vec<ReadCall>,
    /// What is wrong with the answer as a whole.
    pub(crate) complaint: Option<String>,
}

/// A call that an answer asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReadCall {
    /// The call. Where the arguments are right, they are the JSON that was made of them, else what the model wrote.
    pub(crate) call: ToolCall,
    /// The arguments, or what is wrong with them.
    pub(crate) arguments: Result<Value, String>,
}

impl Reading {
    /// Everything that is wrong with the answer, for the model to read; `None` where it can be acted upon.
    pub(crate) fn malformed(&self) -> Option<String> {
        let of_calls = self.calls.iter().filter_map(|call| call.arguments.as_ref().err());
        let complaints: Vec<&str> = self.complaint.iter().chain(of_calls).map(String::as_str).collect();
        (!complaints.is_empty()).then(|| complaints.join("\n"))
    }
}

impl CodecKind {
    /// What the instructions say about calls.
    pub(crate) fn instructions(self, tools: &Catalogue) -> String {
        match self {
            Self::Native => native::INSTRUCTIONS.to_owned(),
            Self::React => react::instructions(tools),
        }
    }

    /// Puts into `request` what the provider has to know: `act` where tools may be called now.
    pub(crate) fn prepare(self, mut request: ChatRequest, tools: &Catalogue, act: bool) -> ChatRequest {
        match self {
            Self::Native => {
                request.tools = tools.specs().to_vec();
                request.with_tool_choice(if act { ToolChoice::Auto } else { ToolChoice::None })
            }
            Self::React if act => {
                request.sampling.stop.push(react::STOP.to_owned());
                request
            }
            Self::React => request,
        }
    }

    /// Reads the answer that is the run's `step`th.
    pub(crate) fn read(self, response: &ChatResponse, step: u64, tools: &Catalogue) -> Reading {
        let mut reading = match self {
            Self::Native => native::read(response, step, tools),
            Self::React => react::read(response, step, tools),
        };
        if response.finish_reason == FinishReason::ContentFilter {
            reading.complaint = Some("the answer was withheld by a policy: go on in another way".to_owned());
        }
        reading
    }

    /// A step as the conversation has it: what the model said, and what came of it. Each call has its text.
    pub(crate) fn render(self, said: &str, calls: &[(ToolCall, ToolOutput)], complaint: Option<&str>) -> Vec<Message> {
        let said = if said.trim().is_empty() && (calls.is_empty() || self == Self::React) { "(no text)" } else { said };
        if calls.is_empty() {
            return vec![Message::assistant(said), Message::user(complaint.unwrap_or_default())];
        }
        match self {
            Self::Native => native::render(said, calls),
            Self::React => react::render(said, calls),
        }
    }
}

/// The result of a call as a part of a message.
fn result(call: &ToolCall, output: &ToolOutput) -> ToolResult {
    output.clone().into_result(call)
}
