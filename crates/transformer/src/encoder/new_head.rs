use std::f64::consts::TAU;
use std::path::Path;

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, TensorData};
use rand::{Rng, RngExt};

use super::bert::Bert;
use super::bert_classifier::BertClassifier;
use super::folder_config::FolderConfig;
use super::head::{ClassificationHead, Pooler};
use crate::error::{Error, Result};
use crate::rng;

/// The standard deviation of weights that have learnt nothing, as in BERT.
const DEVIATION: f64 = 0.02;

impl BertClassifier {
    /// The encoder of a Hugging Face folder with a head that has learnt nothing yet, to be trained. The pooler is the folder's where it has
    /// one of BERT's kind; weights are drawn by `seed` from a normal distribution of standard deviation 0.02.
    ///
    /// `priors` holds, for each label, the share of texts that it fits: the bias of its logit starts at the log-odds
    /// ([Lin et al. 2017](https://arxiv.org/abs/1708.02002)), so that training need not learn first that most labels are rare.
    ///
    /// # Errors
    /// As [`Bert::from_folder`], and where there is no prior or one is not strictly between 0 and 1.
    pub fn from_encoder(folder: impl AsRef<Path>, priors: &[f64], seed: u64, device: &Device) -> Result<Self> {
        if priors.is_empty() || !priors.iter().all(|&share| share > 0.0 && share < 1.0) {
            return Err(Error::setting("the list of shares", format!("{priors:?}"), "one for each label, above 0 and below 1"));
        }
        let folder = folder.as_ref();
        let config = FolderConfig::read(folder)?;
        let weights = config.weights(folder)?;
        let bert = Bert::from_weights(&config, &weights, device)?;
        let (d_model, mut rng) = (config.bert.d_model, rng::stream(seed, 0));
        let output = linear([d_model, priors.len()], priors.iter().map(|share| (share / (1.0 - share)).ln() as f32), &mut rng, device);
        let mut pooler = Pooler::init(d_model, config.pooler_activation(), device);
        if weights.check(&config.names().tensors(&pooler), |_| true).is_ok() {
            pooler = config.names().fill(pooler, &weights, device)?;
        } else {
            pooler.dense = linear([d_model, d_model], std::iter::repeat_n(0.0, d_model), &mut rng, device);
        }
        Ok(Self::of(bert, ClassificationHead { pooler, output }))
    }
}

fn linear([inputs, outputs]: [usize; 2], bias: impl Iterator<Item = f32>, rng: &mut impl Rng, device: &Device) -> Linear {
    let weight: Vec<f32> = (0..inputs * outputs).map(|_| (DEVIATION * normal(rng)) as f32).collect();
    Linear {
        weight: Param::from_data(TensorData::new(weight, [inputs, outputs]), device),
        bias: Some(Param::from_data(TensorData::new(bias.collect::<Vec<f32>>(), [outputs]), device)),
    }
}

/// One number of the standard normal distribution (Box and Muller 1958).
fn normal(rng: &mut impl Rng) -> f64 {
    let [radius, angle] = [rng.random::<f64>(), rng.random::<f64>()];
    (-2.0 * (1.0 - radius).ln()).sqrt() * (TAU * angle).cos()
}
