//! What an optimiser does to every parameter, over slices.

use rayon::prelude::*;

use crate::rows::{VALUES_PER_TASK, fold_lanes};

/// The sum of squares, in f64 over blocks that are added one after another.
pub fn squared_sum(values: &[f32]) -> f64 {
    let arch = pulp::Arch::new();
    let task = |task: &[f32]| {
        let blocks = task.chunks(1024).map(|block| {
            arch.dispatch(
                #[inline(always)]
                || f64::from(fold_lanes(block, 0.0, |a, b| a + b, |x| x * x)),
            )
        });
        blocks.sum::<f64>()
    };
    values.par_chunks(VALUES_PER_TASK).map(task).collect::<Vec<f64>>().into_iter().sum()
}

/// One step of Adam with decoupled decay ([Loshchilov and Hutter 2017](https://arxiv.org/abs/1711.05101)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWStep {
    /// Multiplies the gradient.
    pub clip: f32,
    /// Decay of the mean of gradients and of the mean of their squares.
    pub betas: [f32; 2],
    /// Learning rate over the correction of the first moment.
    pub step_size: f32,
    /// Multiplies the root of the second moment.
    pub root_correction: f32,
    /// Added to the root.
    pub epsilon: f32,
    /// What of a parameter stays after decay.
    pub keep: f32,
}

/// Moves `values` along `gradient` and updates its two moments, all of one length.
pub fn adamw(values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], step: &AdamWStep) {
    let arch = pulp::Arch::new();
    let chunks = values.par_chunks_mut(VALUES_PER_TASK).zip(gradient.par_chunks(VALUES_PER_TASK));
    let moments = first.par_chunks_mut(VALUES_PER_TASK).zip(second.par_chunks_mut(VALUES_PER_TASK));
    chunks.zip(moments).for_each(|((values, gradient), (first, second))| {
        arch.dispatch(
            #[inline(always)]
            || {
                for (((x, g), m), v) in values.iter_mut().zip(gradient).zip(first).zip(second) {
                    let g = g * step.clip;
                    *m = step.betas[0] * *m + (1.0 - step.betas[0]) * g;
                    *v = step.betas[1] * *v + (1.0 - step.betas[1]) * g * g;
                    *x = *x * step.keep - step.step_size * *m / (v.sqrt() * step.root_correction + step.epsilon);
                }
            },
        );
    });
}
