use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor};

/// A low-rank addition to a projection: `scale B A x`, computed beside it, so that the projection's weight is neither copied nor given a
/// gradient.
#[derive(Module, Debug)]
pub struct LoraPair {
    /// `[d_input, rank]`: the transpose of PEFT's `lora_A`.
    pub(crate) a: Param<Tensor<2>>,
    /// `[rank, d_output]`: the transpose of PEFT's `lora_B`.
    pub(crate) b: Param<Tensor<2>>,
    pub(crate) scale: f64,
    /// Whether the addition is part of the weight already.
    pub(crate) merged: bool,
}

impl LoraPair {
    /// `A` from a normal distribution of standard deviation `1 / sqrt(d_input)`, `B` zero: the projection starts as it was.
    pub(crate) fn new([d_input, d_output]: [usize; 2], rank: usize, scale: f64, device: &Device) -> Self {
        let a = Tensor::random([d_input, rank], Distribution::Normal(0.0, (d_input as f64).sqrt().recip()), device);
        Self::of(a, Tensor::zeros([rank, d_output], device), scale)
    }

    /// A pair of given matrices, `[d_input, rank]` and `[rank, d_output]`.
    pub(crate) fn of(a: Tensor<2>, b: Tensor<2>, scale: f64) -> Self {
        Self { a: Param::from_tensor(a), b: Param::from_tensor(b), scale, merged: false }
    }

    /// # Shapes
    /// - input: `[..., d_input]`
    /// - output: `[..., d_output]`
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.raise(self.lower(x))
    }

    /// `A x`, `[..., d_input]` to `[..., rank]`: of some of the inputs it is a part of the sum.
    pub(crate) fn lower<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x.matmul(self.a.val().unsqueeze())
    }

    /// `scale B x`, `[..., rank]` to `[..., d_output]`.
    pub(crate) fn raise<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x.matmul(self.b.val().unsqueeze()) * self.scale
    }

    /// `scale A B`, what merging adds to the weight: `[d_input, d_output]`.
    pub(crate) fn delta(&self) -> Tensor<2> {
        self.a.val().matmul(self.b.val()) * self.scale
    }
}
