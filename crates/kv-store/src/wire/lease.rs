use serde::{Deserialize, Serialize};

use super::{Bytes, Header, Number, is_default};

/// `/v3/lease/grant`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GrantRequest {
    /// In seconds.
    #[serde(rename = "TTL", skip_serializing_if = "is_default")]
    pub(crate) ttl: Number,
    #[serde(rename = "ID", skip_serializing_if = "is_default")]
    pub(crate) id: Number,
    /// Not etcd's: in milliseconds, in place of the seconds.
    #[serde(alias = "ttlMs", skip_serializing_if = "is_default")]
    pub(crate) ttl_ms: Number,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Granted {
    pub(crate) header: Header,
    #[serde(rename = "ID")]
    pub(crate) id: Number,
    #[serde(rename = "TTL")]
    pub(crate) ttl: Number,
}

/// `/v3/lease/revoke`, `/v3/lease/keepalive`, and `/v3/lease/timetolive`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LeaseRequest {
    #[serde(rename = "ID")]
    pub(crate) id: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) keys: bool,
}

/// A TTL of zero says that there is no such lease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeepAlive {
    pub(crate) header: Header,
    #[serde(rename = "ID")]
    pub(crate) id: Number,
    #[serde(rename = "TTL")]
    pub(crate) ttl: Number,
    #[serde(alias = "ttlMs", skip_serializing_if = "is_default")]
    pub(crate) ttl_ms: Number,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TimeToLive {
    pub(crate) header: Header,
    #[serde(rename = "ID")]
    pub(crate) id: Number,
    /// Seconds that are left; -1, as a string, where there is no such lease.
    #[serde(rename = "TTL")]
    pub(crate) ttl: String,
    #[serde(rename = "grantedTTL")]
    pub(crate) granted_ttl: Number,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) keys: Vec<Bytes>,
    #[serde(alias = "ttlMs", skip_serializing_if = "is_default")]
    pub(crate) ttl_ms: Number,
    #[serde(alias = "grantedTtlMs", skip_serializing_if = "is_default")]
    pub(crate) granted_ttl_ms: Number,
}
