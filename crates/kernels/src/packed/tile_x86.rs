//! Tiles on the instructions of x86-64.

#![expect(unsafe_code, reason = "vector loads and stores through pointers")]

use std::arch::x86_64::{
    __m256i, __m512i, _MM_HINT_T0, _MM_HINT_T1, _mm_prefetch, _mm256_abs_epi8, _mm256_add_epi32, _mm256_load_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_storeu_si256, _mm256_xor_si256, _mm512_dpbusd_epi32, _mm512_load_si512, _mm512_loadu_si512, _mm512_set1_epi32,
    _mm512_storeu_si512,
};

use super::quantized_rows::{LINE, Line};
use super::tile::{BLOCK, Inputs, PANEL, Panel, STEP, Step};

/// Steps of a line.
const STEPS: usize = LINE / STEP;

/// Steps that weights are fetched ahead of their use: 8 KiB, into the second-level cache, as the first is full of inputs.
const AHEAD: usize = 64;

/// A tile with its number of rows fixed, which `sums` has.
///
/// # Safety
/// The processor must have AVX-512 VNNI.
pub(super) type Tile = unsafe fn(Inputs<'_>, Panel<'_>, &mut [[i32; PANEL]]);

/// Tiles of 1 to 12 rows.
pub(super) const AVX512: [Tile; BLOCK] = [
    multiply_avx512::<1>,
    multiply_avx512::<2>,
    multiply_avx512::<3>,
    multiply_avx512::<4>,
    multiply_avx512::<5>,
    multiply_avx512::<6>,
    multiply_avx512::<7>,
    multiply_avx512::<8>,
    multiply_avx512::<9>,
    multiply_avx512::<10>,
    multiply_avx512::<11>,
    multiply_avx512::<12>,
];

#[target_feature(enable = "avx512f,avx512vnni")]
fn multiply_avx512<const ROWS: usize>(inputs: Inputs<'_>, panel: Panel<'_>, sums: &mut [[i32; PANEL]]) {
    let mut lanes = [load_start(panel.start); ROWS];
    for (rows, steps) in inputs.lines(0).zip(panel.steps.chunks(STEPS)) {
        let Some(rows) = rows.first_chunk::<ROWS>() else { break };
        for (index, step) in (0..STEPS).zip(steps) {
            fetch(step);
            fetch_line(rows.as_ptr().wrapping_add(inputs.stride + index));
            let weights = load_step(step);
            for (lanes, row) in lanes.iter_mut().zip(rows) {
                let input = _mm512_set1_epi32(i32::from_ne_bytes(row.step(index)));
                lanes[0] = _mm512_dpbusd_epi32(lanes[0], input, weights[0]);
                lanes[1] = _mm512_dpbusd_epi32(lanes[1], input, weights[1]);
            }
        }
    }
    for (sums, lanes) in sums.iter_mut().zip(lanes) {
        store(sums, lanes);
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_start(start: &[i32; PANEL]) -> [__m512i; 2] {
    // SAFETY: the array holds two vectors of 16 integers; no alignment is asked for.
    unsafe { [_mm512_loadu_si512(start.as_ptr().cast()), _mm512_loadu_si512(start[16..].as_ptr().cast())] }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_step(step: &Step) -> [__m512i; 2] {
    // SAFETY: a step holds two vectors of 64 bytes and is aligned to 64.
    unsafe { [_mm512_load_si512(step.0.as_ptr().cast()), _mm512_load_si512(step.0[16..].as_ptr().cast())] }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(sums: &mut [i32; PANEL], lanes: [__m512i; 2]) {
    let [low, high] = lanes;
    // SAFETY: the array holds two vectors of 16 integers; no alignment is asked for.
    unsafe {
        _mm512_storeu_si512(sums.as_mut_ptr().cast(), low);
        _mm512_storeu_si512(sums[16..].as_mut_ptr().cast(), high);
    }
}

/// Fetches the weights [`AHEAD`] steps after `step` into the second-level cache.
#[inline]
#[target_feature(enable = "sse")]
fn fetch(step: &Step) {
    // A hint that reads nothing and cannot fault, wherever the address points.
    let ahead = std::ptr::from_ref(step).wrapping_add(AHEAD).cast::<i8>();
    _mm_prefetch::<_MM_HINT_T1>(ahead);
    _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(64));
}

/// Fetches a line of inputs into the first-level cache: at the start of 64 inputs every row needs one at once.
#[inline]
#[target_feature(enable = "sse")]
fn fetch_line(line: *const Line) {
    // A hint that reads nothing and cannot fault, wherever the address points.
    _mm_prefetch::<_MM_HINT_T0>(line.cast());
}

/// A tile of any number of rows, two at a time.
#[target_feature(enable = "avx2")]
pub(super) fn multiply_avx2(inputs: Inputs<'_>, panel: Panel<'_>, sums: &mut [[i32; PANEL]]) {
    for (pair, sums) in sums.chunks_mut(2).enumerate() {
        match sums {
            [a, b] => multiply_rows_avx2(inputs, 2 * pair, panel, [a, b]),
            [a] => multiply_rows_avx2(inputs, 2 * pair, panel, [a]),
            _ => {}
        }
    }
}

/// `ROWS` rows of a tile from `first` on.
///
/// `maddubs` multiplies unsigned by signed bytes and adds two products in 16 bits with saturation. With the weights' magnitudes as the
/// unsigned bytes and the inputs, of which none is -128, given the weights' signs, a sum is at most `2 * 128 * 127` and never saturates.
#[inline]
#[target_feature(enable = "avx2")]
fn multiply_rows_avx2<const ROWS: usize>(inputs: Inputs<'_>, first: usize, panel: Panel<'_>, sums: [&mut [i32; PANEL]; ROWS]) {
    let (offset, ones) = (_mm256_set1_epi8(i8::MIN), _mm256_set1_epi16(1));
    let mut lanes = [[_mm256_setzero_si256(); 4]; ROWS];
    for (rows, steps) in inputs.lines(first).zip(panel.steps.chunks(STEPS)) {
        let Some(rows) = rows.first_chunk::<ROWS>() else { break };
        for (index, step) in (0..STEPS).zip(steps) {
            fetch(step);
            for (quarter, weights) in load_step_avx2(step).into_iter().enumerate() {
                let magnitudes = _mm256_abs_epi8(weights);
                for (lanes, row) in lanes.iter_mut().zip(rows) {
                    let input = _mm256_xor_si256(_mm256_set1_epi32(i32::from_ne_bytes(row.step(index))), offset);
                    let pairs = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(input, weights));
                    lanes[quarter] = _mm256_add_epi32(lanes[quarter], _mm256_madd_epi16(pairs, ones));
                }
            }
        }
    }
    for (sums, lanes) in sums.into_iter().zip(lanes) {
        store_avx2(sums, lanes);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_step_avx2(step: &Step) -> [__m256i; 4] {
    let quarter = |i: usize| step.0[8 * i..8 * i + 8].as_ptr().cast();
    // SAFETY: each of the four quarters holds 32 bytes, and a step is aligned to 64.
    unsafe { [_mm256_load_si256(quarter(0)), _mm256_load_si256(quarter(1)), _mm256_load_si256(quarter(2)), _mm256_load_si256(quarter(3))] }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_avx2(sums: &mut [i32; PANEL], lanes: [__m256i; 4]) {
    let (quarters, _) = sums.as_chunks_mut::<8>();
    for (sums, lanes) in quarters.iter_mut().zip(lanes) {
        // SAFETY: the array holds a vector of 8 integers; no alignment is asked for.
        unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), lanes) };
    }
}
