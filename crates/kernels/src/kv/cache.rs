//! Keys and values of one layer in blocks of positions (Kwon et al., "Efficient Memory Management for Large Language Model Serving with
//! `PagedAttention`", 2023).

use super::aligned::Aligned;
use super::element::{Bf16, Element};
use crate::rope::Rotation;

/// Numbers of a vector of the widest kind: rows of values are padded to whole vectors, and as many keys stand side by side.
pub(super) const LANES: usize = 16;

/// The widest head.
pub(super) const MAX_WIDTH: usize = 256;

/// How numbers of a cache are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KvType {
    /// As they come.
    F32,
    /// Rounded to the nearest bfloat16, ties to even.
    Bf16,
    /// 8-bit integers with one scale, `max |x| / 127`, for each position and head. A row with a value that is not finite is NaN.
    Int8,
}

impl KvType {
    /// Bytes of a number, and of the scale of a row.
    fn bytes(self) -> [usize; 2] {
        match self {
            Self::F32 => [size_of::<f32>(), 0],
            Self::Bf16 => [size_of::<Bf16>(), 0],
            Self::Int8 => [size_of::<i8>(), size_of::<f32>()],
        }
    }
}

/// The sizes of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvShape {
    /// Blocks.
    pub blocks: usize,
    /// Positions of a block.
    pub block_size: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Width of a head, 1 to 256.
    pub head_dim: usize,
}

impl KvShape {
    /// Bytes that a block takes, keys and values together. A head's keys are padded to a multiple of 16 positions, and each row of values to
    /// a multiple of 16 numbers.
    pub fn bytes_per_block(&self, kind: KvType) -> usize {
        let [number, scale] = kind.bytes();
        let numbers = self.groups() * self.group_size() + self.block_size * self.pitch();
        self.kv_heads * (numbers * number + 2 * self.block_size * scale)
    }

    /// Numbers from one row of values to the next.
    pub(super) fn pitch(&self) -> usize {
        self.head_dim.next_multiple_of(LANES)
    }

    /// Numbers of a group of keys.
    pub(super) fn group_size(&self) -> usize {
        self.head_dim * LANES
    }

    /// Groups of the keys of a head in a block.
    pub(super) fn groups(&self) -> usize {
        self.block_size.div_ceil(LANES)
    }

    /// The row of a slot and head: rows are `[blocks, kv_heads, block_size]`.
    #[inline(always)]
    pub(super) fn row(&self, slot: usize, head: usize) -> usize {
        (slot / self.block_size * self.kv_heads + head) * self.block_size + slot % self.block_size
    }

    /// The first number of a key, one of every [`LANES`] from there on: numbers are `[blocks, kv_heads, groups, head_dim, LANES]`.
    #[inline(always)]
    pub(super) fn key(&self, slot: usize, head: usize) -> usize {
        let (block, offset) = (slot / self.block_size, slot % self.block_size);
        ((block * self.kv_heads + head) * self.groups() + offset / LANES) * self.group_size() + offset % LANES
    }

    fn rows(&self) -> usize {
        self.blocks * self.block_size * self.kv_heads
    }
}

/// Keys and values of one layer, in memory taken at once: `blocks` blocks of `block_size` positions.
///
/// A position's place is its slot, `block * block_size + offset`. Within a block each head's values stand one after another,
/// `[blocks, kv_heads, block_size, head_dim]`, and keys in groups of 16, number by number, `[blocks, kv_heads, block_size / 16, head_dim, 16]`:
/// so a vector is of as many keys, and scores need no sum across its lanes. Blocks whose size is no multiple of 16 leave lanes empty.
///
/// ```
/// use jarre_kernels::kv::{KvCache, KvShape, KvType};
///
/// let mut cache = KvCache::new(KvShape { blocks: 4, block_size: 16, kv_heads: 1, head_dim: 2 }, KvType::F32);
/// cache.write(&[17], &[1.0, 2.0], &[3.0, 4.0]);
/// cache.copy_block(1, 3);
/// assert_eq!(cache.read(&[49]), (vec![1.0, 2.0], vec![3.0, 4.0]));
/// ```
#[derive(Debug)]
pub struct KvCache {
    pub(super) shape: KvShape,
    pub(super) store: Store,
}

#[derive(Debug)]
pub(super) enum Store {
    F32(Planes<f32>),
    Bf16(Planes<Bf16>),
    Int8(Planes<i8>),
}

/// Calls the same of whatever a cache is made of.
macro_rules! on_planes {
    ($store:expr, $planes:ident => $call:expr) => {
        match $store {
            Store::F32($planes) => $call,
            Store::Bf16($planes) => $call,
            Store::Int8($planes) => $call,
        }
    };
}
pub(super) use on_planes;

impl KvCache {
    /// A cache of zeros.
    ///
    /// # Panics
    /// Where a size other than the number of blocks is 0, or a head is wider than 256.
    pub fn new(shape: KvShape, kind: KvType) -> Self {
        assert!(shape.block_size > 0 && shape.kv_heads > 0, "{shape:?}: blocks hold at least one position and one head");
        assert!((1..=MAX_WIDTH).contains(&shape.head_dim), "{shape:?}: heads are 1 to {MAX_WIDTH} wide");
        let store = match kind {
            KvType::F32 => Store::F32(Planes::new(&shape)),
            KvType::Bf16 => Store::Bf16(Planes::new(&shape)),
            KvType::Int8 => Store::Int8(Planes::new(&shape)),
        };
        Self { shape, store }
    }

    /// The sizes of the cache.
    pub fn shape(&self) -> KvShape {
        self.shape
    }

    /// How numbers are kept.
    pub fn kind(&self) -> KvType {
        match self.store {
            Store::F32(_) => KvType::F32,
            Store::Bf16(_) => KvType::Bf16,
            Store::Int8(_) => KvType::Int8,
        }
    }

    /// Bytes that a block takes, keys and values together.
    pub fn bytes_per_block(&self) -> usize {
        self.shape.bytes_per_block(self.kind())
    }

    /// Writes keys and values, both `[tokens, kv_heads, head_dim]`, to a slot for each token.
    ///
    /// # Panics
    /// Where there is no such slot, or the sizes do not fit each other.
    pub fn write(&mut self, slots: &[usize], keys: &[f32], values: &[f32]) {
        self.check_sizes(slots, keys, values);
        let shape = self.shape;
        on_planes!(&mut self.store, planes => planes.write(&shape, slots, [keys, values], None));
    }

    /// [`write`](Self::write) of keys that are rotated on their way, with the angles of each token's position: what
    /// [`rope`](crate::rope()) and then `write` leave there, bit for bit, without keys of their own in between.
    ///
    /// # Panics
    /// As [`write`](Self::write), and where the tables of `rotation` do not fit as many tokens or are wider than a head.
    pub fn write_rotated(&mut self, slots: &[usize], keys: &[f32], values: &[f32], rotation: &Rotation<'_>) {
        self.check_sizes(slots, keys, values);
        rotation.check(slots.len(), self.shape.head_dim);
        let shape = self.shape;
        on_planes!(&mut self.store, planes => planes.write(&shape, slots, [keys, values], Some(rotation)));
    }

    /// Keys and values of slots, both `[tokens, kv_heads, head_dim]`, as they were kept.
    ///
    /// # Panics
    /// Where there is no such slot.
    pub fn read(&self, slots: &[usize]) -> (Vec<f32>, Vec<f32>) {
        self.check(slots);
        let [keys, values] = on_planes!(&self.store, planes => planes.read(&self.shape, slots));
        (keys, values)
    }

    /// Copies block `from` to block `to`, bit for bit.
    ///
    /// # Panics
    /// Where there is no such block.
    pub fn copy_block(&mut self, from: usize, to: usize) {
        let blocks = self.shape.blocks;
        assert!(from < blocks && to < blocks, "blocks {from} and {to} of {blocks}");
        let shape = self.shape;
        on_planes!(&mut self.store, planes => planes.copy_block(&shape, from, to));
    }

    fn check_sizes(&self, slots: &[usize], keys: &[f32], values: &[f32]) {
        let token = self.shape.kv_heads * self.shape.head_dim;
        assert_eq!([keys.len(), values.len()], [slots.len() * token; 2], "keys and values of {} tokens of {token}", slots.len());
        self.check(slots);
    }

    fn check(&self, slots: &[usize]) {
        let count = self.shape.blocks * self.shape.block_size;
        let beyond = slots.iter().find(|&&slot| slot >= count);
        assert!(beyond.is_none(), "slot {} of {count}", beyond.unwrap_or(&0));
    }
}

/// Keys and values of one kind of number.
#[derive(Debug)]
pub(super) struct Planes<E> {
    pub(super) keys: Plane<E>,
    pub(super) values: Plane<E>,
}

/// Keys, or values.
#[derive(Debug)]
pub(super) struct Plane<E> {
    pub(super) numbers: Aligned<E>,
    /// One a row; none where numbers have no scales.
    pub(super) scales: Vec<f32>,
    /// Where rows stand.
    pub(super) layout: Layout,
}

/// Where the numbers of a row stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layout {
    /// Each [`LANES`] after the one before: [`KvShape::key`].
    Keys,
    /// Side by side, padded with zeros: [`KvShape::row`].
    Values,
}

impl Layout {
    /// Numbers of a block.
    fn block(self, shape: &KvShape) -> usize {
        shape.kv_heads
            * match self {
                Self::Keys => shape.groups() * shape.group_size(),
                Self::Values => shape.block_size * shape.pitch(),
            }
    }

    /// The first number of a slot and head, and the distance to the next.
    #[inline(always)]
    pub(super) fn place(self, shape: &KvShape, slot: usize, head: usize) -> (usize, usize) {
        match self {
            Self::Keys => (shape.key(slot, head), LANES),
            Self::Values => (shape.row(slot, head) * shape.pitch(), 1),
        }
    }
}

impl<E: Element> Planes<E> {
    fn new(shape: &KvShape) -> Self {
        Self { keys: Plane::new(shape, Layout::Keys), values: Plane::new(shape, Layout::Values) }
    }

    fn read(&self, shape: &KvShape, slots: &[usize]) -> [Vec<f32>; 2] {
        [&self.keys, &self.values].map(|plane| plane.read(shape, slots))
    }

    fn copy_block(&mut self, shape: &KvShape, from: usize, to: usize) {
        for plane in [&mut self.keys, &mut self.values] {
            let (numbers, rows) = (plane.layout.block(shape), shape.block_size * shape.kv_heads);
            plane.numbers.get_mut().copy_within(from * numbers..(from + 1) * numbers, to * numbers);
            if E::SCALED {
                plane.scales.copy_within(from * rows..(from + 1) * rows, to * rows);
            }
        }
    }
}

impl<E: Element> Plane<E> {
    fn new(shape: &KvShape, layout: Layout) -> Self {
        let scales = vec![0.0; if E::SCALED { shape.rows() } else { 0 }];
        Self { numbers: Aligned::new(shape.blocks * layout.block(shape)), scales, layout }
    }

    fn read(&self, shape: &KvShape, slots: &[usize]) -> Vec<f32> {
        let rows = slots.iter().flat_map(|&slot| (0..shape.kv_heads).map(move |head| (slot, head)));
        let row = |(slot, head): (usize, usize)| {
            let scale = self.scales.get(shape.row(slot, head)).copied().unwrap_or(1.0);
            let (first, step) = self.layout.place(shape, slot, head);
            self.numbers.get()[first..].iter().step_by(step).take(shape.head_dim).map(move |number| number.decode(scale))
        };
        rows.flat_map(row).collect()
    }
}
