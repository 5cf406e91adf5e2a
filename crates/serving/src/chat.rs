use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use jarre_core::future::{BoxFuture, BoxStream};
use jarre_core::{
    Capability, ChatChunk, ChatModel, ChatRequest, ChatResponse, Clock, Error as CoreError, ErrorKind, ModelInfo, ResponseFormat, Timings,
};
use jarre_transformer::chat_template::ChatInput;
use jarre_transformer::generate::SamplingParams;

use crate::output::{Output, RequestStats};
use crate::prompt::ChatPrompt;
use crate::{Engine, Error, Model, OutputStream, Request, Result, ServeOptions};

/// A served model as a [`ChatModel`]: renders conversations by the model's template and streams its answers.
#[derive(Clone)]
pub struct ChatEngine {
    engine: Engine,
    info: ModelInfo,
    clock: Arc<dyn Clock>,
    prompt: Arc<ChatPrompt>,
}

impl ChatEngine {
    /// Starts an engine for a model.
    ///
    /// # Errors
    /// As [`Model::engine`] and [`Engine::start`], and where the model has no chat template.
    pub fn start(model: Model, options: &ServeOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let engine = Engine::start(model.engine(options)?, Arc::clone(&clock))?;
        Self::over(engine, model, clock)
    }

    /// Chats with a model over an engine that runs it.
    ///
    /// # Errors
    /// Where the model has no chat template.
    pub fn over(engine: Engine, model: Model, clock: Arc<dyn Clock>) -> Result<Self> {
        let (name, tokenizer, template) = model.into_files();
        let Some(template) = template else {
            return Err(Error::Invalid(format!("{name} has no chat template: it continues texts, and does not chat")));
        };
        let info = info(name, &engine);
        Ok(Self { engine, info, clock, prompt: Arc::new(ChatPrompt::new(tokenizer, template)) })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The tokens of a conversation, up to where the model's answer begins.
    ///
    /// # Errors
    /// Where the template refuses the conversation.
    pub fn prompt(&self, request: &ChatRequest) -> Result<Vec<u32>> {
        let input = ChatInput::new(&request.messages).with_tools(&request.tools).with_generation_prompt().with_date(self.clock.timestamp());
        self.prompt.tokens(&input)
    }

    fn submit(&self, request: &ChatRequest) -> jarre_core::Result<OutputStream> {
        self.info.check(request, self.clock.timestamp())?;
        let mut asked = Request::new(self.prompt(request)?).with_sampling(SamplingParams::from(&request.sampling));
        asked = asked.with_stop(request.sampling.stop.iter().cloned());
        asked.max_tokens = request.sampling.max_tokens.map(|tokens| tokens as usize);
        asked = constrain(asked, &request.response_format);
        asked.deadline = request.remaining(self.clock.timestamp()).map(|left| self.engine.now().saturating_add(left));
        Ok(self.engine.submit(asked)?)
    }
}

impl ChatModel for ChatEngine {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, jarre_core::Result<ChatResponse>> {
        Box::pin(async move { ChatResponse::collect(self.stream(request).await?).await })
    }

    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, jarre_core::Result<BoxStream<'static, jarre_core::Result<ChatChunk>>>> {
        Box::pin(async move {
            let outputs = self.submit(&request)?;
            let stream: BoxStream<'static, _> = Box::pin(ChatStream { outputs, model: self.info.name.clone() });
            Ok(stream)
        })
    }
}

impl std::fmt::Debug for ChatEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatEngine").field("info", &self.info).finish_non_exhaustive()
    }
}

/// What the model can do.
fn info(name: String, engine: &Engine) -> ModelInfo {
    let info = ModelInfo::new("jarre", name).with_context_tokens(engine.max_len()).with_capability(Capability::Seed);
    if cfg!(feature = "grammar") {
        return info.with_capability(Capability::JsonObject).with_capability(Capability::JsonSchema);
    }
    info
}

/// The same request, whose answer keeps to a format.
#[cfg(feature = "grammar")]
fn constrain(request: Request, format: &ResponseFormat) -> Request {
    match format {
        ResponseFormat::JsonObject => request.with_grammar(crate::Grammar::JsonObject),
        ResponseFormat::JsonSchema { schema, .. } => request.with_grammar(crate::Grammar::JsonSchema(schema.clone())),
        _ => request,
    }
}

/// Formats other than text were refused as something that the model cannot do.
#[cfg(not(feature = "grammar"))]
fn constrain(request: Request, _: &ResponseFormat) -> Request {
    request
}

/// Outputs of an engine as chunks of a chat.
struct ChatStream {
    outputs: OutputStream,
    model: String,
}

impl Stream for ChatStream {
    type Item = jarre_core::Result<ChatChunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(output) = ready!(Pin::new(&mut self.outputs).poll_next(context)) else { return Poll::Ready(None) };
            let chunk = match output {
                Output::Prompt(_) => continue,
                Output::Chunk(chunk) => {
                    let mut chat = ChatChunk::text(chunk.text);
                    chat.finish_reason = chunk.finish.map(|finish| finish.reason);
                    Ok(chat)
                }
                Output::Done(stats) => {
                    Ok(ChatChunk::default().with_model(&self.model).with_usage(stats.usage).with_timings(timings(&stats)))
                }
                Output::Failed(error) => Err(error.into()),
            };
            return Poll::Ready(Some(chunk));
        }
    }
}

fn timings(stats: &RequestStats) -> Timings {
    Timings { time_to_first_token: Some(stats.time_to_first_token()), total: stats.finished.saturating_sub(stats.arrived) }
}

impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        let error = match error {
            Error::Model(error) => return error.into(),
            error => error,
        };
        let kind = match &error {
            Error::QueueFull { .. } => ErrorKind::RateLimited,
            Error::TooLong { .. } => ErrorKind::ContextLength,
            Error::Invalid(_) => ErrorKind::InvalidRequest,
            Error::Deadline => ErrorKind::Timeout,
            Error::ShuttingDown => ErrorKind::Unavailable,
            Error::Engine(_) => ErrorKind::Internal,
            Error::Model(_) => unreachable!("it was passed on"),
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}
