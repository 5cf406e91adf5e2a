//! Keys and values on their way into a cache.

#![expect(unsafe_code, reason = "threads write to rows of one plane")]

use std::ops::Range;

use super::cache::{KvShape, Layout, MAX_WIDTH, Plane, Planes};
use super::element::Element;
use crate::packed::Pool;
use crate::packed::disjoint::Disjoint;
use crate::rope::Rotation;

/// Tasks a thread, where there is enough work. Few, as neighbours in a block of the cache share cache lines.
const TASKS_PER_THREAD: usize = 4;

impl<E: Element> Planes<E> {
    /// Writes keys, rotated where there are angles, and values, both `[tokens, kv_heads, head_dim]`, to a slot for each token. Of tokens with
    /// one slot the last stays.
    ///
    /// The time goes to waiting for cache lines, of which every few numbers of a key have one of their own: threads wait side by side.
    pub(super) fn write(&mut self, shape: &KvShape, slots: &[usize], rows: [&[f32]; 2], rotation: Option<&Rotation<'_>>) {
        let writer = Writer { shape: *shape, slots, rows, rotation, to: [self.keys.rows(), self.values.rows()] };
        let pool = Pool::global();
        let size = if distinct(slots) { slots.len().div_ceil(pool.threads() * TASKS_PER_THREAD) } else { slots.len() };
        pool.run(slots.len().div_ceil(size.max(1)), |task| {
            // SAFETY: tasks have different tokens, whose slots differ where there is more than one task.
            unsafe { writer.write(task * size..slots.len().min((task + 1) * size)) };
        });
    }
}

/// Whether no slot occurs twice.
fn distinct(slots: &[usize]) -> bool {
    let mut slots = slots.to_vec();
    slots.sort_unstable();
    slots.windows(2).all(|pair| pair[0] != pair[1])
}

/// Keys and values of tokens, and where they go.
struct Writer<'a, E> {
    shape: KvShape,
    slots: &'a [usize],
    rows: [&'a [f32]; 2],
    rotation: Option<&'a Rotation<'a>>,
    to: [PlaneRows<'a, E>; 2],
}

impl<E: Element> Writer<'_, E> {
    /// Writes some tokens.
    ///
    /// # Safety
    /// While this runs nothing else may use rows of the tokens' slots.
    unsafe fn write(&self, tokens: Range<usize>) {
        let Self { shape: KvShape { kv_heads, head_dim, .. }, slots, rows: [keys, values], .. } = *self;
        let mut rotated = [0.0; MAX_WIDTH];
        let rotated = &mut rotated[..head_dim];
        for row in tokens.start * kv_heads..tokens.end * kv_heads {
            let (token, head, numbers) = (row / kv_heads, row % kv_heads, row * head_dim..(row + 1) * head_dim);
            rotated.copy_from_slice(&keys[numbers.clone()]);
            if let Some(rotation) = self.rotation {
                rotation.token(token, slots.len()).turn(rotated, false);
            }
            for (to, numbers) in self.to.iter().zip([&*rotated, &values[numbers]]) {
                // SAFETY: the caller's.
                unsafe { to.write(&self.shape, slots[token], head, numbers) };
            }
        }
    }
}

/// A plane whose rows are handed to several threads.
struct PlaneRows<'a, E> {
    numbers: Disjoint<'a, E>,
    scales: Disjoint<'a, f32>,
    layout: Layout,
}

impl<E: Element> Plane<E> {
    fn rows(&mut self) -> PlaneRows<'_, E> {
        PlaneRows { numbers: Disjoint::new(self.numbers.get_mut()), scales: Disjoint::new(&mut self.scales), layout: self.layout }
    }
}

impl<E: Element> PlaneRows<'_, E> {
    /// Writes the row of a slot and head.
    ///
    /// # Safety
    /// While this runs nothing else may use that row.
    unsafe fn write(&self, shape: &KvShape, slot: usize, head: usize, source: &[f32]) {
        let mut row = [E::default(); MAX_WIDTH];
        let row = &mut row[..shape.head_dim];
        let scale = E::encode(source, row);
        // SAFETY: all of these are the row's, which is the caller's, and no part is in use while another is.
        unsafe {
            if E::SCALED {
                let index = shape.row(slot, head);
                self.scales.part(index..index + 1).fill(scale);
            }
            let (first, step) = self.layout.place(shape, slot, head);
            if step == 1 {
                self.numbers.part(first..first + row.len()).copy_from_slice(row);
                return;
            }
            for (index, number) in row.iter().enumerate() {
                let at = first + index * step;
                self.numbers.part(at..at + 1).fill(*number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::cache::{KvCache, KvType};
    use super::*;
    use crate::RopePairs;

    fn noise(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin() * 3.0).collect()
    }

    proptest! {
        /// Many tokens at once leave what one after another leaves, also where slots come twice.
        #[test]
        fn many_tokens_are_written_as_one_by_one(
            slots in prop::collection::vec(0_usize..70, 0..60), head_dim in 1_usize..70, kv_heads in 1_usize..4, rotates in any::<bool>(),
            kind in prop_oneof![Just(KvType::F32), Just(KvType::Bf16), Just(KvType::Int8)],
        ) {
            let shape = KvShape { blocks: 10, block_size: 7, kv_heads, head_dim };
            let (tokens, token, half) = (slots.len(), kv_heads * head_dim, head_dim / 2);
            let (keys, values) = (noise(tokens * token, 0.7), noise(tokens * token, 0.3));
            let (cos, sin) = (noise(tokens * half, 0.11), noise(tokens * half, 0.13));
            let [mut together, mut apart] = [0; 2].map(|_| KvCache::new(shape, kind));
            let write = |cache: &mut KvCache, tokens: Range<usize>| {
                let rows = tokens.start * token..tokens.end * token;
                let angles = tokens.start * half..tokens.end * half;
                let rotation = Rotation { cos: &cos[angles.clone()], sin: &sin[angles], pairs: RopePairs::HalfSplit };
                let (slots, keys, values) = (&slots[tokens], &keys[rows.clone()], &values[rows]);
                if rotates { cache.write_rotated(slots, keys, values, &rotation) } else { cache.write(slots, keys, values) }
            };
            write(&mut together, 0..tokens);
            (0..tokens).for_each(|token| write(&mut apart, token..token + 1));
            let all: Vec<usize> = (0..70).collect();
            prop_assert_eq!(together.read(&all), apart.read(&all));
        }
    }
}
