use std::{borrow::Cow, fmt, sync::Arc};

use jarre_core::{Embedder, EmbedderInfo, Embeddings, Error, ErrorKind, Result, TokenCounter};
use jarre_openai::{EmbeddingRequest, EmbeddingResponse, EncodingFormat, Prompt};
use tokio::runtime::{Builder, Runtime};

use crate::{Dialect, Endpoint, EndpointConfig};

/// A remote model that turns texts into vectors.
///
/// [`embed`](Embedder::embed) blocks on a runtime of its own: call it from a thread that may wait, as those of `spawn_blocking` are, and not
/// from within an async task, where it panics.
pub struct OpenAiEmbedder {
    endpoint: Endpoint,
    info: EmbedderInfo,
    batch: usize,
    dimensions: Option<u32>,
    counter: Option<Arc<dyn TokenCounter>>,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

impl OpenAiEmbedder {
    /// The model `info.name` of the provider that `config` describes. It is given 128 texts at a time.
    ///
    /// # Errors
    /// As [`Endpoint::new`]; [`ErrorKind::Unavailable`] where the system has no resources left for a runtime.
    pub fn new(config: &EndpointConfig, info: EmbedderInfo) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::new(ErrorKind::Unavailable, format!("no runtime can be started: {error}")))?;
        Ok(Self { endpoint: Endpoint::new(config)?, info, batch: 128, dimensions: None, counter: None, runtime: Some(runtime) })
    }

    /// Sets how many texts are sent at a time, at least one.
    pub fn with_batch(mut self, texts: usize) -> Self {
        self.batch = texts.max(1);
        self
    }

    /// Asks for vectors cut to `info.dims`, which models that were trained for it can do.
    ///
    /// # Panics
    /// Where vectors are longer than 4 billion values.
    pub fn with_dimensions(mut self) -> Self {
        self.dimensions = Some(u32::try_from(self.info.dims).expect("vectors have fewer than four billion values"));
        self
    }

    /// Cuts texts to `info.max_tokens` as `counter` counts them. Without one, what a provider does with longer texts is up to it: most
    /// refuse them with [`ErrorKind::ContextLength`] or [`ErrorKind::InvalidRequest`].
    pub fn with_counter(mut self, counter: Arc<dyn TokenCounter>) -> Self {
        self.counter = Some(counter);
        self
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let input = Prompt::Texts(texts.iter().map(|text| self.readable(text).into_owned()).collect());
        let mut request = EmbeddingRequest::new(&self.info.name, input);
        (request.encoding_format, request.dimensions) = (Some(EncodingFormat::Base64), self.dimensions);
        let body = serde_json::to_vec(&request).expect("texts and numbers can be written as JSON");
        let runtime = self.runtime.as_ref().expect("the runtime is there until this is dropped");
        let response: EmbeddingResponse = runtime.block_on(self.endpoint.post_json("/embeddings", &body))?;
        rows(response, texts.len(), self.info.dims)
    }

    /// `text` as the provider takes it: cut to length, and not empty where that is refused.
    fn readable<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let spans = self.counter.as_ref().map(|counter| counter.token_spans(text)).unwrap_or_default();
        let cut = spans.get(self.info.max_tokens.wrapping_sub(1)).filter(|_| spans.len() > self.info.max_tokens);
        let text = cut.and_then(|last| text.get(..last.end)).unwrap_or(text);
        if text.is_empty() && self.endpoint.dialect() == Dialect::OpenAi { Cow::Borrowed(" ") } else { Cow::Borrowed(text) }
    }
}

impl Embedder for OpenAiEmbedder {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    fn embed(&self, texts: &[&str]) -> Result<Embeddings> {
        let mut values = Vec::with_capacity(texts.len().saturating_mul(self.info.dims));
        for batch in texts.chunks(self.batch) {
            values.extend(self.embed_batch(batch)?.into_iter().flatten());
        }
        Embeddings::new(self.info.dims, values)
    }
}

impl Drop for OpenAiEmbedder {
    fn drop(&mut self) {
        // A runtime that is dropped inside another waits for its threads, which is not allowed there.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for OpenAiEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiEmbedder").field("endpoint", &self.endpoint).field("info", &self.info).finish_non_exhaustive()
    }
}

/// The vectors in the order of their texts, each text with exactly one.
fn rows(response: EmbeddingResponse, texts: usize, dims: usize) -> Result<Vec<Vec<f32>>> {
    let wrong = |message: String| Error::new(ErrorKind::InvalidResponse, message);
    let mut rows = vec![Vec::new(); texts];
    let given = response.data.len();
    for embedding in response.data {
        let values =
            embedding.embedding.into_values().filter(|values| values.len() == dims && values.iter().all(|value| value.is_finite()));
        let values = values.ok_or_else(|| wrong(format!("a vector of the answer is not {dims} finite numbers")))?;
        match rows.get_mut(embedding.index as usize) {
            Some(row) if row.is_empty() => *row = values,
            _ => return Err(wrong("the answer has a vector of no text, or two of one".into())),
        }
    }
    if given == texts { Ok(rows) } else { Err(wrong(format!("the answer has {given} vectors for {texts} texts"))) }
}
