use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use jarre_kernels::{AdamWStep, adamw, host_values};
use serde::{Deserialize, Serialize};

/// Settings of [`AdamW`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamWConfig {
    /// Decay of the mean of gradients.
    pub beta_1: f64,
    /// Decay of the mean of squared gradients.
    pub beta_2: f64,
    /// Added to the root of the latter.
    pub epsilon: f64,
    /// Share of a matrix or table that is taken away at each step, times the learning rate; vectors (biases, norms) do not decay.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.95, epsilon: 1e-8, weight_decay: 0.1 }
    }
}

/// Adam with decoupled weight decay ([Loshchilov and Hutter 2017](https://arxiv.org/abs/1711.05101)), its moments kept by the path of a
/// parameter: a state saved in one process continues in another.
#[derive(Clone, Debug)]
pub struct AdamW {
    config: AdamWConfig,
    step: u64,
    moments: BTreeMap<String, Moments>,
}

/// Means of a parameter's gradients and of their squares, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Moments {
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
}

impl AdamW {
    /// An optimiser that has seen nothing yet.
    pub fn new(config: AdamWConfig) -> Self {
        Self { config, step: 0, moments: BTreeMap::new() }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Moves every parameter of `module` that has a gradient, multiplied by `clip` first, at learning rate `lr`.
    pub(crate) fn step<M: Module>(&mut self, module: M, gradients: GradientsParams, lr: f64, clip: f64) -> M {
        self.step += 1;
        let corrections = [self.config.beta_1, self.config.beta_2].map(|beta| 1.0 - beta.powf(self.step as f64));
        let mut mover = Mover { optimizer: self, gradients, path: Vec::new(), lr, clip, corrections };
        module.map(&mut mover)
    }

    /// Its settings.
    pub fn config(&self) -> &AdamWConfig {
        &self.config
    }

    /// The moments of all parameters, by path.
    pub(crate) fn state(&self) -> &BTreeMap<String, Moments> {
        &self.moments
    }

    /// Continues after `step` steps with these moments.
    pub(crate) fn restore(&mut self, step: u64, moments: BTreeMap<String, Moments>) {
        self.step = step;
        self.moments = moments;
    }
}

struct Mover<'a> {
    optimizer: &'a mut AdamW,
    gradients: GradientsParams,
    path: Vec<String>,
    lr: f64,
    clip: f64,
    corrections: [f64; 2],
}

impl Mover<'_> {
    fn settings(&self, rank: usize) -> AdamWStep {
        let config = &self.optimizer.config;
        let [first, second] = self.corrections;
        AdamWStep {
            clip: self.clip as f32,
            betas: [config.beta_1 as f32, config.beta_2 as f32],
            step_size: (self.lr / first) as f32,
            root_correction: second.sqrt().recip() as f32,
            epsilon: config.epsilon as f32,
            keep: if rank > 1 { (1.0 - self.lr * config.weight_decay) as f32 } else { 1.0 },
        }
    }
}

impl ModuleMapper for Mover<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let settings = self.settings(D);
        let moments = self.optimizer.moments.entry(self.path.join(".")).or_default();
        let (id, value, mapper) = param.consume();
        let (device, shape) = (value.device(), value.shape());
        let gradient = host_values(gradient);
        moments.first.resize(gradient.len(), 0.0);
        moments.second.resize(gradient.len(), 0.0);
        let mut values = host_values(value.inner());
        adamw(&mut values, &gradient, &mut moments.first, &mut moments.second, &settings);
        Param::from_mapped_value(id, leaf(TensorData::new(values, shape), &device), mapper)
    }
}

/// A tensor that gradients end at.
fn leaf<const D: usize>(data: TensorData, device: &Device) -> Tensor<D> {
    Tensor::from_data(data, device).require_grad()
}
