use std::fmt;

use jsonschema::ValidationError;
use serde::{Deserialize, Serialize};

use super::wording;

/// Where and how a document departs from its schema, said so that the model that wrote it can mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The place in the document, as a JSON Pointer (RFC 6901); empty for the whole.
    pub path: String,
    /// The keyword's place in the schema, as a JSON Pointer with references followed; empty where no keyword of it is at fault.
    pub schema_path: String,
    /// The keyword, as `type` or `required`; `json` where the text is not JSON, `limit` where it asks for more than is allowed.
    pub keyword: String,
    /// What is wrong, as "`/age` must be an integer, it is the string \"12\"".
    pub message: String,
}

impl Violation {
    /// What `error` says, the message no longer than `chars` characters.
    pub(super) fn new(error: &ValidationError<'_>, chars: usize) -> Self {
        Self {
            path: error.instance_path().to_string(),
            schema_path: error.schema_path().to_string(),
            keyword: error.kind().keyword().to_owned(),
            message: wording::clip(&wording::of(error), chars),
        }
    }
}

/// A violation by the document as a whole.
pub(super) fn at_root(keyword: &str, message: String) -> Violation {
    Violation { path: String::new(), schema_path: String::new(), keyword: keyword.to_owned(), message }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}
