use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jarre_core::{Reranker, Usage};
use jarre_openai::{
    ApiError, RerankDocument, RerankRequest, RerankResponse, RerankResult, Score, ScoreRequest, ScoreResponse, Usage as WireUsage,
};

use super::app::App;
use super::body;
use super::embeddings::{check_count, count};
use super::failure::{Answer, json};

/// A model that scores pairs of texts.
pub(super) struct ScoringModel {
    pub(super) name: String,
    pub(super) model: Arc<dyn Reranker>,
    /// Tokens of a text by itself.
    pub(super) count: Box<dyn Fn(&str) -> usize + Send + Sync>,
    /// Tokens of a pair that the model reads.
    pub(super) max_tokens: usize,
}

/// `POST /v1/score`.
pub(super) async fn score(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let bytes = body::read(&app.config, &headers, body).await?;
    let request = ScoreRequest::from_json(&bytes)?;
    Ok(json(&app.encode(move |app| score_pairs(app, &request)).await?))
}

/// `POST /v1/rerank`.
pub(super) async fn rerank(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let bytes = body::read(&app.config, &headers, body).await?;
    let request = RerankRequest::from_json(&bytes)?;
    Ok(json(&app.encode(move |app| order(app, &request)).await?))
}

fn score_pairs(app: &App, request: &ScoreRequest) -> Answer<ScoreResponse> {
    let model = scorer(app, &request.model)?;
    check_count("text_2", request.text_2.as_slice().len(), app.config.max_texts)?;
    let pairs: Vec<(&str, &str)> = request.pairs().collect();
    let usage = usage(model, &pairs, "text_2")?;
    let mut scores = Vec::with_capacity(pairs.len());
    for run in pairs.chunk_by(|one, next| one.0 == next.0) {
        let candidates: Vec<&str> = run.iter().map(|pair| pair.1).collect();
        scores.extend(model.model.score(run[0].0, &candidates)?);
    }
    let data = (0..).zip(scores).map(|(index, score)| Score { index, score, ..Score::default() }).collect();
    let (id, created, model) = (app.draws.name("score"), app.unix_seconds(), request.model.clone());
    Ok(ScoreResponse { id, created, model, data, usage, ..ScoreResponse::default() })
}

fn order(app: &App, request: &RerankRequest) -> Answer<RerankResponse> {
    let model = scorer(app, &request.model)?;
    check_count("documents", request.documents.len(), app.config.max_texts)?;
    let documents: Vec<&str> = request.documents.iter().map(String::as_str).collect();
    let pairs: Vec<(&str, &str)> = documents.iter().map(|document| (request.query.as_str(), *document)).collect();
    let usage = usage(model, &pairs, "documents")?;
    let mut order: Vec<(usize, f32)> = model.model.score(&request.query, &documents)?.into_iter().enumerate().collect();
    order.sort_by(|one, other| other.1.total_cmp(&one.1));
    order.truncate(request.top_n.map_or(usize::MAX, |top| top as usize));
    let text = |index: usize| RerankDocument { text: documents[index].to_owned() };
    let shown = request.return_documents.unwrap_or(true);
    let result = |(index, relevance_score)| RerankResult { index: index as u32, document: shown.then(|| text(index)), relevance_score };
    let results = order.into_iter().map(result).collect();
    Ok(RerankResponse { id: app.draws.name("rerank"), model: request.model.clone(), usage, results })
}

fn scorer<'a>(app: &'a App, name: &str) -> Answer<&'a ScoringModel> {
    let found = app.reranker.as_ref().filter(|model| model.name == name);
    found.ok_or_else(|| ApiError::model_not_found(name).into())
}

fn usage(scorer: &ScoringModel, pairs: &[(&str, &str)], param: &str) -> Answer<Option<WireUsage>> {
    let tokens = count(pairs, param, scorer.max_tokens, |(query, candidate)| (scorer.count)(query) + (scorer.count)(candidate))?;
    Ok(Some(Usage::new(tokens, 0).into()))
}
