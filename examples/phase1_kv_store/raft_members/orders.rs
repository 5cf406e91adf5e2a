use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{links::State, member::Held};
use crate::request::{Answer, Request, Value};

/// A line to a member's process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Its links from now on.
    Links(State),
    Ask {
        id: u64,
        ask: Ask,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    Answer(Request),
    Held { linearizable: bool },
    History { until: u64 },
}

/// A line from it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Report {
    /// It listens; the first line.
    Ready,
    /// The term in which it believes to lead, where it does, whenever that changes.
    Claim(Option<u64>),
    Reply {
        id: u64,
        reply: Reply,
    },
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reply {
    Answer(Answer),
    Held(Held),
    History(BTreeSet<Value>),
    /// It could not.
    Failed(String),
}
