//! Vectors of 8 numbers.

#![expect(unsafe_code, reason = "vector instructions of some processors, and loads and stores through pointers")]

use std::arch::x86_64::{
    __m256, _CMP_GE_OQ, _CMP_LT_OQ, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_andnot_ps, _mm256_blendv_ps,
    _mm256_castps_si256, _mm256_castsi256_ps, _mm256_cmp_ps, _mm256_cvtps_epi32, _mm256_div_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_slli_epi32, _mm256_storeu_ps, _mm256_sub_ps,
};

use super::vector::Simd;

/// Proof that the processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, where the processor has them.
    pub(super) fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,fma")]
fn vectorized<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Methods that are one instruction.
macro_rules! instructions {
    ($($name:ident = $instruction:ident($($argument:ident),*);)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($argument: __m256),*) -> __m256 {
                // SAFETY: an `Avx2` exists, so the processor has the instruction.
                unsafe { $instruction($($argument),*) }
            }
        )*
    };
}

impl Simd for Avx2 {
    type Vector = __m256;

    const LANES: usize = 8;
    const WIDTH: usize = 2;

    #[inline(always)]
    fn vectorize<T>(self, work: impl FnOnce() -> T) -> T {
        // SAFETY: an `Avx2` exists, so the processor has the instructions.
        unsafe { vectorized(work) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: an `Avx2` exists, so the processor has the instruction.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m256 {
        let values = &values[..Self::LANES];
        // SAFETY: an `Avx2` exists, and the slice holds 8 numbers; no alignment is asked for.
        unsafe { _mm256_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, values: &mut [f32], x: __m256) {
        let values = &mut values[..Self::LANES];
        // SAFETY: an `Avx2` exists, and the slice holds 8 numbers; no alignment is asked for.
        unsafe { _mm256_storeu_ps(values.as_mut_ptr(), x) }
    }

    instructions! {
        add = _mm256_add_ps(a, b);
        sub = _mm256_sub_ps(a, b);
        mul = _mm256_mul_ps(a, b);
        div = _mm256_div_ps(a, b);
        mul_add = _mm256_fmadd_ps(a, b, c);
        max = _mm256_max_ps(a, b);
        min = _mm256_min_ps(a, b);
    }

    #[inline(always)]
    fn within(self, x: __m256, key: __m256, low: __m256, high: __m256) -> __m256 {
        // SAFETY: an `Avx2` exists, so the processor has the instructions.
        unsafe {
            let seen = _mm256_and_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(key, low), _mm256_cmp_ps::<_CMP_LT_OQ>(key, high));
            _mm256_blendv_ps(_mm256_set1_ps(f32::NEG_INFINITY), x, seen)
        }
    }

    #[inline(always)]
    fn scale(self, x: __m256, n: __m256) -> __m256 {
        // SAFETY: an `Avx2` exists, so the processor has the instructions.
        unsafe {
            // No number becomes the smallest integer, of which the shift leaves nothing: `x` keeps its bits.
            let exponent = _mm256_slli_epi32::<23>(_mm256_cvtps_epi32(n));
            let scaled = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent));
            _mm256_andnot_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(n, _mm256_set1_ps(-126.0)), scaled)
        }
    }
}
