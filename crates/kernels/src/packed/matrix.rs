use super::epilogue::Epilogue;
use super::floats::{FloatBlock, Floats};
use super::matmul::{Context, Panels, Product};
use super::quantized_rows::QuantizedRows;
use crate::Activation;

/// Weights `[n, k]` of a linear layer that were packed once, and their products.
///
/// A row of a product has the same bits whatever rows stand beside it, however many threads there are, and whichever instructions the
/// processor has.
pub trait PackedMatrix: Panels + Sized {
    /// Calls `run` with the rows as these weights read them.
    #[doc(hidden)]
    fn with_blocks(&self, context: Context<'_>, x: &QuantizedRows, run: impl FnOnce(&[Self::Block]));

    /// The weights of a panel in f32, from the input `8 step` to the eighth after it, `[2, 32, 4]`, zeros beyond the last input.
    #[doc(hidden)]
    fn widen(&self, panel: usize, step: usize, weights: &mut [[f32; 128]; 2]);

    /// The weights in f32, `[n, k]`.
    fn dequantize(&self) -> Vec<f32>;

    /// Bytes in memory.
    fn bytes(&self) -> usize;

    /// Number of outputs, `n`.
    fn outputs(&self) -> usize {
        self.shape()[0]
    }

    /// Number of inputs, `k`.
    fn inputs(&self) -> usize {
        self.shape()[1]
    }

    /// Rows `x` `[m, k]` times the weights, through the epilogue, to `out` `[m, n]`: quantises the rows, then
    /// [`matmul_quantized`](Self::matmul_quantized).
    ///
    /// # Panics
    /// Where `x` is not whole rows of `k` values, `out` is not as many rows of `n`, or the epilogue's slices do not fit.
    fn matmul(&self, x: &[f32], out: &mut [f32], epilogue: &Epilogue<'_>) {
        let m = rows(self.shape(), x, out);
        self.matmul_quantized(&QuantizedRows::quantize(x, m, self.inputs()), out, epilogue);
    }

    /// `out[i, j] = sum_l(x[i, l] w[j, l])`, through the epilogue, with the integers of `x` multiplied by those of the weights and scaled
    /// afterwards: rows `[m, k]` to `out` `[m, n]`.
    ///
    /// Products of few rows run as fast as the weights can be read, others as fast as the integer units multiply.
    ///
    /// # Panics
    /// Where the rows are not of `k` values, `out` is not `m * n` values, or the epilogue's slices do not fit.
    fn matmul_quantized(&self, x: &QuantizedRows, out: &mut [f32], epilogue: &Epilogue<'_>) {
        self.matmul_in(Context::default(), x, out, epilogue);
    }

    /// [`matmul_quantized`](Self::matmul_quantized) with given instructions and threads.
    ///
    /// # Panics
    /// As [`matmul_quantized`](Self::matmul_quantized).
    fn matmul_in(&self, context: Context<'_>, x: &QuantizedRows, out: &mut [f32], epilogue: &Epilogue<'_>) {
        self.check_width(x);
        self.with_blocks(context, x, |blocks| Product { context, blocks, m: x.rows(), weights: [self] }.write(out, epilogue));
    }

    /// `activation(x gate) * (x up)` with these weights as the gate: rows `[m, k]` to `out` `[m, n]`.
    ///
    /// # Panics
    /// Where both weights have not the same shape (and groups), the rows are not of `k` values, or `out` is not `m * n` values.
    fn matmul_gated(&self, up: &Self, x: &QuantizedRows, out: &mut [f32], activation: Activation) {
        self.matmul_gated_in(Context::default(), up, x, out, activation);
    }

    /// [`matmul_gated`](Self::matmul_gated) with given instructions and threads.
    ///
    /// # Panics
    /// As [`matmul_gated`](Self::matmul_gated).
    fn matmul_gated_in(&self, context: Context<'_>, up: &Self, x: &QuantizedRows, out: &mut [f32], activation: Activation) {
        self.check_width(x);
        self.with_blocks(context, x, |blocks| {
            Product { context, blocks, m: x.rows(), weights: [self, up] }.write_gated(out, activation);
        });
    }

    /// As [`matmul`](Self::matmul) with the inputs as they are and the weights widened to f32: exact but for the rounding of sums, and slow
    /// for many rows.
    ///
    /// # Panics
    /// As [`matmul`](Self::matmul).
    fn matmul_f32(&self, x: &[f32], out: &mut [f32], epilogue: &Epilogue<'_>) {
        self.matmul_f32_in(Context::default(), x, out, epilogue);
    }

    /// [`matmul_f32`](Self::matmul_f32) with given instructions and threads.
    ///
    /// # Panics
    /// As [`matmul`](Self::matmul).
    fn matmul_f32_in(&self, context: Context<'_>, x: &[f32], out: &mut [f32], epilogue: &Epilogue<'_>) {
        let m = rows(self.shape(), x, out);
        let blocks = FloatBlock::all(x, m, self.inputs());
        Product { context, blocks: &blocks, m, weights: [&Floats(self)] }.write(out, epilogue);
    }

    #[doc(hidden)]
    fn check_width(&self, x: &QuantizedRows) {
        assert_eq!(x.width(), self.inputs(), "values of a row and inputs of the weights");
    }
}

/// The number of rows that `x` holds, or `out` where rows of `x` are empty.
///
/// # Panics
/// Where `x` is not whole rows.
fn rows([n, k]: [usize; 2], x: &[f32], out: &[f32]) -> usize {
    let m = x.len().checked_div(k).unwrap_or_else(|| out.len().checked_div(n).unwrap_or(0));
    assert_eq!(x.len(), m * k, "values of {m} rows of {k}");
    m
}
