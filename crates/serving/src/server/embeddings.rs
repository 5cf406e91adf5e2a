use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jarre_core::{Embedder, TokenCounter, Usage};
use jarre_openai::{ApiError, Embedding, EmbeddingRequest, EmbeddingResponse, EncodingFormat, PromptItem, Vector};

use super::app::App;
use super::body;
use super::failure::{Answer, json, refused};

/// A model that turns texts into vectors.
pub(super) struct EmbeddingModel {
    pub(super) name: String,
    pub(super) model: Arc<dyn Embedder>,
    pub(super) counter: Arc<dyn TokenCounter>,
}

/// `POST /v1/embeddings`.
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let bytes = body::read(&app.config, &headers, body).await?;
    let request = EmbeddingRequest::from_json(&bytes)?;
    let response = app.encode(move |app| embed(app, &request)).await?;
    Ok(json(&response))
}

fn embed(app: &App, request: &EmbeddingRequest) -> Answer<EmbeddingResponse> {
    let embedder = app.embedder.as_ref().filter(|embedder| embedder.name == request.model);
    let Some(embedder) = embedder else { return Err(ApiError::model_not_found(&request.model).into()) };
    let info = embedder.model.info();
    if request.dimensions.is_some_and(|dims| dims as usize != info.dims) {
        return Err(refused("dimensions", &format!("must be {} or absent: the model's vectors cannot be cut", info.dims)).into());
    }
    let texts = texts(app, request)?;
    let counted = count(&texts, "input", info.max_tokens, |text| embedder.counter.count_tokens(text))?;
    let vectors = embedder.model.embed(&texts)?;
    let format = request.encoding_format.unwrap_or(EncodingFormat::Float);
    let embedding = |(index, row)| Embedding { index, embedding: Vector::encode(row, format), ..Embedding::default() };
    let data = (0..).zip(vectors.rows()).map(embedding).collect();
    Ok(EmbeddingResponse { data, model: request.model.clone(), usage: Some(Usage::new(counted, 0).into()), ..EmbeddingResponse::default() })
}

fn texts<'r>(app: &App, request: &'r EmbeddingRequest) -> Answer<Vec<&'r str>> {
    check_count("input", request.input.len(), app.config.max_texts)?;
    let text = |item: PromptItem<'r>| match item {
        PromptItem::Text(text) => Ok(text),
        PromptItem::Tokens(_) => Err(refused("input", "must be text: the model has a tokenizer of its own").into()),
    };
    request.input.items().into_iter().map(text).collect()
}

/// Refuses more than `most` texts.
pub(super) fn check_count(param: &str, count: usize, most: usize) -> Result<(), ApiError> {
    if count <= most {
        return Ok(());
    }
    let told = format!("the parameter '{param}' has {count} texts, and {most} are taken at most");
    Err(ApiError::invalid_request(told).with_param(param))
}

/// The tokens of all texts; refuses one that the model would cut.
pub(super) fn count<T>(texts: &[T], param: &str, most: usize, tokens: impl Fn(&T) -> usize) -> Result<u64, ApiError> {
    let mut sum = 0;
    for (index, text) in texts.iter().enumerate() {
        let found = tokens(text);
        if found > most {
            let told = format!("text {index} of the parameter '{param}' has {found} tokens, and the model reads {most}; shorten it");
            return Err(ApiError::invalid_request(told).with_param(param).with_code("context_length_exceeded"));
        }
        sum += found as u64;
    }
    Ok(sum)
}
