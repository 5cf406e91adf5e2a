use jarre_kv_store::{KeyRange, RangeRequest, Revision};

use super::{Chain, EventLog, RunSummary, checked_name, parts::Joiner, record_range};
use crate::{Error, Record, Result};

/// A summary with its place in the store's history.
pub(super) struct Stored {
    pub(super) summary: RunSummary,
    /// When it was written.
    pub(super) written: Revision,
    /// Where the store was when it was read.
    pub(super) now: Revision,
}

impl EventLog {
    /// What is kept of the run in short.
    pub(super) async fn stored(&self, run: &str) -> Result<Stored> {
        checked_name(run)?;
        let key = KeyRange::key(self.summaries.key(&run.to_owned()));
        let mut page = self.summaries.range(key.into()).await?;
        match page.records.pop() {
            Some(record) => Ok(Stored { summary: record.value, written: record.revision, now: page.revision }),
            None => Err(Error::NoRun { run: run.to_owned() }),
        }
    }

    /// The chain before record `from`, by the line before it.
    pub(super) async fn chain_at(&self, run: &str, from: u64, revision: Revision) -> Result<Chain> {
        let Some(before) = from.checked_sub(1) else { return Ok(Chain::new(run)) };
        let mut anchor = None;
        self.each_line(record_range(run, before, Some(from)), Some(revision), |line| {
            anchor = Some(Chain::behind(run, before, &line));
            Ok(())
        })
        .await?;
        anchor.ok_or_else(|| Error::Log { run: run.to_owned(), at: before, reason: "it is missing".into() })
    }

    /// The records that follow on `chain`, as the store was at `revision`.
    pub(super) async fn checked(&self, chain: &mut Chain, revision: Revision) -> Result<Vec<Record>> {
        let range = record_range(chain.run(), chain.next(), None);
        let mut records = Vec::new();
        self.each_line(range, Some(revision), |line| {
            records.push(chain.check(&line)?);
            Ok(())
        })
        .await?;
        Ok(records)
    }

    /// Hands every line in a range of keys to `take`, and returns where the store was.
    pub(super) async fn each_line(
        &self,
        range: KeyRange,
        at: Option<Revision>,
        mut take: impl FnMut(Vec<u8>) -> Result<()>,
    ) -> Result<Revision> {
        let mut joiner = Joiner::default();
        let mut request = RangeRequest::new(range);
        request.revision = at;
        loop {
            let page = self.store().range(request).await?;
            for entry in page.entries {
                if let Some((_, line)) = joiner.push(entry) {
                    take(line)?;
                }
            }
            match page.next {
                Some(next) => request = next,
                None => break joiner.finish().map_or(Ok(()), |(_, line)| take(line)).map(|()| page.revision),
            }
        }
    }
}

/// That the records which were read are those of the summary.
pub(super) fn ends_as_told(chain: &Chain, summary: &RunSummary) -> Result<()> {
    if chain.next() != summary.records {
        return Err(chain.broken(format!("the log ends here, and {} records were written", summary.records)));
    }
    if chain.head() != summary.head {
        let at = summary.records.saturating_sub(1);
        return Err(Error::Log { run: summary.run.clone(), at, reason: "it is not what was written".into() });
    }
    Ok(())
}
