//! How the outputs of layers whose inputs may lie cut over workers come together on the hidden states.

use std::convert::Infallible;

use jarre_kernels::packed::{QuantizedRows, largest_magnitudes};
use jarre_kernels::{LinearInput, PackedLinear, RowNorm};

use super::row_linear::{RowInput, RowLinear};
use super::step::Step;
use super::{layer, low_rank};
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
/// others as floats, whose order differs. What adapters make of a worker's inputs joins the layer's own sums: among floats in the same
/// numbers; among integers as further ones, so that those of the layer stay what they are.
pub(super) struct Sharded<'a> {
    pub(super) collective: &'a mut dyn Collective,
}

impl Reduce for Sharded<'_> {
    type Error = Error;

    fn add(&mut self, linear: &RowLinear, inner: &RowInput, norm: Option<&RowNorm>, step: &Step<'_>, x: &mut [f32]) -> Result<()> {
        let mut out = self.product(linear, inner, step)?;
        if let Some(norm) = norm {
            norm.apply(&mut out);
        }
        x.iter_mut().zip(out).for_each(|(x, out)| *x += out);
        Ok(())
    }
}

impl Sharded<'_> {
    /// `x W + b` over the inputs of all workers, and what adapters add.
    fn product(&mut self, linear: &RowLinear, inner: &RowInput, step: &Step<'_>) -> Result<Vec<f32>> {
        let Some(packed) = linear.packed().filter(|packed| packed.multiplies_integers()) else {
            return self.sum_floats(linear, &inner.rows, inner, step);
        };
        if packed.sums_integers() {
            return self.sum_integers(linear, packed, inner, step);
        }
        let (rounded, _) = self.round(&inner.rows, packed.dims()[0], Vec::new())?;
        self.sum_floats(linear, &LinearInput::Quantized(rounded), inner, step)
    }

    /// This worker's part of rows, rounded as the whole rows are; and the largest of all workers for other magnitudes.
    fn round(&mut self, inner: &LinearInput, width: usize, others: Vec<f32>) -> Result<(QuantizedRows, Vec<f32>)> {
        let mut largest = largest_magnitudes(inner.floats(), width);
        let rows = largest.len();
        largest.extend(others);
        self.collective.all_reduce_max(&mut largest)?;
        let others = largest.split_off(rows);
        Ok((QuantizedRows::quantize_parts(inner.floats(), width, &largest), others))
    }

    fn sum_integers(&mut self, linear: &RowLinear, packed: &PackedLinear, inner: &RowInput, step: &Step<'_>) -> Result<Vec<f32>> {
        let (low, world) = (linear.lower(inner, step), self.collective.world_size());
        let (x, largest) = self.round(&inner.rows, packed.dims()[0], low_rank::largest(&low))?;
        let mut sums = packed.integer_sums(&x);
        let mut out = vec![0.0; sums.len()];
        sums.extend(low_rank::to_integers(&low, &largest, world));
        self.collective.all_reduce_sum_integers(&mut sums)?;
        let (sums, low_sums) = sums.split_at(out.len());
        packed.finish_sums(sums, &(0..x.rows()).map(|row| x.scale(row)).collect::<Vec<_>>(), &mut out);
        linear.raise(low_rank::from_integers(low, low_sums, &largest, world), step, &mut out);
        Ok(out)
    }

    /// `x` are the rows of `inner`, rounded where the layer multiplies integers.
    fn sum_floats(&mut self, linear: &RowLinear, x: &LinearInput, inner: &RowInput, step: &Step<'_>) -> Result<Vec<f32>> {
        let mut out = linear.without_bias().product(x, step.rows);
        linear.adapt(inner, step, &mut out);
        self.collective.all_reduce_sum(&mut out)?;
        if let Some(bias) = linear.bias() {
            out.chunks_exact_mut(bias.len()).for_each(|row| row.iter_mut().zip(&bias).for_each(|(out, bias)| *out += bias));
        }
        Ok(out)
    }
}
