//! Attention weights from scores.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use crate::host::{self, HostOp, edited, in_order, run, tensor, values};
use crate::math::exp;
use crate::rows::{dot, largest, sum};

/// How scores are changed before softmax.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreSettings {
    /// Multiplies them.
    pub scale: f64,
    /// Then `c tanh(score / c)`, unless it is 0.
    pub softcap: f64,
}

/// Softmax over keys of `scores`, scaled, capped and with `bias` added; keys whose bias is minus infinity get weight zero.
///
/// # Shapes
/// - scores: `[batch, heads, queries, keys]`, bias: `[batch or 1, heads or 1, queries, keys]`
/// - output: `[batch, heads, queries, keys]`
pub fn attention_weights(scores: Tensor<4>, bias: Option<Tensor<4>>, settings: ScoreSettings) -> Tensor<4> {
    let capped_gradient = settings.softcap > 0.0 && scores.device().is_autodiff();
    if host::takes(&scores) && !capped_gradient {
        return match bias {
            Some(bias) => run::binary(scores, bias, Weights { settings }),
            None => run::unary(scores, Weights { settings }),
        };
    }
    let scores = scores * settings.scale;
    let scores = if settings.softcap > 0.0 { (scores / settings.softcap).tanh() * settings.softcap } else { scores };
    softmax(
        match bias {
            Some(bias) => scores + bias,
            None => scores,
        },
        3,
    )
}

/// Softmax over keys of `scores`; of sequence `i` the first `lengths[i]` keys take part, the others get weight zero.
///
/// # Shapes
/// - scores: `[batch, heads, queries, keys]`
/// - output: `[batch, heads, queries, keys]`
pub fn padded_softmax(scores: Tensor<4>, lengths: &[usize]) -> Tensor<4> {
    let [batch, heads, queries, keys] = scores.dims();
    if !host::takes(&scores) || scores.device().is_autodiff() {
        return match padding(&scores, lengths) {
            Some(mask) => softmax(scores.mask_fill(mask.expand([batch, heads, queries, keys]), f32::NEG_INFINITY), 3),
            None => softmax(scores, 3),
        };
    }
    host::edit_tensor(scores, keys, |index, row| {
        let (valid, padding) = row.split_at_mut(lengths[index / (heads * queries)]);
        softmax_row(valid);
        padding.fill(0.0);
    })
}

/// True where a key is padding, `[batch, 1, 1, keys]`; none where no sequence is padded.
fn padding(scores: &Tensor<4>, lengths: &[usize]) -> Option<Tensor<4, Bool>> {
    let [batch, _, _, keys] = scores.dims();
    if lengths.iter().all(|&length| length == keys) {
        return None;
    }
    let mask: Vec<bool> = lengths.iter().flat_map(|&length| (0..keys).map(move |key| key >= length)).collect();
    let mask = burn::tensor::TensorData::new(mask, [batch, 1, 1, keys]);
    Some(Tensor::from_data(mask, &scores.device()))
}

#[derive(Clone, Debug)]
struct Weights {
    settings: ScoreSettings,
}

impl Weights {
    /// Scores before softmax, without their bias.
    #[inline(always)]
    fn prepare(&self, row: &mut [f32]) {
        let (scale, softcap) = (self.settings.scale as f32, self.settings.softcap as f32);
        for score in row.iter_mut() {
            *score *= scale;
        }
        if softcap > 0.0 {
            for score in row.iter_mut() {
                *score = softcap * (*score / softcap).tanh();
            }
        }
    }

    /// The gradient of scores plus bias: `w (g - sum(g w))`; of scores it is `scale` times that.
    fn gradient(kept: &[FlexTensor], gradient: FlexTensor, scale: f32) -> FlexTensor {
        let weights = values(&kept[0]);
        let keys = last_dim(&gradient);
        edited(gradient, keys, |index, row| {
            let weights = &weights[index * keys..(index + 1) * keys];
            let mean = dot(row, weights);
            for (g, w) in row.iter_mut().zip(weights) {
                *g = scale * w * (*g - mean);
            }
        })
    }
}

impl HostOp<1> for Weights {
    fn forward(&self, [scores]: [FlexTensor; 1]) -> FlexTensor {
        let keys = last_dim(&scores);
        edited(scores, keys, |_, row| {
            self.prepare(row);
            softmax_row(row);
        })
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 1]) -> (FlexTensor, Vec<FlexTensor>) {
        let weights = self.forward(inputs);
        (weights.clone(), vec![weights])
    }

    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [Some(Self::gradient(&kept, gradient, self.settings.scale as f32))]
    }
}

impl HostOp<2> for Weights {
    fn forward(&self, [scores, bias]: [FlexTensor; 2]) -> FlexTensor {
        let bias = in_order(bias);
        let place = Broadcast::of(&scores, &bias);
        let bias = values(&bias);
        let keys = place.keys;
        edited(scores, keys, |index, row| {
            self.prepare(row);
            let place = place.row(index);
            for (score, bias) in row.iter_mut().zip(&bias[place * keys..(place + 1) * keys]) {
                *score += bias;
            }
            softmax_row(row);
        })
    }

    fn forward_keeping(&self, [scores, bias]: [FlexTensor; 2]) -> (FlexTensor, Vec<FlexTensor>) {
        let weights = self.forward([scores, bias.clone()]);
        (weights.clone(), vec![weights, bias])
    }

    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let scale = self.settings.scale as f32;
        if !wanted[1] {
            return [Some(Self::gradient(&kept, gradient, scale)), None];
        }
        let gradient = Self::gradient(&kept, gradient, 1.0);
        let bias = Broadcast::of(&gradient, &kept[1]).summed(&gradient, &kept[1]);
        let scores = edited(gradient, 1, |_, g| g[0] *= scale);
        [Some(scores), Some(bias)]
    }
}

/// Where a row of scores finds its bias.
struct Broadcast {
    batches: usize,
    bias_heads: usize,
    heads: usize,
    queries: usize,
    keys: usize,
}

impl Broadcast {
    fn of(scores: &FlexTensor, bias: &FlexTensor) -> Self {
        let (scores, bias) = (scores.shape(), bias.shape());
        assert!(scores[2] == bias[2] && scores[3] == bias[3], "a bias of shape {bias:?} does not fit scores of shape {scores:?}");
        Self { batches: bias[0], bias_heads: bias[1], heads: scores[1], queries: scores[2], keys: scores[3] }
    }

    #[inline(always)]
    fn row(&self, index: usize) -> usize {
        let (batch, head, query) = (index / (self.heads * self.queries), index / self.queries % self.heads, index % self.queries);
        ((batch % self.batches) * self.bias_heads + head % self.bias_heads) * self.queries + query
    }

    /// Rows of `gradient` added up where one bias served several of them.
    fn summed(&self, gradient: &FlexTensor, bias: &FlexTensor) -> FlexTensor {
        let mut sums = vec![0.0_f32; values(bias).len()];
        for (index, row) in values(gradient).chunks_exact(self.keys).enumerate() {
            let place = self.row(index) * self.keys;
            for (sum, g) in sums[place..place + self.keys].iter_mut().zip(row) {
                *sum += g;
            }
        }
        tensor(sums, bias.shape())
    }
}

fn last_dim(x: &FlexTensor) -> usize {
    let shape = x.shape();
    shape[shape.num_dims() - 1]
}

#[inline(always)]
pub(crate) fn softmax_row(row: &mut [f32]) {
    let max = largest(row);
    for x in row.iter_mut() {
        *x = if *x == f32::NEG_INFINITY { 0.0 } else { exp(*x - max) };
    }
    let scale = 1.0 / sum(row);
    for x in row.iter_mut() {
        *x *= scale;
    }
}
