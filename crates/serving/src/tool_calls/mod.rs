//! Calls of tools in the text of a model: reading them as they come, and grammars that make a model write them.

mod call;
mod forced;
mod format;
mod parser;
mod scan;

pub use self::format::ToolFormat;
pub use self::parser::{ToolCallParser, ToolEvent};
