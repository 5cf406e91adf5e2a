use jarre_core::{ChatChunk, Delta, Result, Usage};

use super::response::no_place;
use crate::{AssistantTag, ChatCompletionChunk, ChunkChoice, ChunkDelta, FunctionDelta, FunctionTag, ToolCallDelta};

/// Turns `jarre_core`'s chunks of one answer into those of a stream.
///
/// ```
/// use jarre_core::{ChatChunk, FinishReason, Usage};
/// use jarre_openai::{ChunkWriter, sse};
///
/// let mut writer = ChunkWriter::new("chatcmpl-1", "small", 1_700_000_000, 0);
/// let hello = writer.write(ChatChunk::text("hello"))?.expect("text is worth a chunk");
/// let end = writer.write(ChatChunk::finish(FinishReason::Stop))?.expect("so is the end");
/// let usage = writer.usage(Usage::new(3, 1)); // where the request asked for it
/// let stream = [sse::data(&hello)?, sse::data(&end)?, sse::data(&usage)?, sse::DONE.to_owned()].concat();
/// assert!(stream.starts_with(r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"small""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChunkWriter {
    id: String,
    model: String,
    created: u64,
    choice: u32,
    begun: bool,
    /// The parts of the message that are tool calls, in the order in which they were begun.
    calls: Vec<usize>,
}

impl ChunkWriter {
    /// The writer of the answer `choice` of the stream `id`, begun `created` seconds after the start of 1970.
    pub fn new(id: impl Into<String>, model: impl Into<String>, created: u64, choice: u32) -> Self {
        Self { id: id.into(), model: model.into(), created, choice, begun: false, calls: Vec::new() }
    }

    /// The next chunk; `None` where `chunk` holds nothing for the stream: usage, names and timings are not written. Texts are joined in
    /// the order in which they come, whatever their part.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](jarre_core::ErrorKind::Internal) where the answer has a part that the API has no place for.
    pub fn write(&mut self, chunk: ChatChunk) -> Result<Option<ChatCompletionChunk>> {
        if chunk.deltas.is_empty() && chunk.finish_reason.is_none() {
            return Ok(None);
        }
        let mut delta = ChunkDelta::default();
        if !std::mem::replace(&mut self.begun, true) {
            (delta.role, delta.content) = (Some(AssistantTag), Some(String::new()));
        }
        for core in chunk.deltas {
            match core {
                Delta::Text { text, .. } => delta.content.get_or_insert_default().push_str(&text),
                Delta::ToolCall { index, id, name, arguments } => delta.tool_calls.push(self.call(index, id, name, arguments)),
                _ => return Err(no_place()),
            }
        }
        let choice = ChunkChoice { index: self.choice, delta, finish_reason: chunk.finish_reason, ..ChunkChoice::default() };
        Ok(Some(ChatCompletionChunk { choices: vec![choice], ..self.chunk() }))
    }

    /// The chunk without choices that states the tokens used, for a request whose
    /// [`include_usage`](crate::StreamOptions::include_usage) is set: it comes once, last.
    pub fn usage(&self, usage: Usage) -> ChatCompletionChunk {
        ChatCompletionChunk { usage: Some(usage.into()), ..self.chunk() }
    }

    fn chunk(&self) -> ChatCompletionChunk {
        ChatCompletionChunk { id: self.id.clone(), model: self.model.clone(), created: self.created, ..ChatCompletionChunk::default() }
    }

    fn call(&mut self, part: usize, id: Option<String>, name: Option<String>, arguments: String) -> ToolCallDelta {
        let known = self.calls.iter().position(|&call| call == part);
        let place = known.unwrap_or_else(|| {
            self.calls.push(part);
            self.calls.len() - 1
        });
        let kind = known.is_none().then_some(FunctionTag);
        let index = u32::try_from(place).expect("an answer has fewer than four billion calls");
        ToolCallDelta { index, id, kind, function: FunctionDelta { name, arguments: Some(arguments) } }
    }
}
