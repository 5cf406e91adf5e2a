use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{
    App,
    failure::{Failure, json},
    router::Json,
};
use crate::{
    Error, Members, Result, Revision,
    wire::{Empty, MemberBody, MemberId, MemberList, Number, StatusResponse},
};

type Answer = Result<Response, Failure>;

pub(super) async fn status(State(app): State<Arc<App>>, Json(Empty {}): Json<Empty>) -> Answer {
    let status = app.store.status().await?;
    Ok(json(&StatusResponse {
        header: app.header(status.revision),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        db_size: status.bytes.map(Number),
        leader: status.leader,
        kind: status.kind.to_owned(),
        compacted: Number(status.compacted.0),
        applied: Number(status.applied),
        keys: Number(status.keys),
        leases: Number(status.leases as u64),
    }))
}

pub(super) async fn list(State(app): State<Arc<App>>, Json(Empty {}): Json<Empty>) -> Answer {
    listed(&app).await
}

pub(super) async fn add(State(app): State<Arc<App>>, Json(body): Json<MemberBody>) -> Answer {
    members(&app)?.add(body.into()).await?;
    listed(&app).await
}

pub(super) async fn promote(State(app): State<Arc<App>>, Json(body): Json<MemberId>) -> Answer {
    members(&app)?.promote(body.id.0).await?;
    listed(&app).await
}

pub(super) async fn remove(State(app): State<Arc<App>>, Json(body): Json<MemberId>) -> Answer {
    members(&app)?.remove(body.id.0).await?;
    listed(&app).await
}

pub(super) async fn step_down(State(app): State<Arc<App>>, Json(Empty {}): Json<Empty>) -> Answer {
    members(&app)?.step_down().await?;
    Ok(json(&Empty {}))
}

async fn listed(app: &App) -> Answer {
    let members = members(app)?.members().await?.into_iter().map(MemberBody::from).collect();
    Ok(json(&MemberList { header: app.header(Revision::ZERO), members }))
}

fn members(app: &App) -> Result<&Arc<dyn Members>> {
    app.members.as_ref().ok_or_else(|| Error::Unsupported("members: it stands alone".into()))
}
