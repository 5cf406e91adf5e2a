use jarre_core::{Capability, ChatModel, ChatRequest, FinishReason, Message, ResponseFormat, Sampling, Usage};
use serde_json::Value;

use super::verdict::Unjudged;

/// A model that is asked for verdicts: always the likeliest tokens, seeded, held to a schema where it can be.
#[derive(Clone, Debug)]
pub(crate) struct Asker<M> {
    pub(crate) model: M,
    pub(crate) seed: u64,
    pub(crate) max_tokens: u32,
}

/// What is asked.
pub(crate) struct Inquiry {
    pub(crate) system: String,
    pub(crate) user: String,
    /// Names the schema, in lower case and underscores.
    pub(crate) name: &'static str,
    pub(crate) schema: Value,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) usage: Usage,
    /// Whether the token limit ended it.
    pub(crate) is_cut: bool,
}

impl<M: ChatModel> Asker<M> {
    pub(crate) fn new(model: M) -> Self {
        Self { model, seed: 0, max_tokens: 1_024 }
    }

    /// What the digest of a judge has to say of its model.
    pub(crate) fn parts(&self) -> [String; 5] {
        let info = self.model.info();
        let format = if self.keeps_schema() { "schema" } else { "text" };
        [info.provider.clone(), info.name.clone(), format.into(), self.seed.to_string(), self.max_tokens.to_string()]
    }

    pub(crate) fn keeps_schema(&self) -> bool {
        self.model.info().can(Capability::JsonSchema)
    }

    /// Asks once, for the likeliest reply. Repeats move the seed.
    pub(crate) async fn ask(&self, inquiry: Inquiry, repeat: u32) -> Result<Reply, Unjudged> {
        self.ask_at(0.0, inquiry, repeat).await
    }

    pub(crate) async fn ask_at(&self, temperature: f32, inquiry: Inquiry, repeat: u32) -> Result<Reply, Unjudged> {
        let seed = self.seed.wrapping_add(u64::from(repeat));
        let sampling = Sampling::default().with_temperature(temperature).with_seed(seed).with_max_tokens(self.max_tokens);
        let messages = [Message::system(inquiry.system), Message::user(inquiry.user)];
        let mut request = ChatRequest::new(messages).with_sampling(sampling);
        if self.keeps_schema() {
            request = request.with_response_format(ResponseFormat::json_schema(inquiry.name, inquiry.schema));
        }
        let response = self.model.chat(request).await?;
        if response.finish_reason == FinishReason::ContentFilter {
            return Err(Unjudged::Unreadable("a policy cut the judge's reply off".into()));
        }
        let is_cut = response.finish_reason == FinishReason::Length;
        Ok(Reply { text: response.message.text(), usage: response.usage, is_cut })
    }
}

impl Reply {
    /// `result`, with the cut named as a cause where there was one.
    pub(crate) fn explain<T>(&self, result: Result<T, Unjudged>) -> Result<T, Unjudged> {
        match result {
            Err(Unjudged::Unreadable(why)) if self.is_cut => {
                Err(Unjudged::Unreadable(format!("{why}; its reply was cut off, allow it more tokens")))
            }
            result => result,
        }
    }
}
