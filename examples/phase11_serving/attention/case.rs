//! One size of attention, and the ways to compute it.

use anyhow::{Result, ensure};
use jarre_kernels::{AttentionMask, ScoreSettings, attention, attention_scores, attention_weights, host_values, mix_values};
use jarre_transformer::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Largest difference from sums of 64 bits. Values are at most 1, so that it is relative too.
const TOLERANCE: f64 = 1e-4;

/// What queries are multiplied by, so that some keys count much more than others.
const SHARPNESS: f32 = 8.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// Tile by tile: scores never leave the core that makes them.
    Flash,
    /// `Q K^T`, a softmax over its rows, and their product with `V`, one after another: burn's products, and the workspace's softmax in one pass.
    Standard,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) length: usize,
    pub(super) heads: usize,
    pub(super) head_dim: usize,
    pub(super) causal: bool,
}

impl Case {
    /// Multiplications and additions that a result needs: two products over pairs that see each other. Standard attention does as many
    /// for pairs that do not.
    pub(super) fn operations(&self) -> f64 {
        let length = self.length as f64;
        let pairs = if self.causal { length * (length + 1.0) / 2.0 } else { length * length };
        4.0 * pairs * self.head_dim as f64 * self.heads as f64
    }

    /// Bytes of all scores, written out.
    pub(super) fn score_bytes(&self) -> u64 {
        (self.length as u64).saturating_mul(self.length as u64).saturating_mul(4 * self.heads as u64)
    }

    /// Bytes of the result, as of each input.
    pub(super) fn output_bytes(&self) -> u64 {
        4 * (self.length * self.heads * self.head_dim) as u64
    }
}

/// Queries, keys and values `[1, tokens, heads, head_dim]`, and the mask that standard attention adds.
pub(super) struct Inputs {
    case: Case,
    parts: [Tensor<4>; 3],
    bias: std::cell::OnceCell<Option<Tensor<4>>>,
}

impl Inputs {
    pub(super) fn new(case: &Case) -> Self {
        let part = |index: u32| {
            let values: Vec<f32> = (0..case.length * case.heads * case.head_dim).map(|place| noise(place as u32, index)).collect();
            let values = Tensor::<1>::from_data(values.as_slice(), &Device::default());
            values.reshape([1, case.length, case.heads, case.head_dim])
        };
        let [queries, keys, values] = [0, 1, 2].map(part);
        Self { case: *case, parts: [queries * SHARPNESS, keys, values], bias: std::cell::OnceCell::new() }
    }

    /// The result, `[1, tokens, heads, head_dim]`.
    pub(super) fn attend(&self, kind: Kind) -> Tensor<4> {
        let settings = ScoreSettings { scale: self.scale(), softcap: 0.0 };
        match kind {
            Kind::Flash => attention(self.parts.clone(), &self.mask(), settings),
            Kind::Standard => {
                let [queries, keys, values] = self.parts.clone();
                mix_values(attention_weights(attention_scores(queries, keys), self.bias(), settings), values)
            }
        }
    }

    /// # Errors
    /// Where rows at the beginning, in the midst and at the end of all heads differ from what plain sums in 64 bits give.
    pub(super) fn assert_parity(&self, kind: Kind) -> Result<()> {
        let out = host_values(self.attend(kind));
        let [queries, keys, values] = self.parts.clone().map(host_values);
        let Case { length, heads, head_dim, .. } = self.case;
        for token in [0, length / 3, length / 2, length - 1] {
            for head in 0..heads {
                let expected = self.row([&queries, &keys, &values], token, head);
                let row = &out[(token * heads + head) * head_dim..][..head_dim];
                let worst = row.iter().zip(&expected).map(|(x, expected)| (f64::from(*x) - expected).abs()).fold(0.0, f64::max);
                ensure!(worst <= TOLERANCE, "{kind:?} attention to {length} tokens is off by {worst:e} at token {token} of head {head}");
            }
        }
        Ok(())
    }

    /// One token's result in one head, by the definition.
    fn row(&self, [queries, keys, values]: [&[f32]; 3], token: usize, head: usize) -> Vec<f64> {
        let Case { length, heads, head_dim, causal } = self.case;
        let vector = |of: &'_ [f32], token: usize| -> Vec<f64> {
            of[(token * heads + head) * head_dim..][..head_dim].iter().map(|x| f64::from(*x)).collect()
        };
        let query = vector(queries, token);
        let seen = if causal { token + 1 } else { length };
        let score = |key: usize| query.iter().zip(vector(keys, key)).map(|(a, b)| a * b).sum::<f64>() * self.scale();
        let scores: Vec<f64> = (0..seen).map(score).collect();
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let mut mixed = vec![0.0; head_dim];
        for (key, weight) in weights.iter().enumerate() {
            mixed.iter_mut().zip(vector(values, key)).for_each(|(mixed, value)| *mixed += weight / sum * value);
        }
        mixed
    }

    fn scale(&self) -> f64 {
        (self.case.head_dim as f64).sqrt().recip()
    }

    fn mask(&self) -> AttentionMask {
        if self.case.causal { AttentionMask::Causal { window: None } } else { AttentionMask::All }
    }

    /// Made once, as a model makes it once for all layers.
    fn bias(&self) -> Option<Tensor<4>> {
        self.bias.get_or_init(|| self.mask().bias([self.case.length; 2], &Device::default())).clone()
    }
}

/// Numbers between -1 and 1 without a pattern.
fn noise(place: u32, part: u32) -> f32 {
    let mixed = place.wrapping_mul(2_654_435_761).wrapping_add(part.wrapping_mul(0x9e37_79b9));
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b);
    ((mixed ^ (mixed >> 13)) >> 8) as f32 / (1 << 23) as f32 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_attention() {
        for (length, causal) in [(1, true), (37, true), (130, true), (64, false)] {
            let inputs = Inputs::new(&Case { length, heads: 3, head_dim: 20, causal });
            for kind in [Kind::Flash, Kind::Standard] {
                inputs.assert_parity(kind).unwrap();
            }
        }
    }

    #[test]
    fn another_mask_is_found_out() {
        let mut inputs = Inputs::new(&Case { length: 40, heads: 2, head_dim: 16, causal: true });
        inputs.attend(Kind::Standard);
        inputs.case.causal = false;
        // The mask that was made for the other case stays, so that the result is the other case's.
        assert!(inputs.assert_parity(Kind::Standard).is_err());
    }

    #[test]
    fn operations_and_bytes_are_counted() {
        let case = Case { length: 4, heads: 2, head_dim: 8, causal: true };
        // Ten pairs, in two heads, multiplied and added over eight numbers, twice.
        assert!((case.operations() - 10.0 * 2.0 * 8.0 * 2.0 * 2.0).abs() < 1e-9);
        assert!((Case { causal: false, ..case }.operations() - 16.0 * 2.0 * 8.0 * 4.0).abs() < 1e-9);
        assert_eq!((case.score_bytes(), case.output_bytes()), (4 * 4 * 2 * 4, 4 * 2 * 8 * 4));
    }
}
