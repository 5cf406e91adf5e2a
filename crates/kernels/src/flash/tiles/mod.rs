//! Attention by products of tiles (AMX), on processors that have them.
//!
//! As on vectors every query of every head of a key head's group is a lane: scores are `K Q^T` and mixes `V^T P^T`, so that softmax takes no
//! step across lanes and its weights `P` are packed where they are made. Keys and values are packed once for many queries.

mod lanes;
mod pack;
mod parts;
mod softmax;
mod span;
mod strip;
#[cfg(test)]
mod tests;

use super::avx512::Avx512;
use super::block::Sequence;
use super::output::Output;
use crate::amx::Amx;
use crate::linear::Precision;
use crate::packed::Pool;

/// Queries of a block, and keys, dimensions and values that are packed together.
const GROUP: usize = 32;

/// Groups of a block of keys, whose scores stay in the first-level cache. Blocks begin at multiples of its size, so that what a query gets
/// does not depend on the queries beside it.
const KEY_GROUPS: usize = 4;

/// Keys of a block.
const KEYS: usize = KEY_GROUPS * GROUP;

/// Lanes of a vector.
const VECTOR: usize = GROUP / 2;

/// The most queries that read keys while they are packed.
const LONGEST: usize = 2048;

/// Proof that the processor has tiles, and the vectors that go with them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TileUnit {
    amx: Amx,
    vectors: Avx512,
}

impl TileUnit {
    /// The proof, where the processor has them.
    pub(super) fn new() -> Option<Self> {
        let vectors = Avx512::new().filter(|_| is_x86_feature_detected!("avx512bw"))?;
        Some(Self { amx: Amx::new()?, vectors })
    }

    /// The vectors.
    pub(crate) fn vectors(self) -> Avx512 {
        self.vectors
    }
}

/// Heads narrower than this are faster on vectors where each number takes three.
const NARROWEST: usize = 48;

/// Runs all sequences.
pub(super) fn run(unit: TileUnit, pool: &Pool, sequences: &[Sequence<'_>], output: &Output<'_>) {
    let narrow = |sequence: &Sequence<'_>| sequence.inputs.iter().any(|x| x.width < NARROWEST);
    if sequences.first().is_some_and(|first| first.settings.precision == Precision::F32 && narrow(first)) {
        return super::run(unit.vectors, pool, sequences, output);
    }
    let rows: usize = sequences.iter().map(|sequence| sequence.group() * sequence.sizes[0] * sequence.inputs[1].count).sum();
    let count = (rows / (4 * pool.threads())).next_multiple_of(GROUP).clamp(2 * GROUP, LONGEST);
    super::run_rows(pool, sequences, count, |sequence, kv_head, rows| match sequence.settings.precision {
        Precision::F32 => strip::attend::<3>(unit, sequence, kv_head, rows, output),
        Precision::Bf16 => strip::attend::<1>(unit, sequence, kv_head, rows, output),
    });
}
