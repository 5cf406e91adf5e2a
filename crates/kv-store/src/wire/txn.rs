use serde::{Deserialize, Serialize};

use super::{
    Bytes, DeleteRangeRequest, DeleteRangeResponse, Header, Kv, Number, PutRequest, PutResponse, RangeRequest, RangeResponse, is_default,
};
use crate::{
    Compare, Entry, Error, LeaseId, Op, OpResult, Operator, RangeRequest as Request, Result, Revision, SessionId, SessionTag, Target, Txn,
    TxnOutcome,
};

/// `/v3/kv/txn`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TxnRequest {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) compare: Vec<CompareBody>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) success: Vec<OpBody>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) failure: Vec<OpBody>,
    /// Not etcd's: whose request it is, so that a retry is carried out once.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) session: Option<SessionBody>,
}

/// A session, and which of its requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SessionBody {
    pub(crate) id: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) sequence: Number,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CompareBody {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) result: ResultBody,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) target: TargetBody,
    pub(crate) key: Bytes,
    #[serde(alias = "rangeEnd", skip_serializing_if = "is_default")]
    pub(crate) range_end: Bytes,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) version: Number,
    #[serde(alias = "createRevision", skip_serializing_if = "is_default")]
    pub(crate) create_revision: Number,
    #[serde(alias = "modRevision", skip_serializing_if = "is_default")]
    pub(crate) mod_revision: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) value: Bytes,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) lease: Number,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ResultBody {
    #[default]
    Equal,
    Greater,
    Less,
    NotEqual,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum TargetBody {
    #[default]
    Version,
    Create,
    Mod,
    Value,
    Lease,
}

/// One of the operations; the other fields are left out.
#[expect(clippy::struct_field_names, reason = "the names are etcd's")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OpBody {
    #[serde(alias = "requestRange", skip_serializing_if = "is_default")]
    pub(crate) request_range: Option<RangeRequest>,
    #[serde(alias = "requestPut", skip_serializing_if = "is_default")]
    pub(crate) request_put: Option<PutRequest>,
    #[serde(alias = "requestDeleteRange", skip_serializing_if = "is_default")]
    pub(crate) request_delete_range: Option<DeleteRangeRequest>,
    #[serde(alias = "requestTxn", skip_serializing_if = "is_default")]
    pub(crate) request_txn: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TxnResponse {
    pub(crate) header: Header,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) succeeded: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) responses: Vec<OpResponse>,
}

#[expect(clippy::struct_field_names, reason = "the names are etcd's")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OpResponse {
    #[serde(alias = "responseRange", skip_serializing_if = "is_default")]
    pub(crate) response_range: Option<RangeResponse>,
    #[serde(alias = "responsePut", skip_serializing_if = "is_default")]
    pub(crate) response_put: Option<PutResponse>,
    #[serde(alias = "responseDeleteRange", skip_serializing_if = "is_default")]
    pub(crate) response_delete_range: Option<DeleteRangeResponse>,
}

impl TxnRequest {
    pub(crate) fn txn(self) -> Result<Txn> {
        let ops = |ops: Vec<OpBody>| ops.into_iter().map(OpBody::op).collect::<Result<_>>();
        Ok(Txn {
            compares: self.compare.into_iter().map(CompareBody::compare).collect::<Result<_>>()?,
            then: ops(self.success)?,
            otherwise: ops(self.failure)?,
            session: self.session.map(|session| SessionTag { id: SessionId(session.id.0), sequence: session.sequence.0 }),
        })
    }
}

impl From<&Txn> for TxnRequest {
    fn from(txn: &Txn) -> Self {
        let session = txn.session.map(|tag| SessionBody { id: Number(tag.id.0), sequence: Number(tag.sequence) });
        Self {
            compare: txn.compares.iter().map(CompareBody::from).collect(),
            success: txn.then.iter().map(OpBody::from).collect(),
            failure: txn.otherwise.iter().map(OpBody::from).collect(),
            session,
        }
    }
}

impl CompareBody {
    fn compare(self) -> Result<Compare> {
        if !self.range_end.0.is_empty() {
            return Err(Error::Unsupported("a compare of a range".into()));
        }
        let target = match self.target {
            TargetBody::Version => Target::Version(self.version.0),
            TargetBody::Create => Target::Created(Revision(self.create_revision.0)),
            TargetBody::Mod => Target::Modified(Revision(self.mod_revision.0)),
            TargetBody::Value => Target::Value(self.value.0),
            TargetBody::Lease => Target::Lease((self.lease.0 > 0).then_some(LeaseId(self.lease.0))),
        };
        let operator = match self.result {
            ResultBody::Equal => Operator::Equal,
            ResultBody::Greater => Operator::Greater,
            ResultBody::Less => Operator::Less,
            ResultBody::NotEqual => Operator::NotEqual,
        };
        Ok(Compare { key: self.key.0, operator, target })
    }
}

impl From<&Compare> for CompareBody {
    fn from(compare: &Compare) -> Self {
        let result = match compare.operator {
            Operator::Equal => ResultBody::Equal,
            Operator::Greater => ResultBody::Greater,
            Operator::Less => ResultBody::Less,
            Operator::NotEqual => ResultBody::NotEqual,
        };
        let body = Self { result, key: Bytes(compare.key.clone()), ..Self::default() };
        match &compare.target {
            Target::Version(version) => Self { target: TargetBody::Version, version: Number(*version), ..body },
            Target::Created(revision) => Self { target: TargetBody::Create, create_revision: Number(revision.0), ..body },
            Target::Modified(revision) => Self { target: TargetBody::Mod, mod_revision: Number(revision.0), ..body },
            Target::Value(value) => Self { target: TargetBody::Value, value: Bytes(value.clone()), ..body },
            Target::Lease(lease) => Self { target: TargetBody::Lease, lease: Number(lease.map_or(0, |lease| lease.0)), ..body },
        }
    }
}

impl OpBody {
    fn op(self) -> Result<Op> {
        match (self.request_range, self.request_put, self.request_delete_range, self.request_txn) {
            (Some(range), None, None, None) => {
                if range.revision.0 > 0 {
                    return Err(Error::Unsupported("a read of the past within a transaction".into()));
                }
                let count_only = range.count_only;
                let Request { range, limit, reverse, .. } = range.request()?;
                Ok(Op::Get { range, limit: if count_only { Some(0) } else { limit }, reverse })
            }
            (None, Some(put), None, None) => put.op(),
            (None, None, Some(delete), None) => delete.op(),
            (None, None, None, Some(_)) => Err(Error::Unsupported("a transaction within a transaction".into())),
            _ => Err(Error::Invalid("an operation is one of request_range, request_put and request_delete_range".into())),
        }
    }
}

impl From<&Op> for OpBody {
    fn from(op: &Op) -> Self {
        match op {
            Op::Put { key, value, lease, prev } => {
                let put = PutRequest {
                    key: Bytes(key.clone()),
                    value: Bytes(value.clone()),
                    lease: Number(lease.map_or(0, |lease| lease.0)),
                    prev_kv: *prev,
                    ..PutRequest::default()
                };
                Self { request_put: Some(put), ..Self::default() }
            }
            Op::Delete { range, prev } => {
                Self { request_delete_range: Some(DeleteRangeRequest { span: range.into(), prev_kv: *prev }), ..Self::default() }
            }
            Op::Get { range, limit, reverse } => {
                let request = Request { limit: *limit, reverse: *reverse, ..Request::new(range.clone()) };
                Self { request_range: Some((&request).into()), ..Self::default() }
            }
        }
    }
}

impl TxnResponse {
    pub(crate) fn of(header: &Header, outcome: TxnOutcome) -> Self {
        let responses = outcome.results.into_iter().map(|result| OpResponse::of(*header, result)).collect();
        Self { header: *header, succeeded: outcome.succeeded, responses }
    }

    /// What `txn` did; `None` where that is no answer to it.
    pub(crate) fn outcome(self, txn: &Txn) -> Option<TxnOutcome> {
        let ops = if self.succeeded { &txn.then } else { &txn.otherwise };
        if self.header.revision == Number(0) || self.responses.len() != ops.len() || (!self.succeeded && txn.compares.is_empty()) {
            return None;
        }
        let results = self.responses.into_iter().zip(ops).map(|(response, op)| response.result(op)).collect();
        Some(TxnOutcome { revision: Revision(self.header.revision.0), succeeded: self.succeeded, results })
    }
}

impl OpResponse {
    fn of(header: Header, result: OpResult) -> Self {
        match result {
            put @ OpResult::Put { .. } => Self { response_put: Some(PutResponse::of(header, Some(put))), ..Self::default() },
            delete @ OpResult::Delete { .. } => {
                Self { response_delete_range: Some(DeleteRangeResponse::of(header, Some(delete))), ..Self::default() }
            }
            OpResult::Get(page) => {
                let header = Header { revision: Number(page.revision.0), ..header };
                let kvs: Vec<Kv> = page.entries.into_iter().map(Kv::from).collect();
                let count = Number(kvs.len() as u64);
                let range = RangeResponse { header, count, kvs, more: page.next.is_some() };
                Self { response_range: Some(range), ..Self::default() }
            }
        }
    }

    fn result(self, op: &Op) -> OpResult {
        match op {
            Op::Put { .. } => OpResult::Put { prev: self.response_put.and_then(|put| put.prev_kv).map(Entry::from) },
            Op::Delete { .. } => {
                let delete = self.response_delete_range.unwrap_or_default();
                OpResult::Delete { deleted: delete.deleted.0, prev: delete.prev_kvs.into_iter().map(Entry::from).collect() }
            }
            Op::Get { range, limit, reverse } => {
                let request = Request { limit: *limit, reverse: *reverse, ..Request::new(range.clone()) };
                OpResult::Get(self.response_range.unwrap_or_default().page(&request))
            }
        }
    }
}
