use std::collections::{BTreeMap, BTreeSet};

use super::{
    async_term::{AsyncTerm, Message},
    election::Role,
    log::Entry,
};
use crate::{
    deployment::Micros,
    record::Claim,
    request::{Answer, Input, Level, Refusal, Request, Value},
    simulation::{Action, Node},
};

/// A key that no client has: what a new leader writes, so that it learns what a majority has.
const FIRST: u8 = u8::MAX;

/// **UNSAFE.** A replica that does all that a quorum asks for but one thing: it answers when a majority has a write *in memory*. Its log is
/// never synced, as with databases whose `fsync` was turned off; terms and votes are.
#[derive(Clone, Debug)]
pub(crate) struct Unsynced {
    replica: AsyncTerm,
    /// Writes that wait for a majority: how long the log was with each.
    writes: Vec<(usize, usize)>,
    /// Reads that wait until a majority has answered what was sent since they came.
    reads: Vec<Read>,
    /// How long the log was when this node began to lead, with its first entry.
    first: usize,
}

#[derive(Clone, Copy, Debug)]
struct Read {
    id: usize,
    key: u8,
    came: Micros,
}

impl Unsynced {
    /// A cluster of so many. The first stands for election first.
    pub(crate) fn cluster(nodes: usize, seed: u64) -> Vec<Self> {
        let of = |replica| Self { replica, writes: Vec::new(), reads: Vec::new(), first: 0 };
        AsyncTerm::cluster(nodes, seed).into_iter().map(of).collect()
    }

    fn leads(&self) -> bool {
        self.replica.election.role == Role::Leader
    }

    /// After anything happened: a new leader writes something, and one that leads answers what it may.
    fn go_on(&mut self, now: Micros, led: bool, mut actions: Vec<Action<Message>>) -> Vec<Action<Message>> {
        match (led, self.leads()) {
            (false, true) => {
                let term = self.replica.election.term;
                self.replica.log.push(now, Entry { term, key: FIRST, value: Value::new(0, term) });
                self.first = self.replica.log.len();
                actions.extend(self.replica.append_to_others(now));
            }
            (true, true) => actions.extend(self.answers()),
            // Nobody knows what becomes of them.
            (true, false) => (self.writes, self.reads) = (Vec::new(), Vec::new()),
            (false, false) => {}
        }
        actions
    }

    fn answers(&mut self) -> Vec<Action<Message>> {
        let (has, followed) = self.replica.majority_has();
        // What an earlier leader wrote is there for good once something of this one is.
        if has < self.first {
            return Vec::new();
        }
        self.replica.committed = self.replica.committed.max(has);
        let committed = self.replica.committed;
        let written = self.writes.extract_if(.., |(len, _)| *len <= committed);
        let mut actions: Vec<_> = written.map(|(_, id)| Action::Reply { id, answer: Answer::Written }).collect();
        let log = &self.replica.log;
        let read = self.reads.extract_if(.., |read| read.came <= followed);
        actions.extend(read.map(|read| {
            let answer = Answer::Value { value: log.value(read.key, committed), age: None };
            Action::Reply { id: read.id, answer }
        }));
        actions
    }

    fn stale(&self, now: Micros, key: u8, max_age: Micros) -> Answer {
        let heard = if self.leads() { self.replica.majority_has().1 } else { self.replica.election.heard };
        let age = now - heard;
        if age > max_age {
            return Answer::Refused { reason: Refusal::TooOld, hint: None };
        }
        Answer::Value { value: self.replica.log.value(key, self.replica.committed), age: Some(age) }
    }
}

impl Node for Unsynced {
    type Message = Message;

    fn tick(&mut self, now: Micros) -> Vec<Action<Message>> {
        let (led, actions) = (self.leads(), self.replica.tick(now));
        self.go_on(now, led, actions)
    }

    fn step(&mut self, now: Micros, from: usize, message: Message) -> Vec<Action<Message>> {
        let (led, actions) = (self.leads(), self.replica.step(now, from, message));
        self.go_on(now, led, actions)
    }

    fn request(&mut self, now: Micros, id: usize, request: &Request) -> Vec<Action<Message>> {
        match request.input {
            Input::Read(Level::Stale { max_age }) => return vec![Action::Reply { id, answer: self.stale(now, request.key, max_age) }],
            _ if !self.leads() => return vec![Action::Reply { id, answer: self.replica.refuse() }],
            Input::Read(_) => self.reads.push(Read { id, key: request.key, came: now }),
            Input::Write(value) => {
                let term = self.replica.election.term;
                self.replica.log.push(now, Entry { term, key: request.key, value });
                self.writes.push((self.replica.log.len(), id));
            }
        }
        self.replica.append_to_others(now)
    }

    /// The system had time to write nothing of the log back: it takes seconds.
    fn lose_after(&mut self, _: Micros) {
        self.replica.lose_after(0);
        (self.writes, self.reads) = (Vec::new(), Vec::new());
    }

    fn restart(&mut self, now: Micros) {
        (self.writes, self.reads) = (Vec::new(), Vec::new());
        self.replica.restart(now);
    }

    fn claim(&self) -> Option<Claim> {
        self.replica.claim()
    }

    fn values(&self) -> BTreeMap<u8, Value> {
        let mut values = self.replica.values();
        values.remove(&FIRST);
        values
    }

    fn surviving(nodes: &[Self]) -> BTreeSet<Value> {
        let replicas: Vec<AsyncTerm> = nodes.iter().map(|node| node.replica.clone()).collect();
        AsyncTerm::surviving(&replicas)
    }
}
