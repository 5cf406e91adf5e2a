use std::collections::{BTreeMap, BTreeSet};

use super::{HEARTBEAT, SILENCE};
use crate::{
    deployment::{MILLI, Micros},
    record::Claim,
    request::{Answer, Input, Level, Refusal, Request, Value},
    simulation::{Action, Node},
};

/// Backups wait longer the greater their number, so that one of them is first.
const STAGGER: Micros = 40 * MILLI;

/// **UNSAFE.** A replica of a primary with backups: no terms, no quorum, last write wins. Clocks agree to the microsecond here, which is the
/// best case for it.
#[derive(Clone, Debug)]
pub(crate) struct Naive {
    id: usize,
    nodes: usize,
    role: Role,
    /// When the next heartbeat is due.
    beat: Micros,
    records: BTreeMap<u8, Write>,
    /// All that made the records what they are, and when each came.
    taken: Vec<(Micros, u8, Write)>,
    /// Each value that it ever took, with what stood there before in the eyes of whoever wrote it.
    journal: BTreeMap<Value, Option<Value>>,
    /// What a primary wrote since it last replicated.
    unsent: Vec<(u8, Write)>,
    /// When it last wrote, so that no two of its writes have one time.
    wrote: Micros,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Role {
    Primary,
    Backup { primary: Option<usize>, heard: Micros },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    value: Value,
    /// Who wins: the later one, and of two at one time that of the greater node.
    stamp: (Micros, usize),
    replaces: Option<Value>,
}

#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// A primary is there, and has this.
    Beat(BTreeMap<u8, Write>),
    /// A primary wrote.
    Changes(Vec<(u8, Write)>),
    /// A primary that gave up had this.
    Merge(BTreeMap<u8, Write>),
}

impl Naive {
    /// A cluster of so many, the first of which is the primary.
    pub(crate) fn cluster(nodes: usize) -> Vec<Self> {
        let role = |id| if id == 0 { Role::Primary } else { Role::Backup { primary: Some(0), heard: 0 } };
        let node = |id| Self {
            id,
            nodes,
            role: role(id),
            beat: 0,
            records: BTreeMap::new(),
            taken: Vec::new(),
            journal: BTreeMap::new(),
            unsent: Vec::new(),
            wrote: 0,
        };
        (0..nodes).map(node).collect()
    }

    fn take(&mut self, now: Micros, key: u8, write: Write) {
        self.journal.insert(write.value, write.replaces);
        if self.records.get(&key).is_none_or(|held| held.stamp < write.stamp) {
            self.records.insert(key, write);
            self.taken.push((now, key, write));
        }
    }

    fn take_all(&mut self, now: Micros, writes: impl IntoIterator<Item = (u8, Write)>) {
        writes.into_iter().for_each(|(key, write)| self.take(now, key, write));
    }

    fn hear(&mut self, now: Micros, from: usize) -> Vec<Action<Message>> {
        let was_primary = self.role == Role::Primary;
        if was_primary && from > self.id {
            return Vec::new();
        }
        self.role = Role::Backup { primary: Some(from), heard: now };
        let message = Message::Merge(self.records.clone());
        if was_primary { vec![Action::Send { to: from, message }] } else { Vec::new() }
    }

    fn to_others(&self, message: &Message) -> Vec<Action<Message>> {
        let others = (0..self.nodes).filter(|&to| to != self.id);
        others.map(|to| Action::Send { to, message: message.clone() }).collect()
    }

    fn write(&mut self, now: Micros, id: usize, key: u8, value: Value) -> Vec<Action<Message>> {
        let replaces = self.records.get(&key).map(|write| write.value);
        self.wrote = now.max(self.wrote + 1);
        let write = Write { value, stamp: (self.wrote, self.id), replaces };
        self.take(now, key, write);
        self.unsent.push((key, write));
        // The mistake: the answer waits for this disk and for nobody else.
        vec![Action::ReplyDurable { id, answer: Answer::Written }]
    }

    fn read(&self, now: Micros, key: u8, level: Level) -> Answer {
        let value = self.records.get(&key).map(|write| write.value);
        match (&self.role, level) {
            (Role::Primary, _) => Answer::Value { value, age: matches!(level, Level::Stale { .. }).then_some(0) },
            (Role::Backup { heard, .. }, Level::Stale { max_age }) if now - heard <= max_age => {
                Answer::Value { value, age: Some(now - heard) }
            }
            (Role::Backup { primary, .. }, Level::Stale { .. }) => Answer::Refused { reason: Refusal::TooOld, hint: *primary },
            (Role::Backup { primary, .. }, _) => Answer::Refused { reason: Refusal::NotLeader, hint: *primary },
        }
    }
}

impl Node for Naive {
    type Message = Message;

    fn tick(&mut self, now: Micros) -> Vec<Action<Message>> {
        if let Role::Backup { heard, .. } = self.role
            && now - heard > SILENCE + STAGGER * self.id as u64
        {
            self.role = Role::Primary;
            self.beat = now;
        }
        let unsent = std::mem::take(&mut self.unsent);
        let mut actions = if unsent.is_empty() { Vec::new() } else { self.to_others(&Message::Changes(unsent)) };
        if self.role == Role::Primary && now >= self.beat {
            self.beat = now + HEARTBEAT;
            actions.extend(self.to_others(&Message::Beat(self.records.clone())));
        }
        actions
    }

    fn step(&mut self, now: Micros, from: usize, message: Message) -> Vec<Action<Message>> {
        match message {
            Message::Beat(records) => {
                let actions = self.hear(now, from);
                self.take_all(now, records);
                return actions;
            }
            Message::Changes(changes) => self.take_all(now, changes),
            Message::Merge(records) => self.take_all(now, records),
        }
        Vec::new()
    }

    fn request(&mut self, now: Micros, id: usize, request: &Request) -> Vec<Action<Message>> {
        match (request.input, &self.role) {
            (Input::Write(value), Role::Primary) => self.write(now, id, request.key, value),
            (Input::Write(_), Role::Backup { primary, .. }) => {
                vec![Action::Reply { id, answer: Answer::Refused { reason: Refusal::NotLeader, hint: *primary } }]
            }
            (Input::Read(level), _) => vec![Action::Reply { id, answer: self.read(now, request.key, level) }],
        }
    }

    fn lose_after(&mut self, synced: Micros) {
        self.taken.retain(|(at, ..)| *at <= synced);
        self.records = self.taken.iter().map(|(_, key, write)| (*key, *write)).collect();
    }

    fn restart(&mut self, now: Micros) {
        self.role = Role::Backup { primary: None, heard: now };
        self.unsent.clear();
    }

    fn claim(&self) -> Option<Claim> {
        (self.role == Role::Primary).then_some(Claim { term: None })
    }

    fn values(&self) -> BTreeMap<u8, Value> {
        self.records.iter().map(|(key, write)| (*key, write.value)).collect()
    }

    /// What the primary holds, and what that replaced, back to the first value of each key.
    fn surviving(nodes: &[Self]) -> BTreeSet<Value> {
        let journal: BTreeMap<Value, Option<Value>> = nodes.iter().flat_map(|node| node.journal.clone()).collect();
        let primary = nodes.iter().find(|node| node.role == Role::Primary);
        let mut surviving = BTreeSet::new();
        for write in primary.iter().flat_map(|primary| primary.records.values()) {
            let mut value = Some(write.value);
            while let Some(found) = value.filter(|found| surviving.insert(*found)) {
                value = journal.get(&found).copied().flatten();
            }
        }
        surviving
    }
}
