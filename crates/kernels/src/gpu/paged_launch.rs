//! Attention of one query a sequence over a paged cache.
#![expect(unsafe_code, reason = "launches without checks of bounds, which the kernels make themselves")]

use cubecl::client::Client;
use cubecl::prelude::{AddressType, CubeCount, CubeDim};

use super::buffer::Buffer;
use super::merge::merge_spans;
use super::paged::{self, PagedPlan, PagedScalarsLaunch, ROUND};

/// Heads of a cube, at most: their sums are in registers.
const HEADS: usize = 4;
/// Cubes that a launch should have, to fill a device.
const CUBES: usize = 512;
/// Positions of a span, at least.
const SPAN: usize = 4 * ROUND;

/// Shape of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagedShape {
    /// Sequences, of one query each.
    pub sequences: usize,
    /// Heads of queries: a multiple of `kv_heads`.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Width of a head: a multiple of 4.
    pub d: usize,
    /// Positions of a block.
    pub block_size: usize,
    /// Blocks of a row of the table.
    pub max_blocks: usize,
}

/// Keys and values of all sequences.
#[derive(Clone, Debug)]
pub struct PagedCache {
    /// `[blocks, block_size, kv_heads, d]`.
    pub keys: Buffer,
    /// `[blocks, block_size, kv_heads, d]`, of the same type.
    pub values: Buffer,
    /// u32 `[sequences, max_blocks]`: the blocks of a sequence in order; entries past its length are not read.
    pub block_tables: Buffer,
    /// u32 `[sequences]`: positions of a sequence, the query's own included, at most `max_blocks * block_size`.
    pub context_lens: Buffer,
}

/// How scores are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PagedSettings {
    /// Multiplies products of queries and keys.
    pub scale: f32,
    /// `softcap tanh(score / softcap)`.
    pub softcap: Option<f32>,
    /// Last positions that a query sees, itself included.
    pub window: Option<usize>,
}

/// Softmax of a query's scores times values, `[sequences, heads, d]` in the type of `q`, and the logarithms of the scores' sums of
/// exponentials, f32 `[sequences, heads]`. A sequence without positions gives zeros and `f32::MIN`.
///
/// Long contexts are split in spans, which a second kernel merges. Blocks that tables name are not compared with the cache's number of
/// blocks: one outside is undefined behaviour on the device.
///
/// # Panics
/// Where buffers do not fit `shape`, `d` is no multiple of 4, or `heads` none of `kv_heads`.
pub fn paged_decode_attention(
    client: &Client,
    q: &Buffer,
    cache: &PagedCache,
    shape: PagedShape,
    settings: PagedSettings,
) -> (Buffer, Buffer) {
    let spans = spans(shape);
    paged_decode_in_spans(client, q, cache, shape, settings, spans)
}

pub(super) fn paged_decode_in_spans(
    client: &Client,
    q: &Buffer,
    cache: &PagedCache,
    shape: PagedShape,
    settings: PagedSettings,
    spans: usize,
) -> (Buffer, Buffer) {
    check(q, cache, shape);
    let rows = shape.sequences * shape.heads;
    let (out, lse) = (Buffer::empty(client, rows * shape.d, q.elem), Buffer::empty_f32(client, rows));
    if rows == 0 {
        return (out, lse);
    }
    let launch = Launch { client, q, cache, shape, settings, spans };
    if spans == 1 {
        launch.decode(&out, &lse);
        return (out, lse);
    }
    let (parts, part_lse) = (Buffer::empty_f32(client, spans * rows * shape.d), Buffer::empty_f32(client, spans * rows));
    launch.decode(&parts, &part_lse);
    launch.merge([&parts, &part_lse], &out, &lse);
    (out, lse)
}

/// Spans so many that the device is filled, and so few that each is worth a merge.
fn spans(shape: PagedShape) -> usize {
    let cubes = (shape.sequences * shape.heads / group(shape)).max(1);
    let longest = shape.max_blocks * shape.block_size;
    CUBES.div_ceil(cubes).min(longest.div_ceil(SPAN)).max(1)
}

/// Heads of a cube: as many as share keys and values, up to [`HEADS`].
fn group(shape: PagedShape) -> usize {
    let shared = shape.heads / shape.kv_heads;
    (1..=HEADS.min(shared)).rev().find(|count| shared.is_multiple_of(*count)).unwrap_or(1)
}

fn check(q: &Buffer, cache: &PagedCache, shape: PagedShape) {
    let PagedShape { sequences, heads, kv_heads, d, block_size, max_blocks } = shape;
    assert!(kv_heads > 0 && heads.is_multiple_of(kv_heads), "{heads} heads of queries for {kv_heads} of keys");
    assert!(d > 0 && d.is_multiple_of(4), "heads of {d}, which is no multiple of 4");
    assert!(block_size > 0, "blocks of no positions");
    assert_eq!(q.len, sequences * heads * d, "queries of {sequences} sequences of {heads} heads of {d}");
    assert!(cache.keys.len.is_multiple_of(block_size * kv_heads * d), "keys are no blocks of {block_size} positions");
    assert_eq!(cache.keys.len, cache.values.len, "as many values as keys");
    assert_eq!(cache.keys.elem, cache.values.elem, "values of the type of keys");
    assert_eq!(cache.block_tables.len, sequences * max_blocks, "tables of {sequences} sequences of {max_blocks} blocks");
    assert_eq!(cache.context_lens.len, sequences, "a length for every sequence");
}

struct Launch<'a> {
    client: &'a Client,
    q: &'a Buffer,
    cache: &'a PagedCache,
    shape: PagedShape,
    settings: PagedSettings,
    spans: usize,
}

impl Launch<'_> {
    fn decode(&self, out: &Buffer, lse: &Buffer) {
        let (plan, cache, shape) = (self.plan(), self.cache, self.shape);
        let cubes = shape.heads / plan.group;
        // SAFETY: `check` has compared buffers with the shape; that tables and lengths hold what they should is the caller's promise.
        unsafe {
            paged::paged_decode::launch_unchecked(
                self.client,
                CubeCount::Static(cubes as u32, shape.sequences as u32, self.spans as u32),
                CubeDim::new_1d(ROUND as u32),
                self.widest(out),
                self.q.arg(4),
                cache.keys.arg(4),
                cache.values.arg(1),
                cache.block_tables.arg(1),
                cache.context_lens.arg(1),
                out.arg(1),
                lse.arg(1),
                self.scalars(),
                plan,
                [self.q.elem, cache.keys.elem, out.elem],
            );
        }
    }

    fn merge(&self, [parts, part_lse]: [&Buffer; 2], out: &Buffer, lse: &Buffer) {
        let cubes = out.len.div_ceil(4 * ROUND) as u32;
        // SAFETY: rows are compared with their number before they are used.
        unsafe {
            merge_spans::launch_unchecked(
                self.client,
                CubeCount::Static(cubes, 1, 1),
                CubeDim::new_1d(4 * ROUND as u32),
                self.widest(parts),
                parts.arg(1),
                part_lse.arg(1),
                out.arg(1),
                lse.arg(1),
                self.spans as u32,
                lse.len as u32,
                self.shape.d,
                out.elem,
            );
        }
    }

    fn plan(&self) -> PagedPlan {
        let PagedShape { heads, kv_heads, d, block_size, .. } = self.shape;
        let group = group(self.shape);
        PagedPlan { group, parts: heads / kv_heads / group, kv_heads, d, block_size, softcap: self.settings.softcap.is_some() }
    }

    fn scalars(&self) -> PagedScalarsLaunch {
        let PagedShape { block_size, max_blocks, .. } = self.shape;
        let span = (max_blocks * block_size).div_ceil(self.spans).max(1);
        let window = self.settings.window.map_or(u32::MAX, |window| window as u32);
        PagedScalarsLaunch::new(self.settings.scale, self.settings.softcap.unwrap_or(1.0), window, max_blocks as u32, span as u32)
    }

    fn widest(&self, out: &Buffer) -> AddressType {
        self.cache.keys.address_type().max(out.address_type())
    }
}
