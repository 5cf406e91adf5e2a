//! How the outputs of layers whose inputs may lie cut over workers come together on the hidden states.

use std::convert::Infallible;

use jarre_kernels::packed::{QuantizedRows, largest_magnitudes};
use jarre_kernels::{LinearInput, PackedLinear, RowNorm};

use super::layer;
use super::row_linear::{RowInput, RowLinear};
use super::step::Step;
use crate::collective::Collective;
use crate::error::{Error, Result};

/// Adds a layer's outputs to the hidden states.
pub(super) trait Reduce {
    /// Why that may fail.
    type Error;

    /// Adds `x W + b` of the step's rows to `x`, normalised before where there is a norm for it.
    fn add(
        &mut self,
        linear: &RowLinear,
        inner: &RowInput,
        norm: Option<&RowNorm>,
        step: &Step<'_>,
        x: &mut [f32],
    ) -> Result<(), Self::Error>;
}

/// Every layer is whole.
#[derive(Debug)]
pub(super) struct Whole;

impl Reduce for Whole {
    type Error = Infallible;

    fn add(
        &mut self,
        linear: &RowLinear,
        inner: &RowInput,
        norm: Option<&RowNorm>,
        step: &Step<'_>,
        x: &mut [f32],
    ) -> Result<(), Infallible> {
        layer::add(linear, inner, norm, step, x);
        Ok(())
    }
}

/// Each worker has some inputs of a layer, and adds up the products with the others.
///
/// Rows are rounded with the scales of whole rows. Sums of eight-bit weights are reduced as integers, and give the bits of the whole layer;
/// others as floats, whose order differs.
pub(super) struct Sharded<'a> {
    pub(super) collective: &'a mut dyn Collective,
}

impl Reduce for Sharded<'_> {
    type Error = Error;

    fn add(&mut self, linear: &RowLinear, inner: &RowInput, norm: Option<&RowNorm>, step: &Step<'_>, x: &mut [f32]) -> Result<()> {
        let mut out = self.product(linear, &inner.rows, step.rows)?;
        if let Some(norm) = norm {
            norm.apply(&mut out);
        }
        x.iter_mut().zip(out).for_each(|(x, out)| *x += out);
        Ok(())
    }
}

impl Sharded<'_> {
    /// `x W + b` over the inputs of all workers.
    fn product(&mut self, linear: &RowLinear, inner: &LinearInput, rows: usize) -> Result<Vec<f32>> {
        let Some(packed) = linear.packed().filter(|packed| packed.multiplies_integers()) else {
            return self.sum_floats(linear, inner, rows);
        };
        let rounded = self.round(inner, packed.dims()[0])?;
        if packed.sums_integers() {
            return self.sum_integers(packed, &rounded);
        }
        self.sum_floats(linear, &LinearInput::Quantized(rounded), rows)
    }

    /// This worker's part of rows, rounded as the whole rows are.
    fn round(&mut self, inner: &LinearInput, width: usize) -> Result<QuantizedRows> {
        let mut largest = largest_magnitudes(inner.floats(), width);
        self.collective.all_reduce_max(&mut largest)?;
        Ok(QuantizedRows::quantize_parts(inner.floats(), width, &largest))
    }

    fn sum_integers(&mut self, linear: &PackedLinear, x: &QuantizedRows) -> Result<Vec<f32>> {
        let mut sums = linear.integer_sums(x);
        self.collective.all_reduce_sum_integers(&mut sums)?;
        let mut out = vec![0.0; sums.len()];
        linear.finish_sums(&sums, &(0..x.rows()).map(|row| x.scale(row)).collect::<Vec<_>>(), &mut out);
        Ok(out)
    }

    fn sum_floats(&mut self, linear: &RowLinear, x: &LinearInput, rows: usize) -> Result<Vec<f32>> {
        let mut out = linear.without_bias().product(x, rows);
        self.collective.all_reduce_sum(&mut out)?;
        if let Some(bias) = linear.bias() {
            out.chunks_exact_mut(bias.len()).for_each(|row| row.iter_mut().zip(&bias).for_each(|(out, bias)| *out += bias));
        }
        Ok(out)
    }
}
