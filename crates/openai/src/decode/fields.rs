use std::rc::Rc;

use serde_json::{Map, Value};

use super::{
    node::{Node, Path},
    suggest,
};
use crate::{ApiError, Result};

/// The fields of an object, taken one by one; what is left in the end is unknown.
pub(crate) struct Fields {
    given: Map<String, Value>,
    path: Rc<Path>,
    known: Vec<&'static str>,
}

impl Fields {
    pub(super) fn new(given: Map<String, Value>, path: Rc<Path>) -> Self {
        Self { given, path, known: Vec::new() }
    }

    /// Reads a field that may be absent, or `null`, which means the same.
    pub(crate) fn optional<T>(&mut self, name: &'static str, read: impl FnOnce(Node) -> Result<T>) -> Result<Option<T>> {
        self.known.push(name);
        match self.given.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(Node::new(value, Path::field(&self.path, name))).map(Some),
        }
    }

    /// Reads a field that has to be there.
    pub(crate) fn required<T>(&mut self, name: &'static str, read: impl FnOnce(Node) -> Result<T>) -> Result<T> {
        self.optional(name, read)?
            .ok_or_else(|| self.error(name, &format!("the parameter '{}' is missing", self.at(name)), "missing_required_parameter"))
    }

    /// A field of the API that nothing here can honour: refused where it says anything.
    pub(crate) fn refused(&mut self, name: &'static str, why: &str) -> Result<()> {
        self.known.push(name);
        match self.given.remove(name) {
            None | Some(Value::Null) => Ok(()),
            Some(_) => {
                Err(self.error(name, &format!("the parameter '{}' is not supported: {why}", self.at(name)), "unsupported_parameter"))
            }
        }
    }

    /// A field of answers that clients send back in conversations: it may stand there as long as it is empty.
    pub(crate) fn only_empty(&mut self, name: &'static str) -> Result<()> {
        self.optional(name, |node| if node.is_empty_list() { Ok(()) } else { Err(node.unsupported("only null is supported here")) })?;
        Ok(())
    }

    /// An error about a field whose value is not right, or not together with others.
    pub(crate) fn invalid(&self, name: &str, message: &str) -> ApiError {
        self.error(name, &format!("the parameter '{}' {message}", self.at(name)), "invalid_value")
    }

    /// Refuses what was not read.
    pub(super) fn finish(self) -> Result<()> {
        let Some(name) = self.given.keys().next() else { return Ok(()) };
        let shown: String = name.chars().take(100).collect();
        let meant = suggest::nearest(name, self.known.iter().copied()).map(|meant| format!(", did you mean '{meant}'?"));
        let message = format!("the parameter '{}' is unknown{}", self.at(&shown), meant.unwrap_or_default());
        Err(self.error(&shown, &message, "unknown_parameter"))
    }

    fn at(&self, name: &str) -> String {
        Path::field(&self.path, name.to_owned()).to_string()
    }

    fn error(&self, name: &str, message: &str, code: &str) -> ApiError {
        ApiError::invalid_request(message).with_param(self.at(name)).with_code(code)
    }
}
