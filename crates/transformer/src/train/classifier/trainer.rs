use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use jarre_kernels::host_values;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::loss::masked_cross_entropy;
use crate::encoder::{BertClassifier, TokenBatch};
use crate::error::{Error, Result};
use crate::rng;
use crate::train::gradients::squared_norm;
use crate::train::{AdamW, AdamWConfig};

/// Settings of a [`ClassifierTrainer`]; the learning rate is an argument of each step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassifierTrainerConfig {
    /// The optimiser; BERT's settings where nothing else is said.
    pub optimizer: AdamWConfig,
    /// Gradients longer than this, all parameters taken together, are shortened to it ([Pascanu et al.
    /// 2012](https://arxiv.org/abs/1211.5063)).
    pub max_grad_norm: Option<f64>,
    /// The share of the pooled state that a step leaves out, from 0 to below 1. Encoders have no dropout inside.
    pub dropout: f64,
    /// Draws dropout, anew at every step.
    pub seed: u64,
}

impl Default for ClassifierTrainerConfig {
    fn default() -> Self {
        let optimizer = AdamWConfig { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };
        Self { optimizer, max_grad_norm: Some(1.0), dropout: 0.1, seed: 0 }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassifierStep {
    /// The step's number, from 1.
    pub step: u64,
    /// Mean loss of the batch before the step, in nats a label.
    pub loss: f64,
    /// Length of the gradient before it was shortened.
    pub grad_norm: f64,
    /// Learning rate.
    pub lr: f64,
    /// Pairs of a text and a label that counted.
    pub labels: usize,
}

/// Trains an encoder and its head step by step on texts of which somebody has said which labels fit, some, all or none. A step is a
/// function of the model, the moments, the batch and the step's number alone.
#[derive(Debug)]
pub struct ClassifierTrainer {
    /// Absent only while a step is being made.
    classifier: Option<BertClassifier>,
    optimizer: AdamW,
    config: ClassifierTrainerConfig,
    device: Device,
}

impl ClassifierTrainer {
    /// Trains all of `classifier`, which is moved to where gradients are computed beside `device`, its own.
    ///
    /// # Errors
    /// Where the dropout is no share below 1.
    pub fn new(classifier: BertClassifier, config: ClassifierTrainerConfig, device: &Device) -> Result<Self> {
        if !(0.0..1.0).contains(&config.dropout) {
            return Err(Error::setting("the dropout", config.dropout, "from 0 to below 1"));
        }
        let device = device.clone().autodiff();
        let classifier = classifier.fork(&device).train();
        Ok(Self { classifier: Some(classifier), optimizer: AdamW::new(config.optimizer), config, device })
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    /// The model as it is now, without gradients.
    pub fn model(&self) -> BertClassifier {
        self.classifier().valid()
    }

    /// One step on the token ids of some texts, of which `targets` says for each label whether it fits; what is `None` counts nothing.
    /// Each pair of a text and a label weighs the same.
    ///
    /// # Errors
    /// Where a text has no tokens, more than the model reads or some beyond the vocabulary, where no label is said of any text, and where
    /// the loss or the gradient is no longer a number ([`Error::Diverged`]); the model stays as it was.
    ///
    /// # Panics
    /// Where there is no text, and where `targets` are not those of the texts and labels.
    pub fn step(&mut self, texts: &[&[u32]], targets: &[&[Option<bool>]], lr: f64) -> Result<ClassifierStep> {
        texts.iter().try_for_each(|ids| self.check(ids))?;
        let step = self.steps() + 1;
        let (sum, labels) = masked_cross_entropy(self.logits(texts, step), targets);
        if labels == 0 {
            return Err(Error::setting("a batch", "without labels", "one of which somebody has said something"));
        }
        let scale = (labels as f64).recip();
        let loss = host_values(sum.clone()).iter().map(|&sum| f64::from(sum)).sum::<f64>() * scale;
        let gradients = GradientsParams::from_grads(sum.backward(), self.classifier());
        let grad_norm = squared_norm(self.classifier(), &gradients).sqrt() * scale;
        if !loss.is_finite() || !grad_norm.is_finite() {
            return Err(Error::Diverged { step, loss, grad_norm });
        }
        let shorten = self.config.max_grad_norm.map_or(1.0, |max| (max / (grad_norm + 1e-6)).min(1.0));
        let classifier = self.classifier.take().expect("it is put back below");
        self.classifier = Some(self.optimizer.step(classifier, gradients, lr, scale * shorten));
        Ok(ClassifierStep { step, loss, grad_norm, lr, labels })
    }

    fn check(&self, ids: &[u32]) -> Result<()> {
        let bert = self.classifier().bert();
        let ([vocab_size, _], max) = (bert.words.weight.dims(), bert.max_tokens());
        match ids.iter().find(|&&id| id as usize >= vocab_size) {
            Some(&id) => Err(Error::UnknownToken { id, vocab_size }),
            None if ids.is_empty() => Err(Error::TooFewTokens { what: "a text", found: 0, least: 1 }),
            None if ids.len() > max => Err(Error::ContextLength { tokens: ids.len(), max }),
            None => Ok(()),
        }
    }

    /// `[texts, labels]`.
    fn logits(&self, texts: &[&[u32]], step: u64) -> Tensor<2> {
        // Padding takes no part, so that any token will do.
        let batch = TokenBatch::new(texts, 0, &self.device);
        let (bert, head) = (self.classifier().bert(), self.classifier().head());
        let pooled = head.pooler().forward(bert.forward(&batch));
        head.output.forward(self.thinned(pooled, step))
    }

    /// `pooled` with dropout ([Srivastava et al. 2014](https://jmlr.org/papers/v15/srivastava14a.html)).
    fn thinned(&self, pooled: Tensor<2>, step: u64) -> Tensor<2> {
        let kept = 1.0 - self.config.dropout;
        if self.config.dropout <= 0.0 {
            return pooled;
        }
        let mut rng = rng::stream(self.config.seed, step);
        let factors = (0..pooled.shape().num_elements()).map(|_| if rng.random::<f64>() < kept { kept.recip() as f32 } else { 0.0 });
        let factors = TensorData::new(factors.collect::<Vec<f32>>(), pooled.shape());
        pooled * Tensor::from_data(factors, &self.device)
    }

    fn classifier(&self) -> &BertClassifier {
        self.classifier.as_ref().expect("it is absent only within a step")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::{BertClassifierConfig, BertConfig};

    #[test]
    fn a_label_that_nobody_gave_keeps_its_weights() {
        let device = Device::flex();
        let model = BertClassifierConfig::new(BertConfig::new(20, 16, 4, 1, 24), 2).init(&device);
        let optimizer = AdamWConfig { weight_decay: 0.0, ..ClassifierTrainerConfig::default().optimizer };
        let config = ClassifierTrainerConfig { optimizer, ..ClassifierTrainerConfig::default() };
        let head = |model: &BertClassifier| {
            let output = &model.head().output;
            [host_values(output.weight.val()), host_values(output.bias.as_ref().unwrap().val())].concat()
        };
        let before = head(&model);
        let mut trainer = ClassifierTrainer::new(model, config, &device).unwrap();
        for _ in 0..3 {
            let step = trainer.step(&[&[1, 2, 3], &[4]], &[&[Some(true), None], &[Some(false), None]], 1e-2).unwrap();
            assert_eq!(step.labels, 2);
        }
        let moved: Vec<bool> =
            before.iter().zip(head(&trainer.model())).map(|(before, after)| before.to_bits() != after.to_bits()).collect();
        assert!(moved.iter().enumerate().all(|(index, &moved)| moved == index.is_multiple_of(2)), "{moved:?}");
    }
}
