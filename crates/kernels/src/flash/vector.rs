//! Vectors of the processor behind one trait, so that every algorithm is written once.

/// Vector instructions that the processor has; a value of the type proves it.
///
/// Methods must be inlined into [`vectorize`](Simd::vectorize), or else they run as calls.
pub(crate) trait Simd: Copy + Send + Sync {
    /// [`LANES`](Self::LANES) numbers.
    type Vector: Copy;

    /// Numbers of a vector.
    const LANES: usize;

    /// Vectors side by side in a register tile, at most 4; with 6 rows of them the sums fit the registers.
    const WIDTH: usize;

    /// Runs `work` compiled for these instructions, which reaches only what is inlined into it.
    fn vectorize<T>(self, work: impl FnOnce() -> T) -> T;

    /// Writes column `i` of at most [`LANES`](Self::LANES) rows of equal lengths to `out[i * stride..]`, followed by zeros up to
    /// [`LANES`](Self::LANES).
    #[inline(always)]
    fn transpose(self, rows: &[&[f32]], out: &mut [f32], stride: usize) {
        let columns = rows.first().map_or(0, |row| row.len());
        for (i, place) in out.chunks_mut(stride).take(columns).enumerate() {
            for (lane, place) in place[..Self::LANES].iter_mut().enumerate() {
                *place = rows.get(lane).map_or(0.0, |row| row[i]);
            }
        }
    }

    fn splat(self, x: f32) -> Self::Vector;

    /// The first numbers of a slice that has enough of them.
    fn load(self, values: &[f32]) -> Self::Vector;

    fn store(self, values: &mut [f32], x: Self::Vector);

    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// `a b + c`, rounded once where the processor can.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// The larger; `b` where either is no number.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// The smaller; `b` where either is no number.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// `x` where `low <= key < high`, else minus infinity.
    fn within(self, x: Self::Vector, key: Self::Vector, low: Self::Vector, high: Self::Vector) -> Self::Vector;

    /// `x 2^n` for whole `n` from -200 to 127 and `x` from 0.5 to 2; 0 where `n` is below -126.
    fn scale(self, x: Self::Vector, n: Self::Vector) -> Self::Vector;
}

/// What every processor runs. A product and a sum round one after another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Portable {
    #[inline(always)]
    fn each(a: [f32; 8], b: [f32; 8], f: impl Fn(f32, f32) -> f32) -> [f32; 8] {
        let mut out = a;
        for (out, b) in out.iter_mut().zip(b) {
            *out = f(*out, b);
        }
        out
    }
}

impl Simd for Portable {
    type Vector = [f32; 8];

    const LANES: usize = 8;
    const WIDTH: usize = 2;

    #[inline(always)]
    fn vectorize<T>(self, work: impl FnOnce() -> T) -> T {
        work()
    }

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; 8] {
        [x; 8]
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> [f32; 8] {
        *values.first_chunk().expect("callers give whole vectors")
    }

    #[inline(always)]
    fn store(self, values: &mut [f32], x: [f32; 8]) {
        *values.first_chunk_mut().expect("callers give whole vectors") = x;
    }

    #[inline(always)]
    fn add(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        Self::each(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        Self::each(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        Self::each(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        Self::each(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        self.add(self.mul(a, b), c)
    }

    #[inline(always)]
    fn max(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        Self::each(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn min(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        Self::each(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn within(self, x: [f32; 8], key: [f32; 8], low: [f32; 8], high: [f32; 8]) -> [f32; 8] {
        let x = Self::each(x, Self::each(key, low, |key, low| key - low), |x, after| if after < 0.0 { f32::NEG_INFINITY } else { x });
        Self::each(x, Self::each(key, high, |key, high| key - high), |x, after| if after < 0.0 { x } else { f32::NEG_INFINITY })
    }

    #[inline(always)]
    fn scale(self, x: [f32; 8], n: [f32; 8]) -> [f32; 8] {
        Self::each(x, n, scale)
    }
}

/// [`Simd::scale`] of one number: `n` is added to the exponent.
#[inline(always)]
fn scale(x: f32, n: f32) -> f32 {
    // A number that is none keeps its bits: `n` is none either, and its integer is 0.
    let scaled = f32::from_bits(x.to_bits().wrapping_add((n as i32 as u32) << 23));
    if n < -126.0 { 0.0 } else { scaled }
}
