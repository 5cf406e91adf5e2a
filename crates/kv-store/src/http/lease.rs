use std::{sync::Arc, time::Duration};

use axum::{extract::State, response::Response};

use super::{
    App,
    failure::{Failure, json},
    router::Json,
};
use crate::{
    Error, LeaseId, Refusal, Result,
    wire::{Acknowledged, Bytes, GrantRequest, Granted, KeepAlive, LeaseRequest, Number, Streamed, TimeToLive},
};

type Answer = Result<Response, Failure>;

pub(super) async fn grant(State(app): State<Arc<App>>, Json(body): Json<GrantRequest>) -> Answer {
    if body.id.0 != 0 {
        return Err(Error::Unsupported("a lease whose name is chosen by the client".into()).into());
    }
    let ttl = if body.ttl_ms.0 > 0 { Duration::from_millis(body.ttl_ms.0) } else { Duration::from_secs(body.ttl.0) };
    let id = app.store.lease_grant(ttl).await?;
    Ok(json(&Granted { header: app.header_now().await?, id: Number(id.0), ttl: Number(ttl.as_secs()) }))
}

pub(super) async fn revoke(State(app): State<Arc<App>>, Json(body): Json<LeaseRequest>) -> Answer {
    app.store.lease_revoke(LeaseId(body.id.0)).await?;
    Ok(json(&Acknowledged { header: app.header_now().await? }))
}

pub(super) async fn keep_alive(State(app): State<Arc<App>>, Json(body): Json<LeaseRequest>) -> Answer {
    let ttl = match app.store.lease_keep_alive(LeaseId(body.id.0)).await {
        Ok(ttl) => ttl,
        // etcd says so.
        Err(Error::Refused(Refusal::NoLease { .. })) => Duration::ZERO,
        Err(error) => return Err(error.into()),
    };
    let result = KeepAlive { header: app.header_now().await?, id: body.id, ttl: Number(ttl.as_secs()), ttl_ms: millis(ttl) };
    Ok(json(&Streamed { result }))
}

pub(super) async fn time_to_live(State(app): State<Arc<App>>, Json(body): Json<LeaseRequest>) -> Answer {
    let lease = match app.store.lease(LeaseId(body.id.0)).await {
        Ok(lease) => lease,
        Err(Error::Refused(Refusal::NoLease { .. })) => {
            let gone = TimeToLive { header: app.header_now().await?, id: body.id, ttl: "-1".to_owned(), ..TimeToLive::default() };
            return Ok(json(&gone));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(json(&TimeToLive {
        header: app.header_now().await?,
        id: body.id,
        ttl: lease.remaining.as_secs().to_string(),
        granted_ttl: Number(lease.ttl.as_secs()),
        keys: if body.keys { lease.keys.into_iter().map(Bytes).collect() } else { Vec::new() },
        ttl_ms: millis(lease.remaining),
        granted_ttl_ms: millis(lease.ttl),
    }))
}

fn millis(time: Duration) -> Number {
    Number(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
