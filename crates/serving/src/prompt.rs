use std::sync::Arc;

use jarre_core::{ToolChoice, ToolSpec};
use jarre_transformer::Tokenizer;
use jarre_transformer::chat_template::{ChatInput, ChatTemplate};

use crate::tool_calls::ToolUse;
use crate::{Error, Result, ToolFormat};

/// What turns a conversation into the tokens that a model reads.
#[derive(Debug)]
pub(crate) struct ChatPrompt {
    tokenizer: Arc<Tokenizer>,
    template: ChatTemplate,
    /// How the model writes calls, where its template tells it of tools.
    tools: Option<ToolFormat>,
}

impl ChatPrompt {
    /// A template that is rendered and cut into tokens. The format of calls is the one that the template shows, where none is given.
    pub(crate) fn new(tokenizer: Arc<Tokenizer>, template: ChatTemplate, format: Option<ToolFormat>) -> Self {
        let shown = template.tool_source().filter(|source| source.contains("tools"));
        let tools = shown.map(|source| format.unwrap_or_else(|| ToolFormat::detect(source)));
        Self { tokenizer, template, tools }
    }

    /// The tokens of a conversation. The template writes the special ones itself.
    ///
    /// # Errors
    /// Where the template refuses the conversation, or the tokenizer fails.
    pub(crate) fn tokens(&self, input: &ChatInput<'_>) -> Result<Vec<u32>> {
        Ok(self.tokenizer.encode_plain(&self.template.render(input)?)?)
    }

    /// Whether the template tells the model of tools.
    pub(crate) fn takes_tools(&self) -> bool {
        self.tools.is_some()
    }

    /// What tools ask of an answer; `None` where none may be called.
    ///
    /// # Errors
    /// Where the template has no place for tools, or a call is asked for of a tool that is not offered.
    pub(crate) fn tool_use(&self, tools: &[ToolSpec], choice: &ToolChoice, parallel: bool) -> Result<Option<ToolUse>> {
        if tools.is_empty() || *choice == ToolChoice::None {
            return Ok(None);
        }
        let Some(format) = self.tools else {
            return Err(Error::Invalid("the model's chat template has no place for tools: serve it with one that has".to_owned()));
        };
        ToolUse::new(format, tools, choice, parallel, |token| self.tokenizer.id(token)).map(Some)
    }
}
