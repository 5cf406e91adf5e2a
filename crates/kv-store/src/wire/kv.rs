use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Bytes, Number, is_default};
use crate::{Entry, Error, KeyRange, LeaseId, Op, OpResult, Page, RangeRequest as Request, ReadLevel, Result, Revision};

/// Who answers, and where the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Header {
    #[serde(alias = "clusterId", skip_serializing_if = "is_default")]
    pub(crate) cluster_id: Number,
    #[serde(alias = "memberId", skip_serializing_if = "is_default")]
    pub(crate) member_id: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) revision: Number,
    #[serde(alias = "raftTerm", skip_serializing_if = "is_default")]
    pub(crate) raft_term: Number,
}

/// A key with its value and history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kv {
    pub(crate) key: Bytes,
    #[serde(alias = "createRevision", skip_serializing_if = "is_default")]
    pub(crate) create_revision: Number,
    #[serde(alias = "modRevision", skip_serializing_if = "is_default")]
    pub(crate) mod_revision: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) version: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) value: Bytes,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) lease: Number,
}

impl From<Entry> for Kv {
    fn from(entry: Entry) -> Self {
        Self {
            key: Bytes(entry.key),
            create_revision: Number(entry.create_revision.0),
            mod_revision: Number(entry.mod_revision.0),
            version: Number(entry.version),
            value: Bytes(entry.value),
            lease: Number(entry.lease.map_or(0, |lease| lease.0)),
        }
    }
}

impl From<Kv> for Entry {
    fn from(kv: Kv) -> Self {
        Self {
            key: kv.key.0,
            value: kv.value.0,
            create_revision: Revision(kv.create_revision.0),
            mod_revision: Revision(kv.mod_revision.0),
            version: kv.version.0,
            lease: lease(kv.lease),
        }
    }
}

/// Keys from `key` to before `range_end`: without an end that key alone, with one of a zero byte every key from there on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Span {
    pub(crate) key: Bytes,
    #[serde(alias = "rangeEnd", skip_serializing_if = "is_default")]
    pub(crate) range_end: Bytes,
}

impl Span {
    /// The range that it stands for.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there is no key.
    pub(crate) fn range(self) -> Result<KeyRange> {
        match (self.key.0, self.range_end.0) {
            (key, _) if key.is_empty() => Err(Error::Invalid("a key is empty".into())),
            (key, end) if end.is_empty() => Ok(KeyRange::key(key)),
            (key, end) if end == [0] => Ok(KeyRange { start: from(key), end: None }),
            (key, end) => Ok(KeyRange { start: from(key), end: Some(end) }),
        }
    }
}

/// etcd begins a range of every key at a zero byte.
fn from(key: Vec<u8>) -> Vec<u8> {
    if key == [0] { Vec::new() } else { key }
}

impl From<&KeyRange> for Span {
    fn from(range: &KeyRange) -> Self {
        // No key is empty, so that a range that ends at a zero byte is as empty as one that is turned around.
        if range.is_empty() || range.end.as_deref() == Some(&[0]) {
            return Self { key: Bytes(vec![1]), range_end: Bytes(vec![1]) };
        }
        let start = if range.start.is_empty() { vec![0] } else { range.start.clone() };
        let end = range.end.clone().unwrap_or_else(|| vec![0]);
        Self { key: Bytes(start), range_end: Bytes(end) }
    }
}

/// `/v3/kv/range`
#[expect(clippy::struct_excessive_bools, reason = "the fields are etcd's")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RangeRequest {
    #[serde(flatten)]
    pub(crate) span: Span,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) limit: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) revision: Number,
    #[serde(alias = "sortOrder", skip_serializing_if = "is_default")]
    pub(crate) sort_order: SortOrder,
    #[serde(alias = "sortTarget", skip_serializing_if = "is_default")]
    pub(crate) sort_target: SortTarget,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) serializable: bool,
    #[serde(alias = "keysOnly", skip_serializing_if = "is_default")]
    pub(crate) keys_only: bool,
    #[serde(alias = "countOnly", skip_serializing_if = "is_default")]
    pub(crate) count_only: bool,
    /// Not etcd's: of a serializable read, how old the state may be, in milliseconds; any age where it is left out.
    #[serde(alias = "maxAgeMs", skip_serializing_if = "is_default")]
    pub(crate) max_age_ms: Option<Number>,
    /// Not etcd's: a read by a leader's lease.
    #[serde(alias = "byLease", skip_serializing_if = "is_default")]
    pub(crate) by_lease: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum SortOrder {
    #[default]
    None,
    Ascend,
    Descend,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum SortTarget {
    #[default]
    Key,
    Version,
    Create,
    Mod,
    Value,
}

impl RangeRequest {
    pub(crate) fn request(self) -> Result<Request> {
        if self.sort_order != SortOrder::None && self.sort_target != SortTarget::Key {
            return Err(Error::Unsupported("an order other than that of keys".into()));
        }
        let age = self.max_age_ms.map_or(Duration::MAX, |millis| Duration::from_millis(millis.0));
        let level = match (self.by_lease, self.serializable) {
            (true, _) => ReadLevel::Lease,
            (false, true) => ReadLevel::Stale { max_age: age },
            (false, false) => ReadLevel::Linearizable,
        };
        Ok(Request {
            range: self.span.range()?,
            limit: (self.limit.0 > 0).then_some(self.limit.0 as usize),
            reverse: self.sort_order == SortOrder::Descend,
            keys_only: self.keys_only,
            revision: (self.revision.0 > 0).then_some(Revision(self.revision.0)),
            level,
        })
    }
}

impl From<&Request> for RangeRequest {
    fn from(request: &Request) -> Self {
        let max_age = if let ReadLevel::Stale { max_age } = request.level { Some(max_age) } else { None };
        Self {
            span: (&request.range).into(),
            limit: Number(request.limit.unwrap_or(0) as u64),
            revision: Number(request.revision.map_or(0, |revision| revision.0)),
            sort_order: if request.reverse { SortOrder::Descend } else { SortOrder::None },
            sort_target: SortTarget::Key,
            serializable: max_age.is_some(),
            keys_only: request.keys_only,
            count_only: request.limit == Some(0),
            max_age_ms: max_age.filter(|age| *age != Duration::MAX).map(|age| Number(millis(age))),
            by_lease: request.level == ReadLevel::Lease,
        }
    }
}

/// Whole milliseconds, cut off: what is promised of a time stays true.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RangeResponse {
    pub(crate) header: Header,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) kvs: Vec<Kv>,
    /// Whether the range has keys beyond those returned. Pages are also cut where no limit was asked for.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) more: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) count: Number,
}

impl RangeResponse {
    /// The page that answers `request`.
    pub(crate) fn page(self, request: &Request) -> Page {
        let revision = Revision(self.header.revision.0);
        let entries: Vec<Entry> = self.kvs.into_iter().map(Entry::from).collect();
        let next = self.more.then(|| {
            let range = entries.last().map_or_else(|| request.range.clone(), |last| request.range.after(&last.key, request.reverse));
            Request { range, revision: Some(request.revision.unwrap_or(revision)), ..request.clone() }
        });
        Page { revision, entries, next }
    }
}

/// `/v3/kv/put`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PutRequest {
    pub(crate) key: Bytes,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) value: Bytes,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) lease: Number,
    #[serde(alias = "prevKv", skip_serializing_if = "is_default")]
    pub(crate) prev_kv: bool,
    #[serde(alias = "ignoreValue", skip_serializing_if = "is_default")]
    pub(crate) ignore_value: bool,
    #[serde(alias = "ignoreLease", skip_serializing_if = "is_default")]
    pub(crate) ignore_lease: bool,
}

impl PutRequest {
    pub(crate) fn op(self) -> Result<Op> {
        if self.ignore_value || self.ignore_lease {
            return Err(Error::Unsupported("a put that keeps the old value or lease".into()));
        }
        Ok(Op::Put { key: self.key.0, value: self.value.0, lease: lease(self.lease), prev: self.prev_kv })
    }
}

/// A lease's name; zero is none.
pub(crate) fn lease(number: Number) -> Option<LeaseId> {
    (number.0 > 0).then_some(LeaseId(number.0))
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PutResponse {
    pub(crate) header: Header,
    #[serde(alias = "prevKv", skip_serializing_if = "is_default")]
    pub(crate) prev_kv: Option<Kv>,
}

/// `/v3/kv/deleterange`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DeleteRangeRequest {
    #[serde(flatten)]
    pub(crate) span: Span,
    #[serde(alias = "prevKv", skip_serializing_if = "is_default")]
    pub(crate) prev_kv: bool,
}

impl DeleteRangeRequest {
    pub(crate) fn op(self) -> Result<Op> {
        Ok(Op::Delete { range: self.span.range()?, prev: self.prev_kv })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DeleteRangeResponse {
    pub(crate) header: Header,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) deleted: Number,
    #[serde(alias = "prevKvs", skip_serializing_if = "is_default")]
    pub(crate) prev_kvs: Vec<Kv>,
}

impl PutResponse {
    pub(crate) fn of(header: Header, result: Option<OpResult>) -> Self {
        let prev = if let Some(OpResult::Put { prev }) = result { prev } else { None };
        Self { header, prev_kv: prev.map(Kv::from) }
    }
}

impl DeleteRangeResponse {
    pub(crate) fn of(header: Header, result: Option<OpResult>) -> Self {
        let Some(OpResult::Delete { deleted, prev }) = result else { return Self { header, ..Self::default() } };
        Self { header, deleted: Number(deleted), prev_kvs: prev.into_iter().map(Kv::from).collect() }
    }
}

/// `/v3/kv/compaction`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CompactionRequest {
    pub(crate) revision: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) physical: bool,
}
