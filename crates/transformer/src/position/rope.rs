use burn::tensor::{Device, Tensor, TensorData};
use jarre_kernels::{RopePairs, rope};
use serde::{Deserialize, Serialize};

use super::scaling::RopeScaling;

/// Configuration of rotary positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RopeConfig {
    /// The base of the frequencies.
    pub theta: f64,
    /// Dimensions of a head that are rotated, an even number; the whole head where it is not given.
    pub dim: Option<usize>,
    /// Which dimensions make a pair.
    pub layout: RopeLayout,
    /// How frequencies are stretched for long texts.
    pub scaling: RopeScaling,
}

/// Which dimensions of a head are rotated together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RopeLayout {
    /// Dimension `i` with `i + dim / 2`: Hugging Face's models, GPT-NeoX.
    #[default]
    HalfSplit,
    /// Dimension `2i` with `2i + 1`: the paper, Meta's and llama2.c's weights.
    Interleaved,
}

impl From<RopeLayout> for RopePairs {
    fn from(layout: RopeLayout) -> Self {
        match layout {
            RopeLayout::HalfSplit => Self::HalfSplit,
            RopeLayout::Interleaved => Self::Interleaved,
        }
    }
}

impl RopeConfig {
    /// Whole heads with base `theta`, dimensions paired by halves.
    pub fn new(theta: f64) -> Self {
        Self { theta, dim: None, layout: RopeLayout::default(), scaling: RopeScaling::default() }
    }

    /// Rotates only the first `dim` dimensions of a head.
    pub fn with_dim(mut self, dim: Option<usize>) -> Self {
        self.dim = dim;
        self
    }

    /// Sets which dimensions make a pair.
    pub fn with_layout(mut self, layout: RopeLayout) -> Self {
        self.layout = layout;
        self
    }

    /// Sets how frequencies are stretched.
    pub fn with_scaling(mut self, scaling: RopeScaling) -> Self {
        self.scaling = scaling;
        self
    }

    /// The rotations of heads of `head_dim` dimensions.
    ///
    /// # Panics
    /// Where the rotated dimensions are an odd number or more than the head has.
    pub fn init(&self, head_dim: usize) -> Rope {
        let dim = self.dim.unwrap_or(head_dim);
        assert!(dim.is_multiple_of(2) && dim <= head_dim, "an even number of at most {head_dim} dimensions can be rotated, not {dim}");
        Rope { config: self.clone(), dim }
    }
}

/// Rotary positions ([Su et al. 2021](https://arxiv.org/abs/2104.09864)): pair `i` of a query or key at position `p` is rotated by
/// `p theta^(-2i / dim)`, so that scores depend on distances.
#[derive(Clone, Debug)]
pub struct Rope {
    config: RopeConfig,
    dim: usize,
}

/// Cosines and sines of a batch's positions, made once and used by every layer.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// `[batch, seq, dim / 2]`, the batch 1 where all sequences have the same positions.
    cos: Tensor<3>,
    sin: Tensor<3>,
    pairs: RopePairs,
}

impl Rope {
    /// The rotations of tokens at `positions`, one row of equal length for each sequence, or one row for all of them.
    ///
    /// `longest` is the length of the longest sequence with all that is cached of it: some scalings depend on it.
    pub fn rotation(&self, positions: &[Vec<usize>], longest: usize, device: &Device) -> Rotation {
        let seq = positions.first().map_or(0, Vec::len);
        let (cos, sin) = self.tables(&positions.concat(), longest);
        let table = |values| Tensor::from_data(TensorData::new(values, [positions.len(), seq, self.dim / 2]), device);
        Rotation { cos: table(cos), sin: table(sin), pairs: self.config.layout.into() }
    }

    /// Cosines and sines of `positions`, `[positions, dim / 2]` each.
    pub(crate) fn tables(&self, positions: &[usize], longest: usize) -> (Vec<f32>, Vec<f32>) {
        let amplitude = self.config.scaling.amplitude() as f32;
        let frequencies = self.config.scaling.frequencies(self.config.theta, self.dim, longest);
        let frequencies: Vec<f32> = frequencies.iter().map(|&frequency| frequency as f32).collect();
        let angles = || positions.iter().flat_map(|&position| frequencies.iter().map(move |f| position as f32 * f));
        (angles().map(|angle| angle.cos() * amplitude).collect(), angles().map(|angle| angle.sin() * amplitude).collect())
    }
}

impl Rotation {
    /// Rotates queries or keys.
    ///
    /// # Shapes
    /// - input: `[batch, heads, seq, head_dim]`
    /// - output: the same
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        rope(x.swap_dims(1, 2), &self.cos, &self.sin, self.pairs).swap_dims(1, 2)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    fn scores(config: &RopeConfig, [q, k]: &[Tensor<4>; 2], query: usize, key: usize) -> Vec<f32> {
        let rope = config.init(8);
        let at = |position: usize| rope.rotation(&[vec![position]], 64, &q.device());
        (at(query).apply(q.clone()) * at(key).apply(k.clone())).sum_dim(3).into_data().try_into_vec().unwrap()
    }

    #[test]
    fn scores_depend_on_distance_alone() {
        let factors = [0, 1].map(|_| Tensor::<4>::random([1, 2, 1, 8], Distribution::Normal(0.0, 1.0), &Device::default()));
        for layout in [RopeLayout::HalfSplit, RopeLayout::Interleaved] {
            let config = RopeConfig::new(100.0).with_layout(layout);
            for (near, far) in scores(&config, &factors, 5, 2).into_iter().zip(scores(&config, &factors, 45, 42)) {
                assert!((near - far).abs() < 1e-4, "{near} {far}");
            }
            assert_ne!(scores(&config, &factors, 5, 2), scores(&config, &factors, 5, 3));
        }
    }

    #[test]
    fn dimensions_beyond_the_rotated_ones_stay() {
        let device = Device::default();
        let x = Tensor::<4>::random([1, 1, 3, 8], Distribution::Default, &device);
        let rotation = RopeConfig::new(10.0).with_dim(Some(4)).init(8).rotation(&[vec![3, 4, 5]], 6, &device);
        let values = |x: Tensor<4>| x.slice_dim(3, 4..8).into_data().try_into_vec::<f32>().unwrap();
        assert_eq!(values(rotation.apply(x.clone())), values(x));
    }

    #[test]
    fn the_two_layouts_are_one_rotation_of_permuted_dimensions() {
        let device = Device::default();
        let x = Tensor::<4>::random([2, 1, 3, 6], Distribution::Default, &device);
        let rotate = |layout, x| {
            let rope = RopeConfig::new(50.0).with_layout(layout).init(6);
            rope.rotation(&[vec![1, 2, 3]], 4, &device).apply(x)
        };
        let to_halves = |x: Tensor<4>| x.reshape([2, 1, 3, 3, 2]).swap_dims(3, 4).reshape([2, 1, 3, 6]);
        let expected = to_halves(rotate(RopeLayout::Interleaved, x.clone()));
        let difference: f32 = (rotate(RopeLayout::HalfSplit, to_halves(x)) - expected).abs().max().into_scalar();
        assert!(difference < 1e-6, "{difference}");
    }
}
