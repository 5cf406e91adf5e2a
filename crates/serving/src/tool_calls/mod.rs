//! Calls of tools in the text of a model: reading them as they come, and grammars that make a model write them.

mod answer;
mod asked;
mod call;
mod forced;
mod format;
mod parser;
mod scan;

#[cfg(feature = "server")]
pub(crate) use self::answer::SaidCall;
pub(crate) use self::answer::{AnswerReader, Said};
pub(crate) use self::asked::ToolUse;
pub use self::format::ToolFormat;
pub use self::parser::{ToolCallParser, ToolEvent};
