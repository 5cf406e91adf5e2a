use std::sync::Arc;

use anyhow::{Context, Result, bail};
use jarre_core::{ChatModel, Cost, Price};
use jarre_eval::experiment::{ModelSpec, Nobody};
use jarre_providers::{ApiKey, Dialect, Endpoint, EndpointConfig, OpenAiChat, RetryPolicy};

/// The model that an experiment asks: at an endpoint, or nobody where its answers are recorded. The runner tries again, and counts how often:
/// the client must not do so as well.
pub fn open(spec: &ModelSpec) -> Result<Arc<dyn ChatModel>> {
    reach(spec, RetryPolicy::never())
}

/// The model of a judge, which nobody else tries again.
pub fn open_judge(spec: &ModelSpec) -> Result<Arc<dyn ChatModel>> {
    reach(spec, RetryPolicy::default())
}

fn reach(spec: &ModelSpec, retry: RetryPolicy) -> Result<Arc<dyn ChatModel>> {
    let name = spec.model.as_deref().unwrap_or(&spec.name);
    let Some(url) = &spec.base_url else {
        if spec.recorded.is_none() {
            bail!("the model `{}` needs a `base_url`, or `recorded` with the field that holds its answers", spec.name);
        }
        return Ok(Arc::new(Nobody::named(name)));
    };
    let endpoint = endpoint(spec, url, retry).with_context(|| format!("the model `{}`", spec.name))?;
    let chat = OpenAiChat::new(endpoint, name);
    let Some(price) = price(spec)? else { return Ok(Arc::new(chat)) };
    let info = chat.info().clone().with_price(price);
    Ok(Arc::new(chat.with_info(info)))
}

fn endpoint(spec: &ModelSpec, url: &str, retry: RetryPolicy) -> Result<Endpoint> {
    let mut config = EndpointConfig::new(url).with_retry(retry);
    if !url.contains("api.openai.com") {
        config = config.with_dialect(Dialect::Extended);
    }
    if let Some(name) = &spec.api_key_env {
        config = config.with_api_key(ApiKey::from_env(name)?);
    }
    Ok(Endpoint::new(&config)?)
}

fn price(spec: &ModelSpec) -> Result<Option<Price>> {
    let micros = |dollars: Option<f64>| match dollars.unwrap_or_default() {
        dollars if dollars.is_finite() && dollars >= 0.0 => Ok(Cost::from_micros((dollars * 1e6).round() as u64)),
        dollars => bail!("a price of {dollars} dollars for the model `{}` cannot be", spec.name),
    };
    if spec.prompt_price.is_none() && spec.completion_price.is_none() {
        return Ok(None);
    }
    Ok(Some(Price::per_million(micros(spec.prompt_price)?, micros(spec.completion_price)?)))
}
