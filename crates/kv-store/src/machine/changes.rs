use super::{
    layout::{self, RowKey},
    read,
    record::{Change, Version},
    rows::{self, Rows, damaged},
};
use crate::{Event, Refusal, Result, Revision, WatchBatch, WatchRequest};

/// What happened in some revisions.
pub(crate) struct Changes {
    /// A batch for each revision that changed a key of the range.
    pub(crate) batches: Vec<WatchBatch>,
    /// Where to go on.
    pub(crate) next: Revision,
    /// Whether that is behind the store's last revision.
    pub(crate) caught_up: bool,
}

/// The changes from `from` on that `request` asks for: those of whole revisions, until about `budget` changes were looked at.
pub(crate) fn changes(rows: &dyn Rows, request: &WatchRequest, from: Revision, budget: usize) -> Result<Changes> {
    let state = read::state(rows)?;
    if from <= state.compacted {
        return Err(Refusal::Compacted { at: state.compacted }.into());
    }
    let (mut batches, mut last): (Vec<WatchBatch>, _) = (Vec::new(), None);
    for (seen, row) in rows.scan(&layout::change(from, 0), layout::CHANGES_END, false)?.enumerate() {
        let (row, sealed) = row?;
        let Some(RowKey::Change { revision, .. }) = layout::parse(&row) else {
            return Err(damaged(&row, "its key is not that of a change"));
        };
        if seen >= budget && last != Some(revision) {
            #[cfg(feature = "mutants")]
            let revision = if crate::mutants::Mutant::WatchSkipsAtBoundary.is_in() { revision.next() } else { revision };
            return Ok(Changes { batches, next: revision, caught_up: false });
        }
        last = Some(revision);
        let Change { key } = rows::decode(&row, &sealed)?;
        if !request.range.contains(&key) {
            continue;
        }
        let event = event(rows, key, revision, request.prev)?;
        match batches.last_mut() {
            Some(batch) if batch.revision == revision => batch.events.push(event),
            _ => batches.push(WatchBatch { revision, events: vec![event] }),
        }
    }
    Ok(Changes { batches, next: from.max(state.revision.next()), caught_up: true })
}

fn event(rows: &dyn Rows, key: Vec<u8>, revision: Revision, prev: bool) -> Result<Event> {
    let row = layout::version(&key, revision);
    let version: Version = rows::load(rows, &row)?.ok_or_else(|| damaged(&row, "the version of a change is missing"))?;
    let prev = if prev { read::entry(rows, &key, Revision(revision.0.saturating_sub(1)))? } else { None };
    Ok(match version.into_entry(key.clone(), revision) {
        Some(entry) => Event::Put { entry, prev },
        None => Event::Delete { key, prev },
    })
}
