use jarre_core::{Permission, ToolContext, ToolOutput};
use serde::Deserialize;
use serde_json::json;

use super::frame::{Frame, implement};
use crate::Result;

/// `finish`: says that the work is done. The loop ends a run where this is called, with its `answer`.
#[derive(Clone, Debug)]
pub struct Finish {
    frame: Frame,
}

#[derive(Deserialize)]
struct Arguments {
    answer: String,
}

impl Default for Finish {
    fn default() -> Self {
        Self::new()
    }
}

impl Finish {
    /// The tool.
    pub fn new() -> Self {
        let properties = json!({"answer": {"type": "string", "description": "what was done, or the answer to the question"}});
        let description = "Ends the work. Call it alone, once the task is done and the tests pass.";
        Self { frame: Frame::new("finish", description, Permission::Read, &properties, &["answer"]) }
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the method that every tool has")]
    fn run(&self, arguments: &Arguments, _: &ToolContext) -> Result<ToolOutput> {
        Ok(ToolOutput::new(arguments.answer.clone()).with_data(json!({"answer": arguments.answer})))
    }
}

implement!(Finish);
