use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    Error, ErrorKind, RequestId, Result, Timestamp, ToolCall, ToolResult,
    future::BoxFuture,
    macros::{forward, setters},
};

/// Something that a model can ask to be done.
///
/// What implementations keep:
/// - Arguments that the schema does not allow fail with [`InvalidRequest`](ErrorKind::InvalidRequest), before anything was done.
/// - A failure that the model can do something about (no such file, no result) is an [`ToolOutput::error`], which the model reads; an
///   `Err` is for the caller (deadline, defect, service down).
/// - A call with the [`idempotency_key`](ToolContext::idempotency_key) of an earlier one does not act a second time.
/// - Dropping the future cancels the call.
///
/// [`testing::contract::tool`](crate::testing::contract::tool) checks an implementation.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a tool", note = "implement `jarre_core::Tool` (`spec` and `call`)")]
pub trait Tool: Send + Sync {
    /// What the model is told, and what the caller has to allow.
    fn spec(&self) -> &ToolSpec;

    /// Does it. `arguments` is what the model wrote, parsed; `context` is what the model does not see.
    ///
    /// # Errors
    /// Where the arguments do not fit or the tool could not run.
    fn call<'a>(&'a self, arguments: Value, context: &'a ToolContext) -> BoxFuture<'a, Result<ToolOutput>>;
}

forward!(Tool {
    fn spec(&self) -> &ToolSpec;
    fn call<'a>(&'a self, arguments: Value, context: &'a ToolContext) -> BoxFuture<'a, Result<ToolOutput>>;
});

/// What a model is told about a tool, and what a caller has to allow.
///
/// ```
/// use jarre_core::{Permission, ToolSpec};
/// use serde_json::json;
///
/// let schema = json!({"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]});
/// let spec = ToolSpec::new("search", "searches the handbook", schema, Permission::Read);
/// assert_eq!(spec.permission, Permission::Read);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolSpec {
    /// 1 to 64 of `A-Z a-z 0-9 _ -`: what every provider takes.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// The JSON Schema of the arguments: of type `object`.
    pub parameters: Value,
    /// What a call can do to the world.
    pub permission: Permission,
}

impl ToolSpec {
    /// A tool's spec.
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: Value, permission: Permission) -> Self {
        Self { name: name.into(), description: description.into(), parameters, permission }
    }
}

/// What a call of a tool can do to the world; of several, the one that matters most to who allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Looks at local state and changes nothing.
    Read,
    /// Changes local state.
    Write,
    /// Talks to other machines.
    Network,
    /// Runs code that is not known beforehand.
    Execute,
}

/// What a call carries that the model neither writes nor reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ToolContext {
    /// The same for every try of one call, different for every other call.
    pub idempotency_key: String,
    /// The request that the call belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// When the result is no longer wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Side information: who asks, for which tenant, in which folder. Not for the model, so not for the output either.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub side: Map<String, Value>,
}

impl ToolContext {
    /// The context of a call.
    pub fn new(idempotency_key: impl Into<String>) -> Self {
        Self { idempotency_key: idempotency_key.into(), ..Self::default() }
    }

    setters! {
        /// States the request that the call belongs to.
        with_request_id(request_id: impl Into<RequestId>);
        /// States when the result is no longer wanted.
        with_deadline(deadline: Timestamp);
    }

    /// Adds side information.
    pub fn with_side(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.side.insert(key.into(), value.into());
        self
    }

    /// Reads side information.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] where there is none of this key, or it does not fit `T`.
    pub fn side<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        let value = self.side.get(key).ok_or_else(|| {
            Error::new(ErrorKind::InvalidRequest, format!("the tool needs the side information {key:?}, add it to the context"))
        })?;
        T::deserialize(value).map_err(|error| {
            Error::new(ErrorKind::InvalidRequest, format!("the side information {key:?} cannot be read: {error}")).with_source(error)
        })
    }
}

/// What a tool has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolOutput {
    /// What the model reads.
    pub text: String,
    /// Whether `text` tells of a failure.
    #[serde(default)]
    pub is_error: bool,
    /// The same for programs, where the tool has it; the model does not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl ToolOutput {
    /// A success.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_error: false, data: None }
    }

    /// A failure that the model is told of and can do something about.
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::new(text) }
    }

    /// Adds the result for programs.
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// The output as the answer to `call` in a conversation.
    pub fn into_result(self, call: &ToolCall) -> ToolResult {
        ToolResult { is_error: self.is_error, ..ToolResult::new(call, self.text) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn side_information_is_typed_on_the_way_out() {
        let context = ToolContext::new("k").with_side("tenant", 7).with_request_id("r").with_deadline(Timestamp::MAX);
        assert_eq!(context.side::<u32>("tenant").unwrap(), 7);
        assert_eq!(context.side::<String>("tenant").unwrap_err().kind(), ErrorKind::InvalidRequest);
        assert_eq!(context.side::<u32>("user").unwrap_err().kind(), ErrorKind::InvalidRequest);
        let wire = serde_json::to_value(&context).unwrap();
        assert_eq!(serde_json::from_value::<ToolContext>(wire).unwrap(), context);
    }

    #[test]
    fn an_output_answers_its_call() {
        let call = ToolCall::new("c", "find", "{}");
        let output = ToolOutput::error("no such file").with_data(json!({"code": 2}));
        let wire = serde_json::to_value(&output).unwrap();
        assert_eq!(wire, json!({"text": "no such file", "is_error": true, "data": {"code": 2}}));
        assert_eq!(serde_json::from_value::<ToolOutput>(wire).unwrap(), output);
        assert_eq!(output.into_result(&call), ToolResult::error(&call, "no such file"));
    }

    #[test]
    fn a_spec_goes_over_the_wire_and_back() {
        let spec = ToolSpec::new("run", "runs", json!({"type": "object"}), Permission::Execute);
        let wire = serde_json::to_value(&spec).unwrap();
        assert_eq!(wire["permission"], "execute");
        assert_eq!(serde_json::from_value::<ToolSpec>(wire).unwrap(), spec);
    }
}
