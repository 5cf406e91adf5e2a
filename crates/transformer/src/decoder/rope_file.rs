use serde::Deserialize;

use crate::error::{Error, Result};
use crate::position::{RopeConfig, RopeScaling};

/// Rotary settings of a `config.json`: `rope_theta` and `rope_scaling` in older files, `rope_parameters` in newer ones.
#[derive(Default, Deserialize)]
pub(super) struct RopeFile {
    rope_theta: Option<f64>,
    rope_scaling: Option<ScalingFile>,
    rope_parameters: Option<ScalingFile>,
    partial_rotary_factor: Option<f64>,
    original_max_position_embeddings: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScalingFile {
    rope_theta: Option<f64>,
    #[serde(alias = "type")]
    rope_type: Option<String>,
    factor: Option<f64>,
    original_max_position_embeddings: Option<usize>,
    partial_rotary_factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    attention_factor: Option<f64>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
    truncate: Option<bool>,
    short_factor: Option<Vec<f64>>,
    long_factor: Option<Vec<f64>>,
}

impl RopeFile {
    /// The rotation of heads of `head_dim` dimensions in a model of `max_positions`.
    pub(super) fn config(&self, head_dim: usize, max_positions: usize) -> Result<RopeConfig> {
        let none = ScalingFile::default();
        let scaling = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref()).unwrap_or(&none);
        let theta = scaling.rope_theta.or(self.rope_theta).unwrap_or(10_000.0);
        let share = scaling.partial_rotary_factor.or(self.partial_rotary_factor);
        let dim = share.map(|share| (head_dim as f64 * share) as usize).filter(|&dim| dim != head_dim);
        let original = self.original_max_position_embeddings.or(scaling.original_max_position_embeddings);
        let sizes = Sizes { dim: dim.unwrap_or(head_dim), max_positions, original };
        Ok(RopeConfig::new(theta).with_dim(dim).with_scaling(scaling.scaling(&sizes)?))
    }
}

/// What scalings depend on beside their own settings.
struct Sizes {
    dim: usize,
    max_positions: usize,
    original: Option<usize>,
}

impl ScalingFile {
    fn scaling(&self, sizes: &Sizes) -> Result<RopeScaling> {
        let original = sizes.original.unwrap_or(sizes.max_positions).max(1);
        Ok(match self.rope_type.as_deref().unwrap_or("default") {
            "default" => RopeScaling::None,
            "linear" => RopeScaling::Linear { factor: self.factor()? },
            "dynamic" => RopeScaling::Dynamic { factor: self.factor()?, original: sizes.max_positions.max(1) },
            "llama3" => RopeScaling::Llama3 {
                factor: self.factor()?,
                low_freq_factor: self.low_freq_factor.unwrap_or(1.0),
                high_freq_factor: self.high_freq_factor.unwrap_or(4.0),
                original,
            },
            "yarn" => self.yarn(sizes, original),
            "longrope" | "su" => self.longrope(sizes, original)?,
            other => {
                let supported = "default, linear, dynamic, llama3, yarn, longrope";
                return Err(Error::Unsupported { what: "rope type", found: other.to_owned(), supported });
            }
        })
    }

    fn yarn(&self, sizes: &Sizes, original: usize) -> RopeScaling {
        let factor = self.factor.unwrap_or(sizes.max_positions as f64 / original as f64);
        let magnitude = |scale: f64| if factor <= 1.0 { 1.0 } else { 0.1 * scale * factor.ln() + 1.0 };
        let attention_factor = match (self.attention_factor, self.mscale, self.mscale_all_dim) {
            (Some(given), ..) => given,
            (None, Some(mscale), Some(all)) if mscale != 0.0 && all != 0.0 => magnitude(mscale) / magnitude(all),
            _ => magnitude(1.0),
        };
        RopeScaling::Yarn {
            factor,
            beta_fast: self.beta_fast.unwrap_or(32.0),
            beta_slow: self.beta_slow.unwrap_or(1.0),
            original,
            attention_factor,
            truncate: self.truncate.unwrap_or(true),
        }
    }

    fn longrope(&self, sizes: &Sizes, original: usize) -> Result<RopeScaling> {
        let list = |name: &'static str, factors: &Option<Vec<f64>>| match factors {
            Some(factors) if factors.len() == sizes.dim / 2 => Ok(factors.clone()),
            other => {
                let found = other.as_ref().map_or_else(|| "nothing".to_owned(), |list| format!("{} values", list.len()));
                Err(Error::Unsupported { what: name, found, supported: "one value for each rotated pair" })
            }
        };
        let factor = self.factor.unwrap_or(sizes.max_positions as f64 / original as f64);
        let default = if factor <= 1.0 { 1.0 } else { (1.0 + factor.ln() / (original as f64).ln()).sqrt() };
        Ok(RopeScaling::LongRope {
            short_factor: list("rope short_factor", &self.short_factor)?,
            long_factor: list("rope long_factor", &self.long_factor)?,
            original,
            attention_factor: self.attention_factor.unwrap_or(default),
        })
    }

    fn factor(&self) -> Result<f64> {
        self.factor.filter(|factor| *factor >= 1.0).ok_or_else(|| Error::Unsupported {
            what: "rope factor",
            found: self.factor.map_or_else(|| "nothing".to_owned(), |factor| factor.to_string()),
            supported: "a number of at least 1",
        })
    }
}
