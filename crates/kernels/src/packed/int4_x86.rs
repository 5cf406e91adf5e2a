//! Tiles of four bits on the instructions of x86-64.

#![expect(unsafe_code, reason = "vector loads and stores through pointers")]

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _MM_HINT_T1, _mm_loadl_epi64, _mm_loadu_si128, _mm_prefetch, _mm256_add_epi32, _mm256_and_si256,
    _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_fmadd_ps, _mm256_load_si256, _mm256_loadu_ps, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_mullo_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_srli_epi16, _mm256_storeu_ps,
    _mm256_sub_epi32, _mm512_add_epi32, _mm512_and_si512, _mm512_cvtepi32_ps, _mm512_cvtepu8_epi32, _mm512_dpbusd_epi32, _mm512_fmadd_ps,
    _mm512_load_si512, _mm512_loadu_ps, _mm512_mullo_epi32, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_slli_epi32,
    _mm512_srli_epi16, _mm512_storeu_ps, _mm512_sub_epi32,
};

use super::int4::MIDDLE;
use super::int4_tile::{Group, Int4Panel, Pair, SignedBlock, groups};
use super::tile::{BLOCK, PANEL, STEP};

/// Pairs that weights are fetched ahead of their use: 8 KiB, into the second-level cache.
const AHEAD: usize = 64;

/// A tile with its number of rows fixed.
///
/// # Safety
/// The processor must have AVX-512 VNNI.
pub(super) type Tile = unsafe fn(&SignedBlock, Int4Panel<'_>, &mut [[f32; PANEL]]);

/// Tiles of 1 to 12 rows, of groups without zero points.
pub(super) const AVX512: [Tile; BLOCK] = [
    multiply_avx512::<1, 2, false>,
    multiply_avx512::<2, 2, false>,
    multiply_avx512::<3, 2, false>,
    multiply_avx512::<4, 2, false>,
    multiply_avx512::<5, 2, false>,
    multiply_avx512::<6, 2, false>,
    multiply_avx512::<7, 1, false>,
    multiply_avx512::<8, 1, false>,
    multiply_avx512::<9, 1, false>,
    multiply_avx512::<10, 1, false>,
    multiply_avx512::<11, 1, false>,
    multiply_avx512::<12, 1, false>,
];

/// The same with zero points.
pub(super) const AVX512_ZEROS: [Tile; BLOCK] = [
    multiply_avx512::<1, 2, true>,
    multiply_avx512::<2, 2, true>,
    multiply_avx512::<3, 2, true>,
    multiply_avx512::<4, 2, true>,
    multiply_avx512::<5, 2, true>,
    multiply_avx512::<6, 2, true>,
    multiply_avx512::<7, 1, true>,
    multiply_avx512::<8, 1, true>,
    multiply_avx512::<9, 1, true>,
    multiply_avx512::<10, 1, true>,
    multiply_avx512::<11, 1, true>,
    multiply_avx512::<12, 1, true>,
];

/// Sums of all groups, 16 outputs a vector.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn multiply_avx512<const ROWS: usize, const CHAINS: usize, const ZEROS: bool>(
    block: &SignedBlock,
    panel: Int4Panel<'_>,
    sums: &mut [[f32; PANEL]],
) {
    let Some(sums) = sums.first_chunk_mut::<ROWS>() else { return };
    let mut totals = sums.each_ref().map(|sums| load_floats(sums));
    for group in groups(block, panel) {
        let scales = load_floats(group.scales);
        for (totals, products) in totals.iter_mut().zip(multiply_group::<ROWS, CHAINS, ZEROS>(&group)) {
            for (half, product) in products.into_iter().enumerate() {
                totals[half] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(product), scales[half], totals[half]);
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        store_floats(sums, totals);
    }
}

/// The integer sums of a group. Codes are the unsigned operand. Few rows have `CHAINS = 2` sums for each output, as one would wait for itself.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn multiply_group<const ROWS: usize, const CHAINS: usize, const ZEROS: bool>(group: &Group<'_>) -> [[__m512i; 2]; ROWS] {
    let mut lanes = [[[_mm512_setzero_si512(); 2]; CHAINS]; ROWS];
    let zeros = if ZEROS { load_zeros(group) } else { [_mm512_set1_epi32(i32::from(MIDDLE)); 2] };
    for (lanes, input_sum) in lanes.iter_mut().zip(group.input_sums) {
        let input_sum = _mm512_set1_epi32(*input_sum);
        for (lane, zeros) in lanes[0].iter_mut().zip(zeros) {
            let zero = if ZEROS { _mm512_mullo_epi32(zeros, input_sum) } else { _mm512_slli_epi32::<{ MIDDLE.ilog2() }>(input_sum) };
            *lane = _mm512_sub_epi32(*lane, zero);
        }
    }
    for (pair, inputs) in group.pairs.iter().zip(group.inputs.as_chunks::<ROWS>().0.as_chunks::<2>().0) {
        fetch(pair);
        let [low, high] = load_pair(pair);
        for ((lanes, first), second) in lanes.iter_mut().zip(&inputs[0]).zip(&inputs[1]) {
            let (first, second) = (broadcast(*first), broadcast(*second));
            for half in 0..2 {
                lanes[0][half] = _mm512_dpbusd_epi32(lanes[0][half], low[half], first);
                lanes[CHAINS - 1][half] = _mm512_dpbusd_epi32(lanes[CHAINS - 1][half], high[half], second);
            }
        }
    }
    lanes.map(|lanes| {
        let [first, last] = [lanes[0], lanes[CHAINS - 1]];
        if CHAINS == 2 { [_mm512_add_epi32(first[0], last[0]), _mm512_add_epi32(first[1], last[1])] } else { first }
    })
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(input: [i8; STEP]) -> __m512i {
    _mm512_set1_epi32(i32::from_ne_bytes(input.map(i8::cast_unsigned)))
}

/// The zero points of a group; the middle ones where it has none.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_zeros(group: &Group<'_>) -> [__m512i; 2] {
    let zeros = group.zeros.unwrap_or(&[MIDDLE; PANEL]);
    // SAFETY: the array holds two times 16 bytes; no alignment is asked for.
    let halves = unsafe { [_mm_loadu_si128(zeros.as_ptr().cast()), _mm_loadu_si128(zeros[16..].as_ptr().cast())] };
    halves.map(|half| _mm512_cvtepu8_epi32(half))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_floats(floats: &[f32; PANEL]) -> [__m512; 2] {
    // SAFETY: the array holds two vectors of 16 numbers; no alignment is asked for.
    unsafe { [_mm512_loadu_ps(floats.as_ptr()), _mm512_loadu_ps(floats[16..].as_ptr())] }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_floats(floats: &mut [f32; PANEL], [low, high]: [__m512; 2]) {
    // SAFETY: the array holds two vectors of 16 numbers; no alignment is asked for.
    unsafe {
        _mm512_storeu_ps(floats.as_mut_ptr(), low);
        _mm512_storeu_ps(floats[16..].as_mut_ptr(), high);
    }
}

/// The codes of the first four inputs and of the last four, 16 outputs a vector.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_pair(pair: &Pair) -> [[__m512i; 2]; 2] {
    // SAFETY: a pair holds two vectors of 64 bytes and is aligned to 64.
    let bytes = unsafe { [_mm512_load_si512(pair.0.as_ptr().cast()), _mm512_load_si512(pair.0[16..].as_ptr().cast())] };
    let mask = _mm512_set1_epi8(15);
    [bytes.map(|bytes| _mm512_and_si512(bytes, mask)), bytes.map(|bytes| _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), mask))]
}

/// Fetches the weights [`AHEAD`] pairs after `pair` into the second-level cache.
#[inline]
#[target_feature(enable = "sse")]
fn fetch(pair: &Pair) {
    // A hint that reads nothing and cannot fault, wherever the address points.
    let ahead = std::ptr::from_ref(pair).wrapping_add(AHEAD).cast::<i8>();
    _mm_prefetch::<_MM_HINT_T1>(ahead);
    _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(64));
}

/// A tile of any number of rows, one at a time. Two products of a code and an input are at most `2 * 15 * 128` and fit 16 bits.
#[target_feature(enable = "avx2,fma")]
pub(super) fn multiply_avx2(group: &Group<'_>, sums: &mut [[f32; PANEL]]) {
    let rows = sums.len();
    let (mask, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    for (row, sums) in sums.iter_mut().enumerate() {
        let mut lanes = [_mm256_setzero_si256(); 4];
        for (pair, inputs) in group.pairs.iter().zip(group.inputs.chunks_exact(2 * rows)) {
            let [low, high] = [inputs[row], inputs[rows + row]].map(|four| broadcast_avx2(four));
            for (quarter, lanes) in lanes.iter_mut().enumerate() {
                let bytes = load_quarter(pair, quarter);
                let first = _mm256_maddubs_epi16(_mm256_and_si256(bytes, mask), low);
                let second = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask), high);
                *lanes = _mm256_add_epi32(*lanes, _mm256_madd_epi16(first, ones));
                *lanes = _mm256_add_epi32(*lanes, _mm256_madd_epi16(second, ones));
            }
        }
        for (quarter, lanes) in lanes.into_iter().enumerate() {
            add_group_avx2(group, quarter, _mm256_sub_epi32(lanes, zero_avx2(group, quarter, group.input_sums[row])), sums);
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn broadcast_avx2(input: [i8; STEP]) -> __m256i {
    _mm256_set1_epi32(i32::from_ne_bytes(input.map(i8::cast_unsigned)))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load_quarter(pair: &Pair, quarter: usize) -> __m256i {
    // SAFETY: each of the four quarters holds 32 bytes, and a pair is aligned to 64.
    unsafe { _mm256_load_si256(pair.0[8 * quarter..8 * quarter + 8].as_ptr().cast()) }
}

/// `zero * sum of x` for 8 outputs.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn zero_avx2(group: &Group<'_>, quarter: usize, input_sum: i32) -> __m256i {
    match group.zeros {
        None => _mm256_set1_epi32(i32::from(MIDDLE) * input_sum),
        Some(zeros) => {
            // SAFETY: 8 bytes from one of the four quarters; no alignment is asked for.
            let zeros = unsafe { _mm_loadl_epi64(zeros[8 * quarter..8 * quarter + 8].as_ptr().cast()) };
            _mm256_mullo_epi32(_mm256_cvtepu8_epi32(zeros), _mm256_set1_epi32(input_sum))
        }
    }
}

/// Adds `scale product` to 8 sums.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn add_group_avx2(group: &Group<'_>, quarter: usize, product: __m256i, sums: &mut [f32; PANEL]) {
    let (scales, sums) = (&group.scales[8 * quarter..8 * quarter + 8], &mut sums[8 * quarter..8 * quarter + 8]);
    // SAFETY: both slices hold 8 numbers; no alignment is asked for.
    unsafe {
        let (scales, before) = (_mm256_loadu_ps(scales.as_ptr()), _mm256_loadu_ps(sums.as_ptr()));
        _mm256_storeu_ps(sums.as_mut_ptr(), _mm256_fmadd_ps(_mm256_cvtepi32_ps(product), scales, before));
    }
}
