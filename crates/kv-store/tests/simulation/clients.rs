//! What clients do, and how they write down what they saw.

use std::time::Duration;

use jarre_core::BoxFuture;
use jarre_kv_store::{
    Cluster, Compare, Entry, Error, KeyRange, LeaseId, Op, RangeRequest, ReadLevel, Refusal, Result, Revision, SessionTag, Store, Txn,
    TxnOutcome, WatchBatch, WatchRequest,
    testing::{
        linearizability::{BankInput, BankOutput, ListInput, ListOutput, RegisterInput, RegisterOutput, SetInput, SetOutput},
        nemesis::Dice,
    },
};
use std::sync::Arc;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    front::Front,
    record::{End, Hold, Record, end_of},
};

/// How long a client waits for an answer.
const LIMIT: Duration = Duration::from_secs(3);
/// How fast or slow clocks run, at most, and a few steps of the simulation.
const SLOWEST: f64 = 0.89;
/// A step of the simulation and its rounding, in milliseconds.
const SLACK: u64 = 25;

/// A client, its home, and all it needs.
pub(crate) struct Client {
    pub(crate) id: u64,
    pub(crate) home: usize,
    pub(crate) members: usize,
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
            self.home = self.dice.below(self.members as u64) as usize;
        }
        sleep(Duration::from_millis(1 + self.dice.exponential(self.think))).await;
    }

    /// Asks the member at home.
    async fn ask<T: Send + 'static>(&mut self, call: impl FnOnce(Arc<Cluster>) -> Call<T> + Send + 'static) -> Result<T> {
        let result = self.front.call(self.home, LIMIT, call).await;
        if result.is_err() && self.dice.happens(0.4) {
            self.home = self.dice.below(self.members as u64) as usize;
        }
        result
    }

    async fn put(&mut self, key: &[u8], value: u64) -> End {
        let result = self.ask(carry_out(Txn::new().then(Op::put(key, encode(value))))).await;
        let end = end_of(&result, |outcome| Some(outcome.revision));
        self.record.lock().put(key, value, end);
        end
    }

    /// Reads, writes and exchanges values of a few keys, each value once.
    pub(crate) async fn registers(mut self, keys: u64) {
        let mut known = vec![None; keys as usize];
        while self.goes_on() {
            let at = self.dice.below(keys);
            let key = format!("register/{at}").into_bytes();
            match self.dice.below(4) {
                0 | 1 => {
                    let call = self.record.lock().registers.call(self.id, (at, RegisterInput::Read));
                    if let Ok(entry) = self.ask(get(&key)).await {
                        let value = entry.map(|entry| decode(&entry.value)[0]);
                        known[at as usize] = value;
                        let mut seen = self.record.lock();
                        seen.counts.reads += 1;
                        seen.registers.returned(call, RegisterOutput::Value(value));
                    }
                }
                2 => {
                    let value = self.record.fresh_value();
                    let call = self.record.lock().registers.call(self.id, (at, RegisterInput::Write(value)));
                    let end = self.put(&key, value).await;
                    self.register_ended(call, end, RegisterOutput::Written);
                    known[at as usize] = Some(value);
                }
                _ => self.exchange(at, &key, known[at as usize]).await,
            }
            self.think().await;
        }
    }

    async fn exchange(&mut self, at: u64, key: &[u8], expected: Option<u64>) {
        let new = self.record.fresh_value();
        let call = self.record.lock().registers.call(self.id, (at, RegisterInput::Cas { expected, new }));
        let compare = expected.map_or_else(|| Compare::missing(key), |value| Compare::value(key, encode(value)));
        let result = self.ask(carry_out(Txn::new().when(compare).then(Op::put(key, encode(new))))).await;
        if matches!(&result, Ok(outcome) if !outcome.succeeded) {
            self.record.lock().registers.returned(call, RegisterOutput::Exchanged(false));
        }
        let end = end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision));
        self.record.lock().put(key, new, end);
        if result.as_ref().map_or(true, |outcome| outcome.succeeded) {
            self.register_ended(call, end, RegisterOutput::Exchanged(true));
        }
    }

    fn register_ended(&self, call: usize, end: End, output: RegisterOutput) {
        let mut seen = self.record.lock();
        match end {
            End::Acknowledged(_) => seen.registers.returned(call, output),
            End::Failed => seen.registers.failed(call),
            End::Unknown => {}
        }
    }

    /// Changes a list of numbers by compare-and-swap, in a few tries.
    async fn edit(&mut self, key: &[u8], change: impl Fn(Vec<u64>) -> Vec<u64>) -> End {
        for _ in 0..4 {
            let Ok(entry) = self.ask(get(key)).await else { continue };
            let revision = entry.as_ref().map_or(Revision::ZERO, |entry| entry.mod_revision);
            let changed = encode_all(change(entry.map_or_else(Vec::new, |entry| decode(&entry.value))));
            let txn = Txn::new().when(Compare::unchanged(key, revision)).then(Op::put(key, changed));
            let result = self.ask(carry_out(txn)).await;
            match end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision)) {
                End::Failed => {}
                end => return end,
            }
        }
        End::Failed
    }

    /// Appends to lists, and reads them.
    pub(crate) async fn lists(mut self) {
        while self.goes_on() {
            let at = self.dice.below(2);
            let key = format!("list/{at}").into_bytes();
            if self.dice.happens(0.5) {
                let value = self.record.fresh_value();
                let call = self.record.lock().lists.call(self.id, (at, ListInput::Append(value)));
                let end = self.edit(&key, |list| [list, vec![value]].concat()).await;
                let mut seen = self.record.lock();
                match end {
                    End::Acknowledged(_) => seen.lists.returned(call, ListOutput::Appended),
                    End::Failed => seen.lists.failed(call),
                    End::Unknown => {}
                }
            } else {
                let call = self.record.lock().lists.call(self.id, (at, ListInput::Read));
                if let Ok(entry) = self.ask(get(&key)).await {
                    let list = entry.map_or_else(Vec::new, |entry| decode(&entry.value));
                    self.record.lock().lists.returned(call, ListOutput::List(list));
                }
            }
            self.think().await;
        }
    }

    /// Adds to a set by compare-and-swap, and reads it.
    pub(crate) async fn sets(mut self) {
        let key = b"set";
        while self.goes_on() {
            if self.dice.happens(0.5) {
                let value = self.record.fresh_value();
                let call = self.record.lock().sets.call(self.id, (0, SetInput::Add(value)));
                let end = self.edit(key, |set| [set, vec![value]].concat()).await;
                let mut seen = self.record.lock();
                match end {
                    End::Acknowledged(_) => seen.sets.returned(call, SetOutput::Changed(true)),
                    End::Failed => seen.sets.failed(call),
                    End::Unknown => {}
                }
            } else {
                let call = self.record.lock().sets.call(self.id, (0, SetInput::Read));
                if let Ok(entry) = self.ask(get(key)).await {
                    let set = entry.map_or_else(Vec::new, |entry| decode(&entry.value));
                    self.record.lock().sets.returned(call, SetOutput::Elements(set.into_iter().collect()));
                }
            }
            self.think().await;
        }
    }

    /// Moves money between accounts, and reads them all.
    pub(crate) async fn bank(mut self, accounts: usize) {
        while self.goes_on() {
            if self.dice.happens(0.6) {
                let from = self.dice.below(accounts as u64) as usize;
                let to = (from + 1 + self.dice.below(accounts as u64 - 1) as usize) % accounts;
                let amount = 1 + self.dice.below(4);
                self.transfer(from, to, amount).await;
            } else {
                let call = self.record.lock().bank.call(self.id, BankInput::Read);
                let all = RangeRequest::new(KeyRange::prefix("account/"));
                if let Ok(page) = self.ask(move |cluster| Box::pin(async move { cluster.range(all).await })).await {
                    let held = page.entries.iter().map(|entry| decode(&entry.value)[0]).collect();
                    self.record.lock().bank.returned(call, BankOutput::Accounts(held));
                }
            }
            self.think().await;
        }
    }

    async fn transfer(&mut self, from: usize, to: usize, amount: u64) {
        let keys = [from, to].map(|account| format!("account/{account}").into_bytes());
        let both = Txn::new().then(Op::get(&*keys[0])).then(Op::get(&*keys[1]));
        let Ok(found) = self.ask(carry_out(both)).await else { return };
        let entries: Vec<Entry> = found
            .results
            .into_iter()
            .filter_map(|result| match result {
                jarre_kv_store::OpResult::Get(page) => page.entries.into_iter().next(),
                _ => None,
            })
            .collect();
        let [from_entry, to_entry] = &entries[..] else { return self.record.lock().problem("an account is gone".to_owned()) };
        let held = [from_entry, to_entry].map(|entry| decode(&entry.value)[0]);
        let Some(left) = held[0].checked_sub(amount) else { return };
        let call = self.record.lock().bank.call(self.id, BankInput::Transfer { from, to, amount });
        let unchanged = |entry: &Entry| Compare::unchanged(entry.key.clone(), entry.mod_revision);
        let txn = Txn::new().when(unchanged(from_entry)).when(unchanged(to_entry));
        let txn = txn.then(Op::put(&*keys[0], encode(left))).then(Op::put(&*keys[1], encode(held[1] + amount)));
        let result = self.ask(carry_out(txn)).await;
        let mut seen = self.record.lock();
        match end_of(&result, |outcome| outcome.succeeded.then_some(outcome.revision)) {
            End::Acknowledged(_) => seen.bank.returned(call, BankOutput::Moved(true)),
            End::Failed => seen.bank.failed(call),
            End::Unknown => {}
        }
    }

    /// Puts values through a session, each again and again until it is acknowledged or given up.
    pub(crate) async fn session(mut self) {
        let key = format!("session/{}", self.id).into_bytes();
        let mut session = None;
        let mut sequence = 0;
        while self.goes_on() {
            let Some(id) = session else {
                session = self.ask(|cluster| Box::pin(async move { cluster.open_session().await })).await.ok();
                sequence = 0;
                self.think().await;
                continue;
            };
            sequence += 1;
            let value = self.record.fresh_value();
            let mut txn = Txn::new().then(Op::put(&*key, encode(value)));
            txn.session = Some(SessionTag { id, sequence });
            let end = self.persist(&txn).await;
            self.record.lock().put(&key, value, end);
            self.think().await;
        }
    }

    async fn persist(&mut self, txn: &Txn) -> End {
        let mut end = End::Failed;
        for _ in 0..12 {
            match self.ask(carry_out(txn.clone())).await {
                Ok(outcome) => return End::Acknowledged(outcome.revision),
                Err(Error::Unknown { .. }) => end = End::Unknown,
                Err(Error::Refused(refusal @ (Refusal::SessionExpired | Refusal::SessionMovedOn { .. }))) => {
                    self.record.lock().problem(format!("a session that is in use was refused: {refusal}"));
                    return end;
                }
                Err(_) => {}
            }
            sleep(Duration::from_millis(50 + self.dice.below(200))).await;
        }
        end
    }

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
                let result = self.ask(carry_out(txn)).await;
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
        let Ok(found) = self.ask(get(b"lock")).await else { return };
        let now = self.now();
        if now < until && found.as_ref().is_none_or(|entry| entry.value != encode(value)) {
            self.record.lock().problem(format!("the lock of {value} was lost at {now}, though its lease lasts until {until}: {found:?}"));
        }
        let txn = Txn::new().when(Compare::unchanged("lock", revision)).then(Op::put("guarded", encode(revision.0)));
        let _ = self.ask(carry_out(txn)).await;
    }

    /// Puts values whose age others know.
    pub(crate) async fn age(mut self) {
        while self.goes_on() {
            let value = self.record.fresh_value();
            if let End::Acknowledged(revision) = self.put(b"age", value).await {
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

    /// Follows all changes, at one member after another.
    pub(crate) async fn watch(mut self) {
        let mut next = Revision(2);
        while self.goes_on() {
            let length = Duration::from_millis(200 + self.dice.below(3000));
            next = match self.front.call(self.home, LIMIT * 2, follow(next, length)).await {
                Ok(batches) => self.record.lock().follow(next, batches),
                Err(Error::Refused(Refusal::Compacted { at })) => {
                    let mut seen = self.record.lock();
                    seen.compacted = seen.compacted.max(at);
                    next.max(at.next())
                }
                Err(_) => next,
            };
            self.home = self.dice.below(self.members as u64) as usize;
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Gives up old history.
    pub(crate) async fn compact(mut self) {
        while self.goes_on() {
            sleep(Duration::from_secs(3)).await;
            let status = self.ask(|cluster| Box::pin(async move { cluster.status().await })).await;
            let Some(at) = status.ok().and_then(|status| status.revision.0.checked_sub(100)) else { continue };
            let _ = self.ask(move |cluster| Box::pin(async move { cluster.compact(Revision(at)).await })).await;
        }
    }
}

/// The changes of everything from a revision on that are told in so much time.
pub(crate) fn follow(from: Revision, length: Duration) -> impl FnOnce(Arc<Cluster>) -> Call<Vec<WatchBatch>> + Send + use<> {
    move |cluster| {
        Box::pin(async move {
            let mut watch = cluster.watch(WatchRequest::new(KeyRange::all()).from(from).with_prev()).await?;
            let mut batches = Vec::new();
            let end = Instant::now() + length;
            while let Ok(Some(next)) = timeout(end.saturating_duration_since(Instant::now()), watch.next()).await {
                match next {
                    Ok(batch) => batches.push(batch),
                    Err(error) if batches.is_empty() => return Err(error),
                    Err(_) => break,
                }
            }
            Ok(batches)
        })
    }
}
