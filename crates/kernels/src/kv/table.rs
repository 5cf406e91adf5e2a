//! Where the rows of a span stand.

use std::ops::Range;

use super::batch::Sequence;
use super::cache::{KvShape, Plane, Planes};
use super::element::Element;

/// Positions of a span.
pub(super) const SPAN: usize = 512;

/// Keys that are multiplied together.
pub(super) const GROUP: usize = 4;

/// Where the rows of one head stand for the positions of one span, and their scales.
#[derive(Debug)]
pub(super) struct Table {
    /// First numbers of rows.
    starts: [usize; SPAN],
    pub(super) key_scales: [f32; SPAN],
    pub(super) value_scales: [f32; SPAN],
}

impl Table {
    pub(super) fn new() -> Self {
        Self { starts: [0; SPAN], key_scales: [1.0; SPAN], value_scales: [1.0; SPAN] }
    }

    /// Looks up positions `seen` of span `span`, at least one. The group of a position at either end is filled up with that position's row,
    /// so that rows beyond, which may not have been written, are not read.
    pub(super) fn fill<E: Element>(
        &mut self,
        cache: &Planes<E>,
        shape: &KvShape,
        sequence: &Sequence<'_>,
        kv_head: usize,
        span: usize,
        seen: &Range<usize>,
    ) {
        let (first, pitch) = (span * SPAN, shape.pitch());
        let mut position = seen.start;
        while position < seen.end {
            let offset = position % shape.block_size;
            let count = (shape.block_size - offset).min(seen.end - position);
            let slot = sequence.blocks[position / shape.block_size] as usize * shape.block_size + offset;
            let row = shape.row(slot, kv_head);
            let places = position - first..position - first + count;
            self.starts[places.clone()].iter_mut().enumerate().for_each(|(i, start)| *start = (row + i) * pitch);
            if E::SCALED {
                self.key_scales[places.clone()].copy_from_slice(&cache.keys.scales[row..row + count]);
                self.value_scales[places].copy_from_slice(&cache.values.scales[row..row + count]);
            }
            position += count;
        }
        let (start, end) = (seen.start - first, seen.end - first);
        let (first_start, last_start) = (self.starts[start], self.starts[end - 1]);
        self.starts[start / GROUP * GROUP..start].fill(first_start);
        self.starts[end..end.next_multiple_of(GROUP)].fill(last_start);
    }

    /// Rows of a plane at places `places`, all of which must have been looked up.
    pub(super) fn rows<'a, E: Element>(&'a self, plane: &'a Plane<E>, pitch: usize, places: &Range<usize>) -> Rows<'a, E> {
        Rows::new(plane.numbers.get(), &self.starts, pitch, places)
    }
}

pub(super) use rows::Rows;

mod rows {
    #![expect(unsafe_code, reason = "rows are read without bounds checks in the innermost loop")]

    use std::ops::Range;

    use super::SPAN;
    use crate::kv::element::Element;
    use crate::kv::simd::Widen;

    /// Rows of keys or values, looked up by place in the span. A value of this type proves that rows at its places lie within the plane.
    #[derive(Debug)]
    pub(in crate::kv) struct Rows<'a, E> {
        numbers: &'a [E],
        starts: &'a [usize; SPAN],
        pitch: usize,
    }

    impl<'a, E: Element> Rows<'a, E> {
        pub(super) fn new(numbers: &'a [E], starts: &'a [usize; SPAN], pitch: usize, places: &Range<usize>) -> Self {
            let inside = starts[places.clone()].iter().all(|start| start + pitch <= numbers.len());
            assert!(inside, "rows lie within the cache");
            Self { numbers, starts, pitch }
        }

        /// Numbers of a row.
        pub(in crate::kv) fn pitch(&self) -> usize {
            self.pitch
        }

        /// Numbers `at..at + LANES` of the row at a place.
        ///
        /// # Safety
        /// The place is among those that the value was made for, and `at + LANES` at most the pitch.
        #[inline(always)]
        pub(in crate::kv) unsafe fn vector<S: Widen>(&self, simd: S, place: usize, at: usize) -> S::Vector {
            // SAFETY: the row was checked to lie within the plane, and the vector lies within the row.
            let values = unsafe {
                let start = *self.starts.get_unchecked(place) + at;
                self.numbers.get_unchecked(start..start + S::LANES)
            };
            E::load(simd, values)
        }

        /// Asks for the row at a place that will be read soon, where there is such a place.
        #[inline(always)]
        pub(in crate::kv) fn prefetch<S: Widen>(&self, simd: S, place: usize) {
            let row = self.starts.get(place).and_then(|&start| self.numbers.get(start..start + self.pitch));
            simd.prefetch(row.unwrap_or_default());
        }
    }
}
