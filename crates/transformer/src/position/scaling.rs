use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

/// How the frequencies of rotary positions are changed so that a model reads further than it was trained to; names and formulas are
/// those of Hugging Face's `rope_type`.
///
/// The frequencies of [`Dynamic`](Self::Dynamic) and [`LongRope`](Self::LongRope) depend on the longest sequence of a batch. As in transformers, tokens
/// in a cache keep those with which they were read: past `original` tokens decoding with a cache differs from reading all at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rope_type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RopeScaling {
    /// Frequencies as they are.
    #[default]
    None,
    /// Positions divided by `factor` ([Chen et al. 2023](https://arxiv.org/abs/2306.15595)).
    Linear {
        /// Divides every frequency.
        factor: f64,
    },
    /// A base that grows with the sequence once it is longer than `original` tokens: `theta (factor n / original - (factor - 1))^(d / (d - 2))`.
    Dynamic {
        /// How fast the base grows.
        factor: f64,
        /// Tokens that the model was trained to read.
        original: usize,
    },
    /// Llama 3.1: long wavelengths divided by `factor`, short ones kept, a linear passage between.
    Llama3 {
        /// Divides the frequencies of long wavelengths.
        factor: f64,
        /// Wavelengths longer than `original / low_freq_factor` are long.
        low_freq_factor: f64,
        /// Wavelengths shorter than `original / high_freq_factor` are short.
        high_freq_factor: f64,
        /// Tokens that the model was trained to read.
        original: usize,
    },
    /// YaRN ([Peng et al. 2023](https://arxiv.org/abs/2309.00071)): frequencies that turn often are kept, those that turn seldom are
    /// divided by `factor`, a ramp between; sines and cosines are multiplied by `attention_factor`.
    Yarn {
        /// Divides the frequencies of long wavelengths.
        factor: f64,
        /// Turns within `original` tokens from which on a frequency is kept.
        beta_fast: f64,
        /// Turns within `original` tokens up to which a frequency is divided.
        beta_slow: f64,
        /// Tokens that the model was trained to read.
        original: usize,
        /// Multiplies sines and cosines; `0.1 ln(factor) + 1` in the paper.
        attention_factor: f64,
        /// Whether the ends of the ramp are rounded to whole frequencies.
        truncate: bool,
    },
    /// LongRoPE ([Ding et al. 2024](https://arxiv.org/abs/2402.13753)): each frequency divided by a factor of its own, one list for
    /// sequences up to `original` tokens and one for longer ones.
    LongRope {
        /// Divisors of short sequences.
        short_factor: Vec<f64>,
        /// Divisors of long sequences.
        long_factor: Vec<f64>,
        /// Tokens that the model was trained to read.
        original: usize,
        /// Multiplies sines and cosines.
        attention_factor: f64,
    },
}

impl RopeScaling {
    /// The frequencies of `dim / 2` pairs, in radians a token, where the longest sequence has `seq` tokens.
    pub(super) fn frequencies(&self, theta: f64, dim: usize, seq: usize) -> Vec<f64> {
        let plain = |theta: f64| -> Vec<f64> { (0..dim / 2).map(|i| theta.powf(-2.0 * i as f64 / dim as f64)).collect() };
        match self {
            Self::None => plain(theta),
            Self::Linear { factor } => plain(theta).into_iter().map(|frequency| frequency / factor).collect(),
            Self::Dynamic { factor, original } => plain(dynamic_theta(theta, dim, *factor, *original, seq)),
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original } => {
                let stretch = |frequency| llama3(frequency, *factor, *low_freq_factor, *high_freq_factor, *original as f64);
                plain(theta).into_iter().map(stretch).collect()
            }
            Self::Yarn { factor, beta_fast, beta_slow, original, truncate, .. } => {
                let ramp = YarnRamp::new(theta, dim, *original as f64, [*beta_fast, *beta_slow], *truncate);
                let blend = |(i, frequency): (usize, f64)| frequency * ramp.kept(i) + frequency / factor * (1.0 - ramp.kept(i));
                plain(theta).into_iter().enumerate().map(blend).collect()
            }
            Self::LongRope { short_factor, long_factor, original, .. } => {
                let divisors = if seq > *original { long_factor } else { short_factor };
                plain(theta).into_iter().zip(divisors).map(|(frequency, divisor)| frequency / divisor).collect()
            }
        }
    }

    /// What sines and cosines are multiplied by.
    pub(super) fn amplitude(&self) -> f64 {
        match self {
            Self::Yarn { attention_factor, .. } | Self::LongRope { attention_factor, .. } => *attention_factor,
            _ => 1.0,
        }
    }
}

fn dynamic_theta(theta: f64, dim: usize, factor: f64, original: usize, seq: usize) -> f64 {
    let ratio = seq.max(original) as f64 / original as f64;
    let dim = dim as f64;
    theta * (factor * ratio - (factor - 1.0)).powf(dim / (dim - 2.0))
}

fn llama3(frequency: f64, factor: f64, low: f64, high: f64, original: f64) -> f64 {
    let turns = original * frequency / TAU;
    let smooth = ((turns - low) / (high - low)).clamp(0.0, 1.0);
    (1.0 - smooth) * frequency / factor + smooth * frequency
}

/// Which share of a frequency YaRN keeps.
struct YarnRamp {
    low: f64,
    high: f64,
}

impl YarnRamp {
    fn new(theta: f64, dim: usize, original: f64, [fast, slow]: [f64; 2], truncate: bool) -> Self {
        // The index of the frequency that turns `turns` times within the original length.
        let index = |turns: f64| dim as f64 * (original / (turns * TAU)).ln() / (2.0 * theta.ln());
        let (low, high) = (index(fast), index(slow));
        let (low, high) = if truncate { (low.floor(), high.ceil()) } else { (low, high) };
        let (low, high) = (low.max(0.0), high.min(dim as f64 - 1.0));
        Self { low, high: if high > low { high } else { low + 0.001 } }
    }

    fn kept(&self, index: usize) -> f64 {
        1.0 - ((index as f64 - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_keeps_short_waves_and_divides_long_ones() {
        let scaling = RopeScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original: 8192 };
        let (plain, scaled) = (RopeScaling::None.frequencies(500_000.0, 128, 0), scaling.frequencies(500_000.0, 128, 0));
        for (before, after) in plain.iter().zip(&scaled) {
            let wavelength = TAU / before;
            if wavelength < 8192.0 / 4.0 {
                assert!((after - before).abs() <= before * 1e-12);
            } else if wavelength > 8192.0 {
                assert!((after - before / 8.0).abs() <= before * 1e-12);
            } else {
                assert!(before / 8.0 <= *after && after <= before);
            }
        }
        assert!(scaled.windows(2).all(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn dynamic_base_stays_until_the_original_length_is_passed() {
        let scaling = RopeScaling::Dynamic { factor: 2.0, original: 64 };
        assert_eq!(scaling.frequencies(10_000.0, 16, 64), RopeScaling::None.frequencies(10_000.0, 16, 0));
        let theta = 10_000.0 * 3.0_f64.powf(16.0 / 14.0);
        assert_eq!(scaling.frequencies(10_000.0, 16, 128), RopeScaling::None.frequencies(theta, 16, 0));
    }

    #[test]
    fn yarn_runs_from_kept_to_divided() {
        let scaling =
            RopeScaling::Yarn { factor: 4.0, beta_fast: 32.0, beta_slow: 1.0, original: 2048, attention_factor: 1.1, truncate: true };
        let (plain, scaled) = (RopeScaling::None.frequencies(10_000.0, 64, 0), scaling.frequencies(10_000.0, 64, 0));
        assert!((scaled[0] - plain[0]).abs() < 1e-12 && (scaled[31] - plain[31] / 4.0).abs() < 1e-12);
        let shares: Vec<f64> = plain.iter().zip(&scaled).map(|(before, after)| after / before).collect();
        assert!(shares.windows(2).all(|pair| pair[0] >= pair[1] - 1e-12), "{shares:?}");
    }
}
