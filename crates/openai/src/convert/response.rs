use jarre_core::{ChatResponse, Error, ErrorKind, FinishReason, Message, Part, Result, Role};

use super::{request_from_core::from_call, request_to_core::to_call};
use crate::{AssistantMessage, ChatChoice, ChatCompletion};

impl ChatCompletion {
    /// The first answer. A refusal is text, and the answer then ends with [`FinishReason::ContentFilter`]; one that holds tool calls ends
    /// with [`FinishReason::ToolCalls`] where the server says `stop`, as some do for calls that were demanded.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidResponse`] where there is no answer, or a tool call has no id or no name.
    pub fn into_core(self) -> Result<ChatResponse> {
        let choice = self.choices.into_iter().min_by_key(|choice| choice.index).ok_or_else(|| invalid("the answer has no choices"))?;
        let AssistantMessage { content, refusal, tool_calls, .. } = choice.message;
        if tool_calls.iter().any(|call| call.id.is_empty() || call.function.name.is_empty()) {
            return Err(invalid("a tool call of the answer has no id or no name"));
        }
        let (refused, called) = (refusal.as_ref().is_some_and(|text| !text.is_empty()), !tool_calls.is_empty());
        let texts = [content, refusal].into_iter().flatten().filter(|text| !text.is_empty()).map(Part::text);
        let message = Message::new(Role::Assistant, texts.chain(tool_calls.iter().map(|call| to_call(call).into())));
        let reason = finish_reason(choice.finish_reason.unwrap_or(FinishReason::Other), refused, called);
        let mut response = ChatResponse::new(message, reason).with_usage(self.usage.unwrap_or_default().into());
        response.id = Some(self.id).filter(|id| !id.is_empty());
        response.model = Some(self.model).filter(|model| !model.is_empty());
        Ok(response)
    }

    /// The wire form of a whole answer, made `created` seconds after the start of 1970. Names that `response` states itself are used
    /// rather than `id` and `model`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the answer has a part that the API has no place for.
    pub fn from_core(response: &ChatResponse, id: &str, model: &str, created: u64) -> Result<Self> {
        Ok(Self {
            id: response.id.clone().unwrap_or_else(|| id.into()),
            model: response.model.clone().unwrap_or_else(|| model.into()),
            created,
            choices: vec![ChatChoice::from_core(response, 0)?],
            usage: Some(response.usage.into()),
            ..Self::default()
        })
    }
}

impl ChatChoice {
    /// An answer as the choice `index`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the answer has a part that the API has no place for.
    pub fn from_core(response: &ChatResponse, index: u32) -> Result<Self> {
        if response.message.parts.iter().any(|part| !matches!(part, Part::Text { .. } | Part::ToolCall(_))) {
            return Err(no_place());
        }
        let (text, tool_calls): (_, Vec<_>) = (response.message.text(), response.message.tool_calls().map(from_call).collect());
        let content = (!text.is_empty() || tool_calls.is_empty()).then_some(text);
        let message = AssistantMessage { content, tool_calls, ..AssistantMessage::default() };
        Ok(Self { index, message, finish_reason: Some(response.finish_reason), ..Self::default() })
    }
}

pub(super) fn finish_reason(reason: FinishReason, refused: bool, called: bool) -> FinishReason {
    match reason {
        FinishReason::Stop if refused => FinishReason::ContentFilter,
        FinishReason::Stop if called => FinishReason::ToolCalls,
        reason => reason,
    }
}

pub(super) fn no_place() -> Error {
    Error::new(ErrorKind::Internal, "the answer has a part that the API has no place for")
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidResponse, message)
}
