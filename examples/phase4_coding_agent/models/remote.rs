use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use jarre_core::{BoxFuture, Capability, ChatModel, ChatRequest, ChatResponse, Cost, Error, ErrorKind, ModelInfo, Price};
use jarre_providers::{ApiKey, Endpoint, EndpointConfig, OpenAiChat};
use tokio::runtime::Runtime;

/// A model behind OpenAI's API: a provider's, or a server of one's own.
#[derive(Clone, Debug, Args)]
pub(crate) struct RemoteArgs {
    /// Where the API is, with its version: `http://127.0.0.1:8080/v1`.
    #[arg(long, value_name = "URL", requires = "model_name")]
    pub(crate) url: Option<String>,
    /// The model's name there.
    #[arg(long, value_name = "NAME", requires = "url")]
    pub(crate) model_name: Option<String>,
    /// The variable that holds the key.
    #[arg(long, value_name = "VARIABLE", requires = "url")]
    pub(crate) key_env: Option<String>,
    /// Tokens of prompt and answer together that fit.
    #[arg(long, default_value_t = 32_768)]
    pub(crate) context: usize,
    /// What a million tokens read and a million written cost, in micro-dollars.
    #[arg(long, num_args = 2, value_names = ["READ", "WRITTEN"])]
    pub(crate) price: Vec<u64>,
}

impl RemoteArgs {
    /// The model, where one is named.
    pub(crate) fn model(&self) -> Result<Option<Arc<dyn ChatModel>>> {
        let (Some(url), Some(name)) = (&self.url, &self.model_name) else { return Ok(None) };
        let mut config = EndpointConfig::new(url);
        if let Some(variable) = &self.key_env {
            config = config.with_api_key(ApiKey::from_env(variable)?);
        }
        let endpoint = Endpoint::new(&config)?;
        let model = OpenAiChat::new(endpoint, name);
        let mut info = model.info().clone().with_context_tokens(self.context).with_capability(Capability::Tools);
        match self.price.as_slice() {
            [] => {}
            [read, written] => info = info.with_price(Price::per_million(Cost::from_micros(*read), Cost::from_micros(*written))),
            _ => bail!("--price takes what is read and what is written"),
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no runtime can be made")?;
        Ok(Some(Arc::new(Remote { model: Arc::new(model.with_info(info)), runtime })))
    }
}

/// A model on a runtime of its own, so that whoever waits for it needs none.
pub(crate) struct Remote {
    model: Arc<OpenAiChat>,
    runtime: Runtime,
}

impl ChatModel for Remote {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, jarre_core::Result<ChatResponse>> {
        let model = Arc::clone(&self.model);
        let asked = self.runtime.spawn(async move { model.chat(request).await });
        Box::pin(async move {
            asked.await.map_err(|error| Error::new(ErrorKind::Internal, format!("the call of the model broke off: {error}")))?
        })
    }
}
