use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jarre_guardrails::pipeline::Verdict;
use jarre_guardrails::{Context, Stage};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::failure::{Answer, defect, json};
use super::{App, body};

/// A text to be judged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckRequest {
    text: String,
    #[serde(default)]
    stage: Stage,
    /// The operator's instructions, which must not leak.
    system: Option<String>,
    /// What the text has to be grounded in.
    #[serde(default)]
    sources: Vec<String>,
    /// What was asked.
    question: Option<String>,
    /// The tool that the text is for or from.
    tool: Option<String>,
    /// Whether what goes on is told as well.
    #[serde(default)]
    return_text: bool,
}

#[derive(Serialize)]
struct CheckResponse<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// `POST /v1/guard/check`: the verdict on a text, which goes nowhere.
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let seat = app.gate.enter()?;
    let bytes = body::read(&app.config, &headers, body).await?;
    let judged = spawn_blocking(move || {
        let request: CheckRequest = body::parse(&bytes)?;
        let mut context = Context::new(request.stage);
        context.system = request.system.map(Into::into);
        context.sources = request.sources.into_iter().map(Into::into).collect();
        (context.question, context.tool) = (request.question.map(Into::into), request.tool.map(Into::into));
        let verdict = app.pipeline.check(&request.text, &context);
        drop(seat);
        Ok(json(&CheckResponse { text: request.return_text.then_some(verdict.text.as_str()), verdict: &verdict }))
    });
    judged.await.unwrap_or_else(|_| Err(defect().into()))
}
