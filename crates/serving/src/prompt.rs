use std::sync::Arc;

use jarre_transformer::Tokenizer;
use jarre_transformer::chat_template::{ChatInput, ChatTemplate};

use crate::Result;

/// What turns a conversation into the tokens that a model reads.
#[derive(Debug)]
pub(crate) struct ChatPrompt {
    tokenizer: Arc<Tokenizer>,
    template: ChatTemplate,
}

impl ChatPrompt {
    pub(crate) fn new(tokenizer: Arc<Tokenizer>, template: ChatTemplate) -> Self {
        Self { tokenizer, template }
    }

    /// The tokens of a conversation. The template writes the special ones itself.
    ///
    /// # Errors
    /// Where the template refuses the conversation, or the tokenizer fails.
    pub(crate) fn tokens(&self, input: &ChatInput<'_>) -> Result<Vec<u32>> {
        Ok(self.tokenizer.encode_plain(&self.template.render(input)?)?)
    }
}
