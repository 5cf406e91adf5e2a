//! Softmax cross-entropy, its gradient made on the way back from the logits themselves.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::host::{self, HostOp, edited, in_order, run, tensor, values};
use crate::math::exp;
use crate::rows::{VALUES_PER_TASK, fold_lanes, largest, sum};

/// Which targets count, and how they are blurred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetSettings {
    /// The target of rows that do not count.
    pub ignored: u32,
    /// Share of a target that is spread over all classes ([Szegedy et al. 2015](https://arxiv.org/abs/1512.00567)).
    pub smoothing: f32,
}

/// The cross-entropy of each row of `logits` to its target in nats, 0 where the target does not count.
///
/// # Shapes
/// - logits: `[rows, classes]`, targets: one for each row
/// - output: `[rows]`
///
/// # Panics
/// Where there are more or fewer targets than rows, or a target that counts is not a class.
pub fn cross_entropy(logits: Tensor<2>, targets: &[u32], settings: TargetSettings) -> Tensor<1> {
    let [rows, classes] = logits.dims();
    assert_eq!(rows, targets.len(), "each row of logits needs a target");
    let stray = targets.iter().find(|&&target| target != settings.ignored && target as usize >= classes);
    assert!(stray.is_none(), "target {stray:?} is not one of {classes} classes");
    if host::takes(&logits) {
        return run::unary(logits, CrossEntropy { targets: targets.into(), settings });
    }
    let device = logits.device();
    let counts: Vec<f32> = targets.iter().map(|&target| f32::from(target != settings.ignored)).collect();
    let index: Vec<i32> = targets.iter().map(|&target| if target == settings.ignored { 0 } else { target as i32 }).collect();
    let index = Tensor::<2, Int>::from_data(TensorData::new(index, [rows, 1]), &device);
    let log = log_softmax(logits, 1);
    let at_target = log.clone().gather(1, index).squeeze_dim::<1>(1);
    let spread = log.mean_dim(1).squeeze_dim::<1>(1);
    let smoothing = settings.smoothing;
    -(at_target * (1.0 - smoothing) + spread * smoothing) * Tensor::from_data(counts.as_slice(), &device)
}

#[derive(Clone, Debug)]
struct CrossEntropy {
    targets: Arc<[u32]>,
    settings: TargetSettings,
}

impl CrossEntropy {
    #[inline(always)]
    fn loss(&self, row: &[f32], target: u32) -> f32 {
        let TargetSettings { ignored, smoothing } = self.settings;
        if target == ignored {
            return 0.0;
        }
        let (max, sum_of_exp) = partition(row);
        let spread = if smoothing > 0.0 { smoothing * sum(row) / row.len() as f32 } else { 0.0 };
        max + sum_of_exp.ln() - (1.0 - smoothing) * row[target as usize] - spread
    }

    /// Turns a row of logits into `scale (softmax - target)`.
    #[inline(always)]
    fn slope(&self, row: &mut [f32], target: u32, scale: f32) {
        let TargetSettings { ignored, smoothing } = self.settings;
        if target == ignored {
            row.fill(0.0);
            return;
        }
        let (max, sum_of_exp) = partition(row);
        let (factor, share) = (scale / sum_of_exp, scale * smoothing / row.len() as f32);
        for x in row.iter_mut() {
            *x = exp(*x - max) * factor - share;
        }
        row[target as usize] -= (1.0 - smoothing) * scale;
    }
}

/// The largest value of a row and `sum(exp(x - largest))`.
#[inline(always)]
fn partition(row: &[f32]) -> (f32, f32) {
    let max = largest(row);
    (max, fold_lanes(row, 0.0, |a, b| a + b, |x| exp(x - max)))
}

impl HostOp<1> for CrossEntropy {
    fn forward(&self, [logits]: [FlexTensor; 1]) -> FlexTensor {
        let logits = in_order(logits);
        let classes = logits.shape()[1];
        let logits = values(&logits);
        let mut losses = vec![0.0; self.targets.len()];
        // A loss is one number, but as much work as a row.
        let rows = (VALUES_PER_TASK / classes.max(1)).max(1);
        edit_blocks(&mut losses, rows, |first, losses| {
            for (row, loss) in losses.iter_mut().enumerate() {
                let row = first + row;
                *loss = self.loss(&logits[row * classes..(row + 1) * classes], self.targets[row]);
            }
        });
        let rows = losses.len();
        tensor(losses, [rows].into())
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 1]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs.clone()), inputs.to_vec())
    }

    fn backward(&self, mut kept: Vec<FlexTensor>, gradient: FlexTensor, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let logits = kept.pop().expect("the logits were kept");
        let classes = logits.shape()[1];
        let scales = values(&gradient);
        [Some(edited(logits, classes, |index, row| self.slope(row, self.targets[index], scales[index])))]
    }
}

/// `edit` on blocks of `rows` losses with the first one's index.
fn edit_blocks(losses: &mut [f32], rows: usize, edit: impl Fn(usize, &mut [f32]) + Sync) {
    let arch = pulp::Arch::new();
    losses.par_chunks_mut(rows).enumerate().for_each(|(block, losses)| {
        arch.dispatch(
            #[inline(always)]
            || edit(block * rows, losses),
        );
    });
}
