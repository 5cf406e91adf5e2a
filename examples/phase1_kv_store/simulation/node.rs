use std::collections::{BTreeMap, BTreeSet};

use crate::{
    deployment::Micros,
    record::Claim,
    request::{Answer, Request, Value},
};

/// A replica as a state machine: it takes events with their time and returns what is to be done.
pub(crate) trait Node: Sized {
    type Message: Clone;

    /// Time has passed.
    fn tick(&mut self, now: Micros) -> Vec<Action<Self::Message>>;

    /// A message came.
    fn step(&mut self, now: Micros, from: usize, message: Self::Message) -> Vec<Action<Self::Message>>;

    /// A client asks; `id` names the request in the reply.
    fn request(&mut self, now: Micros, id: usize, request: &Request) -> Vec<Action<Self::Message>>;

    /// Its power fails: what it took after `synced` is gone.
    fn lose_after(&mut self, synced: Micros);

    /// It starts again with what it had on disk.
    fn restart(&mut self, now: Micros);

    /// Whether it believes to lead.
    fn claim(&self) -> Option<Claim>;

    /// What it holds.
    fn values(&self) -> BTreeMap<u8, Value>;

    /// Every value that is part of what these nodes will go on with.
    fn surviving(nodes: &[Self]) -> BTreeSet<Value>;
}

/// What a node wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action<M> {
    Send {
        to: usize,
        message: M,
    },
    /// Answers a client at once.
    Reply {
        id: usize,
        answer: Answer,
    },
    /// Answers a client after a sync of the disk.
    ReplyDurable {
        id: usize,
        answer: Answer,
    },
}
