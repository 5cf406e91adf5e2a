use std::collections::BTreeSet;

use crate::{Error, KeyRange, Op, Result, Txn};

/// What a store takes at most, checked before anything is done. All sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Of a key.
    pub key: usize,
    /// Of a value.
    pub value: usize,
    /// Compares and operations of a transaction, of both branches.
    pub operations: usize,
    /// Keys and values of a transaction together.
    pub transaction: usize,
    /// Keys and values of a page; a page is cut after the entry that passes it.
    pub page: usize,
    /// Entries of a page, where the request names no smaller number.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { key: 4 << 10, value: 1 << 20, operations: 128, transaction: 4 << 20, page: 1 << 20, entries: 1000 }
    }
}

impl Limits {
    /// Whether `txn` keeps to them.
    pub(crate) fn check(&self, txn: &Txn) -> Result<()> {
        let ops = || txn.then.iter().chain(&txn.otherwise);
        within("a transaction's number of operations", txn.compares.len() + ops().count(), self.operations)?;
        let mut total = 0;
        for compare in &txn.compares {
            within("a key", compare.key.len(), self.key)?;
            total += compare.size();
        }
        for op in ops() {
            self.check_op(op)?;
            total += op.size();
        }
        within("a transaction", total, self.transaction)?;
        changes_once(&txn.then)?;
        changes_once(&txn.otherwise)
    }

    pub(crate) fn check_op(&self, op: &Op) -> Result<()> {
        match op {
            Op::Put { key, .. } if key.is_empty() => Err(Error::Invalid("a key is empty".into())),
            Op::Put { key, value, .. } => {
                within("a key", key.len(), self.key)?;
                within("a value", value.len(), self.value)
            }
            Op::Delete { range, .. } | Op::Get { range, .. } => self.check_range(range),
        }
    }

    /// Bounds may be one byte longer than a key, to stand just behind one.
    pub(crate) fn check_range(&self, range: &KeyRange) -> Result<()> {
        let longest = range.start.len().max(range.end.as_ref().map_or(0, Vec::len));
        within("a bound of a range", longest, self.key + 1)
    }
}

/// Whether no key is put twice, or put and deleted: at one revision a key changes once.
fn changes_once(ops: &[Op]) -> Result<()> {
    let mut put = BTreeSet::new();
    let mut puts = ops.iter().filter_map(|op| if let Op::Put { key, .. } = op { Some(key) } else { None });
    let mut deleted = ops.iter().filter_map(|op| if let Op::Delete { range, .. } = op { Some(range) } else { None });
    if puts.all(|key| put.insert(key)) && !deleted.any(|range| put.iter().any(|key| range.contains(key))) {
        return Ok(());
    }
    Err(Error::Invalid("a transaction changes a key twice".into()))
}

fn within(what: &'static str, size: usize, limit: usize) -> Result<()> {
    if size > limit { Err(Error::TooLarge { what: what.into(), size, limit }) } else { Ok(()) }
}
