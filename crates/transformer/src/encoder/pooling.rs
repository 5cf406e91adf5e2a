use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::batch::TokenBatch;

/// How the hidden states of a text's tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The first token's state.
    Cls,
    /// Their largest value in each dimension.
    Max,
}

impl Pooling {
    /// One vector a sequence; padding takes no part.
    ///
    /// # Shapes
    /// - input: `[batch, seq, d_model]`
    /// - output: `[batch, d_model]`
    pub fn forward(self, hidden: Tensor<3>, batch: &TokenBatch) -> Tensor<2> {
        match self {
            Self::Mean => mean(hidden, batch),
            Self::Cls => hidden.slice_dim(1, 0..1).squeeze_dim(1),
            Self::Max => max(hidden, batch),
        }
    }

    /// The name that sentence-transformers gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::Max => "max",
        }
    }
}

/// Scales `vector` to length 1, as `torch.nn.functional.normalize` does: a vector shorter than 1e-12 is divided by 1e-12.
pub fn l2_normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
    for x in vector {
        *x /= norm;
    }
}

/// A product with rows of `1 / length`: one pass, and padding has weight zero.
fn mean(hidden: Tensor<3>, batch: &TokenBatch) -> Tensor<2> {
    let seq = batch.seq();
    let weights = batch.lengths().iter().flat_map(|&length| (0..seq).map(move |i| if i < length { 1.0 / length as f32 } else { 0.0 }));
    let weights = TensorData::new(weights.collect::<Vec<f32>>(), [batch.lengths().len(), 1, seq]);
    Tensor::<3>::from_data(weights, &hidden.device()).matmul(hidden).squeeze_dim(1)
}

fn max(hidden: Tensor<3>, batch: &TokenBatch) -> Tensor<2> {
    let shape = hidden.shape();
    let masked = match &batch.mask {
        Some(mask) => {
            let [sequences, _, _, seq] = mask.dims();
            hidden.mask_fill(mask.clone().reshape([sequences, seq, 1]).expand(shape), f32::NEG_INFINITY)
        }
        None => hidden,
    };
    masked.max_dim(1).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn pooled(pooling: Pooling) -> Vec<f32> {
        let device = Device::default();
        let batch = TokenBatch::new(&[&[1, 2], &[3]], 0, &device);
        let hidden = Tensor::<3>::from_data([[[1.0_f32, -2.0], [3.0, -6.0]], [[5.0, -1.0], [900.0, 900.0]]], &device);
        pooling.forward(hidden, &batch).into_data().try_into_vec().unwrap()
    }

    #[test]
    fn padding_takes_no_part() {
        assert_eq!(pooled(Pooling::Mean), [2.0, -4.0, 5.0, -1.0]);
        assert_eq!(pooled(Pooling::Cls), [1.0, -2.0, 5.0, -1.0]);
        assert_eq!(pooled(Pooling::Max), [3.0, -2.0, 5.0, -1.0]);
    }

    #[test]
    fn normalised_vectors_have_length_one_and_zero_stays_zero() {
        let mut vector = [3.0, 4.0];
        l2_normalize(&mut vector);
        assert!((vector[0] - 0.6).abs() < 1e-6 && (vector[1] - 0.8).abs() < 1e-6, "{vector:?}");
        let mut zero = [0.0; 2];
        l2_normalize(&mut zero);
        assert!(zero.iter().all(|&x| x == 0.0), "{zero:?}");
    }
}
