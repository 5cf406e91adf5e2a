use std::{fmt, sync::Arc};

use jarre_core::{BoxFuture, Error, Result, Tool, ToolContext, ToolOutput, ToolSpec};
use serde_json::{Map, Value};

/// A tool whose output has no secrets: what a function takes out is gone from the text and from every text of the output for programs, which diffs are
/// part of, names of fields included. Of a failure the message goes through it too, and what caused it is not passed on.
/// `jarre_guardrails::log::Redactor::redact` over a `SecretsGuard` is such a function.
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
            Value::Object(fields) => *fields = self.fields(std::mem::take(fields)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The fields, redacted. Names that become the same are numbered, so that no field is lost.
    fn fields(&self, fields: Map<String, Value>) -> Map<String, Value> {
        let mut redacted = Map::new();
        for (name, mut value) in fields {
            self.redact(&mut value);
            let name = self.text(name);
            let mut names = std::iter::once(name.clone()).chain((2_u64..).map(|number| format!("{name} ({number})")));
            let name = names.find(|name| !redacted.contains_key(name)).unwrap_or_default();
            redacted.insert(name, value);
        }
        redacted
    }

    fn text(&self, mut text: String) -> String {
        (self.redact)(&mut text);
        text
    }

    fn error(&self, error: &Error) -> Error {
        let redacted = Error::new(error.kind(), self.text(error.to_string()));
        error.retry_after().into_iter().fold(redacted, Error::with_retry_after)
    }
}

impl<T: Tool> Tool for Redacted<T> {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }

    fn call<'a>(&'a self, arguments: Value, context: &'a ToolContext) -> BoxFuture<'a, Result<ToolOutput>> {
        Box::pin(async move {
            let mut output = self.tool.call(arguments, context).await.map_err(|error| self.error(&error))?;
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
