use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jarre_core::{ChatRequest, Message, Part, ToolChoice, Usage};
use jarre_openai::{
    ApiError, AssistantMessage, AssistantTag, ChatChoice, ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, ChunkChoice,
    ChunkDelta, FunctionCall, FunctionDelta, FunctionTag, ToolCall, ToolCallDelta,
};
use jarre_transformer::chat_template::ChatInput;

use super::answers::Answers;
use super::app::App;
use super::failure::{Answer, json, refused};
use super::head::Head;
use super::sampling::Wishes;
use super::sse::{self, Events, event};
use super::trace::Trace;
use super::{body, logprobs, sampling, structured};
use crate::prompt::ChatPrompt;
use crate::tool_calls::{AnswerReader, Said, SaidCall};
use crate::{Completion, Error, Output};

/// `POST /v1/chat/completions`.
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    app.check_queue()?;
    let bytes = body::read(&app.config, &headers, body).await?;
    let (mut call, answers) = app.blocking(move |app| start(app, &bytes)).await?;
    if call.stream {
        return Ok(sse::respond(answers, call));
    }
    let (n, wants_prompt) = (call.begun.len(), call.prompt_logprobs);
    let (mut answers, usage) = answers.collect(1, n).await?;
    let answers = answers.pop().unwrap_or_default();
    let scores = answers.first().filter(|_| wants_prompt).map(|answer| logprobs::of_prompt(&answer.prompt_logprobs, &app.vocabulary));
    let choices = (0..).zip(answers).map(|(index, answer)| call.choice(index, answer)).collect();
    let Head { id, model, created, .. } = call.head;
    Ok(json(&ChatCompletion { id, model, created, choices, usage: Some(usage.into()), prompt_logprobs: scores, ..Default::default() }))
}

/// The tokens of a conversation.
pub(super) fn prompt(app: &App, wire: &ChatCompletionRequest) -> Answer<Vec<u32>> {
    tokens(app, template(app)?, wire, &wire.to_core()?)
}

fn template(app: &App) -> Answer<&ChatPrompt> {
    let told = || ApiError::invalid_request(format!("{} has no chat template: ask it for completions", app.names[0]));
    Ok(app.prompt.as_ref().ok_or_else(told)?)
}

/// Of tools that must not be called the model is not told.
fn tokens(app: &App, template: &ChatPrompt, request: &ChatCompletionRequest, core: &ChatRequest) -> Answer<Vec<u32>> {
    check_pictures(&core.messages)?;
    let mut input = ChatInput::new(&core.messages).with_date(app.clock.timestamp());
    if core.tool_choice != ToolChoice::None {
        input = input.with_tools(&core.tools);
    }
    input.add_generation_prompt = request.add_generation_prompt.unwrap_or(true);
    input.variables = request.chat_template_kwargs.clone().unwrap_or_default();
    Ok(template.tokens(&input)?)
}

fn check_pictures(messages: &[Message]) -> Result<(), ApiError> {
    let has_picture = |message: &Message| message.parts.iter().any(|part| matches!(part, Part::Image(_)));
    match messages.iter().position(has_picture) {
        None => Ok(()),
        Some(index) => {
            let param = format!("messages[{index}].content");
            Err(ApiError::invalid_request(format!("the parameter '{param}' has a picture, and the model reads text")).with_param(param))
        }
    }
}

fn start(app: &Arc<App>, bytes: &[u8]) -> Answer<(ChatCall, Answers)> {
    let wire = ChatCompletionRequest::from_json(bytes)?;
    let adapter = app.adapter(&wire.model)?;
    let (template, core) = (template(app)?, wire.to_core()?);
    let tools =
        template.tool_use(&core.tools, &core.tool_choice, wire.parallel_tool_calls != Some(false)).map_err(|error| untakable(&error))?;
    let tokens = tokens(app, template, &wire, &core)?;
    let wishes = Wishes {
        limit: wire.token_limit().map(|limit| limit as usize),
        top_logprobs: wire.top_logprobs.unwrap_or_default(),
        prompt_logprobs: wire.sampling.prompt_logprobs,
        seed: app.draws.draw(),
    };
    let mut request = sampling::request(tokens, &wire.sampling, wishes)?.with_deadline(app.deadline());
    request.adapter = adapter;
    let form = structured::wanted(wire.response_format.as_ref(), wire.sampling.structured_outputs.as_ref());
    let request = match &tools {
        Some(tools) => tools.apply(request, form.is_some()).map_err(|error| untakable(&error))?,
        None => structured::constrain(request, form)?,
    };
    let head = Head::new(app, "chatcmpl", &wire.model, &wire.sampling.stop_token_ids);
    let trace = Trace::new(&head.id, "chat", &wire.model);
    let n = request.n;
    let answers = Answers::submit(app, vec![request], trace).map_err(|error| app.failure(error))?;
    let call = ChatCall {
        app: Arc::clone(app),
        head,
        stream: wire.stream,
        logprobs: wire.logprobs == Some(true),
        prompt_logprobs: wire.sampling.prompt_logprobs.is_some(),
        include_usage: wire.wants_usage(),
        begun: vec![false; n],
        readers: (0..n).map(|_| AnswerReader::new(tools.as_ref(), &app.draws)).collect(),
    };
    Ok((call, answers))
}

fn untakable(error: &Error) -> ApiError {
    refused("tools", &format!("cannot be used: {error}"))
}

fn whole_call(call: SaidCall) -> ToolCall {
    ToolCall { id: call.id, kind: FunctionTag, function: FunctionCall { name: call.name, arguments: call.arguments } }
}

fn call_delta(call: SaidCall) -> ToolCallDelta {
    let function = FunctionDelta { name: Some(call.name), arguments: Some(call.arguments) };
    ToolCallDelta { index: call.index as u32, id: Some(call.id), kind: Some(FunctionTag), function }
}

/// A call whose answers come.
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of the request, and they are independent")]
struct ChatCall {
    app: Arc<App>,
    head: Head,
    stream: bool,
    logprobs: bool,
    prompt_logprobs: bool,
    include_usage: bool,
    /// Which answers have had their first event.
    begun: Vec<bool>,
    readers: Vec<AnswerReader>,
}

impl ChatCall {
    fn choice(&mut self, index: u32, answer: Completion) -> ChatChoice {
        let said = self.readers[index as usize].read(answer.text, Some(answer.finish.reason));
        let tool_calls: Vec<_> = said.calls.into_iter().map(whole_call).collect();
        let content = (!said.text.is_empty() || tool_calls.is_empty()).then_some(said.text);
        ChatChoice {
            index,
            logprobs: self.logprobs.then(|| logprobs::of_chat(&answer.tokens, &self.app.vocabulary)),
            message: AssistantMessage { content, tool_calls, ..AssistantMessage::default() },
            finish_reason: said.finish,
            stop_reason: self.head.stop(Some(&answer.finish)),
        }
    }

    fn piece(&self) -> ChatCompletionChunk {
        let Head { id, model, created, .. } = self.head.clone();
        ChatCompletionChunk { id, model, created, ..ChatCompletionChunk::default() }
    }
}

impl Events for ChatCall {
    fn write(&mut self, _prompt: usize, output: Output) -> Option<String> {
        let Output::Chunk(chunk) = output else { return None };
        let is_first = !std::mem::replace(&mut self.begun[chunk.index], true);
        let scored = self.logprobs && !chunk.tokens.is_empty();
        let said = self.readers[chunk.index].read(chunk.text, chunk.finish.as_ref().map(|finish| finish.reason));
        if said == Said::default() && !is_first && !scored {
            return None;
        }
        let content = (is_first || !said.text.is_empty()).then_some(said.text);
        let tool_calls = said.calls.into_iter().map(call_delta).collect();
        let choice = ChunkChoice {
            index: chunk.index as u32,
            delta: ChunkDelta { role: is_first.then_some(AssistantTag), content, tool_calls, ..ChunkDelta::default() },
            logprobs: scored.then(|| logprobs::of_chat(&chunk.tokens, &self.app.vocabulary)),
            finish_reason: said.finish,
            stop_reason: self.head.stop(chunk.finish.as_ref()),
        };
        Some(event(&ChatCompletionChunk { choices: vec![choice], ..self.piece() }))
    }

    fn usage(&mut self, usage: Usage) -> Option<String> {
        self.include_usage.then(|| event(&ChatCompletionChunk { usage: Some(usage.into()), ..self.piece() }))
    }
}
