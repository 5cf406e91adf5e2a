use std::{fmt, sync::Arc};

use jarre_core::{BoxFuture, Result, Tool, ToolContext, ToolOutput, ToolSpec};
use serde_json::Value;

/// A tool whose output has no secrets: what a function takes out is gone from the text and from every text of the output for programs, which diffs are
/// part of. `jarre_guardrails::log::Redactor::redact` over a `SecretsGuard` is such a function.
///
/// A model that edits files by what it reads will not find a secret's place again: so this is for a toolbox that asks for it
/// ([`Toolbox::redacting`](crate::Toolbox::redacting)), and off otherwise.
#[derive(Clone)]
pub struct Redacted<T> {
    tool: T,
    redact: Arc<dyn Fn(&mut String) + Send + Sync>,
}

impl<T> Redacted<T> {
    /// `tool`, with every text of its output passed through `redact`.
    pub fn new(tool: T, redact: Arc<dyn Fn(&mut String) + Send + Sync>) -> Self {
        Self { tool, redact }
    }

    fn redact(&self, value: &mut Value) {
        match value {
            Value::String(text) => (self.redact)(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.redact(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.redact(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl<T: Tool> Tool for Redacted<T> {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }

    fn call<'a>(&'a self, arguments: Value, context: &'a ToolContext) -> BoxFuture<'a, Result<ToolOutput>> {
        Box::pin(async move {
            let mut output = self.tool.call(arguments, context).await?;
            (self.redact)(&mut output.text);
            output.data.iter_mut().for_each(|data| self.redact(data));
            Ok(output)
        })
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redacted").finish_non_exhaustive()
    }
}
