//! Sessions, which etcd has not: a record for each, on a lease of its own, which holds the number of its last request. A request raises the
//! number in the same transaction, and only from below, so that it is carried out once. The answer cannot be put beside the number, since it
//! is not known before; when it is asked for again it is worked out from the history.

use etcd_client::{Compare, CompareOp, PutOptions, TxnOp, TxnOpResponse, TxnResponse};

use super::{caller::Caller, failure::Kind, keys, lease::whole_seconds, txn};
use crate::{Error, LeaseId, Refusal, Result, Revision, SessionId, SessionTag, Txn, TxnOutcome};

impl Caller {
    pub(super) async fn open_session(&self) -> Result<SessionId> {
        whole_seconds(self.options.session_ttl)?;
        let lease = self.lease_grant(self.options.session_ttl).await?;
        let id = SessionId(lease.0);
        let record = self.keys.session(id);
        let made = self.call(Kind::Change, || {
            let (mut kv, record) = (self.kv(), record.clone());
            async move { kv.put(record, "", Some(PutOptions::new().with_lease(keys::lease_number(lease)))).await }
        });
        made.await.map_err(|failure| failure.told(Kind::Change, Revision::ZERO))?;
        Ok(id)
    }

    pub(super) async fn close_session(&self, id: SessionId) -> Result<()> {
        self.known.forget_session(id);
        match self.lease_revoke(LeaseId(id.0)).await {
            Err(Error::Refused(Refusal::NoLease { .. })) => Err(Refusal::SessionExpired.into()),
            result => result,
        }
    }

    /// Carries out the session's request, or finds the answer of the first time.
    pub(super) async fn once(&self, tag: SessionTag, txn: &Txn) -> Result<TxnOutcome> {
        if self.known.is_to_renew(tag.id, self.now(), self.options.session_ttl) {
            self.renew(tag.id).await?;
        }
        let (sent, request) = (self.now(), self.tagged(tag, txn));
        let answer = self.call(Kind::Change, || {
            let (mut kv, request) = (self.kv(), request.clone());
            async move { kv.txn(request).await }
        });
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(failure) => return Err(self.txn_failed(failure, Kind::Change, txn).await),
        };
        let revision = txn::revision_of(&answer);
        self.known.answered(sent, revision);
        if answer.succeeded() {
            let inner = branch(&answer)?;
            return txn::outcome(&self.keys, &self.options.limits, txn, &inner, revision);
        }
        let at = carried_out(&answer, tag)?;
        self.replay(txn, at).await.map_err(forgotten)
    }

    /// `txn` where the session is at an earlier request, and otherwise a look at where it is.
    fn tagged(&self, tag: SessionTag, txn: &Txn) -> etcd_client::Txn {
        let (record, number) = (self.keys.session(tag.id), tag.sequence.to_be_bytes());
        let lease = PutOptions::new().with_lease(keys::lease_number(LeaseId(tag.id.0)));
        let inner = txn::request(&self.keys, &self.options.limits, txn);
        etcd_client::Txn::new()
            .when([Compare::value(record.clone(), CompareOp::Less, number)])
            .and_then([TxnOp::txn(inner), TxnOp::put(record.clone(), number, Some(lease))])
            .or_else([TxnOp::get(record, None)])
    }

    /// Lets the session be remembered for its whole time from now.
    async fn renew(&self, id: SessionId) -> Result<()> {
        match self.lease_keep_alive(LeaseId(id.0)).await {
            Ok(_) => Ok(()),
            Err(error) => {
                self.known.forget_session(id);
                Err(if matches!(error, Error::Refused(Refusal::NoLease { .. })) { Refusal::SessionExpired.into() } else { error })
            }
        }
    }
}

/// What the transaction within the transaction did.
fn branch(answer: &TxnResponse) -> Result<TxnResponse> {
    match answer.op_responses().into_iter().next() {
        Some(TxnOpResponse::Txn(inner)) => Ok(inner),
        _ => Err(txn::strange()),
    }
}

/// When the request was carried out, where it is the session's last.
fn carried_out(answer: &TxnResponse, tag: SessionTag) -> Result<Revision> {
    let Some(TxnOpResponse::Get(found)) = answer.op_responses().into_iter().next() else { return Err(txn::strange()) };
    let record = found.kvs().first().ok_or(Refusal::SessionExpired)?;
    let last = u64::from_be_bytes(record.value().try_into().map_err(|_| txn::strange())?);
    if last == tag.sequence { Ok(keys::revision(record.mod_revision())) } else { Err(Refusal::SessionMovedOn { last }.into()) }
}

/// An answer that was compacted away is forgotten as a session can be.
fn forgotten(error: Error) -> Error {
    if matches!(error, Error::Refused(Refusal::Compacted { .. })) { Refusal::SessionExpired.into() } else { error }
}
