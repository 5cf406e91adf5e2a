use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jarre_guardrails::{Context, Guard, Stage};
use jarre_openai::ApiError;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::failure::{Answer, defect, json};
use super::{App, body};

/// Texts of a request at most.
const MAX_TEXTS: usize = 256;

/// The names that clients read. Those that the guard does not tell apart are never flagged.
const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

/// Says which categories fit a text, and how well.
pub(crate) struct Moderator {
    name: String,
    guard: Arc<dyn Guard>,
    thresholds: BTreeMap<String, f32>,
}

impl Moderator {
    /// Asks `guard`, which finds every category that it knows in every text, each with its score. One is flagged from 0.5 on.
    pub(crate) fn new(name: impl Into<String>, guard: Arc<dyn Guard>) -> Self {
        Self { name: name.into(), guard, thresholds: BTreeMap::new() }
    }

    /// Sets from which score a category is flagged.
    pub(crate) fn with_threshold(mut self, category: impl Into<String>, score: f32) -> Self {
        self.thresholds.insert(category.into(), score);
        self
    }

    fn judge(&self, text: &str) -> jarre_guardrails::Result<Judgement> {
        let found = self.guard.check(text, &Context::new(Stage::Input))?;
        let mut judgement = Judgement::default();
        for name in CATEGORIES {
            let score = found.iter().filter(|found| found.label == name).map(|found| found.score).fold(0.0, f32::max);
            let flagged = score >= self.thresholds.get(name).copied().unwrap_or(0.5);
            judgement.flagged |= flagged;
            judgement.categories.insert(name, flagged);
            judgement.category_scores.insert(name, score);
        }
        Ok(judgement)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModerationRequest {
    input: Input,
    /// Whatever it is, the proxy's own guard answers.
    #[serde(rename = "model")]
    _model: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
enum Input {
    One(String),
    Many(Vec<String>),
}

#[derive(Serialize)]
struct ModerationResponse<'a> {
    id: String,
    model: &'a str,
    results: Vec<Judgement>,
}

#[derive(Debug, Default, Serialize)]
struct Judgement {
    flagged: bool,
    categories: BTreeMap<&'static str, bool>,
    category_scores: BTreeMap<&'static str, f32>,
}

/// `POST /v1/moderations`.
pub(super) async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Answer {
    let seat = app.gate.enter()?;
    let bytes = body::read(&app.config, &headers, body).await?;
    let judged = spawn_blocking(move || {
        let answered = answer(&app, &bytes);
        drop(seat);
        Ok(answered?)
    });
    judged.await.unwrap_or_else(|_| Err(defect().into()))
}

fn answer(app: &App, bytes: &[u8]) -> Result<Response, ApiError> {
    let moderator = app.moderator.as_ref().ok_or_else(|| ApiError::not_found("the proxy has no guard for moderation"))?;
    let request: ModerationRequest = body::parse(bytes)?;
    let texts = match &request.input {
        Input::One(text) => vec![text.as_str()],
        Input::Many(texts) => texts.iter().map(String::as_str).collect(),
    };
    if texts.len() > MAX_TEXTS {
        return Err(ApiError::invalid_request(format!("the parameter 'input' has more than {MAX_TEXTS} texts")).with_param("input"));
    }
    let results = texts.into_iter().map(|text| moderator.judge(text)).collect::<Result<_, _>>().map_err(|_| defect())?;
    Ok(json(&ModerationResponse { id: app.ids.next("modr"), model: &moderator.name, results }))
}
