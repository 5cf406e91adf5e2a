use std::collections::HashMap;

use jarre_core::{ChatRequest, Message, Part, Permission, Role, Sampling, ToolResult, ToolSpec};
use serde_json::{Value, json};

use super::image;
use crate::{
    ApiError, ChatCompletionRequest, ChatMessage, Content, ContentPart, Mirostat, ResponseFormat, Result, SamplingParams, Tool, ToolCall,
    ToolChoice, ToolChoiceMode, TopK,
};

impl ChatCompletionRequest {
    /// The request as a `ChatModel` takes it. What `jarre_core` has no place for stays behind: the model's name, streaming, `n`, log
    /// probabilities, names of speakers, how closely pictures are looked at, and of the sampling parameters all that
    /// [`SamplingParams::to_core`] leaves out.
    ///
    /// Tools get the strictest [`Permission`], as what a call does is known to the caller alone.
    ///
    /// # Errors
    /// A 400 that names the URL of a picture that is not base64.
    pub fn to_core(&self) -> Result<ChatRequest> {
        let mut names = HashMap::new();
        let mut messages = Vec::with_capacity(self.messages.len());
        for (index, message) in self.messages.iter().enumerate() {
            if let ChatMessage::Assistant { tool_calls, .. } = message {
                names.extend(tool_calls.iter().map(|call| (call.id.as_str(), call.function.name.as_str())));
            }
            messages.push(to_message(message, index, &names)?);
        }
        let request = ChatRequest::new(messages)
            .with_sampling(self.sampling.to_core(self.token_limit()))
            .with_tool_choice(self.tool_choice.as_ref().map_or_else(Default::default, to_choice))
            .with_response_format(self.response_format.as_ref().map_or_else(Default::default, to_format));
        Ok(self.tools.iter().map(to_tool).fold(request, ChatRequest::with_tool))
    }
}

impl SamplingParams {
    /// Those parameters that `jarre_core` knows, with `limit` as the most tokens that are written. A seed keeps its bits.
    pub fn to_core(&self, limit: Option<u32>) -> Sampling {
        let mut sampling = Sampling::default().with_stop(&self.stop);
        sampling.temperature = self.temperature;
        sampling.top_p = self.top_p;
        sampling.top_k = self.top_k.map(|top_k| match top_k {
            TopK::All => u32::MAX,
            TopK::Likeliest(count) => count,
        });
        sampling.min_p = self.min_p;
        sampling.mirostat = self.mirostat.map(|Mirostat { tau, eta }| jarre_core::Mirostat { tau, eta });
        sampling.seed = self.seed.map(i64::cast_unsigned);
        sampling.max_tokens = limit;
        sampling.presence_penalty = self.presence_penalty;
        sampling.frequency_penalty = self.frequency_penalty;
        sampling.repetition_penalty = self.repetition_penalty;
        sampling
    }
}

fn to_message(message: &ChatMessage, index: usize, names: &HashMap<&str, &str>) -> Result<Message> {
    Ok(match message {
        ChatMessage::System { content, .. } | ChatMessage::Developer { content, .. } => Message::new(Role::System, parts(content, index)?),
        ChatMessage::User { content, .. } => Message::new(Role::User, parts(content, index)?),
        ChatMessage::Assistant { content, refusal, tool_calls, .. } => {
            let mut said = content.as_ref().map_or_else(|| Ok(Vec::new()), |content| parts(content, index))?;
            said.extend(refusal.as_ref().map(Part::text));
            said.extend(tool_calls.iter().map(|call| Part::from(to_call(call))));
            Message::new(Role::Assistant, said)
        }
        ChatMessage::Tool { content, tool_call_id } => {
            let name = names.get(tool_call_id.as_str()).copied().unwrap_or_default();
            let call = jarre_core::ToolCall::new(tool_call_id, name, "");
            Message::tool(ToolResult::new(&call, Message::new(Role::Tool, parts(content, index)?).text()))
        }
    })
}

fn parts(content: &Content, message: usize) -> Result<Vec<Part>> {
    let parts = match content {
        Content::Text(text) => return Ok(vec![Part::text(text)]),
        Content::Parts(parts) => parts,
    };
    let read = |(index, part): (usize, &ContentPart)| match part {
        ContentPart::Text { text } | ContentPart::Refusal { refusal: text } => Ok(Part::text(text)),
        ContentPart::ImageUrl { image_url } => image::from_url(&image_url.url).map(Part::Image).ok_or_else(|| {
            let param = format!("messages[{message}].content[{index}].image_url.url");
            let told = format!("the parameter '{param}' must be an http or https address, or a data URL of a picture in padded base64");
            ApiError::invalid_request(told).with_param(param).with_code("invalid_value")
        }),
    };
    parts.iter().enumerate().map(read).collect()
}

pub(super) fn to_call(call: &ToolCall) -> jarre_core::ToolCall {
    jarre_core::ToolCall::new(&call.id, &call.function.name, &call.function.arguments)
}

fn to_tool(tool: &Tool) -> ToolSpec {
    let function = &tool.function;
    let parameters = function.parameters.clone().map_or_else(|| json!({"type": "object", "properties": {}}), Value::Object);
    ToolSpec::new(&function.name, function.description.clone().unwrap_or_default(), parameters, Permission::Execute)
}

fn to_choice(choice: &ToolChoice) -> jarre_core::ToolChoice {
    match choice {
        ToolChoice::Mode(ToolChoiceMode::Auto) => jarre_core::ToolChoice::Auto,
        ToolChoice::Mode(ToolChoiceMode::None) => jarre_core::ToolChoice::None,
        ToolChoice::Mode(ToolChoiceMode::Required) => jarre_core::ToolChoice::Required,
        ToolChoice::Function { function, .. } => jarre_core::ToolChoice::Tool { name: function.name.clone() },
    }
}

fn to_format(format: &ResponseFormat) -> jarre_core::ResponseFormat {
    match format {
        ResponseFormat::Text => jarre_core::ResponseFormat::Text,
        ResponseFormat::JsonObject => jarre_core::ResponseFormat::JsonObject,
        ResponseFormat::JsonSchema { json_schema } => {
            jarre_core::ResponseFormat::json_schema(&json_schema.name, Value::Object(json_schema.schema.clone()))
        }
    }
}
