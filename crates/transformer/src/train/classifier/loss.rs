use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Tensor, TensorData};

/// The sum of the binary cross-entropies of `logits [texts, labels]` to `targets`, in nats, and over how many pairs of a text and a label
/// it is: where nobody has said whether a label fits, the pair counts nothing.
///
/// `-ln sigmoid(x)` where the label fits, `-ln sigmoid(-x)` where it does not.
///
/// # Panics
/// Where `targets` has another shape than `logits`.
pub(super) fn masked_cross_entropy(logits: Tensor<2>, targets: &[&[Option<bool>]]) -> (Tensor<1>, usize) {
    let [texts, labels] = logits.dims();
    assert!(targets.len() == texts && targets.iter().all(|row| row.len() == labels), "a target for each of {texts} texts, {labels} labels");
    let said = || targets.iter().copied().flatten().copied();
    let tensor = |value: fn(Option<bool>) -> f32| {
        Tensor::<2>::from_data(TensorData::new(said().map(value).collect::<Vec<f32>>(), [texts, labels]), &logits.device())
    };
    let sign = tensor(|target| if target == Some(true) { 1.0 } else { -1.0 });
    let counts = tensor(|target| if target.is_some() { 1.0 } else { 0.0 });
    let losses = -log_sigmoid(logits * sign) * counts;
    (losses.sum(), said().flatten().count())
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn what_nobody_has_said_has_neither_loss_nor_gradient() {
        let device = Device::flex().autodiff();
        let logits = Tensor::<2>::from_data([[0.5_f32, 3.0], [-2.0, 0.0]], &device).require_grad();
        let (loss, count) = masked_cross_entropy(logits.clone(), &[&[Some(true), None], &[Some(false), Some(true)]]);
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        let expected = -(sigmoid(0.5).ln() + sigmoid(2.0).ln() + 0.5_f32.ln());
        assert!((loss.clone().into_scalar::<f32>() - expected).abs() < 1e-6);
        assert_eq!(count, 3);
        let gradient = logits.grad(&loss.backward()).unwrap().into_data().try_into_vec::<f32>().unwrap();
        let wanted = [sigmoid(0.5) - 1.0, 0.0, sigmoid(-2.0), -0.5];
        assert!(gradient.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-6), "{gradient:?}");
        assert_eq!(gradient[1].to_bits() << 1, 0);
    }

    #[test]
    fn large_logits_have_finite_losses() {
        let device = Device::flex().autodiff();
        let logits = Tensor::<2>::from_data([[1e4_f32, -1e4]], &device);
        let (loss, _) = masked_cross_entropy(logits, &[&[Some(false), Some(false)]]);
        assert!((loss.into_scalar::<f32>() - 1e4).abs() < 1.0);
    }
}
