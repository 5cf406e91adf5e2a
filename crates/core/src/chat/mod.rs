use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Part, Price, Result, Timestamp,
    future::{self, BoxFuture, BoxStream},
    macros::{forward, setters},
};

mod request;
mod response;
mod stream;

pub use request::{ChatRequest, Mirostat, RequestId, ResponseFormat, Sampling, ToolChoice};
pub use response::{ChatResponse, FinishReason, Timings};
pub use stream::{ChatAccumulator, ChatChunk, Delta};

/// Answers conversations: a local model, a remote endpoint, or a layer (cache, guard, router) around another model.
///
/// What implementations keep:
/// - A request without messages fails with [`InvalidRequest`](crate::ErrorKind::InvalidRequest); one whose
///   [`deadline`](ChatRequest::deadline) has passed fails with [`Timeout`](crate::ErrorKind::Timeout).
/// - Whatever of a request an implementation cannot honour (a tool, a response format, an image) fails with `InvalidRequest` and is
///   not ignored. Sampling parameters that a model does not know are ignored.
/// - `chat` and `stream` mean the same: folding the chunks with [`ChatAccumulator`] gives what `chat` could have returned.
/// - Dropping the future or the stream cancels the work and leaves the model usable.
///
/// [`testing::contract::chat_model`](crate::testing::contract::chat_model) checks an implementation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a chat model",
    note = "implement `jarre_core::ChatModel` (`info` and `chat`), or use `jarre_core::testing::ScriptedModel` in tests"
)]
pub trait ChatModel: Send + Sync {
    /// What is known about the model without asking it.
    fn info(&self) -> &ModelInfo;

    /// The model's answer to `request`, as a whole.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind); [`Error::is_retryable`](crate::Error::is_retryable) says whether another try can help.
    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>>;

    /// The model's answer to `request` as it is written. The stream owns what it needs, so it can outlive the borrow of the model.
    ///
    /// After an error the stream ends. By default the whole answer of [`chat`](Self::chat) is streamed once it is there; an
    /// implementation that streams overrides this, and writes `chat` as [`ChatResponse::collect`] of the stream.
    ///
    /// # Errors
    /// As for [`chat`](Self::chat): from the future before the first chunk, from the stream after it.
    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<BoxStream<'static, Result<ChatChunk>>>> {
        let response = self.chat(request);
        Box::pin(async move { Ok(future::iter(response.await?.into_chunks().into_iter().map(Ok))) })
    }
}

forward!(ChatModel {
    fn info(&self) -> &ModelInfo;
    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>>;
    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<BoxStream<'static, Result<ChatChunk>>>>;
});

/// What is known about a model without asking it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// Who runs it: a value of [`telemetry::provider`](crate::telemetry::provider) where one fits.
    pub provider: String,
    /// The name that the provider knows it by.
    pub name: String,
    /// Tokens of prompt and answer together that fit, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<usize>,
    /// What it can do beyond text; what is not listed fails with `InvalidRequest`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub capabilities: BTreeSet<Capability>,
    /// What its tokens cost, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

impl ModelInfo {
    /// A model that only reads and writes text.
    pub fn new(provider: impl Into<String>, name: impl Into<String>) -> Self {
        Self { provider: provider.into(), name: name.into(), context_tokens: None, capabilities: BTreeSet::new(), price: None }
    }

    setters! {
        /// States how many tokens of prompt and answer together fit.
        with_context_tokens(context_tokens: usize);
        /// States what its tokens cost.
        with_price(price: Price);
    }

    /// Adds something that the model can do.
    pub fn with_capability(mut self, capability: Capability) -> Self {
        self.capabilities.insert(capability);
        self
    }

    /// Whether the model has `capability`.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// What every [`ChatModel`] refuses before it starts: call it first in `chat` and `stream`.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] where the deadline is not after `now`; [`ErrorKind::InvalidRequest`] where there is no message, where a
    /// tool has to be called that is not offered, or where the request needs a capability that the model lacks.
    pub fn check(&self, request: &ChatRequest, now: Timestamp) -> Result<()> {
        if request.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Error::new(ErrorKind::Timeout, "the deadline of the request has passed"));
        }
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidRequest, message));
        if request.messages.is_empty() {
            return invalid("the request has no messages, add at least one".into());
        }
        if !request.tool_choice.is_offered(&request.tools) {
            return invalid("the tool choice asks for a tool that the request does not offer".into());
        }
        match needs(request).find(|&need| !self.can(need)) {
            Some(need) => invalid(format!("the model {:?} cannot do what the request needs: {need:?}", self.name)),
            None => Ok(()),
        }
    }
}

fn needs(request: &ChatRequest) -> impl Iterator<Item = Capability> {
    let images = request.messages.iter().flat_map(|message| &message.parts).any(|part| matches!(part, Part::Image(_)));
    let tools = !request.tools.is_empty() && request.tool_choice != ToolChoice::None;
    let format = match request.response_format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(Capability::JsonObject),
        ResponseFormat::JsonSchema { .. } => Some(Capability::JsonSchema),
    };
    images.then_some(Capability::Images).into_iter().chain(tools.then_some(Capability::Tools)).chain(format)
}

/// Something that not every model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Reads images.
    Images,
    /// Calls tools.
    Tools,
    /// Keeps to [`ResponseFormat::JsonObject`].
    JsonObject,
    /// Keeps to [`ResponseFormat::JsonSchema`].
    JsonSchema,
    /// Gives the same answer again for the same request with a [`seed`](Sampling::seed).
    Seed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Permission, ToolSpec};

    #[test]
    fn info_round_trips() {
        let info =
            ModelInfo::new("openai", "m").with_context_tokens(8192).with_capability(Capability::JsonSchema).with_price(Price::default());
        let wire = serde_json::to_value(&info).unwrap();
        assert_eq!(wire["capabilities"], serde_json::json!(["json_schema"]));
        assert_eq!(serde_json::from_value::<ModelInfo>(wire).unwrap(), info);
        assert!(info.can(Capability::JsonSchema) && !info.can(Capability::Images));
    }

    #[test]
    fn a_tool_that_must_be_called_has_to_be_offered() {
        let info = ModelInfo::new("p", "m").with_capability(Capability::Tools);
        let tool = ToolSpec::new("a", "", serde_json::json!({"type": "object"}), Permission::Read);
        let check = |choice| info.check(&ChatRequest::user("hi").with_tool(tool.clone()).with_tool_choice(choice), Timestamp::UNIX_EPOCH);
        assert!(check(ToolChoice::Tool { name: "a".into() }).is_ok());
        assert_eq!(check(ToolChoice::Tool { name: "b".into() }).unwrap_err().kind(), ErrorKind::InvalidRequest);
        let required = ChatRequest::user("hi").with_tool_choice(ToolChoice::Required);
        assert!(info.check(&required, Timestamp::UNIX_EPOCH).is_err());
    }

    #[test]
    fn tools_that_must_not_be_called_need_no_capability() {
        let tool = ToolSpec::new("a", "", serde_json::json!({"type": "object"}), Permission::Read);
        let request = ChatRequest::user("hi").with_tool(tool);
        let info = ModelInfo::new("p", "m");
        assert!(info.check(&request, Timestamp::UNIX_EPOCH).is_err());
        assert!(info.check(&request.with_tool_choice(ToolChoice::None), Timestamp::UNIX_EPOCH).is_ok());
    }
}
