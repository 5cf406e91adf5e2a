use jarre_core::{Message, Timestamp, ToolSpec};
use serde_json::{Map, Value};

/// What a [`ChatTemplate`](super::ChatTemplate) renders.
///
/// ```
/// use jarre_core::Message;
/// # use jarre_transformer::chat_template::ChatInput;
///
/// let messages = [Message::user("Hi")];
/// let input = ChatInput::new(&messages).with_generation_prompt().with_variable("enable_thinking", false);
/// assert!(input.add_generation_prompt && input.tools.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ChatInput<'a> {
    /// The conversation so far, oldest first.
    pub messages: &'a [Message],
    /// Tools that the model may call.
    pub tools: &'a [ToolSpec],
    /// Whether to end with what precedes an answer of the assistant.
    pub add_generation_prompt: bool,
    /// What `strftime_now` tells, as UTC. Shift it for another time zone; templates that ask for the date fail without it.
    pub date: Option<Timestamp>,
    /// Which of several templates: by default `tool_use` where there are tools and such a template, else `default`.
    pub template: Option<&'a str>,
    /// Further variables of the template, as `enable_thinking` or `documents`; they come before special tokens of the same name.
    pub variables: Map<String, Value>,
    /// Steps that a template may take, where what is granted by default does not do.
    pub max_steps: Option<u64>,
}

impl<'a> ChatInput<'a> {
    /// A conversation, and nothing else.
    pub fn new(messages: &'a [Message]) -> Self {
        Self { messages, ..Self::default() }
    }

    /// Offers tools.
    pub fn with_tools(mut self, tools: &'a [ToolSpec]) -> Self {
        self.tools = tools;
        self
    }

    /// Ends with what precedes an answer of the assistant.
    pub fn with_generation_prompt(mut self) -> Self {
        self.add_generation_prompt = true;
        self
    }

    /// Sets what `strftime_now` tells.
    pub fn with_date(mut self, date: Timestamp) -> Self {
        self.date = Some(date);
        self
    }

    /// Chooses one of several templates.
    pub fn with_template(mut self, name: &'a str) -> Self {
        self.template = Some(name);
        self
    }

    /// Adds a variable.
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Sets how many steps a template may take: instructions of the engine, or 64 bytes that it writes or copies. By default half a
    /// million and a multiple of the conversation's size, which is several times what published templates need.
    pub fn with_max_steps(mut self, steps: u64) -> Self {
        self.max_steps = Some(steps);
        self
    }
}
