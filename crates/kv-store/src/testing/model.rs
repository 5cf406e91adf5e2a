use std::collections::BTreeMap;

use crate::{Entry, KeyRange, LeaseId, Op, OpResult, Page, RangeRequest, Revision, Txn, TxnOutcome};

/// What a store is, as plainly as can be: the whole map at each revision.
#[derive(Clone, Debug)]
pub(super) struct Model {
    base: Revision,
    /// The map at `base`, `base + 1`, and so on.
    states: Vec<BTreeMap<Vec<u8>, Entry>>,
}

impl Model {
    /// A store that is empty at `base`.
    pub(super) fn new(base: Revision) -> Self {
        Self { base, states: vec![BTreeMap::new()] }
    }

    pub(super) fn revision(&self) -> Revision {
        Revision(self.base.0 + self.states.len() as u64 - 1)
    }

    /// The revisions there are.
    pub(super) fn first(&self) -> Revision {
        self.base
    }

    pub(super) fn state(&self, at: Revision) -> &BTreeMap<Vec<u8>, Entry> {
        &self.states[(at.0 - self.base.0) as usize]
    }

    pub(super) fn txn(&mut self, txn: &Txn) -> TxnOutcome {
        let now = self.state(self.revision()).clone();
        let succeeded = txn.compares.iter().all(|compare| compare.holds(now.get(&compare.key)));
        let next = self.revision().next();
        let (mut state, mut changed) = (now, false);
        let results =
            if succeeded { &txn.then } else { &txn.otherwise }.iter().map(|op| apply(&mut state, &mut changed, op, next)).collect();
        if changed {
            self.states.push(state);
        }
        TxnOutcome { revision: self.revision(), succeeded, results }
    }

    /// Deletes what is on a lease.
    pub(super) fn revoke(&mut self, lease: LeaseId) {
        let mut state = self.state(self.revision()).clone();
        state.retain(|_, entry| entry.lease != Some(lease));
        if state.len() < self.state(self.revision()).len() {
            self.states.push(state);
        }
    }

    /// The entries that a request for one page finds, where a page holds them all.
    pub(super) fn range(&self, request: &RangeRequest) -> Vec<Entry> {
        select(self.state(request.revision.unwrap_or(self.revision())), &request.range, request.limit, request.reverse)
    }

    /// The keys that `revision` changed, with what they hold now and held before.
    pub(super) fn changes(&self, revision: Revision) -> Vec<(Vec<u8>, Option<Entry>, Option<Entry>)> {
        let (before, after) = (self.state(Revision(revision.0 - 1)), self.state(revision));
        let mut keys: Vec<&Vec<u8>> = before.keys().chain(after.keys()).collect();
        keys.sort();
        keys.dedup();
        let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
        changed.map(|key| (key.clone(), after.get(key).cloned(), before.get(key).cloned())).collect()
    }
}

fn apply(state: &mut BTreeMap<Vec<u8>, Entry>, changed: &mut bool, op: &Op, next: Revision) -> OpResult {
    match op {
        Op::Put { key, value, lease, prev } => {
            let before = state.get(key).cloned();
            let (created, version) = before.as_ref().map_or((next, 1), |entry| (entry.create_revision, entry.version + 1));
            let entry =
                Entry { key: key.clone(), value: value.clone(), create_revision: created, mod_revision: next, version, lease: *lease };
            state.insert(key.clone(), entry);
            *changed = true;
            OpResult::Put { prev: before.filter(|_| *prev) }
        }
        Op::Delete { range, prev } => {
            let gone = select(state, range, None, false);
            for entry in &gone {
                state.remove(&entry.key);
            }
            *changed |= !gone.is_empty();
            OpResult::Delete { deleted: gone.len() as u64, prev: if *prev { gone } else { Vec::new() } }
        }
        Op::Get { range, limit, reverse } => {
            let entries = select(state, range, *limit, *reverse);
            OpResult::Get(Page { revision: Revision::ZERO, entries, next: None })
        }
    }
}

fn select(state: &BTreeMap<Vec<u8>, Entry>, range: &KeyRange, limit: Option<usize>, reverse: bool) -> Vec<Entry> {
    let mut entries: Vec<Entry> = state.values().filter(|entry| range.contains(&entry.key)).cloned().collect();
    if reverse {
        entries.reverse();
    }
    entries.truncate(limit.unwrap_or(usize::MAX));
    entries
}
