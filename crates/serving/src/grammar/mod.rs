//! Answers held to a grammar: which tokens may come next so that the text is what was asked for.

#[cfg(feature = "grammar")]
mod compiler;
#[cfg(feature = "grammar")]
mod limits;
#[cfg(feature = "grammar")]
mod mask;
#[cfg(feature = "grammar")]
mod matcher;
#[cfg(feature = "grammar")]
mod timed;
#[cfg(feature = "grammar")]
mod vocabulary;

use serde_json::Value;

#[cfg(feature = "grammar")]
pub(crate) use self::timed::TimedCompiler;
#[cfg(feature = "grammar")]
pub use self::{compiler::GrammarCompiler, mask::TokenMask, matcher::Matcher};

/// What an answer has to look like, from its first character to its last.
///
/// Requests carry it with or without the cargo feature `grammar`, which the compiler is behind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Grammar {
    /// A JSON value that is valid by a [JSON Schema](https://json-schema.org/draft/2020-12). Properties come in the schema's order; between
    /// two tokens of JSON stand at most 64 characters of white space. A schema with keywords that cannot be held to (`not`, `if`,
    /// `uniqueItems`, references to other documents, ...) is refused.
    JsonSchema(Value),
    /// Any JSON object.
    JsonObject,
    /// A text that a regular expression matches as a whole: the syntax of the `regex` crate without look-around and back-references.
    Regex(String),
    /// One of these texts.
    Choice(Vec<String>),
    /// A context-free grammar in Lark's syntax with the rule `start`
    /// ([dialect](https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md)); `<|name|>` outside quotes is a special token.
    Lark(String),
}
