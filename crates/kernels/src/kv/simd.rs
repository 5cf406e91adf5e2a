//! What attention over a cache asks of vectors beyond [`Simd`].

use super::element::Bf16;
use crate::flash::vector::{Portable, Simd};

/// Loads that widen.
pub(super) trait Widen: Simd {
    /// The most rows whose sums with four vectors stay in registers, at most 6.
    const ROWS: usize;

    /// The first numbers of a slice that has enough of them.
    fn load_bf16(self, values: &[Bf16]) -> Self::Vector;

    /// The first numbers of a slice that has enough of them.
    fn load_i8(self, values: &[i8]) -> Self::Vector;

    /// Brings the cache lines of a slice that will be read soon to the second-level cache: the first can wait for few lines at a time.
    fn prefetch<T>(self, values: &[T]);
}

impl Widen for Portable {
    const ROWS: usize = 2;

    #[inline(always)]
    fn load_bf16(self, values: &[Bf16]) -> [f32; 8] {
        let values: [Bf16; 8] = *values.first_chunk().expect("callers give whole vectors");
        values.map(|x| f32::from_bits(u32::from(x) << 16))
    }

    #[inline(always)]
    fn load_i8(self, values: &[i8]) -> [f32; 8] {
        let values: [i8; 8] = *values.first_chunk().expect("callers give whole vectors");
        values.map(f32::from)
    }

    #[inline(always)]
    fn prefetch<T>(self, _values: &[T]) {}
}
