use super::{
    layout::{self, RowKey},
    record::{State, Version},
    rows::{self, Rows, damaged},
};
use crate::{Entry, KeyRange, Limits, Page, RangeRequest, Refusal, Result, Revision};

/// How many versions of one key are stepped over before the next key is searched for.
const STEPS: usize = 8;

/// Where the store as a whole is.
pub(crate) fn state(rows: &dyn Rows) -> Result<State> {
    Ok(rows::load(rows, layout::STATE_ROW)?.unwrap_or_default())
}

/// The page that `request` asks for.
pub(crate) fn page(rows: &dyn Rows, request: &RangeRequest, limits: &Limits) -> Result<Page> {
    let state = state(rows)?;
    let at = request.revision.unwrap_or(state.revision);
    if at > state.revision {
        return Err(Refusal::FutureRevision { current: state.revision }.into());
    }
    if at < state.compacted {
        return Err(Refusal::Compacted { at: state.compacted }.into());
    }
    let mut page = page_at(rows, request, at, limits)?;
    page.revision = state.revision;
    Ok(page)
}

/// The page as of `at`, whose history is there.
pub(super) fn page_at(rows: &dyn Rows, request: &RangeRequest, at: Revision, limits: &Limits) -> Result<Page> {
    let limit = request.limit.unwrap_or(limits.entries).min(limits.entries);
    let (mut entries, mut bytes, mut more) = (Vec::new(), 0, false);
    let mut visit = |mut entry: Entry| {
        if entries.len() == limit || bytes > limits.page {
            more = true;
            return false;
        }
        if request.keys_only {
            entry.value.clear();
        }
        bytes += entry.key.len() + entry.value.len();
        entries.push(entry);
        true
    };
    if request.reverse {
        backward(rows, &request.range, at, &mut visit)?;
    } else {
        forward(rows, &request.range, at, &mut visit)?;
    }
    let next = more.then(|| {
        let range = entries.last().map_or_else(|| request.range.clone(), |last| request.range.after(&last.key, request.reverse));
        RangeRequest { range, revision: Some(at), ..request.clone() }
    });
    Ok(Page { revision: at, entries, next })
}

/// What `key` was at `at`, deleted or not, and since when.
pub(super) fn find(rows: &dyn Rows, key: &[u8], at: Revision) -> Result<Option<(Revision, Version)>> {
    let Some(row) = rows.scan(&layout::version(key, at), &layout::last_version(key), false)?.next() else { return Ok(None) };
    let (row, sealed) = row?;
    let (_, revision) = parse(&row)?;
    Ok(Some((revision, rows::decode(&row, &sealed)?)))
}

/// The entry of `key` at `at`.
pub(super) fn entry(rows: &dyn Rows, key: &[u8], at: Revision) -> Result<Option<Entry>> {
    Ok(find(rows, key, at)?.and_then(|(revision, version)| version.into_entry(key.to_vec(), revision)))
}

/// Shows `visit` the entries of `range` at `at` in ascending order, until it has seen enough.
pub(super) fn forward(rows: &dyn Rows, range: &KeyRange, at: Revision, visit: &mut dyn FnMut(Entry) -> bool) -> Result<()> {
    let end = range.end.as_ref().map_or_else(|| layout::VERSIONS_END.to_vec(), |end| layout::first_version(end));
    let mut from = layout::first_version(&range.start);
    'search: loop {
        let (mut done, mut steps): (Option<Vec<u8>>, usize) = (None, 0);
        for row in rows.scan(&from, &end, false)? {
            let (row, sealed) = row?;
            let stem = &row[..row.len().saturating_sub(8)];
            if done.as_deref() == Some(stem) {
                steps += 1;
                if steps > STEPS {
                    from = layout::last_version(&parse(&row)?.0);
                    continue 'search;
                }
                continue;
            }
            let (key, revision) = parse(&row)?;
            if revision > at {
                steps += 1;
                if steps > STEPS {
                    from = layout::version(&key, at);
                    continue 'search;
                }
                continue;
            }
            (done, steps) = (Some(stem.to_vec()), 0);
            let version: Version = rows::decode(&row, &sealed)?;
            if let Some(entry) = version.into_entry(key, revision)
                && !visit(entry)
            {
                return Ok(());
            }
        }
        return Ok(());
    }
}

/// The same in descending order.
fn backward(rows: &dyn Rows, range: &KeyRange, at: Revision, visit: &mut dyn FnMut(Entry) -> bool) -> Result<()> {
    let start = layout::first_version(&range.start);
    let mut end = range.end.as_ref().map_or_else(|| layout::VERSIONS_END.to_vec(), |end| layout::first_version(end));
    while let Some(row) = rows.scan(&start, &end, true)?.next() {
        let (key, _) = parse(&row?.0)?;
        if let Some(entry) = entry(rows, &key, at)?
            && !visit(entry)
        {
            return Ok(());
        }
        end = layout::first_version(&key);
    }
    Ok(())
}

/// The key and the revision of a version's row.
fn parse(row: &[u8]) -> Result<(Vec<u8>, Revision)> {
    match layout::parse(row) {
        Some(RowKey::Version { key, revision }) => Ok((key, revision)),
        _ => Err(damaged(row, "its key is not that of a version")),
    }
}
