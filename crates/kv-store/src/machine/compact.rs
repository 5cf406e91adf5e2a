use super::{
    Batch,
    command::{Answer, Response},
    layout::{self, RowKey},
    record::{Change, Version},
    rows::{self, Row, damaged},
};
use crate::{Refusal, Result, Revision};

/// Changes that one command removes at most, so that none holds up the others for long.
const SWEEP: usize = 1024;

impl Batch<'_> {
    /// Gives up the history up to `revision` and begins to remove it.
    pub(super) fn compact(&mut self, revision: Revision) -> Result<Answer> {
        if revision > self.state.revision {
            return Ok(Err(Refusal::FutureRevision { current: self.state.revision }));
        }
        if revision <= self.state.compacted {
            return Ok(Err(Refusal::Compacted { at: self.state.compacted }));
        }
        self.state.compacted = revision;
        self.sweep().map(Ok)
    }

    /// Removes some of what was compacted, the oldest change first.
    pub(super) fn sweep(&mut self) -> Result<Response> {
        let end = layout::change(self.state.compacted.next(), 0);
        let old: Vec<Row> = self.rows.scan(layout::CHANGES, &end, false)?.take(SWEEP).collect::<Result<_>>()?;
        for (row, sealed) in &old {
            let Some(RowKey::Change { revision, .. }) = layout::parse(row) else {
                return Err(damaged(row, "its key is not that of a change"));
            };
            let Change { key } = rows::decode(row, sealed)?;
            self.forget_before(&key, revision)?;
            self.rows.remove(row)?;
        }
        Ok(Response::Swept { more: old.len() == SWEEP })
    }

    /// Removes the versions of `key` that `revision` replaced, and its own where it deleted the key. All older changes were swept before, so
    /// that there is one at most.
    fn forget_before(&mut self, key: &[u8], revision: Revision) -> Result<()> {
        let own = layout::version(key, revision);
        if rows::load::<Version>(self.rows, &own)?.is_some_and(|version| version.value.is_none()) {
            self.rows.remove(&own)?;
        }
        let before = layout::version(key, Revision(revision.0.saturating_sub(1)));
        let replaced: Vec<Row> = self.rows.scan(&before, &layout::last_version(key), false)?.collect::<Result<_>>()?;
        replaced.iter().try_for_each(|(row, _)| self.rows.remove(row))
    }
}
