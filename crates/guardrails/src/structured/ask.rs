use std::{fmt, marker::PhantomData};

use jarre_core::{ChatModel, ChatRequest};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;

use super::{
    Answer, Answering, StructuredConfig,
    attempt::{Attempts, Next},
    prompt,
    read::read,
};
use crate::{Result, schema::Schema};

/// A model whose answers are `T`s.
///
/// The schema of `T` goes into the request where the model can be held to it, else into the instructions. The answer is read, mended and fitted
/// where that is sure ([`Recovery`](crate::json::Recovery)), checked by the schema and taken in as a `T`; one that fails is asked for again with what is wrong, as often as the budget allows. The model may
/// be any [`ChatModel`]; what it returns is never trusted to fit.
///
/// ```
/// use jarre_core::{ChatRequest, testing::ScriptedModel};
/// use jarre_guardrails::structured::{Structured, StructuredConfig};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Person {
///     name: String,
///     age: u8,
/// }
///
/// # pollster::block_on(async {
/// let model = ScriptedModel::new().with_text("Ada, of course.").with_text(r#"{name: "Ada", "age": "36"}"#);
/// let people = Structured::<_, Person>::new(model, StructuredConfig::default())?;
/// let answer = people.ask(ChatRequest::user("who wrote the first program, and how old did she get?")).await?;
/// assert_eq!((answer.value.name.as_str(), answer.value.age, answer.attempts.len()), ("Ada", 36, 2));
/// # Ok::<(), jarre_guardrails::Error>(()) }).unwrap();
/// ```
pub struct Structured<M, T> {
    pub(super) model: M,
    pub(super) schema: Schema,
    pub(super) config: StructuredConfig,
    answers: PhantomData<fn() -> T>,
}

impl<M: ChatModel, T: DeserializeOwned + JsonSchema> Structured<M, T> {
    /// Answers of `model` by the schema of `T`, in the dialect 2020-12.
    ///
    /// # Errors
    /// As for [`Schema::compile`].
    pub fn new(model: M, config: StructuredConfig) -> Result<Self> {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
        let schema = Schema::compile(schema.as_value(), &config.schema)?;
        Ok(Self::with_schema(model, schema, config))
    }
}

impl<M: ChatModel, T: DeserializeOwned> Structured<M, T> {
    /// Answers of `model` by a schema that is given; with [`serde_json::Value`] for `T` they are not typed. What the schema allows and `T`
    /// does not take counts as an answer that failed.
    pub fn with_schema(model: M, schema: Schema, config: StructuredConfig) -> Self {
        Self { model, schema, config, answers: PhantomData }
    }

    /// The model's answer to `request`.
    ///
    /// # Errors
    /// [`Error::Unanswered`](crate::Error::Unanswered) where no answer fits within the budget, with every attempt and its tokens;
    /// [`Error::Model`](crate::Error::Model) where the model fails.
    pub async fn ask(&self, request: ChatRequest) -> Result<Answer<T>> {
        let mut attempts = self.attempts(request);
        loop {
            let response = self.model.chat(attempts.request()).await?;
            let text = response.message.text();
            let reading = read(&text, response.finish_reason, &self.schema, &self.config.recovery);
            if let Next::Done(answer) = attempts.book(text, response.usage, reading)? {
                return Ok(answer);
            }
        }
    }

    /// The model's answer to `request` as it is written.
    pub fn stream(&self, request: ChatRequest) -> Answering<'_, M, T> {
        Answering::new(self, self.attempts(request))
    }

    /// The schema that answers fit.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    fn attempts(&self, request: ChatRequest) -> Attempts {
        let request = prompt::with_schema(request, self.model.info(), &self.config.name, self.schema.source());
        Attempts::new(request, &self.config)
    }
}

impl<M: fmt::Debug, T> fmt::Debug for Structured<M, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, schema, config, .. } = self;
        out.debug_struct("Structured").field("model", model).field("schema", schema).field("config", config).finish_non_exhaustive()
    }
}
