//! Vectors of 16 numbers.

#![expect(unsafe_code, reason = "vector instructions of some processors, and loads and stores through pointers")]

use std::arch::x86_64::{
    __m512, _CMP_GE_OQ, _CMP_LT_OQ, _mm512_add_ps, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_div_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_blend_ps, _mm512_mask_cmp_ps_mask, _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps,
    _mm512_mul_ps, _mm512_scalef_ps, _mm512_set1_ps, _mm512_setzero_si512, _mm512_storeu_ps, _mm512_sub_ps,
};

use super::vector::Simd;
use crate::transpose_x86::transposed;

/// Proof that the processor has AVX-512 F.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The proof, where the processor has it.
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

#[target_feature(enable = "avx512f")]
fn vectorized<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Methods that are one instruction.
macro_rules! instructions {
    ($($name:ident = $instruction:ident($($argument:ident),*);)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($argument: __m512),*) -> __m512 {
                // SAFETY: an `Avx512` exists, so the processor has the instruction.
                unsafe { $instruction($($argument),*) }
            }
        )*
    };
}

impl Simd for Avx512 {
    type Vector = __m512;

    const LANES: usize = 16;
    const WIDTH: usize = 4;

    #[inline(always)]
    fn vectorize<T>(self, work: impl FnOnce() -> T) -> T {
        // SAFETY: an `Avx512` exists, so the processor has the instructions.
        unsafe { vectorized(work) }
    }

    #[inline(always)]
    fn transpose(self, rows: &[&[f32]], out: &mut [f32], stride: usize) {
        // SAFETY: an `Avx512` exists, so the processor has the instructions.
        unsafe { transpose(self, rows, out, stride) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: an `Avx512` exists, so the processor has the instruction.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m512 {
        let values = &values[..Self::LANES];
        // SAFETY: an `Avx512` exists, and the slice holds 16 numbers; no alignment is asked for.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, values: &mut [f32], x: __m512) {
        let values = &mut values[..Self::LANES];
        // SAFETY: an `Avx512` exists, and the slice holds 16 numbers; no alignment is asked for.
        unsafe { _mm512_storeu_ps(values.as_mut_ptr(), x) }
    }

    instructions! {
        add = _mm512_add_ps(a, b);
        sub = _mm512_sub_ps(a, b);
        mul = _mm512_mul_ps(a, b);
        div = _mm512_div_ps(a, b);
        mul_add = _mm512_fmadd_ps(a, b, c);
        max = _mm512_max_ps(a, b);
        min = _mm512_min_ps(a, b);
        scale = _mm512_scalef_ps(x, n);
    }

    #[inline(always)]
    fn within(self, x: __m512, key: __m512, low: __m512, high: __m512) -> __m512 {
        // SAFETY: an `Avx512` exists, so the processor has the instructions.
        unsafe {
            let seen = _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(key, low), key, high);
            _mm512_mask_blend_ps(seen, _mm512_set1_ps(f32::NEG_INFINITY), x)
        }
    }
}

#[target_feature(enable = "avx512f")]
fn transpose(simd: Avx512, rows: &[&[f32]], out: &mut [f32], stride: usize) {
    let columns = rows.first().map_or(0, |row| row.len());
    for first in (0..columns).step_by(16) {
        let count = (columns - first).min(16);
        let mut square = [_mm512_setzero_si512(); 16];
        for (place, row) in square.iter_mut().zip(rows) {
            *place = _mm512_castps_si512(load_some(&row[first..first + count]));
        }
        for (i, column) in transposed(&square).into_iter().enumerate().take(count) {
            simd.store(&mut out[(first + i) * stride..], _mm512_castsi512_ps(column));
        }
    }
}

/// Up to 16 numbers, then zeros.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_some(values: &[f32]) -> __m512 {
    let mask = ((1_u32 << values.len().min(16)) - 1) as u16;
    // SAFETY: the mask lets only lanes within the slice be read.
    unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr()) }
}
