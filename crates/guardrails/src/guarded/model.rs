use std::{fmt, sync::Arc};

use jarre_core::{
    BoxFuture, BoxStream, ChatChunk, ChatModel, ChatRequest, ChatResponse, Error, ErrorKind, FinishReason, Message, ModelInfo, Part,
    Result, future,
};

use super::{GuardedConfig, Memory, OnBlock, answer::Answer, arguments::Escaping, request::Reading, stream::GuardedStream};
use crate::{
    Guard, Stage,
    pipeline::{Layer, Pipeline},
};

/// Says whether a part of a message was retrieved.
pub(super) type Retrieved = dyn Fn(&Message, &Part) -> bool + Send + Sync;

/// A chat model whose requests and answers a pipeline reads. It is a chat model itself.
///
/// - System messages are the operator's: they are not read, and guards know them as [`Context::system`](crate::Context::system). Images are
///   not read.
/// - Each text part of the answer is read by itself, as it comes: the first token waits for no more than the
///   [reach](Pipeline::reach) of the stage `output`. Where a layer has to know the whole, nothing is released before the end.
/// - A tool call is held until the answer is finished. Guards read its arguments with needless escapes taken out (`\u0040` as `@`), and so
///   they go on; arguments that were JSON and no longer are after a replacement are withheld.
/// - Where an answer is stopped, the model's stream is dropped at once. What came without a delta, as the usage, has passed until then.
/// - A text of a request that was read before is not read again: see [`Memory`].
/// - Every request has a [`Vault`](crate::pii::Vault) of its own.
///
/// Guards compute where the future or the stream is polled. Layers that call a remote model there hold up the thread: give them a budget,
/// and poll on a thread that may block.
pub struct Guarded<M> {
    inner: M,
    pipeline: Pipeline,
    config: Arc<GuardedConfig>,
    retrieved: Option<Arc<Retrieved>>,
    memory: Arc<Memory>,
}

impl<M: ChatModel> Guarded<M> {
    /// Puts `inner` behind `pipeline`.
    pub fn new(inner: M, pipeline: Pipeline, config: GuardedConfig) -> Self {
        let memory = Arc::new(Memory::new(config.remember));
        Self { inner, pipeline, config: Arc::new(config), retrieved: None, memory }
    }

    /// Reads the text parts of user and system messages of which `retrieved` says so as data, at the stage `context`: messages carry no
    /// mark of their own. Do not go by what a person could have written.
    pub fn with_retrieved(mut self, retrieved: impl Fn(&Message, &Part) -> bool + Send + Sync + 'static) -> Self {
        self.retrieved = Some(Arc::new(retrieved));
        self
    }

    /// Keeps verdicts in `memory`, which others may share, in the place of one of its own.
    pub fn with_memory(mut self, memory: Arc<Memory>) -> Self {
        self.memory = memory;
        self
    }

    /// Puts pseudonyms back in the text that the model writes, by `guard`, which reads after all layers and knows the request's
    /// [`Vault`](crate::pii::Vault).
    ///
    /// The arguments of calls keep their pseudonyms: a tool may send them anywhere, and a model can be led to write any pseudonym that it has
    /// seen. [`with_restore_in_calls`](Self::with_restore_in_calls) lets single tools have the values.
    pub fn with_restore(mut self, guard: Arc<dyn Guard>) -> Self {
        self.pipeline = self.pipeline.with_group([Layer::new(guard).at([Stage::Output])]);
        self
    }

    /// Puts pseudonyms back in the arguments of calls to tools of which `tools` says so by their name, after all layers. What `guard` writes
    /// is escaped as in a JSON string (RFC 8259). Name tools alone that keep what they are given where the person's data may be.
    pub fn with_restore_in_calls(mut self, guard: Arc<dyn Guard>, tools: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.pipeline = self.pipeline.with_group([Layer::new(Arc::new(Escaping::new(guard, tools))).at([Stage::ToolCall])]);
        self
    }

    /// The model behind the guards.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// The guards.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    async fn guarded(&self, mut request: ChatRequest) -> Result<BoxStream<'static, Result<ChatChunk>>> {
        self.info().check(&request, self.pipeline.clock().timestamp())?;
        let mut reading = Reading::new(&self.pipeline, &self.config, self.retrieved.as_deref(), &self.memory, &request);
        if let Err(layer) = reading.read(&mut request.messages) {
            return self.refuse(&layer);
        }
        let answer = Answer::new(self.pipeline.clone(), reading.into_context(), request.id.clone(), self.config.clone());
        Ok(Box::pin(GuardedStream::new(self.inner.stream(request).await?, answer)))
    }

    fn refuse(&self, layer: &str) -> Result<BoxStream<'static, Result<ChatChunk>>> {
        match self.config.on_input {
            OnBlock::Error => Err(Error::new(ErrorKind::Refused, format!("the request was stopped by the layer `{layer}`"))),
            OnBlock::Answer => {
                let refusal = ChatResponse::new(Message::assistant(&self.config.refusal), FinishReason::ContentFilter);
                Ok(future::iter(refusal.into_chunks().into_iter().map(Ok)))
            }
        }
    }
}

impl<M: ChatModel> ChatModel for Guarded<M> {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        Box::pin(async move { ChatResponse::collect(self.guarded(request).await?).await })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<BoxStream<'static, Result<ChatChunk>>>> {
        Box::pin(self.guarded(request))
    }
}

impl<M: fmt::Debug> fmt::Debug for Guarded<M> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Guarded").field("inner", &self.inner).field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}
