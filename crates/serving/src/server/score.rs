use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jarre_core::{Reranker, Usage};
use jarre_openai::{
    ApiError, RerankDocument, RerankRequest, RerankResponse, RerankResult, Score, ScoreRequest, ScoreResponse, Usage as WireUsage,
};

use super::answers::Answers;
use super::app::App;
use super::body;
use super::embeddings::{check_count, count};
use super::failure::{Answer, json};
use super::trace::Trace;
use crate::PooledRequest;

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
    app.check_queue()?;
    let bytes = body::read(&app.config, &headers, body).await?;
    let (model, scoring) = app.blocking(move |app| score_pairs(app, &bytes)).await?;
    let (id, created) = (scoring.id, app.unix_seconds());
    let scores = scoring.answers.rows().await?;
    let data = (0..).zip(scores.concat()).map(|(index, score)| Score { index, score, ..Score::default() }).collect();
    Ok(json(&ScoreResponse { id, created, model, data, usage: Some(scoring.usage), ..ScoreResponse::default() }))
}

/// `POST /v1/rerank`.
pub(super) async fn rerank(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    app.check_queue()?;
    let bytes = body::read(&app.config, &headers, body).await?;
    let (request, scoring) = app.blocking(move |app| score_documents(app, &bytes)).await?;
    let results = order(&request, scoring.answers.rows().await?.concat());
    Ok(json(&RerankResponse { id: scoring.id, model: request.model, usage: Some(scoring.usage), results }))
}

/// Pairs that are being scored.
struct Scoring {
    id: String,
    answers: Answers,
    usage: WireUsage,
}

fn score_pairs(app: &Arc<App>, bytes: &[u8]) -> Answer<(String, Scoring)> {
    let request = ScoreRequest::from_json(bytes)?;
    let scorer = scorer(app, &request.model)?;
    check_count("text_2", request.text_2.as_slice().len(), app.config.max_texts)?;
    let pairs = request.pairs().map(|(one, other)| (one.to_owned(), other.to_owned())).collect();
    let scoring = submit(app, scorer, pairs, "text_2", "score")?;
    Ok((request.model, scoring))
}

fn score_documents(app: &Arc<App>, bytes: &[u8]) -> Answer<(RerankRequest, Scoring)> {
    let request = RerankRequest::from_json(bytes)?;
    let scorer = scorer(app, &request.model)?;
    check_count("documents", request.documents.len(), app.config.max_texts)?;
    let pairs = request.documents.iter().map(|document| (request.query.clone(), document.clone())).collect();
    let scoring = submit(app, scorer, pairs, "documents", "rerank")?;
    Ok((request, scoring))
}

fn submit(app: &Arc<App>, scorer: &ScoringModel, pairs: Vec<(String, String)>, param: &str, operation: &'static str) -> Answer<Scoring> {
    let tokens = count(&pairs, param, scorer.max_tokens, |(query, candidate)| (scorer.count)(query) + (scorer.count)(candidate))?;
    let usage = Usage::new(tokens.iter().sum::<usize>() as u64, 0).into();
    let id = app.draws.name(operation);
    let pooled = PooledRequest::scoring(Arc::clone(&scorer.model), pairs, tokens).with_deadline(app.deadline());
    let answers = Answers::pool(app, pooled, Trace::new(&id, operation, &scorer.name)).map_err(|error| app.failure(error))?;
    Ok(Scoring { id, answers, usage })
}

/// The documents of the highest scores, the highest first.
fn order(request: &RerankRequest, scores: Vec<f32>) -> Vec<RerankResult> {
    let mut order: Vec<(usize, f32)> = scores.into_iter().enumerate().collect();
    order.sort_by(|one, other| other.1.total_cmp(&one.1));
    order.truncate(request.top_n.map_or(usize::MAX, |top| top as usize));
    let text = |index: usize| RerankDocument { text: request.documents[index].clone() };
    let shown = request.return_documents.unwrap_or(true);
    let result = |(index, relevance_score)| RerankResult { index: index as u32, document: shown.then(|| text(index)), relevance_score };
    order.into_iter().map(result).collect()
}

fn scorer<'a>(app: &'a App, name: &str) -> Answer<&'a ScoringModel> {
    let found = app.reranker.as_ref().filter(|model| model.name == name);
    found.ok_or_else(|| ApiError::model_not_found(name).into())
}
