use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use jarre_kv_store::{Page, RangeRequest, Remote, RemoteOptions, Result, Store, Txn, TxnOutcome, testing::nemesis::Dice};
use tokio::{runtime, task::JoinSet, time::sleep};

use crate::{
    histories::{bank::bank, caller::Caller, lists::lists, record::Record, registers::registers, sets::sets},
    members::Members,
};

/// How long a client waits for an answer.
const LIMIT: Duration = Duration::from_secs(1);
/// Mean time between two requests, in milliseconds.
const THINK: f64 = 40.0;
const KEYS: u64 = 4;

/// Clients at work beside each member, on its host.
pub(crate) struct Clients {
    stop: Arc<AtomicBool>,
    hosts: Vec<JoinHandle<()>>,
}

/// One that asks the member beside it first, and another where it was not served.
struct Client {
    id: u64,
    home: usize,
    members: Arc<Vec<Remote>>,
    record: Record,
    dice: Dice,
    stop: Arc<AtomicBool>,
}

impl Clients {
    pub(crate) fn started(members: &Members, record: &Record) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let host = |home| {
            let options: Vec<_> = (0..3).map(|at| members.options(at, LIMIT)).collect();
            let (record, stop) = (record.clone(), Arc::clone(&stop));
            // A thread that is started on a host stays there.
            members.within(home, || thread::spawn(move || work(home, options, &record, &stop)))
        };
        let hosts = (0..3).map(host).collect();
        Self { stop, hosts }
    }

    /// Waits for their last answers.
    pub(crate) fn end(mut self) {
        self.stop.store(true, SeqCst);
        self.hosts.drain(..).for_each(|host| host.join().expect("no client panics"));
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        // A test that failed has said why.
        self.hosts.drain(..).for_each(|host| drop(host.join()));
    }
}

fn work(home: usize, options: Vec<RemoteOptions>, record: &Record, stop: &Arc<AtomicBool>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let members = Arc::new(options.into_iter().map(|options| Remote::new(options).unwrap()).collect());
        let client = |number: u64| {
            let (id, stop) = (home as u64 * 10 + number, Arc::clone(stop));
            Client { id, home, members: Arc::clone(&members), record: record.clone(), dice: Dice::new(id), stop }
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(registers(client(0), KEYS));
        tasks.spawn(registers(client(1), KEYS));
        tasks.spawn(lists(client(2)));
        tasks.spawn(sets(client(3)));
        tasks.spawn(bank(client(4)));
        tasks.join_all().await;
    });
}

impl Client {
    /// What the member at home gives. Another is asked next where it gives nothing, and now and then for no reason.
    fn heard<T>(&mut self, result: Result<T>) -> Result<T> {
        if self.dice.happens(if result.is_err() { 0.4 } else { 0.02 }) {
            self.home = self.dice.below(self.members.len() as u64) as usize;
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
        !self.stop.load(SeqCst)
    }

    async fn think(&mut self) {
        sleep(Duration::from_millis(1 + self.dice.exponential(THINK))).await;
    }

    async fn range(&mut self, request: RangeRequest) -> Result<Page> {
        let result = self.members[self.home].range(request).await;
        self.heard(result)
    }

    async fn carry_out(&mut self, txn: Txn) -> Result<TxnOutcome> {
        let result = self.members[self.home].txn(txn).await;
        self.heard(result)
    }
}
