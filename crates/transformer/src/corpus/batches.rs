use std::sync::Arc;

use rand::Rng;

use super::packing::{Batch, Packing};
use super::permutation::Permutation;
use super::stream::TokenStream;
use crate::error::{Error, Result};
use crate::rng;

/// Sets the draws of batches apart from others that a run makes with the same seed.
const ROWS: u64 = 0x726f_7773_0000_0000;

/// The order in which rows are taken from a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Windows that begin at any token, drawn with replacement: nanoGPT's. There are no epochs.
    RandomWindows,
    /// Windows side by side, each once an epoch, in another order every epoch.
    Shuffled,
    /// Windows side by side, in order: for validation.
    Sequential,
}

/// Cuts a corpus into batches of training rows.
///
/// A row is a window of `seq` tokens, with the token after each as its target. Windows side by side leave out what is too short for a last
/// one: at most `seq` tokens at the end of the corpus. A document that is longer than what is left of a row goes on in another.
///
/// ```
/// # use {jarre_transformer::corpus::{BatchConfig, Order, TokenStream}, std::sync::Arc};
/// let corpus = Arc::new(TokenStream::from_documents(100, [vec![1, 2, 3, 0], vec![4, 5, 0], vec![6, 7, 8, 9, 0]])?);
/// let config = BatchConfig::new(2, 4).with_order(Order::Sequential).with_documents(true).with_ignored_borders(true);
/// let batch = config.init(corpus)?.batch(0)?;
///
/// assert_eq!(batch.inputs, [1, 2, 3, 0, 4, 5, 0, 6]);
/// assert_eq!(batch.targets, [2, 3, 0, u32::MAX, 5, 0, u32::MAX, 7]);
/// assert_eq!(batch.document.as_deref(), Some([0, 0, 0, 0, 0, 0, 0, 1].as_slice()));
/// assert_eq!(batch.positions(), [0, 1, 2, 3, 0, 1, 2, 0]);
/// # Ok::<(), jarre_transformer::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    batch: usize,
    seq: usize,
    seed: u64,
    order: Order,
    documents: bool,
    ignored_borders: bool,
}

impl BatchConfig {
    /// Batches of `batch` rows of `seq` tokens, [shuffled](Order::Shuffled) by seed 0, documents not told apart.
    pub fn new(batch: usize, seq: usize) -> Self {
        Self { batch, seq, seed: 0, order: Order::Shuffled, documents: false, ignored_borders: false }
    }

    /// Draws by `seed`.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Takes rows in `order`.
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Says of each token which document of its row it is of, so that attention can be kept inside a document and positions start anew.
    pub fn with_documents(mut self, documents: bool) -> Self {
        self.documents = documents;
        self
    }

    /// Sets the target of every document's last token to [`IGNORED_TARGET`](super::IGNORED_TARGET): what follows it is another document.
    pub fn with_ignored_borders(mut self, ignored: bool) -> Self {
        self.ignored_borders = ignored;
        self
    }

    /// Batches from `tokens`.
    ///
    /// # Errors
    /// Where `batch` or `seq` is zero, or the corpus is too short for one row.
    pub fn init(self, tokens: Arc<TokenStream>) -> Result<BatchSource> {
        if self.batch == 0 || self.seq == 0 {
            return Err(Error::Corpus(format!(
                "batches of {} rows of {} tokens hold nothing; both must be at least 1",
                self.batch, self.seq
            )));
        }
        let (seq, last) = (self.seq as u64, tokens.len().saturating_sub(1));
        let rows = match self.order {
            Order::RandomWindows => tokens.len().saturating_sub(seq),
            Order::Shuffled | Order::Sequential => last / seq,
        };
        if rows == 0 {
            let needed = seq.saturating_add(1);
            return Err(Error::Corpus(format!("a corpus of {} tokens has no row of {seq}; that takes {needed} tokens", tokens.len())));
        }
        Ok(BatchSource { tokens, config: self, rows, local: self.batch, offset: 0 })
    }
}

/// Batches by number: batch `step` is a function of the corpus, the configuration and `step` alone, so that a run that is taken up again at
/// any step sees what it would have seen.
///
/// Rows are numbered through all batches: row `r` of batch `s` is number `s * batch + r`, and epoch `e` is the numbers from `e * rows` to
/// `(e + 1) * rows`, each row of the corpus once. So a batch may hold the end of one epoch and the start of the next, and no row is left
/// out. The order within an epoch is a permutation that is computed, not held.
#[derive(Clone, Debug)]
pub struct BatchSource {
    tokens: Arc<TokenStream>,
    config: BatchConfig,
    /// Places that a row can begin at.
    rows: u64,
    /// Rows of a batch that this worker gets, and the first of them.
    local: usize,
    offset: usize,
}

impl BatchSource {
    /// Gives this worker its rows of every batch: the `rank`-th of `world` equal parts. The parts in the order of ranks are the batch.
    ///
    /// # Errors
    /// Where `rank` is not below `world`, or the rows of a batch cannot be dealt out evenly.
    pub fn with_shard(mut self, rank: usize, world: usize) -> Result<Self> {
        let batch = self.config.batch;
        if rank >= world || !batch.is_multiple_of(world) {
            let problem = format!(
                "worker {rank} of {world} has no equal part of {batch} rows; ranks count from 0, and workers must divide the batch"
            );
            return Err(Error::Corpus(problem));
        }
        self.local = batch / world;
        self.offset = rank * self.local;
        Ok(self)
    }

    /// Batch `step`: `[batch / world, seq]`. Cost: a read of each row.
    ///
    /// # Errors
    /// Where the corpus cannot be read or is damaged, or `step` is beyond 2^64 rows.
    pub fn batch(&self, step: u64) -> Result<Batch> {
        let BatchConfig { batch, seq, documents, ignored_borders: ignore_borders, .. } = self.config;
        let first = step.checked_mul(batch as u64).and_then(|first| first.checked_add(batch as u64)).map(|end| end - batch as u64);
        let first = first.ok_or_else(|| Error::Corpus(format!("there is no batch {step}: its rows cannot be numbered")))?;
        let starts: Vec<u64> = self.starts(first + self.offset as u64);
        Packing { seq, documents, ignore_borders }.pack(&self.tokens, starts.into_iter())
    }

    /// The epoch that batch `step` begins in, from 0.
    ///
    /// For [`Order::RandomWindows`] the number of times that as many tokens as the corpus has were drawn.
    pub fn epoch(&self, step: u64) -> u64 {
        let rows = u128::from(self.rows_per_epoch());
        (u128::from(step) * self.config.batch as u128 / rows) as u64
    }

    /// Batches until every row has been seen once, the last of which may hold rows of the next epoch.
    pub fn batches_per_epoch(&self) -> u64 {
        self.rows_per_epoch().div_ceil(self.config.batch as u64)
    }

    /// Rows of an epoch.
    pub fn rows_per_epoch(&self) -> u64 {
        match self.config.order {
            Order::RandomWindows => (self.tokens.len() / self.config.seq as u64).max(1),
            Order::Shuffled | Order::Sequential => self.rows,
        }
    }

    /// The corpus.
    pub fn tokens(&self) -> &Arc<TokenStream> {
        &self.tokens
    }

    /// What the batches are cut by; the number of rows is that of all workers together.
    pub fn config(&self) -> &BatchConfig {
        &self.config
    }

    /// Where the windows of this worker's rows begin, row `first` and those after it.
    fn starts(&self, first: u64) -> Vec<u64> {
        let numbers = (0..self.local as u64).map(|row| first + row);
        let seq = self.config.seq as u64;
        match self.config.order {
            Order::RandomWindows => numbers.map(|number| self.draw(number)).collect(),
            Order::Sequential => numbers.map(|number| number % self.rows * seq).collect(),
            Order::Shuffled => {
                let mut epochs = Epochs { source: self, current: None };
                numbers.map(|number| epochs.row(number) * seq).collect()
            }
        }
    }

    /// A place below `rows`, each as likely as the others but for `rows` parts in 2^64 (Lemire 2019, without rejection).
    fn draw(&self, number: u64) -> u64 {
        let random = rng::stream(self.config.seed ^ ROWS, number).next_u64();
        ((u128::from(random) * u128::from(self.rows)) >> 64) as u64
    }
}

/// The order of the epoch at hand.
struct Epochs<'s> {
    source: &'s BatchSource,
    current: Option<(u64, Permutation)>,
}

impl Epochs<'_> {
    /// The row of the corpus that is taken as number `number`.
    fn row(&mut self, number: u64) -> u64 {
        let (epoch, index) = (number / self.source.rows, number % self.source.rows);
        let (_, permutation) = match self.current.take() {
            Some(current) if current.0 == epoch => self.current.insert(current),
            _ => self.current.insert((epoch, self.permutation(epoch))),
        };
        permutation.apply(index)
    }

    fn permutation(&self, epoch: u64) -> Permutation {
        Permutation::new(self.source.rows, &mut rng::stream(self.source.config.seed ^ ROWS, epoch))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A corpus whose token at each place is the place, in documents of seven.
    fn places(count: u32) -> Arc<TokenStream> {
        let all: Vec<u32> = (0..count).collect();
        Arc::new(TokenStream::from_documents(1_000_000, all.chunks(7)).unwrap())
    }

    fn source(config: BatchConfig, count: u32) -> BatchSource {
        config.init(places(count)).unwrap()
    }

    /// Where the rows of batches `0..steps` begin.
    fn starts(source: &BatchSource, steps: u64) -> Vec<u32> {
        let seq = source.config.seq;
        (0..steps).flat_map(|step| source.batch(step).unwrap().inputs.into_iter().step_by(seq)).collect()
    }

    #[test]
    fn a_batch_is_a_function_of_its_number() {
        for order in [Order::RandomWindows, Order::Shuffled, Order::Sequential] {
            let config = BatchConfig::new(3, 5).with_order(order).with_seed(4);
            let (one, other) = (source(config, 200), source(config, 200));
            let forward: Vec<Batch> = (0..50).map(|step| one.batch(step).unwrap()).collect();
            for step in (0..50).rev() {
                assert_eq!(other.batch(step).unwrap(), forward[step as usize]);
            }
        }
    }

    #[test]
    fn seeds_and_epochs_have_orders_of_their_own() {
        let order = |seed| starts(&source(BatchConfig::new(20, 10).with_seed(seed), 201), 2);
        let (one, other) = (order(1), order(2));
        assert_ne!(one, other);
        assert_ne!(one[..20], one[20..]);
    }

    #[test]
    fn random_windows_reach_every_place_and_no_further() {
        let source = source(BatchConfig::new(64, 8).with_order(Order::RandomWindows), 20);
        let mut counts = [0_u32; 20];
        for start in starts(&source, 200) {
            counts[start as usize] += 1;
        }
        // Twelve places, 12,800 draws: 1,067 each, with a standard deviation of 31.
        assert!(counts[..12].iter().all(|count| count.abs_diff(1067) < 190), "{counts:?}");
        assert_eq!(counts[12..], [0; 8]);
    }

    #[test]
    fn what_cannot_be_cut_into_batches_is_refused() {
        for (batch, seq, count) in [(0, 4, 100), (4, 0, 100), (4, 100, 100), (1, usize::MAX, 100), (1, 1, 0), (1, 1, 1)] {
            for order in [Order::RandomWindows, Order::Shuffled, Order::Sequential] {
                assert!(BatchConfig::new(batch, seq).with_order(order).init(places(count)).is_err(), "{batch} {seq} {count} {order:?}");
            }
        }
        let whole = source(BatchConfig::new(4, 99), 100);
        assert_eq!((whole.rows_per_epoch(), starts(&whole, 1)), (1, vec![0; 4]));
        assert!(whole.batch(u64::MAX / 4 + 1).is_err());
        for (rank, world) in [(0, 0), (2, 2), (0, 3), (0, 8)] {
            assert!(whole.clone().with_shard(rank, world).is_err(), "{rank} of {world}");
        }
    }

    #[test]
    fn epochs_are_counted_in_rows() {
        let source = source(BatchConfig::new(4, 10).with_order(Order::Sequential), 101);
        assert_eq!((source.rows_per_epoch(), source.batches_per_epoch()), (10, 3));
        assert_eq!([0, 2, 3, 5, u64::MAX].map(|step| source.epoch(step)), [0, 0, 1, 2, 7_378_697_629_483_820_646]);
        assert_eq!(starts(&source, 3), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 0, 10]);
    }

    proptest! {
        #[test]
        fn every_row_is_seen_once_an_epoch(batch in 1..9_usize, seq in 1..7_usize, count in 8..300_u32, seed: u64) {
            let source = source(BatchConfig::new(batch, seq).with_seed(seed), count);
            let rows = source.rows_per_epoch() as usize;
            let mut seen = starts(&source, (3 * rows).div_ceil(batch) as u64);
            seen.truncate(3 * rows);
            for epoch in seen.chunks(rows) {
                let mut epoch = epoch.to_vec();
                epoch.sort_unstable();
                prop_assert!(epoch.into_iter().eq((0..rows as u32).map(|row| row * seq as u32)));
            }
        }

        #[test]
        fn workers_together_have_the_batch(each in 1..4_usize, world in 1..6_usize, step in 0..1000_u64, seed: u64, order in 0..3_usize) {
            let order = [Order::RandomWindows, Order::Shuffled, Order::Sequential][order];
            let config = BatchConfig::new(each * world, 5).with_seed(seed).with_order(order).with_documents(true).with_ignored_borders(true);
            let whole = source(config, 150);
            let parts: Vec<Batch> =
                (0..world).map(|rank| whole.clone().with_shard(rank, world).unwrap().batch(step).unwrap()).collect();
            let whole = whole.batch(step).unwrap();
            let join = |of: fn(&Batch) -> &[u32]| parts.iter().map(of).collect::<Vec<_>>().concat();
            prop_assert!(parts.iter().all(|part| part.batch == each));
            prop_assert_eq!(join(|batch| &batch.inputs), whole.inputs);
            prop_assert_eq!(join(|batch| &batch.targets), whole.targets);
            prop_assert_eq!(join(|batch| batch.document.as_ref().unwrap()), whole.document.unwrap());
        }
    }
}
