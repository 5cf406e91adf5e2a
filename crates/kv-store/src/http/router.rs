use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::to_bytes,
    extract::{FromRequest, Request, State},
    http::header,
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{App, auth, failure::Failure, kv, lease, members, probes, snapshot, watch};

/// Every path.
pub(super) fn of(app: Arc<App>) -> Router {
    Router::new()
        .route("/v3/kv/range", post(kv::range))
        .route("/v3/kv/put", post(kv::put))
        .route("/v3/kv/deleterange", post(kv::delete_range))
        .route("/v3/kv/txn", post(kv::txn))
        .route("/v3/kv/compaction", post(kv::compaction))
        .route("/v3/lease/grant", post(lease::grant))
        .route("/v3/lease/revoke", post(lease::revoke))
        .route("/v3/lease/keepalive", post(lease::keep_alive))
        .route("/v3/lease/timetolive", post(lease::time_to_live))
        .route("/v3/watch", post(watch::watch))
        .route("/v3/maintenance/status", post(members::status))
        .route("/v3/cluster/member/list", post(members::list))
        .route("/v3/cluster/member/add", post(members::add))
        .route("/v3/cluster/member/promote", post(members::promote))
        .route("/v3/cluster/member/remove", post(members::remove))
        .route("/v1/session/open", post(kv::open_session))
        .route("/v1/session/close", post(kv::close_session))
        .route("/v1/step-down", post(members::step_down))
        .route("/v1/snapshot", get(snapshot::snapshot))
        .route("/health", get(probes::health))
        .route("/ready", get(probes::ready))
        .route("/version", get(probes::version))
        .route("/metrics", get(probes::metrics))
        .fallback(async || Failure::bad(404, "there is no such path".to_owned()))
        .method_not_allowed_fallback(async || Failure::bad(405, "that path takes another method".to_owned()))
        .layer(from_fn_with_state(Arc::clone(&app), auth::check))
        .layer(from_fn_with_state(Arc::clone(&app), count))
        .with_state(app)
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    #[expect(clippy::disallowed_methods, reason = "how long a request took is measured by the machine's clock")]
    let began = Instant::now();
    let response = next.run(request).await;
    app.requests.answered(response.status().as_u16(), began.elapsed());
    response
}

/// A request's body, as JSON whatever its type says: etcd's clients send none. An empty one is `{}`.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let (limit, wait) = (app.config.max_body, app.config.body_timeout);
        let claimed = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if claimed.is_some_and(|claimed| claimed > limit as u64) {
            return Err(Failure::bad(413, format!("the request has more than {limit} bytes")));
        }
        let body = timeout(wait, to_bytes(request.into_body(), limit)).await;
        let body = body.map_err(|_| Failure::bad(408, format!("the request did not come within {wait:?}")))?;
        let body = body.map_err(|error| Failure::bad(413, format!("the request has more than {limit} bytes, or was cut off: {error}")))?;
        let text: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { &body };
        serde_json::from_slice(text).map(Self).map_err(|error| Failure::bad(400, format!("the request is not as it should be: {error}")))
    }
}
