use std::{io, sync::Arc, time::Duration};

use futures_channel::oneshot;
use jarre_core::BoxFuture;

use super::{Engine, read, watching::watch};
use crate::{
    Error, Lease, LeaseId, Page, RangeRequest, ReadLevel, Refusal, Result, Revision, SessionId, SnapshotInfo, Status, Store, Txn,
    TxnOutcome, Watch, WatchRequest,
    machine::{self, Command, Response},
    metrics::Counters,
    snapshot,
};

/// The API over an engine.
#[derive(Debug)]
pub(crate) struct Local<E> {
    pub(crate) engine: Arc<E>,
}

impl<E: Engine> Local<E> {
    pub(crate) fn new(engine: E) -> Self {
        Self { engine: Arc::new(engine) }
    }

    /// Ends the leases whose time is over, so that nothing begins after that with their keys there.
    async fn expire(&self) -> Result<()> {
        let Some(due) = self.engine.shared().due() else { return self.engine.shared().sound() };
        self.engine.submit(Command::Expire(due)).await?.map_err(Error::from).map(drop)
    }

    /// Ends leases whose time is over, and waits for a state as fresh as `level` asks for.
    async fn settle(&self, level: ReadLevel) -> Result<()> {
        self.expire().await?;
        match self.engine.settle(level) {
            Some(settled) => settled.await,
            None => Ok(()),
        }
    }

    async fn command(&self, command: Command) -> Result<Response> {
        self.expire().await?;
        Ok(self.engine.submit(command).await??)
    }

    fn read<T>(&self, look: impl FnOnce(&dyn machine::Rows) -> Result<T>) -> Result<T> {
        Counters::count(&self.engine.shared().counters.reads, 1);
        read(&*self.engine, look)
    }
}

impl<E: Engine> Store for Local<E> {
    fn range(&self, request: RangeRequest) -> BoxFuture<'_, Result<Page>> {
        Box::pin(async move {
            let limits = self.engine.shared().limits;
            limits.check_range(&request.range)?;
            self.settle(request.level).await?;
            self.read(|rows| machine::page(rows, &request, &limits))
        })
    }

    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome>> {
        Box::pin(async move {
            let limits = self.engine.shared().limits;
            limits.check(&txn)?;
            if txn.is_read_only() && txn.session.is_none() {
                self.settle(ReadLevel::Linearizable).await?;
                return self.read(|rows| machine::read_only(rows, &txn, &limits));
            }
            match self.command(Command::Txn(txn)).await? {
                Response::Txn(outcome) => Ok(outcome),
                other => Err(strange(&other)),
            }
        })
    }

    fn lease_grant(&self, ttl: Duration) -> BoxFuture<'_, Result<LeaseId>> {
        Box::pin(async move {
            if ttl.is_zero() {
                return Err(Error::Invalid("a lease of no time".into()));
            }
            let ttl_millis = u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
            match self.command(Command::Grant { id: None, ttl_millis }).await? {
                Response::Granted { id, .. } => Ok(id),
                other => Err(strange(&other)),
            }
        })
    }

    fn lease_keep_alive(&self, id: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        Box::pin(async move {
            self.expire().await?;
            self.engine.keep_alive(id).await?.ok_or_else(|| Refusal::NoLease { id }.into())
        })
    }

    fn lease_revoke(&self, id: LeaseId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.command(Command::Revoke(id)).await.map(drop) })
    }

    fn lease(&self, id: LeaseId) -> BoxFuture<'_, Result<Lease>> {
        Box::pin(async move {
            self.settle(ReadLevel::Linearizable).await?;
            let (ttl, remaining) = self.engine.remaining(id).await?.ok_or(Refusal::NoLease { id })?;
            let keys = self.read(|rows| machine::leased_keys(rows, id, usize::MAX))?.ok_or(Refusal::NoLease { id })?;
            Ok(Lease { id, ttl, remaining, keys })
        })
    }

    fn open_session(&self) -> BoxFuture<'_, Result<SessionId>> {
        Box::pin(async move {
            match self.command(Command::OpenSession).await? {
                Response::SessionOpened(id) => Ok(id),
                other => Err(strange(&other)),
            }
        })
    }

    fn close_session(&self, id: SessionId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.command(Command::CloseSession(id)).await.map(drop) })
    }

    fn watch(&self, request: WatchRequest) -> BoxFuture<'_, Result<Watch>> {
        Box::pin(async move {
            self.engine.shared().limits.check_range(&request.range)?;
            self.settle(ReadLevel::Linearizable).await?;
            watch(&self.engine, request)
        })
    }

    fn compact(&self, revision: Revision) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let mut swept = self.command(Command::Compact(revision)).await?;
            tracing::debug!(%revision, "compacted");
            while let Response::Swept { more: true } = swept {
                swept = self.command(Command::Sweep).await?;
            }
            Ok(())
        })
    }

    fn snapshot(&self, to: Box<dyn io::Write + Send>) -> BoxFuture<'_, Result<SnapshotInfo>> {
        let (engine, (done, written)) = (Arc::clone(&self.engine), oneshot::channel());
        let write = move || {
            let info = read(&*engine, |rows| snapshot::write(rows, to));
            // Who asked may have gone away.
            let _ = done.send(info);
        };
        Box::pin(async move {
            self.settle(ReadLevel::Linearizable).await?;
            // It takes as long as the disk does, which is no work for an executor.
            let thread = std::thread::Builder::new().name("kv-snapshot".to_owned()).spawn(write);
            thread.map_err(|error| Error::io("start a thread", error))?;
            written.await.map_err(|_| Error::Closed)?
        })
    }

    fn status(&self) -> BoxFuture<'_, Result<Status>> {
        Box::pin(async move {
            self.expire().await?;
            let state = self.read(machine::state)?;
            Ok(Status {
                kind: E::KIND,
                revision: state.revision,
                compacted: state.compacted,
                applied: state.applied,
                keys: state.keys,
                leases: state.leases as usize,
                bytes: self.engine.bytes(),
                leader: self.engine.leader(),
            })
        })
    }
}

/// That the state machine answered something else than was asked.
fn strange(response: &Response) -> Error {
    Error::corrupt("the answer of the state machine", format!("{response:?}"))
}
