mod call;
mod options;
mod snapshot;
mod watch;
mod web;

use std::{fmt, io, sync::Arc, time::Duration};

use jarre_core::BoxFuture;

pub use options::RemoteOptions;

use crate::{
    Error, Lease, LeaseId, Member, Members, Page, RangeRequest, Refusal, Result, Revision, SessionId, SnapshotInfo, Status, Store, Txn,
    TxnOutcome, Watch, WatchRequest,
    wire::{
        Acknowledged, CompactionRequest, Empty, GrantRequest, Granted, KeepAlive, LeaseRequest, MemberBody, MemberId, MemberList, Number,
        RangeRequest as RangeBody, RangeResponse, SessionBody, StatusResponse, Streamed, TimeToLive, TxnRequest, TxnResponse,
    },
};
use call::{Caller, Repeat};

/// A store that is served over HTTP by other processes ([`http`](crate::http)): one, or the members of a cluster.
///
/// Requests go to one of the servers; where that is gone, or has no leader, to the next. A change whose outcome is not known is not
/// repeated, unless it is a session's; reads are. Watches go on where they broke off, at another server if need be.
///
/// Its futures need a tokio runtime.
#[derive(Clone)]
pub struct Remote {
    caller: Arc<Caller>,
}

impl Remote {
    /// The store behind `options`' servers, which are not called yet.
    ///
    /// # Errors
    /// [`Unsupported`](Error::Unsupported) where there is no server, or an address is no `http://` URL, or over TLS no `https://` URL;
    /// [`Invalid`](Error::Invalid) where certificates cannot be used.
    pub fn new(options: RemoteOptions) -> Result<Self> {
        Ok(Self { caller: Arc::new(Caller::new(options)?) })
    }
}

impl Store for Remote {
    fn range(&self, request: RangeRequest) -> BoxFuture<'_, Result<Page>> {
        Box::pin(async move {
            let response: RangeResponse = self.caller.call("/v3/kv/range", &RangeBody::from(&request), Repeat::Always).await?;
            if response.header.revision == Number(0) {
                return Err(strange("it does not say where the store is"));
            }
            if request.limit == Some(0) {
                // The server was asked whether there is anything.
                let next = (response.count.0 > 0).then(|| request.clone());
                return Ok(Page { revision: Revision(response.header.revision.0), entries: Vec::new(), next });
            }
            Ok(response.page(&request))
        })
    }

    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome>> {
        Box::pin(async move {
            let repeat = if txn.session.is_some() || txn.is_read_only() { Repeat::Always } else { Repeat::IfNotDone };
            let response: TxnResponse = self.caller.call("/v3/kv/txn", &TxnRequest::from(&txn), repeat).await?;
            response.outcome(&txn).ok_or_else(|| strange("it is no answer to the transaction"))
        })
    }

    fn lease_grant(&self, ttl: Duration) -> BoxFuture<'_, Result<LeaseId>> {
        Box::pin(async move {
            let millis = u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
            let request = GrantRequest { ttl_ms: Number(millis), ..GrantRequest::default() };
            let granted: Granted = self.caller.call("/v3/lease/grant", &request, Repeat::IfNotDone).await?;
            Ok(LeaseId(granted.id.0))
        })
    }

    fn lease_keep_alive(&self, id: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        Box::pin(async move {
            let kept: Streamed<KeepAlive> = self.caller.call("/v3/lease/keepalive", &named(id), Repeat::Always).await?;
            let ttl = Duration::from_millis(kept.result.ttl_ms.0);
            if ttl.is_zero() { Err(Refusal::NoLease { id }.into()) } else { Ok(ttl) }
        })
    }

    fn lease_revoke(&self, id: LeaseId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.caller.call::<Acknowledged>("/v3/lease/revoke", &named(id), Repeat::IfNotDone).await.map(drop) })
    }

    fn lease(&self, id: LeaseId) -> BoxFuture<'_, Result<Lease>> {
        Box::pin(async move {
            let request = LeaseRequest { keys: true, ..named(id) };
            let found: TimeToLive = self.caller.call("/v3/lease/timetolive", &request, Repeat::Always).await?;
            if found.granted_ttl_ms.0 == 0 {
                return Err(Refusal::NoLease { id }.into());
            }
            let (ttl, remaining) = (Duration::from_millis(found.granted_ttl_ms.0), Duration::from_millis(found.ttl_ms.0));
            Ok(Lease { id, ttl, remaining, keys: found.keys.into_iter().map(|key| key.0).collect() })
        })
    }

    fn open_session(&self) -> BoxFuture<'_, Result<SessionId>> {
        Box::pin(async move {
            let opened: SessionBody = self.caller.call("/v1/session/open", &Empty {}, Repeat::IfNotDone).await?;
            Ok(SessionId(opened.id.0))
        })
    }

    fn close_session(&self, id: SessionId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let request = SessionBody { id: Number(id.0), ..SessionBody::default() };
            self.caller.call::<Empty>("/v1/session/close", &request, Repeat::IfNotDone).await.map(drop)
        })
    }

    fn watch(&self, request: WatchRequest) -> BoxFuture<'_, Result<Watch>> {
        Box::pin(watch::watch(Arc::clone(&self.caller), request))
    }

    fn compact(&self, revision: Revision) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let request = CompactionRequest { revision: Number(revision.0), physical: true };
            self.caller.call::<Acknowledged>("/v3/kv/compaction", &request, Repeat::IfNotDone).await.map(drop)
        })
    }

    fn snapshot(&self, to: Box<dyn io::Write + Send>) -> BoxFuture<'_, Result<SnapshotInfo>> {
        Box::pin(snapshot::save(&self.caller, to))
    }

    fn status(&self) -> BoxFuture<'_, Result<Status>> {
        Box::pin(async move {
            let status: StatusResponse = self.caller.call("/v3/maintenance/status", &Empty {}, Repeat::Always).await?;
            Ok(Status {
                kind: "remote",
                revision: Revision(status.header.revision.0),
                compacted: Revision(status.compacted.0),
                applied: status.applied.0,
                keys: status.keys.0,
                leases: usize::try_from(status.leases.0).unwrap_or(usize::MAX),
                bytes: status.db_size.map(|bytes| bytes.0),
                leader: status.leader_url,
            })
        })
    }
}

impl Members for Remote {
    fn members(&self) -> BoxFuture<'_, Result<Vec<Member>>> {
        Box::pin(async move {
            let list: MemberList = self.caller.call("/v3/cluster/member/list", &Empty {}, Repeat::Always).await?;
            Ok(list.members.into_iter().map(Member::from).collect())
        })
    }

    fn add(&self, member: Member) -> BoxFuture<'_, Result<()>> {
        let body = MemberBody::from(member);
        Box::pin(async move { self.change("/v3/cluster/member/add", &body).await })
    }

    fn promote(&self, id: u64) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.change("/v3/cluster/member/promote", &MemberId { id: Number(id) }).await })
    }

    fn remove(&self, id: u64) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.change("/v3/cluster/member/remove", &MemberId { id: Number(id) }).await })
    }

    fn step_down(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.caller.call::<Empty>("/v1/step-down", &Empty {}, Repeat::IfNotDone).await.map(drop) })
    }
}

impl Remote {
    async fn change(&self, path: &str, body: &impl serde::Serialize) -> Result<()> {
        self.caller.call::<MemberList>(path, body, Repeat::IfNotDone).await.map(drop)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("caller", &self.caller).finish()
    }
}

fn named(id: LeaseId) -> LeaseRequest {
    LeaseRequest { id: Number(id.0), keys: false }
}

/// What a server answered that is not what it should be.
fn strange(why: impl fmt::Display) -> Error {
    Error::Unknown { reason: format!("the server answered something else than was asked: {why}") }
}
