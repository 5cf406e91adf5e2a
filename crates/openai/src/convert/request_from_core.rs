use jarre_core::{ChatRequest, Error, ErrorKind, Message, Part, Result, Role, Sampling, ToolSpec};
use serde_json::{Map, Value};

use super::image;
use crate::{
    ChatCompletionRequest, ChatMessage, Content, ContentPart, FunctionCall, FunctionName, FunctionSpec, FunctionTag, ImageUrl,
    JsonSchemaFormat, Mirostat, ResponseFormat, SamplingParams, Tool, ToolCall, ToolChoice, ToolChoiceMode, TopK,
};

impl ChatCompletionRequest {
    /// The request that asks `model` for what `request` asks for. A message of several tool results becomes several messages; of an
    /// answer's parts the text comes before the tool calls; that a tool failed is told by its text alone. The deadline and the request's
    /// id have no place on the wire.
    ///
    /// Schemas are sent with `strict`, so that a server which cannot keep to one refuses it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] where a part does not fit the role of its message, a schema is no object, or a sampling parameter is
    /// not finite.
    pub fn from_core(model: impl Into<String>, request: &ChatRequest) -> Result<Self> {
        let mut wire = Self::new(model, from_messages(&request.messages)?);
        wire.sampling = SamplingParams::from_core(&request.sampling)?;
        wire.tools = request.tools.iter().map(from_tool).collect::<Result<_>>()?;
        wire.tool_choice = from_choice(&request.tool_choice).filter(|_| !wire.tools.is_empty());
        wire.response_format = from_format(&request.response_format)?;
        Ok(wire)
    }
}

impl SamplingParams {
    /// The parameters of `sampling`. A seed keeps its bits.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] where a number is not finite: JSON has no name for it.
    pub fn from_core(sampling: &Sampling) -> Result<Self> {
        let numbers = [
            ("temperature", sampling.temperature),
            ("top_p", sampling.top_p),
            ("min_p", sampling.min_p),
            ("mirostat_tau", sampling.mirostat.map(|mirostat| mirostat.tau)),
            ("mirostat_eta", sampling.mirostat.map(|mirostat| mirostat.eta)),
            ("presence_penalty", sampling.presence_penalty),
            ("frequency_penalty", sampling.frequency_penalty),
            ("repetition_penalty", sampling.repetition_penalty),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| number.is_some_and(|number| !number.is_finite())) {
            return Err(invalid(format!("{name} must be a finite number")));
        }
        Ok(Self {
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k.map(|count| if matches!(count, 0 | u32::MAX) { TopK::All } else { TopK::Likeliest(count) }),
            min_p: sampling.min_p,
            mirostat: sampling.mirostat.map(|jarre_core::Mirostat { tau, eta }| Mirostat { tau, eta }),
            seed: sampling.seed.map(u64::cast_signed),
            stop: sampling.stop.clone(),
            max_tokens: sampling.max_tokens,
            presence_penalty: sampling.presence_penalty,
            frequency_penalty: sampling.frequency_penalty,
            repetition_penalty: sampling.repetition_penalty,
            ..Self::default()
        })
    }
}

fn from_messages(messages: &[Message]) -> Result<Vec<ChatMessage>> {
    let mut wire = Vec::with_capacity(messages.len());
    for message in messages {
        match message.role {
            Role::System => wire.push(ChatMessage::System { content: from_parts(message)?, name: None }),
            Role::User => wire.push(ChatMessage::User { content: from_parts(message)?, name: None }),
            Role::Assistant => wire.push(from_assistant(message)?),
            Role::Tool => message.parts.iter().try_for_each(|part| from_result(part).map(|result| wire.push(result)))?,
        }
    }
    Ok(wire)
}

/// Text alone is sent as a string, which every server takes.
fn from_parts(message: &Message) -> Result<Content> {
    if let [Part::Text { text }] = message.parts.as_slice() {
        return Ok(Content::Text(text.clone()));
    }
    let part = |part: &Part| match part {
        Part::Text { text } => Ok(ContentPart::Text { text: text.clone() }),
        Part::Image(picture) if message.role == Role::User => {
            Ok(ContentPart::ImageUrl { image_url: ImageUrl { url: image::to_url(picture), detail: None } })
        }
        _ => Err(misplaced(message.role)),
    };
    let parts = message.parts.iter().map(part).collect::<Result<Vec<_>>>()?;
    Ok(if parts.is_empty() { Content::Text(String::new()) } else { Content::Parts(parts) })
}

fn from_assistant(message: &Message) -> Result<ChatMessage> {
    if message.parts.iter().any(|part| !matches!(part, Part::Text { .. } | Part::ToolCall(_))) {
        return Err(misplaced(message.role));
    }
    let tool_calls: Vec<ToolCall> = message.tool_calls().map(from_call).collect();
    let text = message.text();
    let content = (!text.is_empty() || tool_calls.is_empty()).then_some(Content::Text(text));
    Ok(ChatMessage::Assistant { content, refusal: None, tool_calls, name: None })
}

fn from_result(part: &Part) -> Result<ChatMessage> {
    match part {
        Part::ToolResult(result) => {
            Ok(ChatMessage::Tool { content: Content::Text(result.text.clone()), tool_call_id: result.call_id.clone() })
        }
        _ => Err(misplaced(Role::Tool)),
    }
}

pub(super) fn from_call(call: &jarre_core::ToolCall) -> ToolCall {
    let function = FunctionCall { name: call.name.clone(), arguments: call.arguments.clone() };
    ToolCall { id: call.id.clone(), kind: FunctionTag, function }
}

fn from_tool(tool: &ToolSpec) -> Result<Tool> {
    let function = FunctionSpec {
        name: tool.name.clone(),
        description: Some(tool.description.clone()),
        parameters: Some(object(&tool.parameters, "the schema of a tool's arguments")?),
        strict: None,
    };
    Ok(Tool { kind: FunctionTag, function })
}

fn from_choice(choice: &jarre_core::ToolChoice) -> Option<ToolChoice> {
    Some(match choice {
        jarre_core::ToolChoice::Auto => return None,
        jarre_core::ToolChoice::None => ToolChoice::Mode(ToolChoiceMode::None),
        jarre_core::ToolChoice::Required => ToolChoice::Mode(ToolChoiceMode::Required),
        jarre_core::ToolChoice::Tool { name } => ToolChoice::Function { kind: FunctionTag, function: FunctionName { name: name.clone() } },
    })
}

fn from_format(format: &jarre_core::ResponseFormat) -> Result<Option<ResponseFormat>> {
    match format {
        jarre_core::ResponseFormat::Text => Ok(None),
        jarre_core::ResponseFormat::JsonObject => Ok(Some(ResponseFormat::JsonObject)),
        jarre_core::ResponseFormat::JsonSchema { name, schema } => {
            let schema = object(schema, "the schema of an answer")?;
            let json_schema = JsonSchemaFormat { name: name.clone(), description: None, schema, strict: Some(true) };
            Ok(Some(ResponseFormat::JsonSchema { json_schema }))
        }
        _ => Err(invalid("the response format has no name on the wire")),
    }
}

fn object(value: &Value, what: &str) -> Result<Map<String, Value>> {
    value.as_object().cloned().ok_or_else(|| invalid(format!("{what} must be a JSON object")))
}

fn misplaced(role: Role) -> Error {
    invalid(format!("a message of the role {role:?} has a part that the API has no place for"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}
