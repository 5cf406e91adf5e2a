use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{
    App,
    failure::{Failure, json},
    router::Json,
};
use crate::{
    Op, Result, Revision, SessionId, Txn, TxnOutcome,
    wire::{
        Acknowledged, CompactionRequest, DeleteRangeRequest, DeleteRangeResponse, Empty, Kv, Number, PutRequest, PutResponse, RangeRequest,
        RangeResponse, SessionBody, TxnRequest, TxnResponse,
    },
};

type Answer = Result<Response, Failure>;

pub(super) async fn range(State(app): State<Arc<App>>, Json(body): Json<RangeRequest>) -> Answer {
    let count_only = body.count_only;
    let request = body.request()?;
    let page = app.store.range(if count_only { request.clone().keys_only() } else { request.clone() }).await?;
    let mut count = page.entries.len() as u64;
    // The rest is counted at the state that was read.
    let mut next = page.next.clone();
    while let Some(rest) = next {
        let more = app.store.range(crate::RangeRequest { limit: None, ..rest.keys_only() }).await?;
        count += more.entries.len() as u64;
        next = more.next;
    }
    let kvs = if count_only { Vec::new() } else { page.entries.into_iter().map(Kv::from).collect() };
    let more = !count_only && page.next.is_some();
    Ok(json(&RangeResponse { header: app.header(page.revision), kvs, more, count: Number(count) }))
}

pub(super) async fn put(State(app): State<Arc<App>>, Json(body): Json<PutRequest>) -> Answer {
    let outcome = alone(&app, body.op()?).await?;
    Ok(json(&PutResponse::of(app.header(outcome.revision), outcome.results.into_iter().next())))
}

pub(super) async fn delete_range(State(app): State<Arc<App>>, Json(body): Json<DeleteRangeRequest>) -> Answer {
    let outcome = alone(&app, body.op()?).await?;
    Ok(json(&DeleteRangeResponse::of(app.header(outcome.revision), outcome.results.into_iter().next())))
}

pub(super) async fn txn(State(app): State<Arc<App>>, Json(body): Json<TxnRequest>) -> Answer {
    let outcome = app.store.txn(body.txn()?).await?;
    Ok(json(&TxnResponse::of(&app.header(outcome.revision), outcome)))
}

pub(super) async fn compaction(State(app): State<Arc<App>>, Json(body): Json<CompactionRequest>) -> Answer {
    app.store.compact(Revision(body.revision.0)).await?;
    Ok(json(&Acknowledged { header: app.header_now().await? }))
}

pub(super) async fn open_session(State(app): State<Arc<App>>, Json(Empty {}): Json<Empty>) -> Answer {
    let id = app.store.open_session().await?;
    Ok(json(&SessionBody { id: Number(id.0), ..SessionBody::default() }))
}

pub(super) async fn close_session(State(app): State<Arc<App>>, Json(body): Json<SessionBody>) -> Answer {
    app.store.close_session(SessionId(body.id.0)).await?;
    Ok(json(&Empty {}))
}

async fn alone(app: &App, op: Op) -> Result<TxnOutcome> {
    app.store.txn(Txn::new().then(op)).await
}
