use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jarre_core::{Embedder, TokenCounter, Usage};
use jarre_openai::{ApiError, Embedding, EmbeddingRequest, EmbeddingResponse, EncodingFormat, PromptItem, Vector};

use super::answers::Answers;
use super::app::App;
use super::body;
use super::failure::{Answer, json, refused};
use super::trace::Trace;
use crate::PooledRequest;

/// A model that turns texts into vectors.
pub(super) struct EmbeddingModel {
    pub(super) name: String,
    pub(super) model: Arc<dyn Embedder>,
    pub(super) counter: Arc<dyn TokenCounter>,
}

/// `POST /v1/embeddings`.
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    app.check_queue()?;
    let bytes = body::read(&app.config, &headers, body).await?;
    let (call, answers) = app.blocking(move |app| start(app, &bytes)).await?;
    Ok(json(&call.response(&answers.rows().await?)))
}

/// What an answer is written with once its vectors are there.
struct EmbeddingCall {
    model: String,
    format: EncodingFormat,
    tokens: u64,
}

impl EmbeddingCall {
    fn response(self, rows: &[Vec<f32>]) -> EmbeddingResponse {
        let vector = |row: &Vec<f32>| Vector::encode(row, self.format);
        let embedding = |(index, row)| Embedding { index, embedding: vector(row), ..Embedding::default() };
        let data = (0..).zip(rows).map(embedding).collect();
        let usage = Some(Usage::new(self.tokens, 0).into());
        EmbeddingResponse { data, model: self.model, usage, ..EmbeddingResponse::default() }
    }
}

fn start(app: &Arc<App>, bytes: &[u8]) -> Answer<(EmbeddingCall, Answers)> {
    let request = EmbeddingRequest::from_json(bytes)?;
    let embedder = app.embedder.as_ref().filter(|embedder| embedder.name == request.model);
    let Some(embedder) = embedder else { return Err(ApiError::model_not_found(&request.model).into()) };
    let info = embedder.model.info();
    if request.dimensions.is_some_and(|dims| dims as usize != info.dims) {
        return Err(refused("dimensions", &format!("must be {} or absent: the model's vectors cannot be cut", info.dims)).into());
    }
    let texts = texts(app, &request)?;
    let counted = count(&texts, "input", info.max_tokens, |text| embedder.counter.count_tokens(text))?;
    let tokens = counted.iter().sum::<usize>() as u64;
    let pooled = PooledRequest::embedding(Arc::clone(&embedder.model), texts, counted).with_deadline(app.deadline());
    let trace = Trace::new(&app.draws.name("embd"), "embeddings", &request.model);
    let answers = Answers::pool(app, pooled, trace).map_err(|error| app.failure(error))?;
    let format = request.encoding_format.unwrap_or(EncodingFormat::Float);
    Ok((EmbeddingCall { model: request.model, format, tokens }, answers))
}

fn texts(app: &App, request: &EmbeddingRequest) -> Answer<Vec<String>> {
    check_count("input", request.input.len(), app.config.max_texts)?;
    let text = |item: PromptItem<'_>| match item {
        PromptItem::Text(text) => Ok(text.to_owned()),
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

/// The tokens of each text; refuses one that the model would cut.
pub(super) fn count<T>(texts: &[T], param: &str, most: usize, tokens: impl Fn(&T) -> usize) -> Result<Vec<usize>, ApiError> {
    let mut counted = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let found = tokens(text);
        if found > most {
            let told = format!("text {index} of the parameter '{param}' has {found} tokens, and the model reads {most}; shorten it");
            return Err(ApiError::invalid_request(told).with_param(param).with_code("context_length_exceeded"));
        }
        counted.push(found);
    }
    Ok(counted)
}
