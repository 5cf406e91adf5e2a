//! [`Widen`] on AVX-512 and AVX2.

#![expect(unsafe_code, reason = "vector instructions of some processors, and loads through pointers")]

use std::arch::x86_64::{
    __m256, __m512, _MM_HINT_T1, _mm_add_ps, _mm_loadl_epi64, _mm_loadu_si128, _mm_prefetch, _mm_storeu_ps, _mm256_add_ps,
    _mm256_castpd_ps, _mm256_castps_pd, _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_cvtepi8_epi32, _mm256_cvtepi32_ps,
    _mm256_cvtepu16_epi32, _mm256_extractf128_ps, _mm256_loadu_si256, _mm256_slli_epi32, _mm256_unpackhi_pd, _mm256_unpackhi_ps,
    _mm256_unpacklo_pd, _mm256_unpacklo_ps, _mm512_add_ps, _mm512_castpd_ps, _mm512_castps_pd, _mm512_castps512_ps256, _mm512_castsi512_ps,
    _mm512_cvtepi8_epi32, _mm512_cvtepi32_ps, _mm512_cvtepu16_epi32, _mm512_extractf64x4_pd, _mm512_slli_epi32, _mm512_unpackhi_pd,
    _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
};

use super::element::Bf16;
use super::simd::Widen;
use crate::flash::avx2::Avx2;
use crate::flash::avx512::Avx512;
use crate::flash::vector::Simd;

/// Bytes of a cache line.
const LINE: usize = 64;

impl Widen for Avx512 {
    const ROWS: usize = 6;

    #[inline(always)]
    fn load_bf16(self, values: &[Bf16]) -> __m512 {
        let values = &values[..Self::LANES];
        // SAFETY: an `Avx512` exists, and the slice holds 32 bytes; no alignment is asked for.
        unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(values.as_ptr().cast())))) }
    }

    #[inline(always)]
    fn load_i8(self, values: &[i8]) -> __m512 {
        let values = &values[..Self::LANES];
        // SAFETY: an `Avx512` exists, and the slice holds 16 bytes; no alignment is asked for.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(values.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn sums(self, [a, b, c, d]: [__m512; 4]) -> [f32; 4] {
        // SAFETY: an `Avx512` exists, so the processor has the instructions.
        let pair = |x, y| unsafe { _mm512_add_ps(_mm512_unpacklo_ps(x, y), _mm512_unpackhi_ps(x, y)) };
        // SAFETY: as above.
        unsafe {
            let (ab, cd) = (_mm512_castps_pd(pair(a, b)), _mm512_castps_pd(pair(c, d)));
            let quads = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)), _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd)));
            let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(quads)));
            halves(_mm256_add_ps(_mm512_castps512_ps256(quads), upper))
        }
    }

    #[inline(always)]
    fn prefetch<T>(self, values: &[T]) {
        prefetch(values);
    }
}

impl Widen for Avx2 {
    const ROWS: usize = 2;

    #[inline(always)]
    fn load_bf16(self, values: &[Bf16]) -> __m256 {
        let values = &values[..Self::LANES];
        // SAFETY: an `Avx2` exists, and the slice holds 16 bytes; no alignment is asked for.
        unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(values.as_ptr().cast())))) }
    }

    #[inline(always)]
    fn load_i8(self, values: &[i8]) -> __m256 {
        let values = &values[..Self::LANES];
        // SAFETY: an `Avx2` exists, and the slice holds 8 bytes; no alignment is asked for.
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(values.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn sums(self, [a, b, c, d]: [__m256; 4]) -> [f32; 4] {
        // SAFETY: an `Avx2` exists, so the processor has the instructions.
        let pair = |x, y| unsafe { _mm256_add_ps(_mm256_unpacklo_ps(x, y), _mm256_unpackhi_ps(x, y)) };
        // SAFETY: as above.
        unsafe {
            let (ab, cd) = (_mm256_castps_pd(pair(a, b)), _mm256_castps_pd(pair(c, d)));
            halves(_mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd)), _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd))))
        }
    }

    #[inline(always)]
    fn prefetch<T>(self, values: &[T]) {
        prefetch(values);
    }
}

/// The sum of a vector's halves.
#[inline]
#[target_feature(enable = "avx")]
fn halves(x: __m256) -> [f32; 4] {
    let mut sums = [0.0; 4];
    let sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    // SAFETY: the array holds 4 numbers; no alignment is asked for.
    unsafe { _mm_storeu_ps(sums.as_mut_ptr(), sum) };
    sums
}

#[inline(always)]
fn prefetch<T>(values: &[T]) {
    for line in (0..size_of_val(values)).step_by(LINE) {
        // SAFETY: every x86-64 processor has the instruction, which reads nothing and may be given any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(values.as_ptr().cast::<i8>().wrapping_add(line)) };
    }
}
