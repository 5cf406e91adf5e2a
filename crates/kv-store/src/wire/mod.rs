//! What the HTTP API speaks: the JSON of etcd's gateway (`/v3/..`), where keys, values and blobs are base64 and 64-bit numbers are strings,
//! and a few fields and paths (`/v1/..`) for what etcd does not have. Fields that hold their default may be left out, and unknown ones are
//! passed over, as in protobuf's JSON. Names may be written in `snake_case` or in `camelCase`.

mod data;
mod error;
mod kv;
mod lease;
mod members;
mod txn;
mod watch;

pub(crate) use data::{Bytes, Number};
pub(crate) use error::ErrorBody;
#[cfg(feature = "server")]
pub(crate) use error::Kind;
pub(crate) use kv::{
    CompactionRequest, DeleteRangeRequest, DeleteRangeResponse, Header, Kv, PutRequest, PutResponse, RangeRequest, RangeResponse, Span,
};
pub(crate) use lease::{GrantRequest, Granted, KeepAlive, LeaseRequest, TimeToLive};
pub(crate) use members::{MemberBody, MemberId, MemberList, StatusResponse};
pub(crate) use txn::{SessionBody, TxnRequest, TxnResponse};
#[cfg(feature = "client")]
pub(crate) use watch::WatchCreate;
pub(crate) use watch::{Streamed, WatchRequest, WatchResponse};

use serde::{Deserialize, Serialize};

/// Nothing: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Empty {}

/// Nothing but where the store is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Acknowledged {
    pub(crate) header: Header,
}

/// Whether a field holds its default, and is left out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
