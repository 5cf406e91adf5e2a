use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{
    App,
    failure::{Failure, json},
    router::Json,
};
use crate::{
    Error, Members, Result,
    wire::{Empty, MemberBody, MemberId, MemberList, Number, StatusResponse},
};

type Answer = Result<Response, Failure>;

/// What etcd says in its place.
const NO_LEADER: &str = "etcdserver: no leader";

pub(super) async fn status(State(app): State<Arc<App>>, Json(Empty {}): Json<Empty>) -> Answer {
    let status = app.store.status().await?;
    let raft = app.raft.as_ref().map(|raft| raft.raft_status());
    let leader = raft.as_ref().and_then(|raft| raft.leader);
    let errors = if raft.is_some() && leader.is_none() { vec![NO_LEADER.to_owned()] } else { Vec::new() };
    let raft = raft.unwrap_or_default();
    Ok(json(&StatusResponse {
        header: app.header(status.revision),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        db_size: status.bytes.map(Number),
        leader: Number(leader.unwrap_or(0)),
        raft_index: Number(raft.committed.unwrap_or(0)),
        raft_term: Number(raft.term),
        raft_applied_index: Number(raft.applied.unwrap_or(0)),
        errors,
        is_learner: raft.is_learner,
        leader_url: status.leader,
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
    Ok(json(&MemberList { header: app.header_now().await?, members }))
}

fn members(app: &App) -> Result<&Arc<dyn Members>> {
    app.members.as_ref().ok_or_else(|| Error::Unsupported("members: it stands alone".into()))
}
