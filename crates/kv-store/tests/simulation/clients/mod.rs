//! What clients do, and how they write down what they saw.

mod bank;
mod lists;
mod locks;
mod registers;
mod sessions;
mod staleness;
mod watches;

use std::{sync::Arc, time::Duration};

use jarre_core::BoxFuture;
use jarre_kv_store::{Cluster, Entry, Op, Result, Store, Txn, TxnOutcome, testing::nemesis::Dice};
use tokio::time::{Instant, sleep};

use crate::{
    front::Front,
    record::{End, Record, end_of},
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

pub(crate) fn encode(value: u64) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

pub(crate) fn decode(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks_exact(8).map(|chunk| u64::from_be_bytes(chunk.try_into().unwrap())).collect()
}

pub(crate) fn encode_all(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    values.into_iter().flat_map(u64::to_be_bytes).collect()
}

type Call<T> = BoxFuture<'static, Result<T>>;

fn get(key: &[u8]) -> impl FnOnce(Arc<Cluster>) -> Call<Option<Entry>> + Send + use<> {
    let key = key.to_vec();
    move |cluster| Box::pin(async move { cluster.get(&key).await })
}

fn carry_out(txn: Txn) -> impl FnOnce(Arc<Cluster>) -> Call<TxnOutcome> + Send + use<> {
    move |cluster| Box::pin(async move { cluster.txn(txn).await })
}

impl Client {
    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
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

    /// Asks the member at home.
    async fn ask<T: Send + 'static>(&mut self, call: impl FnOnce(Arc<Cluster>) -> Call<T> + Send + 'static) -> Result<T> {
        let result = self.front.call(self.home, LIMIT, call).await;
        if result.is_err() && self.dice.happens(0.4) {
            self.home = self.front.pick(&mut self.dice);
        }
        result
    }

    async fn put(&mut self, key: &[u8], value: u64) -> End {
        let result = self.ask(carry_out(Txn::new().then(Op::put(key, encode(value))))).await;
        let end = end_of(&result, |outcome| Some(outcome.revision));
        self.record.lock().put(key, value, end);
        end
    }
}
