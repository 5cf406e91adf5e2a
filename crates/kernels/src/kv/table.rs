//! Where the keys and values of a span stand.

use std::ops::Range;

use super::batch::Sequence;
use super::cache::{KvShape, LANES, Planes};
use super::element::Element;

/// Positions of a span.
pub(super) const SPAN: usize = 512;

/// Scores of a row for a span, those of places beside it included: keys come in whole groups.
pub(super) const SCORES: usize = SPAN + 2 * LANES;

/// Keys that stand side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Their first number.
    pub(super) start: usize,
    /// The score of the first of them.
    pub(super) score: usize,
}

/// Where the rows of one head stand for the positions of one span, and their scales.
#[derive(Debug)]
pub(super) struct Table {
    groups: Vec<Group>,
    /// First numbers of rows of values.
    starts: [usize; SPAN],
    pub(super) key_scales: [f32; SPAN],
    pub(super) value_scales: [f32; SPAN],
}

/// The score of a place of a span; that of the place before the first is there too.
pub(super) fn score(place: usize) -> usize {
    place + LANES
}

impl Table {
    pub(super) fn new() -> Self {
        Self { groups: Vec::new(), starts: [0; SPAN], key_scales: [1.0; SPAN], value_scales: [1.0; SPAN] }
    }

    /// Looks up positions `seen` of span `span`, at least one. Groups may have keys before and after, which may not have been written.
    pub(super) fn fill<E: Element>(
        &mut self,
        cache: &Planes<E>,
        shape: &KvShape,
        sequence: &Sequence<'_>,
        kv_head: usize,
        span: usize,
        seen: &Range<usize>,
    ) {
        let first = span * SPAN;
        self.groups.clear();
        let mut position = seen.start;
        while position < seen.end {
            let offset = position % shape.block_size;
            let count = (shape.block_size - offset).min(seen.end - position);
            let block = sequence.blocks[position / shape.block_size] as usize * shape.block_size;
            self.groups.extend((offset / LANES..(offset + count).div_ceil(LANES)).map(|group| Group {
                start: shape.key(block + group * LANES, kv_head),
                score: score(position - first) + group * LANES - offset,
            }));
            let row = shape.row(block + offset, kv_head);
            let places = position - first..position - first + count;
            self.starts[places.clone()].iter_mut().enumerate().for_each(|(i, start)| *start = (row + i) * shape.pitch());
            if E::SCALED {
                self.key_scales[places.clone()].copy_from_slice(&cache.keys.scales[row..row + count]);
                self.value_scales[places].copy_from_slice(&cache.values.scales[row..row + count]);
            }
            position += count;
        }
    }

    /// The keys that were looked up.
    pub(super) fn keys<'a, E: Element>(&'a self, cache: &'a Planes<E>, shape: &KvShape) -> Keys<'a, E> {
        Keys::new(cache.keys.numbers.get(), &self.groups, shape.head_dim)
    }

    /// The values at `places`, all of which must have been looked up.
    pub(super) fn values<'a, E: Element>(&'a self, cache: &'a Planes<E>, shape: &KvShape, places: &Range<usize>) -> Rows<'a, E> {
        Rows::new(cache.values.numbers.get(), &self.starts, shape.pitch(), places)
    }
}

pub(super) use rows::{Keys, Rows};

mod rows {
    #![expect(unsafe_code, reason = "keys and values are read without bounds checks in the innermost loop")]

    use std::ops::Range;

    use super::{Group, SPAN};
    use crate::kv::cache::LANES;
    use crate::kv::element::Element;
    use crate::kv::simd::Widen;

    /// Groups of keys in order of their positions. A value of this type proves that they lie within the plane.
    #[derive(Debug)]
    pub(in crate::kv) struct Keys<'a, E> {
        numbers: &'a [E],
        groups: &'a [Group],
        width: usize,
    }

    impl<'a, E: Element> Keys<'a, E> {
        pub(super) fn new(numbers: &'a [E], groups: &'a [Group], width: usize) -> Self {
            let inside = groups.iter().all(|group| group.start + width * LANES <= numbers.len());
            assert!(inside, "keys lie within the cache");
            Self { numbers, groups, width }
        }

        /// Numbers of a key.
        pub(in crate::kv) fn width(&self) -> usize {
            self.width
        }

        pub(in crate::kv) fn groups(&self) -> &'a [Group] {
            self.groups
        }

        /// Number `at` of the keys from lane `lane` of a group on.
        ///
        /// # Safety
        /// The group is among [`groups`](Self::groups), `at` below the width, and the vector's lanes are at most the group's.
        #[inline(always)]
        pub(in crate::kv) unsafe fn vector<S: Widen>(&self, simd: S, group: Group, at: usize, lane: usize) -> S::Vector {
            // SAFETY: the group was checked to lie within the plane, and the vector lies within the group.
            let values = unsafe {
                let start = group.start + at * LANES + lane;
                self.numbers.get_unchecked(start..start + S::LANES)
            };
            E::load(simd, values)
        }

        /// Asks for numbers `at` of a group.
        #[inline(always)]
        pub(in crate::kv) fn prefetch<S: Widen>(&self, simd: S, group: Group, at: usize) {
            let start = group.start + at * LANES;
            simd.prefetch(self.numbers.get(start..start + 1).unwrap_or_default());
        }
    }

    /// Rows of values, looked up by place in the span. A value of this type proves that rows at its places lie within the plane.
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
