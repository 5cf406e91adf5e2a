use jarre_kv_store::RangeRequest;

use super::{EventLog, RunSummary};
use crate::Result;

/// Runs of a list, and where it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunPage {
    /// The runs, in the order of their names' bytes.
    pub runs: Vec<RunSummary>,
    /// What [`EventLog::runs`] is asked for the next page with; `None` after the last.
    pub next: Option<String>,
}

impl EventLog {
    /// So many runs, those behind the name `after` first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn runs(&self, after: Option<&str>, limit: usize) -> Result<RunPage> {
        let mut range = self.summaries.all();
        if let Some(after) = after {
            range.start = self.summaries.key(&after.to_owned());
            range.start.push(0);
        }
        let mut runs = Vec::new();
        let mut request = Some(RangeRequest::new(range).with_limit(limit));
        while let Some(mut asked) = request.take().filter(|_| runs.len() < limit) {
            asked.limit = Some(limit - runs.len());
            let page = self.summaries.range(asked).await?;
            runs.extend(page.records.into_iter().map(|record| record.value));
            request = page.next;
        }
        let next = runs.last().filter(|_| runs.len() >= limit).map(|last| last.run.clone());
        Ok(RunPage { runs, next })
    }

    /// So many runs, the one that began last first, those after the run `after`. Reads the summaries of all.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn newest(&self, after: Option<&str>, limit: usize) -> Result<RunPage> {
        let mut runs = self.runs(None, usize::MAX).await?.runs;
        runs.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
        if let Some(after) = after {
            let place = runs.iter().position(|run| run.run == after).map_or(runs.len(), |place| place + 1);
            runs.drain(..place);
        }
        let next = runs.get(limit).and_then(|_| runs.get(limit.checked_sub(1)?)).map(|last| last.run.clone());
        runs.truncate(limit);
        Ok(RunPage { runs, next })
    }
}
