use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::pair::LoraPair;
use crate::decoder::{Decoder, Projection};
use crate::error::{Error, Result};

/// Which projections get an adapter, and how wide it is.
///
/// ```
/// use jarre_transformer::{DecoderConfig, Device, LoraConfig, Sequences};
///
/// let tokens = Sequences::right_padded(&[&[1, 2, 3]], 0);
/// let model = DecoderConfig::new(50, 16, 2, 1, 32).init(&Device::default());
/// let before = model.forward(&tokens);
/// let adapted = model.with_lora(&LoraConfig::new(4).with_targets(["q_proj", "v_proj"]))?;
/// // Until it is trained, an adapter adds nothing.
/// assert_eq!(adapted.forward(&tokens).into_data(), before.into_data());
/// # Ok::<(), jarre_transformer::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoraConfig {
    /// Width of the adapters.
    pub rank: usize,
    /// An adapter is multiplied by `alpha / rank`.
    pub alpha: f64,
    /// Projections by the names of Hugging Face's Llama: `q_proj`, `k_proj`, `v_proj`, `o_proj`, `gate_proj`, `up_proj`, `down_proj`.
    pub targets: Vec<String>,
}

/// The projections of a layer by Hugging Face's names.
pub(crate) const TARGETS: [&str; 7] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

impl LoraConfig {
    /// Adapters of width `rank` on queries and values, as in the paper, multiplied by 1.
    pub fn new(rank: usize) -> Self {
        Self { rank, alpha: rank as f64, targets: vec!["q_proj".to_owned(), "v_proj".to_owned()] }
    }

    /// Sets [`alpha`](Self::alpha).
    pub fn with_alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets [`targets`](Self::targets).
    pub fn with_targets<S: Into<String>>(mut self, targets: impl IntoIterator<Item = S>) -> Self {
        self.targets = targets.into_iter().map(Into::into).collect();
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.rank == 0 || !self.alpha.is_finite() {
            let found = format!("rank {} and alpha {}", self.rank, self.alpha);
            return Err(Error::Unsupported { what: "adapter", found, supported: "a rank of at least 1 and a finite alpha" });
        }
        match self.targets.iter().find(|target| !TARGETS.contains(&target.as_str())) {
            Some(other) => Err(Error::Unsupported {
                what: "adapter target",
                found: other.clone(),
                supported: "q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj",
            }),
            None => Ok(()),
        }
    }
}

impl Decoder {
    /// The model with fresh adapters, which are all that is trained from now on: every other parameter is frozen.
    ///
    /// # Errors
    /// Where a target is no projection, none of the targets is in the model, or the rank is 0.
    pub fn with_lora(self, config: &LoraConfig) -> Result<Self> {
        config.check()?;
        let device = self.device();
        let mut model = self.no_grad();
        let mut count = 0;
        for (name, _, projection) in model.projections_mut() {
            if config.targets.iter().any(|target| target == name) {
                let scale = config.alpha / config.rank as f64;
                projection.lora = Some(LoraPair::new(projection.dims(), config.rank, scale, &device));
                count += 1;
            }
        }
        if count == 0 {
            let found = config.targets.join(", ");
            return Err(Error::Unsupported { what: "adapter target", found, supported: "projections that the model has" });
        }
        Ok(model)
    }

    /// The model with its adapters added to the weights: as fast as one without. They are kept for [`unmerge_lora`](Self::unmerge_lora).
    /// An adapter of a packed layer stays beside it.
    pub fn merge_lora(self) -> Self {
        self.shift_lora(1.0, true)
    }

    /// The model with merged adapters taken out of the weights again, to rounding.
    pub fn unmerge_lora(self) -> Self {
        self.shift_lora(-1.0, false)
    }

    /// Whether an adapter acts beside its projection.
    pub fn has_unmerged_lora(&self) -> bool {
        let mut model = self.clone();
        model.projections_mut().any(|(_, _, projection)| projection.lora.as_ref().is_some_and(|lora| !lora.merged))
    }

    fn shift_lora(mut self, sign: f64, merged: bool) -> Self {
        for (_, _, projection) in self.projections_mut() {
            let Some(lora) = projection.lora.as_mut().filter(|lora| lora.merged != merged) else { continue };
            let Some(linear) = &mut projection.linear else { continue };
            lora.merged = merged;
            let delta = lora.delta() * sign;
            linear.weight = linear.weight.clone().map(|weight| (weight + delta).detach());
        }
        self
    }

    /// Projections of the layers: their name in Llama's files, their layer, themselves.
    pub(crate) fn projections_mut(&mut self) -> impl Iterator<Item = (&'static str, usize, &mut Projection)> {
        self.layers.iter_mut().enumerate().flat_map(|(index, layer)| {
            let attention = &mut layer.attention;
            let network = &mut layer.feed_forward;
            let named = [
                ("q_proj", Some(&mut attention.query)),
                ("k_proj", Some(&mut attention.key)),
                ("v_proj", Some(&mut attention.value)),
                ("o_proj", Some(&mut attention.output)),
                ("gate_proj", network.gate.as_mut()),
                ("up_proj", Some(&mut network.up)),
                ("down_proj", Some(&mut network.down)),
            ];
            named.into_iter().filter_map(move |(name, projection)| Some((name, index, projection?)))
        })
    }
}
