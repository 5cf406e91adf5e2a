use std::collections::BTreeMap;

use super::{caller::Caller, range};
use crate::{Entry, KeyRange, Op, OpResult, RangeRequest, Result, Revision, Txn, TxnOutcome};

impl Caller {
    /// What `txn` answered when it was carried out at `revision`, from the state before.
    ///
    /// # Errors
    /// Where that state was compacted, among others.
    pub(super) async fn replay(&self, txn: &Txn, revision: Revision) -> Result<TxnOutcome> {
        let mut replay = Replay { caller: self, at: revision, changed: BTreeMap::new() };
        let mut succeeded = true;
        for compare in &txn.compares {
            succeeded = succeeded && compare.holds(replay.entry(&compare.key).await?.as_ref());
        }
        let mut results = Vec::new();
        for op in if succeeded { &txn.then } else { &txn.otherwise } {
            results.push(replay.op(op).await?);
        }
        Ok(TxnOutcome { revision, succeeded, results })
    }
}

/// A transaction that is carried out again, on nothing but what was read.
struct Replay<'a> {
    caller: &'a Caller,
    at: Revision,
    /// What it has made of keys so far; `None` where it deleted them.
    changed: BTreeMap<Vec<u8>, Option<Entry>>,
}

impl Replay<'_> {
    async fn op(&mut self, op: &Op) -> Result<OpResult> {
        Ok(match op {
            Op::Put { key, value, lease, prev } => {
                let before = self.entry(key).await?;
                let (create_revision, version) = before.as_ref().map_or((self.at, 1), |entry| (entry.create_revision, entry.version + 1));
                let (key, value, lease) = (key.clone(), value.clone(), *lease);
                let entry = Entry { key: key.clone(), value, create_revision, mod_revision: self.at, version, lease };
                self.changed.insert(key, Some(entry));
                OpResult::Put { prev: before.filter(|_| *prev) }
            }
            Op::Delete { range, prev } => {
                let gone = self.entries(range).await?;
                self.changed.extend(gone.iter().map(|entry| (entry.key.clone(), None)));
                OpResult::Delete { deleted: gone.len() as u64, prev: if *prev { gone } else { Vec::new() } }
            }
            Op::Get { range, limit, reverse } => {
                let mut entries = self.entries(range).await?;
                if *reverse {
                    entries.reverse();
                }
                let limits = &self.caller.options.limits;
                let request = RangeRequest { limit: *limit, reverse: *reverse, ..RangeRequest::new(range.clone()) };
                OpResult::Get(range::cut(entries, &request, range::page_limit(*limit, limits), false, self.at, self.at, limits))
            }
        })
    }

    async fn entry(&self, key: &[u8]) -> Result<Option<Entry>> {
        Ok(self.entries(&KeyRange::key(key)).await?.pop())
    }

    /// The entries of a range, with what was changed so far.
    async fn entries(&self, range: &KeyRange) -> Result<Vec<Entry>> {
        let before = Revision(self.at.0.saturating_sub(1));
        let mut entries: BTreeMap<_, _> =
            self.caller.all(range, before).await?.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        for (key, change) in self.changed.iter().filter(|(key, _)| range.contains(key)) {
            match change {
                Some(entry) => entries.insert(key.clone(), entry.clone()),
                None => entries.remove(key),
            };
        }
        Ok(entries.into_values().collect())
    }
}
