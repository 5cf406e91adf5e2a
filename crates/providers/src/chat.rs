use std::time::Duration;

use jarre_core::{BoxFuture, BoxStream, ChatChunk, ChatModel, ChatRequest, ChatResponse, Error, ErrorKind, ModelInfo, Result, Timestamp};
use jarre_openai::{ChatCompletionRequest, StreamOptions};

use crate::{
    Dialect, Endpoint,
    stream::{Answer, stream},
};

/// A model behind an [`Endpoint`].
///
/// Answers are always asked for as streams, so that a silent provider is told from a slow one, and one that breaks off can be asked again.
/// [`chat`](ChatModel::chat) tries again until the whole answer is there, [`stream`](ChatModel::stream) until its first piece is. A provider
/// that answers in one piece all the same is understood.
#[derive(Clone, Debug)]
pub struct OpenAiChat {
    endpoint: Endpoint,
    info: ModelInfo,
}

impl OpenAiChat {
    /// The model that the provider knows as `name`, and that reads and writes text.
    pub fn new(endpoint: Endpoint, name: impl Into<String>) -> Self {
        let info = ModelInfo::new(endpoint.provider(), name);
        Self { endpoint, info }
    }

    /// States what is known about the model: its name, what it can do, its context, its price.
    pub fn with_info(mut self, info: ModelInfo) -> Self {
        self.info = info;
        self
    }

    /// What is sent for `request`.
    fn body(&self, request: &ChatRequest) -> Result<Vec<u8>> {
        self.info.check(request, self.endpoint.clock().timestamp())?;
        let mut wire = ChatCompletionRequest::from_core(&self.info.name, request)?;
        wire.stream = true;
        wire.stream_options = Some(StreamOptions { include_usage: true });
        if self.endpoint.dialect() == Dialect::OpenAi {
            wire.max_completion_tokens = wire.sampling.max_tokens.take();
            (wire.sampling.top_k, wire.sampling.min_p, wire.sampling.repetition_penalty) = (None, None, None);
            wire.sampling.mirostat = None;
        }
        serde_json::to_vec(&wire)
            .map_err(|error| Error::new(ErrorKind::InvalidRequest, format!("the request cannot be written: {error}")).with_source(error))
    }

    /// Asks once; the answer has its first piece.
    async fn open(&self, body: &[u8], deadline: Option<Timestamp>, start: Duration) -> Result<Answer> {
        let body = self.endpoint.post("/chat/completions", body, deadline).await?;
        Answer::open(self.endpoint.clone(), body, start).await
    }
}

impl ChatModel for OpenAiChat {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        Box::pin(async move {
            let (body, start) = (self.body(&request)?, self.endpoint.clock().now());
            let attempt = || async { ChatResponse::collect(stream(self.open(&body, request.deadline, start).await?)).await };
            self.endpoint.with_retries(request.deadline, attempt).await
        })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<BoxStream<'static, Result<ChatChunk>>>> {
        Box::pin(async move {
            let (body, start) = (self.body(&request)?, self.endpoint.clock().now());
            let answer = self.endpoint.with_retries(request.deadline, || self.open(&body, request.deadline, start)).await?;
            Ok(stream(answer))
        })
    }
}
