use jarre_core::{BoxFuture, ChatRequest, Message};
use serde_json::Value;

use super::{Call, Item};
use crate::{Error, PromptRef, Result, track::Template};

/// A way of getting an answer to an item out of a model: prompting, a chain of calls, an agent.
///
/// A task is asked for each item and repeat, several at a time. It speaks to the model through [`Call`] alone, which caches, tries again,
/// and counts what it costs; so a run can be resumed, and a task with several calls is charged for all of them.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a task", note = "use `jarre_eval::experiment::Prompting`, or implement `Task`")]
pub trait Task: Send + Sync {
    /// Names the way and its settings, so that two runs whose names differ are not taken for one configuration.
    fn name(&self) -> String;

    /// The prompt that it asks with, where it has one.
    fn prompt(&self) -> Option<PromptRef> {
        None
    }

    /// What is asked, as people would read it.
    ///
    /// # Errors
    /// [`Error::InvalidExperiment`](Error::InvalidExperiment) where the item lacks what the task needs.
    fn input(&self, item: &Item) -> Result<String>;

    /// The whole text that answers `item`.
    ///
    /// # Errors
    /// Of the model, after the tries that [`Call`] makes; a task returns them as they are.
    fn answer<'a>(&'a self, item: &'a Item, call: &'a Call<'a>) -> BoxFuture<'a, jarre_core::Result<Reply>>;
}

/// What a task came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The whole text.
    pub text: String,
    /// Why the model stopped, where one call made the answer.
    pub finish_reason: Option<String>,
}

/// Answers that were given before and stand in the items, as a file of responses holds them: nothing is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The question, a template: `{{name}}` stands for an item's field.
    pub input: String,
    /// The field with the answer.
    pub field: String,
}

impl Task for Recorded {
    fn name(&self) -> String {
        format!("recorded({})", self.field)
    }

    fn input(&self, item: &Item) -> Result<String> {
        rendered(&self.input, item)
    }

    fn answer<'a>(&'a self, item: &'a Item, _call: &'a Call<'a>) -> BoxFuture<'a, jarre_core::Result<Reply>> {
        Box::pin(async move {
            let text = field(item, &self.field)
                .map_err(|error| jarre_core::Error::new(jarre_core::ErrorKind::InvalidRequest, error.to_string()))?;
            Ok(Reply { text, finish_reason: None })
        })
    }
}

/// One call: a system message, examples as turns of a conversation, and the question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompting {
    /// Names the way (`zero_shot`, `few_shot_cot`).
    pub method: String,
    /// The registered prompt that `user` is of.
    pub prompt: Option<PromptRef>,
    /// The system message, a template.
    pub system: Option<String>,
    /// The question, a template: `{{name}}` stands for an item's field.
    pub user: String,
    /// Questions and answers that go before.
    pub shots: Vec<(String, String)>,
}

impl Prompting {
    fn messages(&self, item: &Item) -> Result<Vec<Message>> {
        let mut messages = Vec::with_capacity(2 + 2 * self.shots.len());
        if let Some(system) = &self.system {
            messages.push(Message::system(rendered(system, item)?));
        }
        for (question, answer) in &self.shots {
            messages.extend([Message::user(question.as_str()), Message::assistant(answer.as_str())]);
        }
        messages.push(Message::user(rendered(&self.user, item)?));
        Ok(messages)
    }
}

impl Task for Prompting {
    fn name(&self) -> String {
        self.method.clone()
    }

    fn prompt(&self) -> Option<PromptRef> {
        self.prompt.clone()
    }

    fn input(&self, item: &Item) -> Result<String> {
        rendered(&self.user, item)
    }

    fn answer<'a>(&'a self, item: &'a Item, call: &'a Call<'a>) -> BoxFuture<'a, jarre_core::Result<Reply>> {
        Box::pin(async move {
            let messages =
                self.messages(item).map_err(|error| jarre_core::Error::new(jarre_core::ErrorKind::InvalidRequest, error.to_string()))?;
            let response = call.ask(ChatRequest::new(messages)).await?;
            let finish = serde_json::to_value(response.finish_reason).ok();
            let finish_reason = finish.as_ref().and_then(Value::as_str).map(str::to_owned);
            Ok(Reply { text: response.message.text(), finish_reason })
        })
    }
}

fn rendered(template: &str, item: &Item) -> Result<String> {
    let values = super::dataset::values(&item.fields);
    let there = || values.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let missing = |error| Error::InvalidExperiment(format!("{error}; the item `{}` has only: {}", item.id, there()));
    Template::new(template).render(|name| values.get(name).map(String::as_str)).map_err(missing)
}

fn field(item: &Item, name: &str) -> Result<String> {
    let value = item.fields.get(name).and_then(super::dataset::plain);
    value.ok_or_else(|| Error::InvalidExperiment(format!("the item `{}` has no text in the field `{name}`", item.id)))
}
