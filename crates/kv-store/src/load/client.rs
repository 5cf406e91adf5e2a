use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jarre_core::Clock;

use super::{Histogram, Load, Work};
use crate::{Error, KeyRange, RangeRequest, Result, Store};

/// What all clients work with.
pub(super) struct Shared {
    pub(super) load: Load,
    /// From when on it counts.
    pub(super) begin: Duration,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counted: AtomicU64,
}

/// What a client has to tell.
#[derive(Default)]
pub(super) struct Told {
    pub(super) latencies: Histogram,
    pub(super) errors: BTreeMap<String, u64>,
    /// From when on it counts until the last answer.
    pub(super) took: Duration,
}

impl Told {
    pub(super) fn add(&mut self, other: Self) {
        self.latencies.add(&other.latencies);
        self.took = self.took.max(other.took);
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
    }
}

impl Shared {
    pub(super) async fn client(&self, number: u64) -> Told {
        let (value, mut told) = (vec![b'w'; self.load.value], Told::default());
        for turn in 0_u64.. {
            let begun = self.clock.now();
            if begun >= self.begin + self.load.duration || self.is_enough() {
                break;
            }
            let result = self.operation(number, turn, &value).await;
            let now = self.clock.now();
            if begun < self.begin {
                continue;
            }
            told.took = now.saturating_sub(self.begin);
            match result {
                Ok(()) => {
                    self.counted.fetch_add(1, Ordering::Relaxed);
                    told.latencies.record(now.saturating_sub(begun));
                }
                Err(error) => *told.errors.entry(kind(&error)).or_default() += 1,
            }
        }
        told
    }

    fn is_enough(&self) -> bool {
        self.load.operations.is_some_and(|most| self.counted.load(Ordering::Relaxed) >= most)
    }

    async fn operation(&self, client: u64, turn: u64, value: &[u8]) -> Result<()> {
        // Clients begin at different keys.
        let one_of = |keys: u64| self.load.key(client.wrapping_mul(7919).wrapping_add(turn.wrapping_mul(31)) % keys.max(1));
        match self.load.work {
            Work::PutUnique => {
                let key = format!("{}{client}/{turn:012}", self.load.prefix);
                self.store.put(key.as_bytes(), value).await.map(drop)
            }
            Work::Mixed { keys, reads } if is_read(turn, reads) => self.store.get(one_of(keys).as_bytes()).await.map(drop),
            Work::PutOver { keys } | Work::Mixed { keys, .. } => self.store.put(one_of(keys).as_bytes(), value).await.map(drop),
            Work::Read { keys, level } => {
                let request = RangeRequest::new(KeyRange::key(one_of(keys))).with_level(level);
                let page = self.store.range(request).await?;
                if page.entries.len() == 1 { Ok(()) } else { Err(Error::corrupt("the load", "a key that was put is not there")) }
            }
        }
    }
}

/// Reads are spread evenly over a hundred turns.
fn is_read(turn: u64, reads: u8) -> bool {
    let before = |turn: u64| turn * u64::from(reads) / 100;
    before(turn % 100 + 1) > before(turn % 100)
}

/// The name of an error's kind.
fn kind(error: &Error) -> String {
    let debug = format!("{error:?}");
    debug.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
