//! Chat templates: a conversation becomes the text that a model was trained on.
//!
//! Tokenizers of Hugging Face bring a Jinja template along, which says how turns are marked. [`ChatTemplate`] renders it as transformers'
//! `apply_chat_template` does, on the engine `minijinja`, with the same variables, filters, functions and white space.
//!
//! # What is different
//! - **Templates are not trusted**: a rendering has a budget of steps that grows with the conversation ([`ChatInput::max_steps`]), which
//!   bounds its time, its memory and its output; values that a template keeps have a bound of their own; so has recursion. A template that
//!   does not keep to them is an error, and so is one of more than 128 KiB. No template reaches files, the network, a clock or another
//!   template (`include`, `import`, `extends` and `block` are not there).
//! - **The date is an input**: `strftime_now` tells [`ChatInput::date`].
//! - **Order of keys**: dictionaries keep it, but a [`ToolSpec`](jarre_core::ToolSpec)'s schema comes in the order that `serde_json` has:
//!   sorted by name, unless its feature `preserve_order` is on. A model may be used to `type` before `properties`.
//! - Not there: `lipsum`, `cycler`, `joiner`, and lists that are multiplied. Text that is marked `safe` does not escape what is added to it.
//!   Floats of 1e16 and more are written out, except by `tojson`. A filter that gives a generator in Python gives a list.

mod conversation;
mod date;
mod environment;
mod guard;
mod input;
mod json;
#[cfg(test)]
mod meaning;
mod methods;
mod saved;
mod scan;
mod settle;
mod walk;

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::{Environment, value::Value};

pub use input::ChatInput;

use self::environment::{Bounds, environment, render};
use self::saved::Saved;
use crate::error::{Error, Result};

/// Attributes of a tokenizer that templates know by name.
const SPECIAL_TOKENS: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// Variables that are always set by the input.
const GIVEN: [&str; 3] = ["messages", "tools", "add_generation_prompt"];

/// The template where no other is asked for.
const DEFAULT: &str = "default";
/// The one for conversations with tools, where there is one.
const TOOL_USE: &str = "tool_use";

/// How a model wants conversations written: the chat template of a tokenizer.
///
/// ```
/// use jarre_core::Message;
/// # use jarre_transformer::chat_template::{ChatInput, ChatTemplate};
///
/// let source = "{{ bos_token }}{% for message in messages %}<{{ message.role }}>{{ message.content | trim }}\n{% endfor %}\
///               {% if messages[0].role == 'system' %}{{ raise_exception('no system messages here') }}{% endif %}";
/// let template = ChatTemplate::new(source, [("bos_token", "<s>")])?;
/// let messages = [Message::user("Hi "), Message::assistant("Hello!")];
/// assert_eq!(template.render(&ChatInput::new(&messages))?, "<s><user>Hi\n<assistant>Hello!\n");
///
/// let refused = [Message::system("Be brief.")];
/// assert!(template.render(&ChatInput::new(&refused)).unwrap_err().to_string().contains("no system messages here"));
/// # Ok::<(), jarre_transformer::Error>(())
/// ```
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    sources: BTreeMap<String, String>,
    special_tokens: BTreeMap<String, String>,
}

impl ChatTemplate {
    /// Reads the template of a tokenizer's folder: `chat_template.jinja` and `additional_chat_templates/`, else what
    /// `tokenizer_config.json` says. `None` where there is none: the model is not for chats.
    ///
    /// # Errors
    /// Where the folder or a file in it cannot be read, or what stands there is not a template.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Option<Self>> {
        let Saved { templates, special_tokens } = Saved::read(folder.as_ref())?;
        if templates.is_empty() { Ok(None) } else { Self::build(templates, special_tokens).map(Some) }
    }

    /// A template from its `source`, with variables as `bos_token`.
    ///
    /// # Errors
    /// Where `source` is not a template; the error names the line.
    pub fn new<'t>(source: &str, special_tokens: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Self> {
        let special_tokens = special_tokens.into_iter().map(|(name, token)| (name.to_owned(), token.to_owned())).collect();
        Self::build(BTreeMap::from([(DEFAULT.to_owned(), source.to_owned())]), special_tokens)
    }

    /// The text of a conversation.
    ///
    /// # Errors
    /// Where there is no message, the template refuses the conversation (`raise_exception`), does not fit it, needs a date that is not
    /// given, or takes more than is granted to it; or where [`ChatInput::template`] names none, or a variable is called like what is always set.
    pub fn render(&self, input: &ChatInput<'_>) -> Result<String> {
        let name = self.choose(input)?;
        let variables = self.variables(input)?;
        let mut bounds = Bounds::of(&variables)?;
        bounds.steps = input.max_steps.unwrap_or(bounds.steps);
        render(&self.environment, name, variables, input.date, bounds)
    }

    /// Names that [`ChatInput::template`] may have, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// The source text of one of these.
    pub fn source(&self, name: &str) -> Option<&str> {
        self.sources.get(name).map(String::as_str)
    }

    /// The source text that conversations with tools are written by.
    pub fn tool_source(&self) -> Option<&str> {
        self.source(TOOL_USE).or_else(|| self.source(DEFAULT))
    }

    fn build(templates: BTreeMap<String, String>, special_tokens: BTreeMap<String, String>) -> Result<Self> {
        let environment = environment(templates.iter().map(|(name, source)| (name.as_str(), source.as_str())))?;
        Ok(Self { environment, sources: templates, special_tokens })
    }

    fn choose<'a>(&self, input: &ChatInput<'a>) -> Result<&'a str> {
        let is_there = |name: &str| self.names().any(|there| there == name);
        let name = match input.template {
            Some(name) => name,
            None if !input.tools.is_empty() && is_there(TOOL_USE) => TOOL_USE,
            None => DEFAULT,
        };
        if is_there(name) {
            return Ok(name);
        }
        Err(Error::Template {
            reason: format!("there is none called `{name}`; choose from {}", self.names().collect::<Vec<_>>().join(", ")),
        })
    }

    fn variables(&self, input: &ChatInput<'_>) -> Result<Value> {
        if input.messages.is_empty() {
            return Err(Error::Template { reason: "the conversation is empty; give it a message".to_owned() });
        }
        let mut variables = BTreeMap::from([("documents", Value::from(()))]);
        variables.extend(self.special_tokens.iter().map(|(name, token)| (name.as_str(), token.as_str().into())));
        variables.extend(input.variables.iter().map(|(name, value)| (name.as_str(), conversation::json(value))));
        if let Some(name) = GIVEN.iter().find(|name| variables.contains_key(*name)) {
            return Err(Error::Template { reason: format!("`{name}` is set by the input; choose another name for the variable") });
        }
        let messages = conversation::messages(input.messages)?;
        let tools = conversation::tools(input.tools);
        variables.extend(GIVEN.into_iter().zip([messages, tools, input.add_generation_prompt.into()]));
        Ok(Value::from_pairs(variables))
    }
}
