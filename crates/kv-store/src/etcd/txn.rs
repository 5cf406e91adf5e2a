use etcd_client::{DeleteOptions, PutOptions, TxnOp, TxnOpResponse, TxnResponse};

use super::{
    caller::Caller,
    failure::{Failure, Kind},
    keys::{self, Keys},
    range,
};
use crate::{
    Compare, Error, LeaseId, Limits, Op, OpResult, Operator, Page, RangeRequest, Refusal, Result, Revision, Target, Txn, TxnOutcome,
};

impl Caller {
    /// Carries out a transaction, once where it belongs to a session.
    pub(super) async fn txn(&self, txn: Txn) -> Result<TxnOutcome> {
        self.options.limits.check(&txn)?;
        if let Some(tag) = txn.session {
            return self.once(tag, &txn).await;
        }
        let kind = if txn.is_read_only() { Kind::Read } else { Kind::Change };
        let (sent, request) = (self.now(), request(&self.keys, &self.options.limits, &txn));
        let answer = self.call(kind, || {
            let (mut kv, request) = (self.kv(), request.clone());
            async move { kv.txn(request).await }
        });
        match answer.await {
            Ok(answer) => {
                let revision = revision_of(&answer);
                self.known.answered(sent, revision);
                outcome(&self.keys, &self.options.limits, &txn, &answer, revision)
            }
            Err(failure) => Err(self.txn_failed(failure, kind, &txn).await),
        }
    }

    /// The same as a transaction of one put, with less around it.
    pub(super) async fn put(&self, key: Vec<u8>, value: Vec<u8>) -> Result<Revision> {
        let put = Op::put(key, value);
        self.options.limits.check_op(&put)?;
        let Op::Put { key, value, .. } = put else { unreachable!("it is a put") };
        let (sent, key) = (self.now(), self.keys.key(&key));
        let answer = self.call(Kind::Change, || {
            let (mut kv, key, value) = (self.kv(), key.clone(), value.clone());
            async move { kv.put(key, value, None).await }
        });
        match answer.await {
            Ok(answer) => {
                let revision = keys::revision(answer.header().map_or(0, etcd_client::ResponseHeader::revision));
                self.known.answered(sent, revision);
                Ok(revision)
            }
            Err(failure) => Err(self.explain(failure, Kind::Change).await),
        }
    }

    /// Why a transaction failed. etcd does not say which lease was not there.
    pub(super) async fn txn_failed(&self, failure: Failure, kind: Kind, txn: &Txn) -> Error {
        if !matches!(failure, Failure::NoLease) {
            return self.explain(failure, kind).await;
        }
        let leases = leases(txn);
        for id in &leases {
            if let Err(error @ Error::Refused(Refusal::NoLease { .. })) = self.lease(*id).await {
                return error;
            }
        }
        leases.first().map_or_else(|| failure.told(kind, Revision::ZERO), |id| Refusal::NoLease { id: *id }.into())
    }
}

/// `txn` as etcd reads it.
pub(super) fn request(keys: &Keys, limits: &Limits, txn: &Txn) -> etcd_client::Txn {
    let compares: Vec<_> = txn.compares.iter().map(|compare| condition(keys, compare)).collect();
    let ops = |ops: &[Op]| ops.iter().filter_map(|op| operation(keys, limits, op)).collect::<Vec<_>>();
    etcd_client::Txn::new().when(compares).and_then(ops(&txn.then)).or_else(ops(&txn.otherwise))
}

/// What etcd answered to `txn`, which was carried out at `revision`.
pub(super) fn outcome(keys: &Keys, limits: &Limits, txn: &Txn, answer: &TxnResponse, revision: Revision) -> Result<TxnOutcome> {
    let succeeded = answer.succeeded();
    let ops = if succeeded { &txn.then } else { &txn.otherwise };
    let mut answers = answer.op_responses().into_iter();
    let results = ops.iter().map(|op| {
        let asked = operation(keys, limits, op).is_some();
        let answer = if asked { Some(answers.next().ok_or_else(strange)?) } else { None };
        result(keys, limits, op, answer, revision)
    });
    Ok(TxnOutcome { revision, succeeded, results: results.collect::<Result<_>>()? })
}

/// Where etcd was after a transaction.
pub(super) fn revision_of(answer: &TxnResponse) -> Revision {
    keys::revision(answer.header().map_or(0, etcd_client::ResponseHeader::revision))
}

fn condition(keys: &Keys, compare: &Compare) -> etcd_client::Compare {
    let (key, operator) = (keys.key(&compare.key), operator(compare.operator));
    match &compare.target {
        Target::Value(value) => etcd_client::Compare::value(key, operator, value.clone()),
        Target::Version(version) => etcd_client::Compare::version(key, operator, keys::number(Revision(*version))),
        Target::Created(revision) => etcd_client::Compare::create_revision(key, operator, keys::number(*revision)),
        Target::Modified(revision) => etcd_client::Compare::mod_revision(key, operator, keys::number(*revision)),
        Target::Lease(lease) => etcd_client::Compare::lease(key, operator, lease.map_or(0, keys::lease_number)),
    }
}

const fn operator(operator: Operator) -> etcd_client::CompareOp {
    match operator {
        Operator::Equal => etcd_client::CompareOp::Equal,
        Operator::NotEqual => etcd_client::CompareOp::NotEqual,
        Operator::Less => etcd_client::CompareOp::Less,
        Operator::Greater => etcd_client::CompareOp::Greater,
    }
}

/// `None` where there is nothing to do: etcd takes no range that is empty.
fn operation(keys: &Keys, limits: &Limits, op: &Op) -> Option<TxnOp> {
    Some(match op {
        Op::Put { key, value, lease, prev } => {
            let options = PutOptions::new().with_lease(lease.map_or(0, keys::lease_number));
            TxnOp::put(keys.key(key), value.clone(), Some(if *prev { options.with_prev_key() } else { options }))
        }
        Op::Delete { range, prev } => {
            let (start, end) = keys.bounds(range)?;
            let options = DeleteOptions::new().with_range(end);
            TxnOp::delete(start, Some(if *prev { options.with_prev_key() } else { options }))
        }
        Op::Get { range, limit, reverse } => {
            let (start, end) = keys.bounds(range)?;
            TxnOp::get(start, Some(range::options(end, range::page_limit(*limit, limits).max(1), *reverse, false)))
        }
    })
}

fn result(keys: &Keys, limits: &Limits, op: &Op, answer: Option<TxnOpResponse>, revision: Revision) -> Result<OpResult> {
    Ok(match (op, answer) {
        (Op::Put { .. }, Some(TxnOpResponse::Put(mut put))) => {
            OpResult::Put { prev: put.take_prev_key().and_then(|prev| keys.entry(prev)) }
        }
        (Op::Delete { .. }, None) => OpResult::Delete { deleted: 0, prev: Vec::new() },
        (Op::Delete { .. }, Some(TxnOpResponse::Delete(mut delete))) => {
            let prev = delete.take_prev_kvs().into_iter().filter_map(|prev| keys.entry(prev)).collect();
            OpResult::Delete { deleted: delete.deleted().max(0).unsigned_abs(), prev }
        }
        (Op::Get { .. }, None) => OpResult::Get(Page { revision, entries: Vec::new(), next: None }),
        (Op::Get { range, limit, reverse }, Some(TxnOpResponse::Get(mut get))) => {
            let more = get.more();
            let entries = get.take_kvs().into_iter().filter_map(|found| keys.entry(found)).collect();
            let request = RangeRequest { limit: *limit, reverse: *reverse, ..RangeRequest::new(range.clone()) };
            OpResult::Get(range::cut(entries, &request, range::page_limit(*limit, limits), more, revision, revision, limits))
        }
        _ => return Err(strange()),
    })
}

fn leases(txn: &Txn) -> Vec<LeaseId> {
    let ops = txn.then.iter().chain(&txn.otherwise);
    ops.filter_map(|op| if let Op::Put { lease, .. } = op { *lease } else { None }).collect()
}

/// That etcd answered something else than it was asked.
pub(super) fn strange() -> Error {
    Error::corrupt("an answer of etcd", "it does not answer what was asked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyRange;

    #[test]
    fn what_cannot_touch_anything_is_not_asked_of_etcd() {
        let keys = Keys::new(b"p/".to_vec()).expect("a prefix");
        let limits = Limits::default();
        let turned = KeyRange::new("b", "a");
        assert!(operation(&keys, &limits, &Op::delete_range(turned.clone())).is_none());
        let nothing = result(&keys, &limits, &Op::delete_range(turned.clone()), None, Revision(7)).expect("an answer");
        assert_eq!(nothing, OpResult::Delete { deleted: 0, prev: Vec::new() });
        let empty = result(&keys, &limits, &Op::get_range(turned), None, Revision(7)).expect("an answer");
        assert_eq!(empty, OpResult::Get(Page { revision: Revision(7), entries: Vec::new(), next: None }));
        assert!(result(&keys, &limits, &Op::put("a", "b"), None, Revision(7)).is_err(), "but a put is answered");
    }
}
