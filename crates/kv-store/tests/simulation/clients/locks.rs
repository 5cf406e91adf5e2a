use std::time::Duration;

use jarre_kv_store::{Compare, Error, LeaseId, Op, Refusal, Revision, Store, Txn};
use tokio::time::sleep;

use super::{Client, SLACK, SLOWEST};
use crate::histories::{
    caller::{Caller, encode, get},
    record::{End, Hold, end_of},
};

impl Client {
    /// Locks, holds the lock for a while by keeping its lease alive, and does guarded work under it.
    pub(crate) async fn lock(mut self) {
        while self.goes_on() {
            // Some outlast an election by far.
            let longer = if self.dice.happens(0.4) { 2 + self.dice.below(3) } else { 1 };
            let ttl = Duration::from_millis((1000 + self.dice.below(1500)) * longer);
            let sent = self.now();
            if let Ok(lease) = self.ask(move |cluster| Box::pin(async move { cluster.lease_grant(ttl).await })).await {
                let value = self.record.fresh_value();
                let txn = Txn::new().when(Compare::missing("lock")).then(Op::put_with_lease("lock", encode(value), lease));
                let result = self.carry_out(txn).await;
                let end = end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision));
                self.record.lock().put(b"lock", value, end);
                if let End::Acknowledged(revision) = end {
                    self.hold(lease, ttl, value, revision, sent).await;
                } else {
                    let _ = self.ask(move |cluster| Box::pin(async move { cluster.lease_revoke(lease).await })).await;
                }
            }
            self.think().await;
        }
    }

    async fn hold(&mut self, lease: LeaseId, ttl: Duration, value: u64, revision: Revision, granted: u64) {
        let lasts = (ttl.as_millis() as f64 * SLOWEST) as u64 - SLACK;
        let mut until = granted + lasts;
        let hold = {
            let mut seen = self.record.lock();
            seen.holds.push(Hold { value, revision, from: self.now(), until });
            seen.holds.len() - 1
        };
        for _ in 0..self.dice.below(6) {
            sleep(ttl / 3).await;
            let sent = self.now();
            let kept = self.ask(move |cluster| Box::pin(async move { cluster.lease_keep_alive(lease).await })).await;
            match kept {
                Ok(_) => {
                    until = until.max(sent + lasts);
                    let mut seen = self.record.lock();
                    seen.counts.kept_alive += 1;
                    seen.holds[hold].until = until;
                }
                Err(Error::Refused(Refusal::NoLease { .. })) if self.now() < until => {
                    self.record.lock().problem(format!("lease {lease} ended before {until}: refused at {}", self.now()));
                }
                Err(_) => {}
            }
            self.work(value, revision, until).await;
        }
        if self.dice.happens(0.5) {
            let now = self.now();
            self.record.lock().holds[hold].until = until.min(now);
            let _ = self.ask(move |cluster| Box::pin(async move { cluster.lease_revoke(lease).await })).await;
        } else {
            sleep(ttl).await;
        }
    }

    /// Looks whether the lock is still held, and puts something that only its holder may.
    async fn work(&mut self, value: u64, revision: Revision, until: u64) {
        let Ok(found) = get(self, b"lock").await else { return };
        let now = self.now();
        if now < until && found.as_ref().is_none_or(|entry| entry.value != encode(value)) {
            self.record.lock().problem(format!("the lock of {value} was lost at {now}, though its lease lasts until {until}: {found:?}"));
        }
        let txn = Txn::new().when(Compare::unchanged("lock", revision)).then(Op::put("guarded", encode(revision.0)));
        let _ = self.carry_out(txn).await;
    }
}
