//! A model behind a server of `OpenAI`'s API.

use anyhow::{Context, Result};
use jarre_core::{Capability, ChatModel, ModelInfo};
use jarre_providers::{ApiKey, Dialect, Endpoint, EndpointConfig, OpenAiChat};

use super::answer::Runtime;

pub(super) fn open(url: &str, name: &str, key: Option<&str>) -> Result<(Box<dyn ChatModel>, Runtime)> {
    let mut config = EndpointConfig::new(url).with_provider(url).with_dialect(Dialect::Extended);
    if let Some(key) = key {
        config = config.with_api_key(ApiKey::new(key)?);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().context("no runtime for connections")?;
    let endpoint = runtime.block_on(async { Endpoint::new(&config) }).with_context(|| format!("cannot speak to {url}"))?;
    let model = OpenAiChat::new(endpoint, name).with_info(ModelInfo::new(url, name).with_capability(Capability::Seed));
    Ok((Box::new(model), Runtime::Tokio(runtime)))
}
