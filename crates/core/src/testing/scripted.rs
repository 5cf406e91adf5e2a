use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::ManualClock;
use crate::{
    Capability, ChatChunk, ChatModel, ChatRequest, ChatResponse, Clock, Delta, Error, ErrorKind, FinishReason, Message, ModelInfo, Result,
    future::{self, BoxFuture, BoxStream},
};

/// A model that answers from a script, reply by reply, and remembers what it was asked.
///
/// `chat` and `stream` both take the next reply: a whole one is streamed word by word, chunks are folded for `chat`. A request that
/// the [contract](crate::ChatModel) refuses is remembered but takes no reply. Where the script is over, calls fail with
/// [`ErrorKind::Internal`].
///
/// ```
/// use jarre_core::{ChatModel, ChatRequest, Error, ErrorKind, testing::ScriptedModel};
///
/// # pollster::block_on(async {
/// let model = ScriptedModel::new().with_error(Error::new(ErrorKind::Unavailable, "down")).with_text("up again");
/// assert!(model.chat(ChatRequest::user("hello?")).await.unwrap_err().is_retryable());
/// assert_eq!(model.chat(ChatRequest::user("hello?")).await?.message.text(), "up again");
/// assert_eq!(model.requests().len(), 2);
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
pub struct ScriptedModel {
    info: ModelInfo,
    clock: Arc<dyn Clock>,
    script: Mutex<Script>,
}

#[derive(Debug, Default)]
struct Script {
    replies: VecDeque<Reply>,
    requests: Vec<ChatRequest>,
}

#[derive(Debug)]
enum Reply {
    Response(ChatResponse),
    Error(Error),
    Chunks(Vec<Result<ChatChunk>>),
}

impl ScriptedModel {
    /// A model with an empty script, every capability but a seed, and a clock that stands still in 1970.
    pub fn new() -> Self {
        let abilities = [Capability::Images, Capability::Tools, Capability::JsonObject, Capability::JsonSchema];
        let info = abilities.into_iter().fold(ModelInfo::new("jarre", "scripted"), ModelInfo::with_capability);
        Self { info, clock: Arc::new(ManualClock::new()), script: Mutex::default() }
    }

    /// Sets what the model says about itself.
    pub fn with_info(mut self, info: ModelInfo) -> Self {
        self.info = info;
        self
    }

    /// Sets the clock that deadlines are compared with.
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Adds an answer of text to the script.
    pub fn with_text(self, text: impl Into<String>) -> Self {
        self.with_response(ChatResponse::new(Message::assistant(text), FinishReason::Stop))
    }

    /// Adds an answer to the script.
    pub fn with_response(self, response: ChatResponse) -> Self {
        self.with_reply(Reply::Response(response))
    }

    /// Adds a failure to the script.
    pub fn with_error(self, error: Error) -> Self {
        self.with_reply(Reply::Error(error))
    }

    /// Adds an answer to the script that comes in just these chunks, broken off by an error where there is one.
    pub fn with_chunks(self, chunks: impl IntoIterator<Item = Result<ChatChunk>>) -> Self {
        self.with_reply(Reply::Chunks(chunks.into_iter().collect()))
    }

    /// What was asked so far, refused requests included.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.script().requests.clone()
    }

    /// How many replies are left.
    pub fn replies_left(&self) -> usize {
        self.script().replies.len()
    }

    fn with_reply(self, reply: Reply) -> Self {
        self.script().replies.push_back(reply);
        self
    }

    fn next_reply(&self, request: ChatRequest) -> Result<Reply> {
        let refusal = self.info.check(&request, self.clock.timestamp());
        let mut script = self.script();
        script.requests.push(request);
        refusal?;
        script.replies.pop_front().ok_or_else(|| Error::new(ErrorKind::Internal, "the script is over, add a reply for this request"))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ScriptedModel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedModel").field("info", &self.info).field("script", &*self.script()).finish_non_exhaustive()
    }
}

impl ChatModel for ScriptedModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        Box::pin(async move {
            match self.next_reply(request)? {
                Reply::Response(response) => Ok(response),
                Reply::Error(error) => Err(error),
                Reply::Chunks(chunks) => ChatResponse::collect(future::iter(chunks)).await,
            }
        })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<BoxStream<'static, Result<ChatChunk>>>> {
        Box::pin(async move {
            match self.next_reply(request)? {
                Reply::Response(response) => Ok(future::iter(by_word(response).into_iter().map(Ok))),
                Reply::Error(error) => Err(error),
                Reply::Chunks(chunks) => Ok(future::iter(chunks)),
            }
        })
    }
}

fn by_word(response: ChatResponse) -> Vec<ChatChunk> {
    let mut cut = Vec::new();
    for mut chunk in response.into_chunks() {
        match chunk.deltas.pop() {
            Some(Delta::Text { index, text }) if !text.is_empty() => {
                let words = text.split_inclusive(char::is_whitespace);
                cut.extend(words.map(|word| ChatChunk::from(Delta::Text { index, text: word.into() })));
            }
            other => {
                chunk.deltas.extend(other);
                cut.push(chunk);
            }
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::{Timestamp, testing::contract};

    fn ask() -> ChatRequest {
        ChatRequest::user("hi")
    }

    #[test]
    fn keeps_the_contract() {
        let model = (0..contract::CHAT_MODEL_CALLS).fold(ScriptedModel::new(), |model, _| model.with_text("a plain answer"));
        block_on(contract::chat_model(&model));
        assert_eq!(model.replies_left(), 0);
    }

    #[test]
    fn a_whole_answer_is_streamed_word_by_word() {
        let whole = ChatResponse::new(Message::assistant("one two\nthree").with_part(crate::Part::text("")), FinishReason::Length);
        let model = ScriptedModel::new().with_response(whole.clone());
        let mut stream = block_on(model.stream(ask())).unwrap();
        let mut chunks = Vec::new();
        while let Some(chunk) = block_on(future::next(&mut stream)) {
            chunks.push(chunk);
        }
        assert_eq!(chunks[1].as_ref().unwrap(), &ChatChunk::text("two\n"));
        assert_eq!(block_on(ChatResponse::collect(future::iter(chunks))).unwrap(), whole);
    }

    #[test]
    fn a_stream_that_breaks_off_is_an_error_for_chat_too() {
        let lost = || Err(Error::new(ErrorKind::Unavailable, "lost"));
        let model = ScriptedModel::new().with_chunks([Ok(ChatChunk::text("a")), lost()]).with_chunks([Ok(ChatChunk::text("a"))]);
        for _ in 0..2 {
            assert_eq!(block_on(model.chat(ask())).unwrap_err().kind(), ErrorKind::Unavailable);
        }
        assert_eq!(block_on(model.chat(ask())).unwrap_err().kind(), ErrorKind::Internal);
    }

    #[test]
    fn a_refused_request_is_remembered_and_takes_no_reply() {
        let clock = Arc::new(ManualClock::starting_at(Timestamp::from_unix_micros(10)));
        let model = ScriptedModel::new().with_clock(Arc::clone(&clock)).with_text("yes");
        let late = ask().with_deadline(Timestamp::from_unix_micros(10));
        assert_eq!(block_on(model.chat(late.clone())).unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!((model.requests(), model.replies_left()), (vec![late], 1));
    }
}
