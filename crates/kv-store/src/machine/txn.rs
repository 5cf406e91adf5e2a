use super::{
    Batch,
    command::{Answer, Response},
    layout, read,
    record::{LeaseRecord, Version},
    rows::{self, Rows},
};
use crate::{Compare, Entry, KeyRange, LeaseId, Limits, Op, OpResult, RangeRequest, Refusal, Result, Revision, Txn, TxnOutcome};

/// Keys that are read at a time where many are deleted.
const CHUNK: usize = 256;

/// What a transaction that cannot change anything gives.
pub(crate) fn read_only(rows: &dyn Rows, txn: &Txn, limits: &Limits) -> Result<TxnOutcome> {
    let revision = read::state(rows)?.revision;
    let succeeded = holds(rows, &txn.compares, revision)?;
    let ops = if succeeded { &txn.then } else { &txn.otherwise };
    let results = ops.iter().map(|op| get(rows, op, revision, limits)).collect::<Result<_>>()?;
    Ok(TxnOutcome { revision, succeeded, results })
}

impl Batch<'_> {
    /// Carries out a transaction, once where it belongs to a session.
    pub(super) fn txn(&mut self, txn: &Txn) -> Result<Answer> {
        match txn.session {
            Some(tag) => self.once(tag, |batch| batch.branch(txn)),
            None => self.branch(txn),
        }
    }

    fn branch(&mut self, txn: &Txn) -> Result<Answer> {
        let succeeded = holds(self.rows, &txn.compares, self.state.revision)?;
        let ops = if succeeded { &txn.then } else { &txn.otherwise };
        // Nothing is refused once something has changed.
        if let Some(id) = self.missing_lease(ops)? {
            return Ok(Err(Refusal::NoLease { id }));
        }
        let results = ops.iter().map(|op| self.op(op)).collect::<Result<_>>()?;
        self.seal();
        Ok(Ok(Response::Txn(TxnOutcome { revision: self.state.revision, succeeded, results })))
    }

    fn missing_lease(&self, ops: &[Op]) -> Result<Option<LeaseId>> {
        for op in ops {
            if let Op::Put { lease: Some(id), .. } = op
                && rows::load::<LeaseRecord>(self.rows, &layout::lease(*id))?.is_none()
            {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }

    fn op(&mut self, op: &Op) -> Result<OpResult> {
        match op {
            Op::Put { key, value, lease, prev } => {
                let before = self.put(key, value, *lease)?;
                Ok(OpResult::Put { prev: before.filter(|_| *prev) })
            }
            Op::Delete { range, prev } => self.delete(range, *prev),
            Op::Get { .. } => get(self.rows, op, self.current(), &Limits::default()),
        }
    }

    /// Writes a key and returns what it held.
    fn put(&mut self, key: &[u8], value: &[u8], lease: Option<LeaseId>) -> Result<Option<Entry>> {
        let before = read::entry(self.rows, key, self.current())?;
        self.state.keys = self.state.keys.saturating_add(u64::from(before.is_none()));
        let (created, puts) = before.as_ref().map_or((self.under_way(), 0), |entry| (entry.create_revision, entry.version));
        self.move_lease(key, before.as_ref().and_then(|entry| entry.lease), lease)?;
        self.change(key, &Version { created, puts: puts.saturating_add(1), lease, value: Some(value.to_vec()) })?;
        Ok(before)
    }

    fn delete(&mut self, range: &KeyRange, prev: bool) -> Result<OpResult> {
        let (mut deleted, mut before, mut rest) = (0, Vec::new(), range.clone());
        loop {
            let entries = self.some(&rest)?;
            let Some(last) = entries.last() else { return Ok(OpResult::Delete { deleted, prev: before }) };
            rest = rest.after(&last.key, false);
            for entry in entries {
                self.delete_entry(&entry)?;
                deleted += 1;
                if prev {
                    before.push(entry);
                }
            }
        }
    }

    /// Makes the revision under way delete what is there.
    pub(super) fn delete_entry(&mut self, entry: &Entry) -> Result<()> {
        self.state.keys = self.state.keys.saturating_sub(1);
        self.move_lease(&entry.key, entry.lease, None)?;
        self.change(&entry.key, &Version::DELETED)
    }

    /// The first entries of `range`.
    fn some(&self, range: &KeyRange) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        read::forward(self.rows, range, self.current(), &mut |entry| {
            entries.push(entry);
            entries.len() < CHUNK
        })?;
        Ok(entries)
    }
}

/// Whether all compares hold at `at`.
fn holds(rows: &dyn Rows, compares: &[Compare], at: Revision) -> Result<bool> {
    for compare in compares {
        if !compare.holds(read::entry(rows, &compare.key, at)?.as_ref()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn get(rows: &dyn Rows, op: &Op, at: Revision, limits: &Limits) -> Result<OpResult> {
    let Op::Get { range, limit, reverse } = op else { unreachable!("only reads come here") };
    let request = RangeRequest { limit: *limit, reverse: *reverse, ..RangeRequest::new(range.clone()) };
    Ok(OpResult::Get(read::page_at(rows, &request, at, limits)?))
}
