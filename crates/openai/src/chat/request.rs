use serde::Serialize;
use serde_json::{Map, Value};

use super::{ChatMessage, ResponseFormat, Tool, ToolChoice, format, read_messages, read_tools, tool};
use crate::{
    Result,
    decode::{Fields, Node, requests},
    sampling::{MAX_LOGPROBS, SamplingParams},
};

/// A conversation and how it is to be answered: the body of `POST /v1/chat/completions`.
///
/// ```
/// use jarre_openai::ChatCompletionRequest;
///
/// let body = br#"{"model": "small", "messages": [{"role": "user", "content": "hello"}], "stop": "\n"}"#;
/// let request = ChatCompletionRequest::from_json(body)?;
/// assert_eq!(request.sampling.stop, ["\n"]);
///
/// let misspelt = br#"{"model": "small", "messages": [{"role": "user", "content": "hello"}], "temprature": 0}"#;
/// let error = ChatCompletionRequest::from_json(misspelt).unwrap_err();
/// assert_eq!(error.to_string(), "the parameter 'temprature' is unknown, did you mean 'temperature'?");
/// # Ok::<(), jarre_openai::ApiError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChatCompletionRequest {
    /// The model, or an adapter of it; not empty.
    pub model: String,
    /// The conversation, oldest first; not empty.
    pub messages: Vec<ChatMessage>,
    /// How tokens are chosen and how many.
    #[serde(flatten)]
    pub sampling: SamplingParams,
    /// The most tokens that are written: the newer spelling of [`SamplingParams::max_tokens`], and not beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u32>,
    /// Whether the answer comes as server-sent events.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// What a stream holds; only with `stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    /// Whether log probabilities of the answer's tokens are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<bool>,
    /// And those of that many alternatives, at most [`MAX_LOGPROBS`]; only with `logprobs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_logprobs: Option<u32>,
    /// Tools that the model may ask to be called, each of another name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it may, must or must not; only with `tools`, and only one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may ask for several calls at once; only with `tools`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// What the text has to be; not beside [`SamplingParams::structured_outputs`], except as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat>,
    /// Names the person who asks, for limits and logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether the prompt ends with the opening of an answer; so it does by default (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_generation_prompt: Option<bool>,
    /// Further variables of the chat template (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_template_kwargs: Option<Map<String, Value>>,
}

/// What a stream holds beside the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StreamOptions {
    /// Whether a last chunk without choices states the tokens used.
    pub include_usage: bool,
}

requests! { ChatCompletionRequest: ChatCompletionRequest::read; }

impl ChatCompletionRequest {
    /// A request to continue `messages`, everything else left to the server.
    pub fn new(model: impl Into<String>, messages: impl IntoIterator<Item = ChatMessage>) -> Self {
        Self { model: model.into(), messages: messages.into_iter().collect(), ..Self::default() }
    }

    /// The most tokens that are written, whichever spelling stated it.
    pub fn token_limit(&self) -> Option<u32> {
        self.max_completion_tokens.or(self.sampling.max_tokens)
    }

    /// Whether a stream ends with a chunk that states the tokens used.
    pub fn wants_usage(&self) -> bool {
        self.stream_options.is_some_and(|options| options.include_usage)
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        let mut request = Self::new(fields.required("model", Node::non_empty_string)?, fields.required("messages", read_messages)?);
        request.sampling = SamplingParams::read(fields)?;
        request.max_completion_tokens = fields.optional("max_completion_tokens", |node| node.unsigned(1..=u32::MAX))?;
        request.stream = fields.optional("stream", Node::boolean)?.unwrap_or_default();
        request.stream_options = stream_options(fields, request.stream)?;
        request.logprobs = fields.optional("logprobs", Node::boolean)?;
        request.top_logprobs = fields.optional("top_logprobs", |node| node.unsigned(0..=MAX_LOGPROBS))?;
        request.tools = fields.optional("tools", read_tools)?.unwrap_or_default();
        request.tool_choice = fields.optional("tool_choice", |node| tool::read_choice(node, &request.tools))?;
        request.parallel_tool_calls = fields.optional("parallel_tool_calls", Node::boolean)?;
        request.response_format = fields.optional("response_format", format::read_format)?;
        request.user = fields.optional("user", Node::string)?;
        request.add_generation_prompt = fields.optional("add_generation_prompt", Node::boolean)?;
        request.chat_template_kwargs = fields.optional("chat_template_kwargs", Node::any_object)?;
        request.check(fields)?;
        Ok(request)
    }

    fn check(&self, fields: &Fields) -> Result<()> {
        self.sampling.check(fields, self.token_limit(), self.stream)?;
        if self.sampling.max_tokens.is_some() && self.max_completion_tokens.is_some() {
            return Err(fields.invalid("max_tokens", "cannot stand together with 'max_completion_tokens'"));
        }
        if self.top_logprobs.is_some() && self.logprobs != Some(true) {
            return Err(fields.invalid("top_logprobs", "needs 'logprobs' to be true"));
        }
        if self.tools.is_empty() && self.parallel_tool_calls.is_some() {
            return Err(fields.invalid("parallel_tool_calls", "needs 'tools'"));
        }
        let formatted = self.response_format.as_ref().is_some_and(|format| *format != ResponseFormat::Text);
        if formatted && self.sampling.structured_outputs.is_some() {
            return Err(fields.invalid("response_format", "cannot stand together with structured outputs"));
        }
        Ok(())
    }
}

pub(crate) fn stream_options(fields: &mut Fields, stream: bool) -> Result<Option<StreamOptions>> {
    let options = fields.optional("stream_options", |node| {
        node.object(|fields| Ok(StreamOptions { include_usage: fields.optional("include_usage", Node::boolean)?.unwrap_or_default() }))
    })?;
    if options.is_some() && !stream {
        return Err(fields.invalid("stream_options", "needs 'stream' to be true"));
    }
    Ok(options)
}
