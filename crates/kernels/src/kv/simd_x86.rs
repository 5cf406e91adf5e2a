//! [`Widen`] on AVX-512 and AVX2.

#![expect(unsafe_code, reason = "vector instructions of some processors, and loads through pointers")]

use std::arch::x86_64::{
    __m256, __m512, _MM_HINT_T1, _mm_loadl_epi64, _mm_loadu_si128, _mm_prefetch, _mm256_castsi256_ps, _mm256_cvtepi8_epi32,
    _mm256_cvtepi32_ps, _mm256_cvtepu16_epi32, _mm256_loadu_si256, _mm256_slli_epi32, _mm512_castsi512_ps, _mm512_cvtepi8_epi32,
    _mm512_cvtepi32_ps, _mm512_cvtepu16_epi32, _mm512_slli_epi32,
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
    fn prefetch<T>(self, values: &[T]) {
        prefetch(values);
    }
}

#[inline(always)]
fn prefetch<T>(values: &[T]) {
    for line in (0..size_of_val(values)).step_by(LINE) {
        // SAFETY: every x86-64 processor has the instruction, which reads nothing and may be given any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(values.as_ptr().cast::<i8>().wrapping_add(line)) };
    }
}
