use crate::error::{Error, Result};

/// What a decoder costs to run and to train, in floating point operations (a multiplication and an addition count as two), after
/// appendix B of [Chowdhery et al. 2022](https://arxiv.org/abs/2204.02311).
///
/// The forward pass takes 2 operations a parameter and token, for each weight is multiplied once and added once, and `4 l h q t` for the
/// two matrix products of attention over `t` tokens; the backward pass takes twice as much. Attention is counted in full, as if it were
/// not causal. So training takes `6 N + 12 l h q t` operations a token.
///
/// ```
/// # use jarre_transformer::train::DecoderFlops;
/// // PaLM 540B at 238,300 tokens a second on 6,144 TPU v4 chips of 275 TFLOP/s: 46.2 %.
/// let palm = DecoderFlops::new(540_350_000_000, 118, 48, 256);
/// let utilisation = palm.utilization(238_300.0, 2_048, 6_144.0 * 275e12)?;
/// assert!((utilisation - 0.462).abs() < 5e-4);
/// # Ok::<(), jarre_transformer::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecoderFlops {
    parameters: u64,
    layers: u64,
    heads: u64,
    head_dim: u64,
}

impl DecoderFlops {
    /// A decoder of `parameters` weights that take part in matrix products (`N`), with `layers` (`l`) of `heads` query heads (`h`), `head_dim`
    /// wide (`q`).
    ///
    /// A table of learned positions is only looked up and does not count, nor does an embedding table, unless it is the output layer too. Embedding
    /// and output layer are a large part of a small model: say which count it was where figures are compared.
    pub fn new(parameters: u64, layers: u64, heads: u64, head_dim: u64) -> Self {
        Self { parameters, layers, heads, head_dim }
    }

    /// Operations of the forward pass for each token of a sequence of `seq` tokens: `2 N + 4 l h q t`.
    pub fn forward_per_token(&self, seq: u64) -> f64 {
        let attended = [self.layers, self.heads, self.head_dim, seq].map(|factor| factor as f64).iter().product::<f64>();
        2.0 * self.parameters as f64 + 4.0 * attended
    }

    /// Operations of forward and backward pass for each token of a sequence of `seq` tokens: `6 N + 12 l h q t`. What gradient checkpointing
    /// computes again is not counted.
    pub fn training_per_token(&self, seq: u64) -> f64 {
        3.0 * self.forward_per_token(seq)
    }

    /// Operations of a training on `tokens` tokens in sequences of `seq`.
    pub fn training(&self, tokens: u64, seq: u64) -> f64 {
        tokens as f64 * self.training_per_token(seq)
    }

    /// Model FLOPs utilisation (MFU): the share of `peak` operations a second that a training at `tokens_per_second` in sequences of `seq`
    /// puts to use. Above 1 where the peak is understated.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless `peak` is finite and above 0, and `tokens_per_second` finite and not negative.
    pub fn utilization(&self, tokens_per_second: f64, seq: u64, peak: f64) -> Result<f64> {
        if !(peak.is_finite() && peak > 0.0) {
            return Err(Error::setting("the peak of the device in operations a second", peak, "finite and above 0"));
        }
        if !(tokens_per_second.is_finite() && tokens_per_second >= 0.0) {
            return Err(Error::setting("the rate in tokens a second", tokens_per_second, "finite and not negative"));
        }
        Ok(tokens_per_second * self.training_per_token(seq) / peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpt2_costs_what_is_counted_by_hand() {
        // GPT-2 small without its position table: 6 * 123,653,376 = 741,920,256, and 12 * 12 * 12 * 64 * 1,024 = 113,246,208.
        let gpt2 = DecoderFlops::new(123_653_376, 12, 12, 64);
        let found =
            [gpt2.training_per_token(1_024), gpt2.forward_per_token(1_024) * 3.0, gpt2.training_per_token(0), gpt2.training(1_000, 1_024)];
        let counted = [855_166_464_u64, 855_166_464, 741_920_256, 855_166_464_000];
        assert_eq!(found.map(|operations| operations as u64), counted);
    }

    #[test]
    fn utilisation_is_that_of_table_3_of_the_paper() {
        let (rate, peak) = (238_300.0, 6_144.0 * 275e12);
        let with_attention = DecoderFlops::new(540_350_000_000, 118, 48, 256).utilization(rate, 2_048, peak).unwrap();
        let without = DecoderFlops::new(540_350_000_000, 0, 0, 0).utilization(rate, 2_048, peak).unwrap();
        assert!((with_attention - 0.462).abs() < 5e-4 && (without - 0.457).abs() < 5e-4, "{with_attention} and {without}");
    }

    #[test]
    fn rates_that_mean_nothing_are_refused() {
        let tiny = DecoderFlops::new(1, 1, 1, 1);
        for (rate, peak) in [(1.0, 0.0), (1.0, -1.0), (1.0, f64::NAN), (1.0, f64::INFINITY), (-1.0, 1.0), (f64::NAN, 1.0)] {
            assert!(matches!(tiny.utilization(rate, 1, peak), Err(Error::InvalidSetting { .. })), "{rate} of {peak}");
        }
        assert!(tiny.utilization(0.0, 1, 1.0).unwrap().abs() < f64::EPSILON);
        assert!(DecoderFlops::new(u64::MAX, u64::MAX, u64::MAX, u64::MAX).training(u64::MAX, u64::MAX).is_finite());
    }
}
