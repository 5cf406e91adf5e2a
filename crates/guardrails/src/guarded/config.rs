use serde::{Deserialize, Serialize};

/// What a [`Guarded`](super::Guarded) model does where a text is stopped, and what it says then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardedConfig {
    /// What happens to a request whose input is stopped.
    pub on_input: OnBlock,
    /// What happens to a tool result, or a retrieved text, that is stopped.
    pub on_context: OnContextBlock,
    /// Whether the text of assistant messages in a request is read at the stage `input` as well. Nothing proves that a model wrote them, and
    /// where pseudonyms were [put back](super::Guarded::with_restore) they hold personal data again.
    pub history: bool,
    /// How many verdicts on texts of requests are kept, so that a history is not read again at every turn: see [`Memory`](super::Memory).
    pub remember: usize,
    /// The answer to a request that is refused by an answer.
    pub refusal: String,
    /// What follows an answer that was cut off.
    pub notice: String,
    /// What stands in the place of a tool call, a tool result or a retrieved text that was stopped.
    pub withheld: String,
}

impl Default for GuardedConfig {
    /// Refuses by an error, withholds what comes from tools, and reads the history.
    fn default() -> Self {
        Self {
            on_input: OnBlock::Error,
            on_context: OnContextBlock::Withhold,
            history: true,
            remember: 1024,
            refusal: "I cannot help with this request.".into(),
            notice: " [The rest of this answer was withheld.]".into(),
            withheld: "[This was withheld by a policy.]".into(),
        }
    }
}

/// How a request is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBlock {
    /// By [`ErrorKind::Refused`](jarre_core::ErrorKind::Refused).
    #[default]
    Error,
    /// By an answer of [`GuardedConfig::refusal`], which ends with [`FinishReason::ContentFilter`](jarre_core::FinishReason::ContentFilter).
    Answer,
}

/// What happens to data that is stopped on its way to the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnContextBlock {
    /// [`GuardedConfig::withheld`] stands in its place, and the request goes on.
    #[default]
    Withhold,
    /// The request is refused, as [`GuardedConfig::on_input`] says.
    Refuse,
}
