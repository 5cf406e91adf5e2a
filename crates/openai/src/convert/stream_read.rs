use jarre_core::{ChatChunk, Delta, Error, ErrorKind, Result};
use serde_json::{Map, Value};

use super::response::finish_reason;
use crate::{ApiError, ChatCompletionChunk, ErrorBody, ToolCallDelta};

/// What an event of a stream says.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// A piece of the answer.
    Chunk(Box<ChatCompletionChunk>),
    /// The end.
    Done,
}

impl StreamEvent {
    /// Reads the data of an event.
    ///
    /// # Errors
    /// What the server reports in place of a chunk; [`ErrorKind::InvalidResponse`] where the data is neither.
    pub fn parse(data: &str) -> Result<Self> {
        if data.trim() == "[DONE]" {
            return Ok(Self::Done);
        }
        let fields: Map<String, Value> = serde_json::from_str(data).map_err(unreadable)?;
        if fields.get("error").is_some_and(|error| !error.is_null()) {
            return Err(failure(data).into());
        }
        let chunk = serde_json::from_value(Value::Object(fields)).map_err(unreadable)?;
        Ok(Self::Chunk(Box::new(chunk)))
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::InvalidResponse, format!("an event of the stream cannot be read: {error}")).with_source(error)
}

/// An error inside a stream has no status any more: it is told by the code, where that is one, or by the type.
fn failure(data: &str) -> ApiError {
    let error = ApiError::from_response(502, data.as_bytes(), None);
    let ErrorBody { kind, code, .. } = &error.body;
    let stated = code.as_ref().and_then(|code| code.parse().ok()).filter(|status| (400..600).contains(status));
    let status = stated.unwrap_or(match kind.as_str() {
        "invalid_request_error" | "BadRequestError" => 400,
        "rate_limit_error" => 429,
        _ => 502,
    });
    ApiError { status, ..error }
}

/// Turns the chunks of one stream into `jarre_core`'s, of the answer 0. The text is part 0 of the message, a refusal part 1, and tool
/// calls follow.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChunkReader {
    refused: bool,
    called: bool,
}

impl ChunkReader {
    /// A reader at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next chunk. Refusals and calls end an answer as in [`ChatCompletion::into_core`](crate::ChatCompletion::into_core).
    pub fn read(&mut self, chunk: ChatCompletionChunk) -> ChatChunk {
        let mut core = ChatChunk::default();
        core.id = Some(chunk.id).filter(|id| !id.is_empty());
        core.model = Some(chunk.model).filter(|model| !model.is_empty());
        core.usage = chunk.usage.map(Into::into);
        for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
            let delta = choice.delta;
            let text = |index, text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| Delta::Text { index, text });
            let refusal = text(1, delta.refusal);
            self.refused |= refusal.is_some();
            self.called |= !delta.tool_calls.is_empty();
            core.deltas.extend(text(0, delta.content).into_iter().chain(refusal));
            core.deltas.extend(delta.tool_calls.into_iter().map(call));
            core.finish_reason = choice.finish_reason.map(|reason| finish_reason(reason, self.refused, self.called)).or(core.finish_reason);
        }
        core
    }
}

/// Empty ids and names, which some servers repeat in every delta, say nothing.
fn call(delta: ToolCallDelta) -> Delta {
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    Delta::ToolCall {
        index: usize::try_from(delta.index).unwrap_or(usize::MAX).saturating_add(2),
        id: said(delta.id),
        name: said(delta.function.name),
        arguments: delta.function.arguments.unwrap_or_default(),
    }
}
