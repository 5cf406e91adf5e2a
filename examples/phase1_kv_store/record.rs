//! What happened: every operation with what its client knows of it, who believed to lead and when, and what was left.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    deployment::Micros,
    request::{Answer, Input, Level, Request, Value},
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// In the order of their calls.
    pub(crate) operations: Vec<Operation>,
    /// In the order of their beginnings.
    pub(crate) reigns: Vec<Reign>,
    /// Every value that is part of what was left: it stands there, or was overwritten on the way to what stands there.
    pub(crate) surviving: BTreeSet<Value>,
    /// By node, what it held in the end.
    pub(crate) replicas: Vec<BTreeMap<u8, Value>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Operation {
    pub(crate) client: u64,
    pub(crate) node: usize,
    pub(crate) key: u8,
    pub(crate) input: Input,
    pub(crate) call: Micros,
    /// When the client heard of it, or gave up; `None` where it still waits.
    pub(crate) end: Option<Micros>,
    pub(crate) answer: Answer,
}

/// A stretch of time in which a node believed to lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Reign {
    pub(crate) node: usize,
    pub(crate) term: Option<u64>,
    pub(crate) from: Micros,
    /// `None` where it lasts.
    pub(crate) until: Option<Micros>,
}

/// That a node leads, as it believes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// `None` where there are no terms.
    pub(crate) term: Option<u64>,
}

impl Record {
    /// A client calls. Returns the operation's place.
    pub(crate) fn call(&mut self, now: Micros, request: &Request) -> usize {
        let Request { client, node, key, input } = *request;
        self.operations.push(Operation { client, node, key, input, call: now, end: None, answer: Answer::Unknown });
        self.operations.len() - 1
    }

    /// It has an answer, or its client gave up. Later answers change nothing.
    pub(crate) fn end(&mut self, now: Micros, operation: usize, answer: Answer) -> bool {
        let operation = &mut self.operations[operation];
        let is_first = operation.end.is_none();
        if is_first {
            (operation.end, operation.answer) = (Some(now), answer);
        }
        is_first
    }

    /// The last operation of a client.
    pub(crate) fn last_of(&self, client: u64) -> Option<&Operation> {
        self.operations.iter().rev().find(|operation| operation.client == client)
    }

    /// What a node believes now: that it leads, or that it does not.
    pub(crate) fn believes(&mut self, now: Micros, node: usize, claim: Option<Claim>) {
        let open = self.reigns.iter_mut().rev().find(|reign| reign.node == node && reign.until.is_none());
        if open.as_ref().map(|reign| Claim { term: reign.term }) == claim {
            return;
        }
        if let Some(open) = open {
            open.until = Some(now);
        }
        if let Some(Claim { term }) = claim {
            self.reigns.push(Reign { node, term, from: now, until: None });
        }
    }
}

impl Operation {
    /// The value that it wrote, where that was acknowledged.
    pub(crate) fn acknowledged(&self) -> Option<Value> {
        match (self.input, &self.answer) {
            (Input::Write(value), Answer::Written) => Some(value),
            _ => None,
        }
    }

    /// Whether it is a read that may be old.
    pub(crate) fn is_stale_read(&self) -> bool {
        matches!(self.input, Input::Read(Level::Stale { .. }))
    }

    /// Whether it was done, as its client knows.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.answer, Answer::Value { .. } | Answer::Written)
    }
}
