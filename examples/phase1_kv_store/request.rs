//! What clients ask and are answered.

use serde::{Deserialize, Serialize};

use crate::deployment::Micros;

/// One try of one client at one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) client: u64,
    pub(crate) node: usize,
    pub(crate) key: u8,
    pub(crate) input: Input,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Input {
    Read(Level),
    Write(Value),
}

/// How fresh a read has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    Linearizable,
    /// Linearizable by a promise of time that a leader holds.
    Lease,
    /// At most so old.
    Stale {
        max_age: Micros,
    },
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Linearizable => "linearizable",
            Self::Lease => "lease",
            Self::Stale { .. } => "stale",
        }
    }
}

/// A value that is written once, so that it names its write: the client and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value(pub(crate) u64);

impl Value {
    pub(crate) fn new(client: u64, number: u64) -> Self {
        Self(client << 32 | number)
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let parts = text.split_once('.').and_then(|(client, number)| Some((client.parse::<u32>().ok()?, number.parse::<u32>().ok()?)));
        let (client, number) = parts.ok_or_else(|| serde::de::Error::custom("a value is a client and a number"))?;
        Ok(Self::new(client.into(), number.into()))
    }
}

/// The name of a key.
pub(crate) fn key_name(key: u8) -> String {
    if key < 3 { char::from(b'x' + key).to_string() } else { format!("k{key}") }
}

/// What a client knows of the end of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Of a read; the age as the node tells it, where it promises one.
    Value { value: Option<Value>, age: Option<Micros> },
    /// Of a write.
    Written,
    /// Nothing was done, and nothing will be.
    Refused { reason: Refusal, hint: Option<usize> },
    /// A write may have been done, or may still be; a read tells nothing.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    /// Another leads.
    NotLeader,
    /// The node knows of no leader.
    NoLeader,
    /// What a stale read would see is older than allowed.
    TooOld,
    /// Fewer than a majority can be reached.
    #[cfg(feature = "cluster")]
    NoQuorum,
    /// This store cannot promise that.
    #[cfg(feature = "cluster")]
    Unsupported,
    /// Nobody listens there.
    Down,
}

impl Refusal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotLeader => "not leader",
            Self::NoLeader => "no leader",
            Self::TooOld => "too old",
            #[cfg(feature = "cluster")]
            Self::NoQuorum => "no quorum",
            #[cfg(feature = "cluster")]
            Self::Unsupported => "not offered",
            Self::Down => "down",
        }
    }
}
