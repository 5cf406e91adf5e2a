use std::collections::BTreeMap;

use crate::{deployment::Micros, request::Value};

/// A log of writes and what it amounts to. On disk, as far as the simulation goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// When each was taken.
    taken: Vec<Micros>,
    records: BTreeMap<u8, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(super) term: u64,
    pub(super) key: u8,
    pub(super) value: Value,
}

impl Log {
    /// What each key holds after the last entry.
    pub(super) fn records(&self) -> &BTreeMap<u8, Value> {
        &self.records
    }

    pub(super) fn values(&self) -> impl Iterator<Item = Value> {
        self.entries.iter().map(|entry| entry.value)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What a key holds after the first `len` entries.
    pub(super) fn value(&self, key: u8, len: usize) -> Option<Value> {
        self.entries[..len].iter().rev().find(|entry| entry.key == key).map(|entry| entry.value)
    }

    /// The term of the last entry and the number of entries: how current the log is.
    pub(super) fn last(&self) -> (u64, usize) {
        (self.term_before(self.len()), self.len())
    }

    /// The entries after the first `before`, and the term of the last of those.
    pub(super) fn after(&self, before: usize) -> (u64, Vec<Entry>) {
        (self.term_before(before), self.entries[before..].to_vec())
    }

    pub(super) fn push(&mut self, now: Micros, entry: Entry) {
        self.entries.push(entry);
        self.taken.push(now);
        self.records.insert(entry.key, entry.value);
    }

    /// Takes what a leader sends, in place of whatever contradicts it. Where it has no place for it yet, it says from which entry on it
    /// needs the log.
    pub(super) fn take(&mut self, now: Micros, before: usize, before_term: u64, entries: &[Entry]) -> Option<usize> {
        let fits = before <= self.len() && self.term_before(before) == before_term;
        if !fits {
            // Ten entries further back than what certainly differs, so that long logs meet soon.
            return Some(before.min(self.len() + 1).saturating_sub(10));
        }
        let known = self.entries[before..].iter().zip(entries).take_while(|(held, sent)| held == sent).count();
        let new = &entries[known..];
        if !new.is_empty() {
            self.cut(before + known);
            for entry in new {
                self.push(now, *entry);
            }
        }
        None
    }

    /// What was taken later than that is gone.
    pub(super) fn lose_after(&mut self, synced: Micros) {
        self.cut(self.taken.partition_point(|taken| *taken <= synced));
    }

    fn cut(&mut self, len: usize) {
        if len < self.len() {
            self.entries.truncate(len);
            self.taken.truncate(len);
            self.records = self.entries.iter().map(|entry| (entry.key, entry.value)).collect();
        }
    }

    fn term_before(&self, len: usize) -> u64 {
        len.checked_sub(1).map_or(0, |last| self.entries[last].term)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(terms: &[u64], client: u64) -> Log {
        let mut log = Log::default();
        for (number, term) in (0..).zip(terms) {
            log.push(number, Entry { term: *term, key: (number % 3) as u8, value: Value::new(client * term, number) });
        }
        log
    }

    proptest! {
        /// Raft's log matching: logs that share the entry at a place share all before it, so those of one leader of a term do here.
        #[test]
        fn whatever_a_follower_held_it_ends_with_the_leaders_log(shared in 0..30_usize, leader in 0..30_u64, follower in 0..30_u64, new in 1..5_u64) {
            let common = vec![1; shared];
            let terms = |more: u64, term| [common.clone(), vec![term; more as usize]].concat();
            let (mut ours, mut theirs) = (log(&terms(leader, 3), 7), log(&terms(follower, 2), 7));
            for number in 0..new {
                ours.push(number, Entry { term: 4, key: 0, value: Value::new(9, number) });
            }
            let mut before = ours.len() - new as usize;
            let mut rounds = 0;
            loop {
                let (term, entries) = ours.after(before);
                let Some(needs) = theirs.take(0, before, term, &entries) else { break };
                prop_assert!(needs < before, "it goes back until it fits");
                before = needs;
                rounds += 1;
            }
            prop_assert!(rounds <= 8);
            prop_assert_eq!(&ours.entries, &theirs.entries);
            prop_assert_eq!(ours.records(), theirs.records());
        }
    }
}
