//! Attention in memory that grows with the number of tokens alone.
//!
//! The forward pass of Dao, "FlashAttention-2: Faster Attention with Better Parallelism and Work Partitioning", 2023: a core takes some
//! queries through all keys that they see, a block at a time, and keeps only the largest score, the sum and the mix of values so far.
//!
//! A query's result depends on itself, the keys it sees and where among the keys they stand, and on the instruction set; not on the queries
//! and sequences beside it, nor on the number of threads. (Where a hidden key or its value has numbers of 2^59 or more, that are infinite or
//! that are none, it may show in queries near those that see it.)
//!
//! On processors with AMX both products are those of its tiles, which multiply bfloat16 and add in f32. In [`Precision::F32`] a float is
//! the sum of three such numbers, so that products are rounded no more than f32 rounds them. Numbers and parts that are subnormal count as
//! zero. Queries with numbers of 2^59 or more, that are infinite or that are none, and those that see keys or values near such numbers, are
//! taken by vectors.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod block;
mod found;
mod heads;
mod mask;
pub(crate) mod output;
pub(crate) mod softmax;
#[cfg(test)]
mod tests;
mod tile;
#[cfg(target_arch = "x86_64")]
pub(crate) mod tiles;
pub(crate) mod vector;

use std::ops::Range;

use self::block::{LANES, Sequence, WIDEST};
pub use self::heads::Heads;
pub use self::mask::{Bias, Mask};
use self::output::Output;
use self::vector::{Portable, Simd};
use crate::linear::Precision;
use crate::packed::Pool;

/// How scores are changed before the mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Multiplies them.
    pub scale: f32,
    /// Then `c tanh(score / c)`, unless it is 0.
    pub softcap: f32,
    /// Of the factors of both products; sums, softmax and all else are in f32. Where the processor has AMX, [`Precision::Bf16`] rounds
    /// queries, keys, values and weights to the nearest number in bfloat16; elsewhere it is [`Precision::F32`].
    pub precision: Precision,
}

impl Default for Settings {
    /// Scores as they are, in f32.
    fn default() -> Self {
        Self { scale: 1.0, softcap: 0.0, precision: Precision::F32 }
    }
}

/// The instructions and threads that attention runs on.
#[derive(Clone, Copy, Debug)]
pub struct Team<'a> {
    pub(crate) isa: Isa,
    pub(crate) pool: &'a Pool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Isa {
    #[cfg(target_arch = "x86_64")]
    Tiles(tiles::TileUnit),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    Portable,
}

impl Isa {
    /// Those of this processor, the fastest first.
    fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let wide = {
            let tiles = tiles::TileUnit::new().map(Self::Tiles).into_iter();
            tiles.chain(avx512::Avx512::new().map(Self::Avx512)).chain(avx2::Avx2::new().map(Self::Avx2))
        };
        #[cfg(not(target_arch = "x86_64"))]
        let wide = std::iter::empty();
        wide.chain([Self::Portable])
    }
}

impl<'a> Team<'a> {
    /// The fastest instructions of this processor on the threads of a pool.
    pub fn new(pool: &'a Pool) -> Self {
        Self { isa: Isa::available().next().unwrap_or(Isa::Portable), pool }
    }

    /// One team for each instruction set of this processor, the fastest first. Tests and benches run each of them.
    pub fn available(pool: &'a Pool) -> Vec<Self> {
        Isa::available().map(|isa| Self { isa, pool }).collect()
    }
}

/// Queries, keys and values of sequences that stand one after another.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// `[tokens, heads, head_dim]`; query head `i` reads key head `i / (heads / kv_heads)`.
    pub queries: Heads<'a>,
    /// `[tokens, kv_heads, head_dim]`.
    pub keys: Heads<'a>,
    /// `[tokens, kv_heads, value_dim]`.
    pub values: Heads<'a>,
    /// The first query of each sequence, and after the last one the number of queries: `cu_seqlens_q`.
    pub query_starts: &'a [usize],
    /// The same of keys: `cu_seqlens_k`.
    pub key_starts: &'a [usize],
}

/// `softmax(cap(scale Q K^T) + mask) V` of one sequence, on all threads, into `out [queries, heads, value_dim]`. Queries that see no key get
/// zeros.
///
/// # Panics
/// Where the sizes do not fit each other, or a head is wider than 256.
pub fn attend([queries, keys, values]: [Heads<'_>; 3], [q, k]: [usize; 2], mask: &Mask<'_>, settings: Settings, out: &mut [f32]) {
    let batch = Batch { queries, keys, values, query_starts: &[0, q], key_starts: &[0, k] };
    attend_batch(Team::new(Pool::global()), &batch, mask, settings, out, None);
}

/// [`attend`] for every sequence of a batch: `out [tokens, heads, value_dim]`. Where `log_sums [tokens, heads]` are given they get the
/// logarithms of the sums of powers of e of scores; minus infinity for queries that see no key.
///
/// # Panics
/// Where the sizes do not fit each other, or a head is wider than 256.
pub fn attend_batch(team: Team<'_>, batch: &Batch<'_>, mask: &Mask<'_>, settings: Settings, out: &mut [f32], log_sums: Option<&mut [f32]>) {
    let sequences = sequences(batch, mask, settings);
    let output = Output::new(out, log_sums, batch.queries.count, batch.values.width);
    assert!(output.holds(batch.query_starts.last().copied().unwrap_or(0)), "outputs are as many as queries");
    match team.isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Tiles(unit) => tiles::run(unit, team.pool, &sequences, &output),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(simd) => run(simd, team.pool, &sequences, &output),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(simd) => run(simd, team.pool, &sequences, &output),
        Isa::Portable => run(Portable, team.pool, &sequences, &output),
    }
}

/// The sequences of a batch.
fn sequences<'a>(batch: &Batch<'a>, mask: &Mask<'a>, settings: Settings) -> Vec<Sequence<'a>> {
    let Batch { queries, keys, values, query_starts, key_starts } = *batch;
    assert!(keys.count > 0 && queries.count.is_multiple_of(keys.count), "{} key heads do not divide {} heads", keys.count, queries.count);
    assert!(queries.width <= WIDEST && values.width <= WIDEST, "heads are at most {WIDEST} wide");
    assert_eq!([keys.width, values.count], [queries.width, keys.count], "width of keys, heads of values");
    assert_eq!(query_starts.len(), key_starts.len(), "sequences of queries and of keys");
    let ends = [query_starts, key_starts].map(|starts| starts.last().copied().unwrap_or(0));
    assert!(queries.holds(ends[0]) && keys.holds(ends[1]) && values.holds(ends[1]), "sequences {ends:?} go beyond their inputs");
    let bounds = query_starts.windows(2).zip(key_starts.windows(2)).enumerate();
    let sequence = |(index, (q, k)): (usize, (&[usize], &[usize]))| {
        assert!(q[0] <= q[1] && k[0] <= k[1], "starts of sequences ascend");
        let (starts, sizes) = ([q[0], k[0]], [q[1] - q[0], k[1] - k[0]]);
        Sequence { inputs: [queries, keys, values], mask: *mask, settings, index, starts, sizes }
    };
    bounds.map(sequence).collect()
}

/// Runs all sequences on vectors.
fn run<S: Simd>(simd: S, pool: &Pool, sequences: &[Sequence<'_>], output: &Output<'_>) {
    let lanes = (S::WIDTH * S::LANES).min(LANES);
    run_rows(pool, sequences, lanes, |sequence, kv_head, rows| sequence.attend(simd, kv_head, rows, output));
}

/// Calls `attend` with every sequence, key head, and `count` of the rows that read it, which are the queries of its group of heads: head by
/// head, so that keys stay in the cache, and the last queries first, of which causal ones see most.
fn run_rows<'a>(pool: &Pool, sequences: &[Sequence<'a>], count: usize, attend: impl Fn(&Sequence<'a>, usize, Range<usize>) + Sync) {
    let mut tasks = Vec::new();
    for sequence in sequences {
        let rows = sequence.group() * sequence.sizes[0];
        for kv_head in 0..sequence.inputs[1].count {
            tasks.extend((0..rows).step_by(count).rev().map(|first| (sequence, kv_head, first..rows.min(first + count))));
        }
    }
    pool.run(tasks.len(), |task| {
        let (sequence, kv_head, ref rows) = tasks[task];
        attend(sequence, kv_head, rows.clone());
    });
}
