use std::fmt;

use jarre_core::{BoxFuture, Error as CoreError, ErrorKind, Tool, ToolContext, ToolOutput, ToolSpec};
use serde_json::Value;

use super::{Effects, InDoubt};
use crate::Error;

/// A tool whose calls act once for each idempotency key, also when the process is killed between them: a call with an earlier one's key is given
/// its output.
///
/// What was begun and did not come to an end is told to the model as a failure that it has to look into, or made again where that does no harm.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::log::{Effects, InDoubt, Once};
/// use jarre_core::{Permission, Tool, ToolContext, ToolOutput, ToolSpec, testing::FnTool};
/// use jarre_kv_store::Memory;
/// use serde_json::json;
///
/// # pollster::block_on(async {
/// let spec = ToolSpec::new("order", "orders a part", json!({"type": "object"}), Permission::Network);
/// let order = FnTool::new(spec, |_, _| Ok(ToolOutput::new("ordered")));
/// let order = Once::new(order, Effects::new(Arc::new(Memory::new())), InDoubt::Refuse);
/// assert_eq!(order.call(json!({}), &ToolContext::new("call-1")).await?.text, "ordered");
/// # Ok::<(), jarre_core::Error>(()) }).unwrap();
/// ```
pub struct Once<T> {
    tool: T,
    effects: Effects,
    in_doubt: InDoubt,
}

impl<T: Tool> Once<T> {
    /// `tool`, whose outputs are kept in `effects`.
    pub const fn new(tool: T, effects: Effects, in_doubt: InDoubt) -> Self {
        Self { tool, effects, in_doubt }
    }

    async fn call_once(&self, arguments: Value, context: &ToolContext) -> Result<ToolOutput, CoreError> {
        if context.idempotency_key.is_empty() {
            return Err(CoreError::new(ErrorKind::InvalidRequest, "a call that acts once has an idempotency key: add one to its context"));
        }
        let call = async || Ok(self.tool.call(arguments, context).await?);
        match self.effects.once(&context.idempotency_key, self.in_doubt, call).await {
            Ok(output) => Ok(output),
            Err(Error::Core(error)) => Err(error),
            Err(Error::InDoubt { .. }) => Ok(in_doubt(self.tool.spec())),
            Err(other) => Err(CoreError::new(ErrorKind::Internal, other.to_string()).with_source(other)),
        }
    }
}

/// What the model is told. The output of a call that is under way comes with that call, not with this one.
fn in_doubt(spec: &ToolSpec) -> ToolOutput {
    let text = format!(
        "This call of {} was begun before and cut off, so it may have taken effect or not. It was not made again. Find out what happened before \
         you call it once more.",
        spec.name
    );
    ToolOutput::error(text)
}

impl<T: Tool> Tool for Once<T> {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }

    fn call<'a>(&'a self, arguments: Value, context: &'a ToolContext) -> BoxFuture<'a, Result<ToolOutput, CoreError>> {
        Box::pin(self.call_once(arguments, context))
    }
}

impl<T: Tool> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("tool", self.tool.spec()).field("in_doubt", &self.in_doubt).finish_non_exhaustive()
    }
}
