use std::time::Duration;

use etcd_client::{GetOptions, GetResponse, SortOrder, SortTarget};

use super::{
    caller::Caller,
    failure::{Failure, Kind},
    keys,
};
use crate::{Entry, Error, Limits, Page, RangeRequest, ReadLevel, Result, Revision};

impl Caller {
    /// The page that `request` asks for.
    pub(super) async fn range(&self, request: RangeRequest) -> Result<Page> {
        self.options.limits.check_range(&request.range)?;
        match request.level {
            ReadLevel::Linearizable => {}
            ReadLevel::Lease => return Err(Error::Unsupported("lease reads: etcd has linearizable and serializable ones".into())),
            ReadLevel::Stale { max_age } => {
                if let Some(page) = self.stale(&request, max_age).await {
                    return Ok(page);
                }
            }
        }
        let sent = self.now();
        match self.read(&request, false).await {
            Ok(page) => {
                self.known.answered(sent, page.revision);
                Ok(page)
            }
            Err(failure) => Err(self.explain(failure, Kind::Read).await),
        }
    }

    /// What any member has, where that is known to be no older than `max_age`: it has reached the revision of a linearizable answer that was
    /// asked for within that time. etcd itself says nothing about the age of a serializable read.
    async fn stale(&self, request: &RangeRequest, max_age: Duration) -> Option<Page> {
        self.known.fresh_enough(self.now(), max_age)?;
        // Whatever is amiss, a linearizable read finds out.
        let page = self.read(request, true).await.ok()?;
        self.known.fresh_enough(self.now(), max_age).filter(|least| page.revision >= *least).map(|_| page)
    }

    /// A page, in one call if its answer is not too large.
    async fn read(&self, request: &RangeRequest, serializable: bool) -> Result<Page, Failure> {
        let limits = &self.options.limits;
        let limit = page_limit(request.limit, limits);
        // Where there can be no keys the marker tells what is to be known of the revision.
        let (start, end) = self.keys.bounds(&request.range).unwrap_or_else(|| (self.keys.marker(), Vec::new()));
        let mut ask = limit.max(1);
        loop {
            let options = options(end.clone(), ask, request.reverse, request.keys_only);
            let options = at(options, request.revision);
            let options = if serializable { options.with_serializable() } else { options };
            let found = self.call(Kind::Read, || {
                let (start, options) = (start.clone(), options.clone());
                async move {
                    let mut reader = if serializable { self.stale_reader().await? } else { self.reader() };
                    reader.get(start, Some(options)).await
                }
            });
            match found.await {
                Err(Failure::AnswerTooLarge) if ask > 1 => ask = ask.div_ceil(8),
                found => return found.map(|found| self.page(found, request, limit)),
            }
        }
    }

    fn page(&self, mut found: GetResponse, request: &RangeRequest, limit: usize) -> Page {
        let revision = keys::revision(found.header().map_or(0, etcd_client::ResponseHeader::revision));
        let more = found.more();
        let entries = found.take_kvs().into_iter().filter_map(|found| self.keys.entry(found)).collect();
        cut(entries, request, limit, more, request.revision.unwrap_or(revision), revision, &self.options.limits)
    }

    /// Every entry of a range at a revision.
    pub(super) async fn all(&self, range: &crate::KeyRange, revision: Revision) -> Result<Vec<Entry>> {
        let (mut entries, mut next) = (Vec::new(), Some(RangeRequest::new(range.clone()).at(revision)));
        while let Some(request) = next {
            let page = self.range(request).await?;
            entries.extend(page.entries);
            next = page.next;
        }
        Ok(entries)
    }
}

/// The most entries of a page.
pub(super) fn page_limit(limit: Option<usize>, limits: &Limits) -> usize {
    limit.unwrap_or(limits.entries).min(limits.entries)
}

/// A read of the keys before `end`; of one key where that is empty.
pub(super) fn options(end: Vec<u8>, limit: usize, reverse: bool, keys_only: bool) -> GetOptions {
    let mut options = GetOptions::new().with_limit(limit as i64);
    if !end.is_empty() {
        options = options.with_range(end);
    }
    if reverse {
        options = options.with_sort(SortTarget::Key, SortOrder::Descend);
    }
    if keys_only { options.with_keys_only() } else { options }
}

/// As of a revision. To etcd zero means now; nothing is there at one as at zero.
fn at(options: GetOptions, revision: Option<Revision>) -> GetOptions {
    match revision {
        Some(revision) => options.with_revision(keys::number(revision.max(Revision::FIRST))),
        None => options,
    }
}

/// What of `entries`, read at `at`, is on the page, and whether `more` follow.
pub(super) fn cut(
    mut entries: Vec<Entry>,
    request: &RangeRequest,
    limit: usize,
    more: bool,
    at: Revision,
    revision: Revision,
    limits: &Limits,
) -> Page {
    let mut bytes = 0;
    let fits = entries.iter().take(limit).take_while(|entry| {
        let fits = bytes <= limits.page;
        bytes += entry.key.len() + entry.value.len();
        fits
    });
    let kept = fits.count();
    let more = more || kept < entries.len();
    entries.truncate(kept);
    let next = more.then(|| {
        let range = entries.last().map_or_else(|| request.range.clone(), |last| request.range.after(&last.key, request.reverse));
        RangeRequest { range, revision: Some(at), ..request.clone() }
    });
    Page { revision, entries, next }
}
