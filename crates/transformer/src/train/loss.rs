use burn::tensor::Tensor;
use jarre_kernels::{TargetSettings, host_values};

use crate::corpus::IGNORED_TARGET as IGNORED;

/// The loss of a batch.
#[derive(Debug)]
pub(crate) struct Loss {
    /// The sum of the losses of all tokens that count, in nats.
    pub(crate) sum: f64,
    /// Tokens that count.
    pub(crate) tokens: usize,
    /// The losses on their device, `[tokens]`, for a gradient.
    pub(crate) each: Tensor<1>,
}

/// Cross-entropy of `logits [tokens, vocab]` to `targets`, with `smoothing` of the targets spread over the vocabulary
/// ([Szegedy et al. 2015](https://arxiv.org/abs/1512.00567)).
pub(crate) fn cross_entropy(logits: Tensor<2>, targets: &[u32], smoothing: f32) -> Loss {
    let each = jarre_kernels::cross_entropy(logits, targets, TargetSettings { ignored: IGNORED, smoothing });
    Loss {
        sum: host_values(each.clone()).iter().map(|&loss| f64::from(loss)).sum(),
        tokens: targets.iter().filter(|&&target| target != IGNORED).count(),
        each,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::log_softmax;
    use burn::tensor::{Device, Distribution, Int};

    use super::*;

    #[test]
    fn loss_and_gradient_agree_with_burns() {
        let device = Device::flex().autodiff();
        for smoothing in [0.0, 0.1] {
            let logits = Tensor::<2>::random([7, 33], Distribution::Normal(0.0, 3.0), &device).require_grad();
            let targets = [3, 0, 32, 5, IGNORED, 6, 1];
            let loss = cross_entropy(logits.clone(), &targets, smoothing);
            let ours = logits.grad(&loss.each.sum().backward()).unwrap();
            let logits = Tensor::<2>::from_data(logits.into_data(), &device).require_grad();
            let kept = Tensor::<1, Int>::from_data([0, 1, 2, 3, 5, 6], &device);
            let log = log_softmax(logits.clone(), 1).select(0, kept);
            let index = Tensor::<2, Int>::from_data([[3], [0], [32], [5], [6], [1]], &device);
            let nll = (-log.clone().gather(1, index).mean() * (1.0 - smoothing) - log.mean() * smoothing) * 6.0;
            let theirs = logits.grad(&nll.backward()).unwrap();
            let expected = nll.into_scalar::<f32>();
            assert!((loss.sum - f64::from(expected)).abs() < 1e-4, "{} {expected}", loss.sum);
            assert!((ours - theirs).abs().max().into_scalar::<f32>() < 2e-6);
            assert_eq!(loss.tokens, 6);
        }
    }
}
