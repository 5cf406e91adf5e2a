//! What clients do, and how they write down what they saw.

mod locks;
mod sessions;
mod staleness;
mod watches;

use std::{sync::Arc, time::Duration};

use jarre_core::BoxFuture;
use jarre_kv_store::{Cluster, Page, RangeRequest, Result, Store, Txn, TxnOutcome, testing::nemesis::Dice};
use tokio::time::{Instant, sleep};

use crate::{
    front::Front,
    histories::{caller::Caller, record::Record},
};
pub(crate) use watches::follow;

/// How long a client waits for an answer.
const LIMIT: Duration = Duration::from_secs(3);
/// How fast or slow clocks run, at most, and a few steps of the simulation.
pub(crate) const SLOWEST: f64 = 0.89;
/// A step of the simulation and its rounding, in milliseconds.
pub(crate) const SLACK: u64 = 25;

/// A client, its home, and all it needs.
pub(crate) struct Client {
    pub(crate) id: u64,
    pub(crate) home: usize,
    pub(crate) front: Front,
    pub(crate) record: Record,
    pub(crate) dice: Dice,
    /// When the clients' host began, and when they stop.
    pub(crate) began: Instant,
    pub(crate) end: Duration,
    /// Mean time between two requests, in milliseconds.
    pub(crate) think: f64,
}

type Call<T> = BoxFuture<'static, Result<T>>;

impl Client {
    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Asks the member at home.
    async fn ask<T: Send + 'static>(&mut self, call: impl FnOnce(Arc<Cluster>) -> Call<T> + Send + 'static) -> Result<T> {
        let result = self.front.call(self.home, LIMIT, call).await;
        if result.is_err() && self.dice.happens(0.4) {
            self.home = self.front.pick(&mut self.dice);
        }
        result
    }
}

impl Caller for Client {
    fn id(&self) -> u64 {
        self.id
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    fn goes_on(&self) -> bool {
        self.began.elapsed() < self.end
    }

    /// Waits a while, and now and then moves to another member.
    async fn think(&mut self) {
        if self.dice.happens(0.05) {
            self.home = self.front.pick(&mut self.dice);
        }
        sleep(Duration::from_millis(1 + self.dice.exponential(self.think))).await;
    }

    async fn range(&mut self, request: RangeRequest) -> Result<Page> {
        self.ask(|cluster| Box::pin(async move { cluster.range(request).await })).await
    }

    async fn carry_out(&mut self, txn: Txn) -> Result<TxnOutcome> {
        self.ask(|cluster| Box::pin(async move { cluster.txn(txn).await })).await
    }
}
