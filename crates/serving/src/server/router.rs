use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use jarre_openai::ApiError;
use tower_http::cors::CorsLayer;

use super::app::{App, Entered};
use super::failure::Failure;
use super::{adapters, auth, chat, completions, embeddings, models, openapi, probes, score, tokenize};

/// What a server answers to.
#[cfg(test)]
pub(super) const ROUTES: [(&str, &str); 16] = [
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/score"),
    ("POST", "/v1/rerank"),
    ("POST", "/v1/load_lora_adapter"),
    ("POST", "/v1/unload_lora_adapter"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{*id}"),
    ("POST", "/tokenize"),
    ("POST", "/detokenize"),
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/version"),
];

pub(super) fn router(app: Arc<App>, origins: Vec<HeaderValue>) -> Router {
    let mut router = Router::new()
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/completions", post(completions::create))
        .route("/v1/embeddings", post(embeddings::create))
        .route("/v1/score", post(score::score))
        .route("/v1/rerank", post(score::rerank))
        .route("/v1/load_lora_adapter", post(adapters::load))
        .route("/v1/unload_lora_adapter", post(adapters::unload))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::get))
        .route("/tokenize", post(tokenize::tokenize))
        .route("/detokenize", post(tokenize::detokenize))
        .route("/health", get(probes::health))
        .route("/ready", get(probes::ready))
        .route("/metrics", get(probes::metrics))
        .route("/version", get(probes::version))
        .route("/openapi.json", get(openapi::document))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&app), auth::check));
    if !origins.is_empty() {
        let allowed = CorsLayer::new().allow_origin(origins).allow_methods([Method::GET, Method::POST]);
        router = router.layer(allowed.allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE]));
    }
    router.layer(from_fn_with_state(Arc::clone(&app), count)).with_state(app)
}

async fn unknown_path(request: Request) -> Failure {
    Failure(ApiError::not_found(format!("there is no endpoint {}", request.uri().path())))
}

async fn wrong_method(request: Request) -> Failure {
    let told = format!("{} does not answer to {}", request.uri().path(), request.method());
    Failure(ApiError::new(405, "invalid_request_error", Some("method_not_allowed"), told))
}

/// Counts requests, and those that are being handled.
async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    app.handling.fetch_add(1, Ordering::AcqRel);
    let _handling = Entered(&app.handling);
    let handler = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = method_label(request.method());
    let start = app.clock.now();
    let response = next.run(request).await;
    let took = app.clock.now().saturating_sub(start);
    app.metrics.http.count(&handler, method, response.status().as_u16(), took.as_secs_f64());
    response
}

fn method_label(method: &Method) -> &'static str {
    let known = [("GET", Method::GET), ("POST", Method::POST), ("HEAD", Method::HEAD), ("OPTIONS", Method::OPTIONS)];
    known.into_iter().find(|(_, known)| known == method).map_or("other", |(label, _)| label)
}
