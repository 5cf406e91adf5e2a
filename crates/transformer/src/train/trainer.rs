use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};
use jarre_kernels::Precision;
use serde::{Deserialize, Serialize};

use super::gradients::{flatten, squared_norm, unflatten};
use super::loss::{Loss, cross_entropy};
use super::optimizer::{AdamW, AdamWConfig};
use crate::attention::Sequences;
use crate::collective::Communicator;
use crate::corpus::Batch;
use crate::decoder::Decoder;
use crate::error::{Error, Result};
use crate::rng;
use rand::Rng;

/// Settings of a [`Trainer`]; the learning rate is an argument of each step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainerConfig {
    /// The optimiser.
    pub optimizer: AdamWConfig,
    /// Gradients longer than this, all parameters taken together, are shortened to it ([Pascanu et al. 2012](https://arxiv.org/abs/1211.5063)).
    pub max_grad_norm: Option<f64>,
    /// Share of each target that is spread over the vocabulary.
    pub label_smoothing: f32,
    /// Draws dropout, anew at every step, from the generator of the device, which the process shares: what else draws from it at the same time
    /// changes the draws.
    pub seed: u64,
    /// Whether cheap operations are computed again for the gradient instead of being kept ([Chen et al. 2016](https://arxiv.org/abs/1604.06174)).
    pub gradient_checkpointing: bool,
    /// In which numbers linear layers multiply; parameters, moments and everything else stay in f32. Not stored: a training can go on in
    /// another one.
    #[serde(skip)]
    pub precision: Precision,
}

impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            optimizer: AdamWConfig::default(),
            max_grad_norm: Some(1.0),
            label_smoothing: 0.0,
            seed: 0,
            gradient_checkpointing: false,
            precision: Precision::F32,
        }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// The step's number, from 1.
    pub step: u64,
    /// Mean loss of the batch before the step, in nats a token.
    pub loss: f64,
    /// Length of the gradient before it was shortened.
    pub grad_norm: f64,
    /// Learning rate.
    pub lr: f64,
    /// Tokens that counted.
    pub tokens: usize,
}

/// Trains a decoder step by step. A step is a function of the model, the moments, the batch and the step's number alone: what is resumed from a
/// checkpoint goes on as if it had never stopped.
#[derive(Debug)]
pub struct Trainer {
    /// Absent only while a step is being made.
    decoder: Option<Decoder>,
    optimizer: AdamW,
    config: TrainerConfig,
    device: Device,
}

impl Trainer {
    /// Trains `decoder`, which is moved to where gradients are computed. Parameters that were frozen stay as they are.
    pub fn new(decoder: Decoder, config: TrainerConfig) -> Self {
        let device = decoder.device().autodiff();
        let device = if config.gradient_checkpointing { device.gradient_checkpointing() } else { device };
        let decoder = decoder.with_precision(config.precision).fork(&device).train();
        Self { decoder: Some(decoder), optimizer: AdamW::new(config.optimizer), config, device }
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    /// The model as it is now, without gradients.
    pub fn model(&self) -> Decoder {
        self.decoder().valid().with_precision(Precision::F32)
    }

    /// One step on `batches`, whose gradients are summed before the parameters move (gradient accumulation); with `workers` also over all
    /// of them, which must make the same number of steps. Each token weighs the same, wherever it stands.
    ///
    /// # Errors
    /// Where the loss or the gradient is no longer a number ([`Error::Diverged`]; the model stays as it was), or a worker is lost.
    ///
    /// # Panics
    /// Where a batch is empty or holds ids beyond the vocabulary.
    pub fn step(&mut self, batches: &[Batch], lr: f64, workers: Option<&mut Communicator>) -> Result<StepReport> {
        let number = self.steps() + 1;
        self.device.seed(rng::stream(self.config.seed, number).next_u64());
        let (mut gradients, mut sum, mut tokens) = self.backward(batches);
        if let Some(workers) = workers {
            (sum, tokens) = self.reduce(&mut gradients, sum, tokens, workers)?;
        }
        let scale = (tokens.max(1) as f64).recip();
        let loss = sum * scale;
        let grad_norm = squared_norm(self.decoder(), &gradients).sqrt() * scale;
        if !loss.is_finite() || !grad_norm.is_finite() {
            return Err(Error::Diverged { step: number, loss, grad_norm });
        }
        let shorten = self.config.max_grad_norm.map_or(1.0, |max| (max / (grad_norm + 1e-6)).min(1.0));
        let decoder = self.decoder.take().expect("it is put back below");
        self.decoder = Some(self.optimizer.step(decoder, gradients, lr, scale * shorten));
        Ok(StepReport { step: number, loss, grad_norm, lr, tokens })
    }

    /// Mean loss over `batches`, in nats a token, without dropout; `None` where no token counts.
    pub fn evaluate<'a>(&self, batches: impl IntoIterator<Item = &'a Batch>) -> Option<f64> {
        let model = self.model();
        let (mut sum, mut tokens) = (0.0, 0);
        for batch in batches {
            let loss = cross_entropy(logits_of(&model, batch), &batch.targets, 0.0);
            sum += loss.sum;
            tokens += loss.tokens;
        }
        (tokens > 0).then(|| sum / tokens as f64)
    }

    pub(super) fn decoder(&self) -> &Decoder {
        self.decoder.as_ref().expect("it is absent only within a step")
    }

    pub(super) fn optimizer(&self) -> &AdamW {
        &self.optimizer
    }

    /// Puts back what a checkpoint held.
    pub(super) fn restore(&mut self, decoder: Decoder, optimizer: AdamW) {
        self.decoder = Some(decoder.with_precision(self.config.precision).fork(&self.device).train());
        self.optimizer = optimizer;
    }

    /// Gradients of the summed loss, the loss itself, and how many tokens it is over.
    fn backward(&self, batches: &[Batch]) -> (GradientsParams, f64, usize) {
        let decoder = self.decoder();
        let mut sums = GradientsAccumulator::new();
        let (mut sum, mut tokens) = (0.0, 0);
        for batch in batches {
            let Loss { sum: loss, tokens: count, each } =
                cross_entropy(logits_of(decoder, batch), &batch.targets, self.config.label_smoothing);
            sums.accumulate(decoder, GradientsParams::from_grads(each.sum().backward(), decoder));
            sum += loss;
            tokens += count;
        }
        (sums.grads(), sum, tokens)
    }

    /// Sums gradients, loss and tokens over all workers.
    fn reduce(&self, gradients: &mut GradientsParams, sum: f64, tokens: usize, workers: &mut Communicator) -> Result<(f64, usize)> {
        let mut flat = flatten(self.decoder(), gradients);
        // Two halves of 24 bits, so that the count survives f32.
        let parts = [sum as f32, (tokens >> 12) as f32, (tokens & 0xfff) as f32];
        flat.extend(parts);
        workers.all_reduce_sum(&mut flat)?;
        let [loss, high, low] = *flat.last_chunk().expect("three numbers were appended");
        unflatten(self.decoder(), gradients, &flat[..flat.len() - parts.len()]);
        Ok((f64::from(loss), high as usize * 0x1000 + low as usize))
    }
}

/// `[batch * seq, vocab]`.
fn logits_of(decoder: &Decoder, batch: &Batch) -> Tensor<2> {
    let tokens = Sequences::packed(batch.inputs.clone(), batch.seq, batch.document.clone());
    let logits = decoder.forward(&tokens);
    let [rows, seq, vocab] = logits.dims();
    logits.reshape([rows * seq, vocab])
}
