use std::time::Duration;

use jarre_kv_store::{KeyRange, RangeRequest, ReadLevel, Revision, Store};

use super::{Client, SLACK, SLOWEST};
use crate::histories::{
    caller::{Caller, put},
    record::End,
};

impl Client {
    /// Puts values whose age others know.
    pub(crate) async fn age(mut self) {
        while self.goes_on() {
            let value = self.record.fresh_value();
            if let End::Acknowledged(revision) = put(&mut self, b"age", value).await {
                let now = self.now();
                self.record.lock().ages.push((now, revision));
            }
            self.think().await;
        }
    }

    /// Reads that may be stale, up to an age.
    pub(crate) async fn stale(mut self) {
        while self.goes_on() {
            let max_age = Duration::from_millis(50 + self.dice.below(2000));
            let request = RangeRequest::new(KeyRange::key("age")).with_level(ReadLevel::Stale { max_age });
            let asked = self.now();
            if let Ok(page) = self.ask(move |cluster| Box::pin(async move { cluster.range(request).await })).await {
                let found = page.entries.first().map_or(Revision::ZERO, |entry| entry.mod_revision);
                let oldest = asked.saturating_sub((max_age.as_millis() as f64 / SLOWEST) as u64 + SLACK);
                let mut seen = self.record.lock();
                seen.counts.stale += 1;
                let due = seen.ages.iter().filter(|(at, _)| *at <= oldest).map(|(_, revision)| *revision).max();
                if due.is_some_and(|due| found < due) {
                    seen.problem(format!("a read at {asked} of an age of {max_age:?} at most saw {found}, and not {due:?}"));
                }
            }
            self.think().await;
        }
    }
}
