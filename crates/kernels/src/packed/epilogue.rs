//! What happens to a product before it is written.

use super::tile::PANEL;
use crate::Activation;

/// `activation(product + bias) + residual`; by default the product alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    bias: Option<&'a [f32]>,
    activation: Option<Activation>,
    residual: Residual<'a>,
}

/// Values of one row of a panel. They are aligned, as a vector that was just written across two cache lines is slow to read back.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Values(pub(super) [f32; PANEL]);

impl Values {
    pub(super) const ZERO: Self = Self([0.0; PANEL]);
}

#[derive(Clone, Copy, Debug, Default)]
enum Residual<'a> {
    #[default]
    None,
    Rows(&'a [f32]),
    Out,
}

impl<'a> Epilogue<'a> {
    /// Adds a bias `[n]` to every row.
    pub fn with_bias(mut self, bias: &'a [f32]) -> Self {
        self.bias = Some(bias);
        self
    }

    /// Applies a function after the bias.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = Some(activation);
        self
    }

    /// Adds rows `[m, n]` after the activation.
    pub fn with_residual(mut self, residual: &'a [f32]) -> Self {
        self.residual = Residual::Rows(residual);
        self
    }

    /// Adds the result to what stands in the output, in place of a residual elsewhere.
    pub fn onto_output(mut self) -> Self {
        self.residual = Residual::Out;
        self
    }

    /// Whether a product is written as it is.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self { bias: None, activation: None, residual: Residual::None })
    }

    /// Writes a part of a row that was made elsewhere: the first values of `product`. `column` is the first of `out` in its row, `index` the
    /// place of that value in the whole output.
    pub(crate) fn write_row(&self, out: &mut [f32], product: &[f32], column: usize, index: usize) {
        for (panel, (out, product)) in out.chunks_mut(PANEL).zip(product.chunks(PANEL)).enumerate() {
            let mut values = Values::ZERO;
            values.0[..product.len()].copy_from_slice(product);
            self.write(out, values, column + panel * PANEL, index + panel * PANEL);
        }
    }

    /// # Panics
    /// Where the bias or the residual has another shape than the output `[m, n]`.
    pub(crate) fn check(&self, m: usize, n: usize) {
        if let Some(bias) = self.bias {
            assert_eq!(bias.len(), n, "values of the bias and outputs");
        }
        if let Residual::Rows(rows) = self.residual {
            assert_eq!(rows.len(), m * n, "values of the residual and of the output");
        }
    }

    /// Writes one row of a panel through the epilogue. `column` is the first of `out` in its row, `index` the place of that value in the
    /// whole output.
    #[inline(always)]
    pub(super) fn write(&self, out: &mut [f32], mut values: Values, column: usize, index: usize) {
        if let Some(bias) = self.bias {
            add(&mut values, &bias[column..column + out.len()]);
        }
        if let Some(activation) = self.activation {
            activation.edit(&mut values.0);
        }
        match self.residual {
            Residual::None => {}
            Residual::Rows(rows) => add(&mut values, &rows[index..index + out.len()]),
            Residual::Out => add(&mut values, out),
        }
        copy(out, &values);
    }
}

/// Writes one row of a panel: `activation(gate) up`.
#[inline(always)]
pub(super) fn write_gated(activation: Activation, out: &mut [f32], mut gate: Values, up: &Values) {
    activation.edit(&mut gate.0);
    gate.0.iter_mut().zip(&up.0).for_each(|(x, up)| *x *= up);
    copy(out, &gate);
}

/// Adds `other` to the first values.
#[inline(always)]
fn add(Values(values): &mut Values, other: &[f32]) {
    if let Some(other) = other.first_chunk::<PANEL>() {
        values.iter_mut().zip(other).for_each(|(x, y)| *x += y);
    } else {
        values.iter_mut().zip(other).for_each(|(x, y)| *x += y);
    }
}

/// Copies the first values to `out`.
#[inline(always)]
fn copy(out: &mut [f32], Values(values): &Values) {
    if let Some(out) = out.first_chunk_mut::<PANEL>() {
        *out = *values;
    } else {
        copy_part(out, values);
    }
}

/// Apart, as compilers join both copies to one of any length otherwise, which is a call for every row.
#[cold]
#[inline(never)]
fn copy_part(out: &mut [f32], values: &[f32; PANEL]) {
    out.copy_from_slice(&values[..out.len()]);
}
