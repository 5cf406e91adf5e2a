use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use jarre_core::future::{BoxFuture, BoxStream};
use jarre_core::{
    Capability, ChatChunk, ChatModel, ChatRequest, ChatResponse, Clock, Delta, Error as CoreError, ErrorKind, ModelInfo, ResponseFormat,
    Timings, ToolChoice,
};
use jarre_transformer::chat_template::ChatInput;
use jarre_transformer::generate::SamplingParams;

use crate::draws::Draws;
use crate::model::Files;
use crate::output::{Output, RequestStats};
use crate::prompt::ChatPrompt;
use crate::tool_calls::{AnswerReader, Said};
use crate::{Engine, Error, Grammar, LoraAdapter, Model, OutputStream, Request, Result, ServeOptions};

/// A served model as a [`ChatModel`]: renders conversations by the model's template and streams its answers.
///
/// It calls tools where its template tells it of them, and has to where the request says so and the crate's feature `grammar` is on. An
/// answer keeps to a format or calls tools: a request that asks for both is refused.
#[derive(Clone)]
pub struct ChatEngine {
    engine: Engine,
    info: ModelInfo,
    clock: Arc<dyn Clock>,
    prompt: Arc<ChatPrompt>,
    adapter: Option<LoraAdapter>,
    /// Where names of calls come from.
    draws: Draws,
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
        let Files { name, prompt, .. } = model.into_files();
        let Some(prompt) = prompt else {
            return Err(Error::Invalid(format!("{name} has no chat template: it continues texts, and does not chat")));
        };
        let info = info(name, &engine, &prompt);
        let draws = Draws::new(clock.timestamp().unix_micros().cast_unsigned());
        Ok(Self { engine, info, clock, prompt: Arc::new(prompt), adapter: None, draws })
    }

    /// The same engine, whose answers are given with an adapter and under its name.
    pub fn with_adapter(&self, adapter: LoraAdapter) -> Self {
        let mut engine = self.clone();
        adapter.name().clone_into(&mut engine.info.name);
        engine.adapter = Some(adapter);
        engine
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The tokens of a conversation, up to where the model's answer begins. Of tools that must not be called the model is not told.
    ///
    /// # Errors
    /// Where the template refuses the conversation.
    pub fn prompt(&self, request: &ChatRequest) -> Result<Vec<u32>> {
        let input = ChatInput::new(&request.messages).with_generation_prompt().with_date(self.clock.timestamp());
        let is_told = request.tool_choice != ToolChoice::None;
        self.prompt.tokens(&if is_told { input.with_tools(&request.tools) } else { input })
    }

    fn submit(&self, request: &ChatRequest) -> jarre_core::Result<ChatStream> {
        self.info.check(request, self.clock.timestamp())?;
        let mut asked = Request::new(self.prompt(request)?).with_sampling(SamplingParams::from(&request.sampling));
        asked = asked.with_stop(request.sampling.stop.iter().cloned());
        asked.max_tokens = request.sampling.max_tokens.map(|tokens| tokens as usize);
        let tools = self.prompt.tool_use(&request.tools, &request.tool_choice, true)?;
        asked = match (&tools, grammar(&request.response_format)) {
            (Some(tools), form) => tools.apply(asked, form.is_some())?,
            (None, Some(form)) => asked.held_to(form)?,
            (None, None) => asked,
        };
        asked.adapter.clone_from(&self.adapter);
        asked.deadline = request.remaining(self.clock.timestamp()).map(|left| self.engine.now().saturating_add(left));
        let reader = AnswerReader::new(tools.as_ref(), &self.draws);
        Ok(ChatStream { outputs: self.engine.submit(asked)?, reader, model: self.info.name.clone() })
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
            let stream: BoxStream<'static, _> = Box::pin(self.submit(&request)?);
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
fn info(name: String, engine: &Engine, prompt: &ChatPrompt) -> ModelInfo {
    let mut info = ModelInfo::new("jarre", name).with_context_tokens(engine.max_len()).with_capability(Capability::Seed);
    if prompt.takes_tools() {
        info = info.with_capability(Capability::Tools);
    }
    if cfg!(feature = "grammar") {
        return info.with_capability(Capability::JsonObject).with_capability(Capability::JsonSchema);
    }
    info
}

/// What holds a text to a format.
fn grammar(format: &ResponseFormat) -> Option<Grammar> {
    match format {
        ResponseFormat::JsonObject => Some(Grammar::JsonObject),
        ResponseFormat::JsonSchema { schema, .. } => Some(Grammar::JsonSchema(schema.clone())),
        _ => None,
    }
}

/// Outputs of an engine as chunks of a chat.
struct ChatStream {
    outputs: OutputStream,
    reader: AnswerReader,
    model: String,
}

impl Stream for ChatStream {
    type Item = jarre_core::Result<ChatChunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(output) = ready!(Pin::new(&mut self.outputs).poll_next(context)) else { return Poll::Ready(None) };
            let chunk = match output {
                Output::Prompt(_) | Output::Pooled(_) => continue,
                Output::Chunk(chunk) => Ok(of(self.reader.read(chunk.text, chunk.finish.map(|finish| finish.reason)))),
                Output::Done(stats) => {
                    Ok(ChatChunk::default().with_model(&self.model).with_usage(stats.usage).with_timings(timings(&stats)))
                }
                Output::Failed(error) => Err(error.into()),
            };
            return Poll::Ready(Some(chunk));
        }
    }
}

/// A message's text is its first part, and calls are those behind it.
fn of(said: Said) -> ChatChunk {
    let text = (!said.text.is_empty()).then_some(Delta::Text { index: 0, text: said.text });
    let calls = said.calls.into_iter().map(|call| Delta::ToolCall {
        index: call.index + 1,
        id: Some(call.id),
        name: Some(call.name),
        arguments: call.arguments,
    });
    let mut chunk = ChatChunk::default();
    chunk.deltas.extend(text.into_iter().chain(calls));
    chunk.finish_reason = said.finish;
    chunk
}

fn timings(stats: &RequestStats) -> Timings {
    Timings { time_to_first_token: Some(stats.time_to_first_token()), total: stats.finished.saturating_sub(stats.arrived) }
}

impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        let error = match error {
            Error::Model(error) => return error.into(),
            Error::Encoder(error) => return error,
            error => error,
        };
        let kind = match &error {
            Error::QueueFull { .. } => ErrorKind::RateLimited,
            Error::TooLong { .. } => ErrorKind::ContextLength,
            Error::Invalid(_) | Error::GrammarTimeout { .. } => ErrorKind::InvalidRequest,
            Error::Deadline => ErrorKind::Timeout,
            Error::ShuttingDown | Error::Lost(_) => ErrorKind::Unavailable,
            Error::Engine(_) => ErrorKind::Internal,
            Error::Model(_) | Error::Encoder(_) => unreachable!("it was passed on"),
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}
