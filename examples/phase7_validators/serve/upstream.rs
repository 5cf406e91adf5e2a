use std::collections::BTreeMap;

use jarre_core::{Capability, Error, ErrorKind, ModelInfo, Result};
use jarre_openai::{ApiError, Model, ModelList};
use jarre_providers::{ApiKey, Endpoint, EndpointConfig, OpenAiChat, RetryPolicy};

use super::failure::defect;

/// The server that the proxy stands before.
pub(crate) struct Upstream {
    endpoint: Endpoint,
    /// What a client asks for, and what the upstream is asked for then.
    aliases: BTreeMap<String, String>,
    /// What must not show in what is passed on.
    secret: Option<String>,
}

impl Upstream {
    /// The server that `config` describes, known by `key`. It is asked once: clients try again by themselves, and tries of both would multiply.
    ///
    /// # Errors
    /// As [`ApiKey::new`] and [`Endpoint::new`].
    pub(crate) fn new(config: EndpointConfig, key: Option<&str>) -> Result<Self> {
        let mut config = config.with_provider("the upstream").with_retry(RetryPolicy::never());
        if let Some(key) = key {
            config = config.with_api_key(ApiKey::new(key)?);
        }
        let secret = key.map(|key| key.trim().to_owned());
        Ok(Self { endpoint: Endpoint::new(&config)?, aliases: BTreeMap::new(), secret })
    }

    /// Has `name` stand for the upstream's model `model`.
    pub(crate) fn with_alias(mut self, name: impl Into<String>, model: impl Into<String>) -> Self {
        self.aliases.insert(name.into(), model.into());
        self
    }

    /// The model that a client asks for as `name`. What it can do is the upstream's to say.
    pub(super) fn chat(&self, name: &str) -> OpenAiChat {
        let name = self.aliases.get(name).map_or(name, String::as_str);
        let all = [Capability::Images, Capability::Tools, Capability::JsonObject, Capability::JsonSchema, Capability::Seed];
        let info = all.into_iter().fold(ModelInfo::new("upstream", name), ModelInfo::with_capability);
        OpenAiChat::new(self.endpoint.clone(), name).with_info(info)
    }

    /// What an answer says of its model, where the upstream said `told`: an alias stands for itself.
    pub(super) fn name_of(&self, asked: &str, told: Option<String>) -> String {
        told.filter(|_| !self.aliases.contains_key(asked)).unwrap_or_else(|| asked.to_owned())
    }

    /// The models that may be asked for.
    pub(super) async fn models(&self) -> Result<ModelList> {
        let mut list = self.endpoint.models().await?;
        let known = |name: &str| list.data.iter().find(|model| model.id == name).cloned().unwrap_or_default();
        let alias = |(name, model): (&String, &String)| Model { id: name.clone(), root: Some(model.clone()), ..known(model) };
        let aliases: Vec<_> = self.aliases.iter().map(alias).collect();
        list.data.extend(aliases);
        Ok(list)
    }

    /// What a client is told of a failure. The upstream's words are passed on where they are about the request, and never with the key; how
    /// the upstream is reached and what is wrong with it stays here.
    pub(super) fn failure(&self, error: &Error) -> ApiError {
        let told = |status, code, message: &str| ApiError::new(status, "server_error", Some(code), message);
        let mut answer = match error.kind() {
            ErrorKind::Authentication => told(502, "upstream_authentication", "the upstream does not take the proxy's key"),
            ErrorKind::Unavailable => told(503, "upstream_unavailable", "the upstream cannot be reached or broke off; try again later"),
            ErrorKind::InvalidResponse => told(502, "bad_gateway", "the upstream's answer cannot be understood"),
            ErrorKind::Internal => told(502, "bad_gateway", "the upstream failed"),
            ErrorKind::Timeout => told(504, "timeout", "the answer did not come in time"),
            ErrorKind::Refused => ApiError::from(error).with_code("content_filter"),
            ErrorKind::InvalidRequest | ErrorKind::ContextLength | ErrorKind::NotFound | ErrorKind::RateLimited => ApiError::from(error),
            _ => defect(),
        };
        answer.retry_after = error.retry_after();
        if let Some(secret) = &self.secret {
            answer.body.message = answer.body.message.replace(secret.as_str(), "(hidden)");
        }
        answer
    }
}
