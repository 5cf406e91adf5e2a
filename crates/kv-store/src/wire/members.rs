use serde::{Deserialize, Serialize};

use super::{Header, Number, is_default};
use crate::Member;

/// A member, and what `/v3/cluster/member/add` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberBody {
    #[serde(rename = "ID")]
    pub(crate) id: Number,
    #[serde(rename = "peerURLs")]
    pub(crate) peer_urls: Vec<String>,
    #[serde(rename = "clientURLs", skip_serializing_if = "is_default")]
    pub(crate) client_urls: Vec<String>,
    #[serde(rename = "isLearner", skip_serializing_if = "is_default")]
    pub(crate) is_learner: bool,
}

impl From<Member> for MemberBody {
    fn from(member: Member) -> Self {
        Self {
            id: Number(member.id),
            peer_urls: vec![member.peer],
            client_urls: member.client.into_iter().collect(),
            is_learner: !member.voter,
        }
    }
}

impl From<MemberBody> for Member {
    fn from(body: MemberBody) -> Self {
        Self {
            id: body.id.0,
            peer: body.peer_urls.into_iter().next().unwrap_or_default(),
            client: body.client_urls.into_iter().next(),
            voter: !body.is_learner,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberList {
    pub(crate) header: Header,
    pub(crate) members: Vec<MemberBody>,
}

/// `/v3/cluster/member/promote` and `/v3/cluster/member/remove`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberId {
    #[serde(rename = "ID")]
    pub(crate) id: Number,
}

/// `/v3/maintenance/status`, with what a store of this crate says besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StatusResponse {
    pub(crate) header: Header,
    pub(crate) version: String,
    #[serde(rename = "dbSize", skip_serializing_if = "is_default")]
    pub(crate) db_size: Option<Number>,
    /// Who leads, as far as is known.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) leader: Number,
    /// The last entry that is known to be committed.
    #[serde(rename = "raftIndex", skip_serializing_if = "is_default")]
    pub(crate) raft_index: Number,
    #[serde(rename = "raftTerm", skip_serializing_if = "is_default")]
    pub(crate) raft_term: Number,
    #[serde(rename = "raftAppliedIndex", skip_serializing_if = "is_default")]
    pub(crate) raft_applied_index: Number,
    /// What keeps the member from its work.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) errors: Vec<String>,
    #[serde(rename = "isLearner", skip_serializing_if = "is_default")]
    pub(crate) is_learner: bool,
    /// Not etcd's: where the leader is.
    #[serde(rename = "leaderURL", skip_serializing_if = "is_default")]
    pub(crate) leader_url: Option<String>,
    pub(crate) kind: String,
    pub(crate) compacted: Number,
    pub(crate) applied: Number,
    pub(crate) keys: Number,
    pub(crate) leases: Number,
}
