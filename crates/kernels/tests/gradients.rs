//! Each operation against its twin of burn operations: values, and gradients of every input.
//!
//! An operation takes the fast way on Flex and the twin's way elsewhere; the twins here are written out anew from burn's operations.
#![cfg(feature = "autodiff")]
#![expect(clippy::unwrap_used, reason = "tests")]

use burn::tensor::activation::{gelu, gelu_approximate, log_softmax, relu, silu, softmax};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use jarre_kernels::packed::{Context, QuantizedRows, layer_norm_quantize, rms_norm_quantize};
use jarre_kernels::{Activation, AddNorm, AttentionMask, Precision, RopePairs, ScoreSettings, TargetSettings, WeightLayout};
use proptest::prelude::*;

/// Inputs of an operation, flattened, with their shapes.
type Inputs = Vec<(Vec<f32>, Vec<usize>)>;

fn random(shape: &[usize], spread: f64) -> (Vec<f32>, Vec<usize>) {
    let count: usize = shape.iter().product();
    let values = Tensor::<1>::random([count], Distribution::Normal(0.0, spread), &Device::flex());
    (values.into_data().try_into_vec().unwrap(), shape.to_vec())
}

/// The gradient of a result of `count` values, such that no gradient of what it came from is trivial.
fn noise(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 1.7).sin() + 0.2).collect()
}

/// The result of `run` and the gradients of all its inputs, where that of the result is [`noise`].
fn differentiate(inputs: &Inputs, run: &dyn Fn(&[Tensor<1>]) -> Tensor<1>) -> Vec<Vec<f32>> {
    let device = Device::flex().autodiff();
    let leaves: Vec<Tensor<1>> = inputs.iter().map(|(values, _)| Tensor::from_data(values.as_slice(), &device).require_grad()).collect();
    let output = run(&leaves);
    let count = output.dims()[0];
    let gradients = (output.clone() * Tensor::from_data(noise(count).as_slice(), &device)).sum().backward();
    let mut results = vec![output.into_data().try_into_vec().unwrap()];
    results.extend(leaves.iter().map(|leaf| leaf.grad(&gradients).map_or_else(Vec::new, |g| g.into_data().try_into_vec().unwrap())));
    results
}

/// Asserts that both ways agree within `tolerance` of the larger of 1 and the value.
fn agree(inputs: &Inputs, tolerance: f32, fast: &dyn Fn(&[Tensor<1>]) -> Tensor<1>, twin: &dyn Fn(&[Tensor<1>]) -> Tensor<1>) {
    let (fast, twin) = (differentiate(inputs, fast), differentiate(inputs, twin));
    for (part, (fast, twin)) in fast.iter().zip(&twin).enumerate() {
        assert_eq!(fast.len(), twin.len(), "part {part}");
        for (index, (a, b)) in fast.iter().zip(twin).enumerate() {
            assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "part {part}, value {index}: {a} instead of {b}");
        }
    }
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let count = x.shape().num_elements();
    x.reshape([count])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn norms(rows in 1_usize..40, d in 1_usize..70) {
        let x = |x: &Tensor<1>| x.clone().reshape([rows, d]);
        let inputs = vec![random(&[rows, d], 2.0), random(&[d], 1.0), random(&[d], 1.0)];
        agree(&inputs, 3e-4,
            &|t| flat(jarre_kernels::layer_norm(x(&t[0]), t[1].clone(), t[2].clone(), 1e-2)),
            &|t| {
                let centred = x(&t[0]) - x(&t[0]).mean_dim(1);
                let scale = (centred.clone().square().mean_dim(1) + 1e-2).sqrt();
                flat(centred / scale * t[1].clone().unsqueeze() + t[2].clone().unsqueeze())
            });
        agree(&inputs[..2].to_vec(), 3e-4,
            &|t| flat(jarre_kernels::rms_norm(x(&t[0]), t[1].clone(), 1e-2)),
            &|t| flat(x(&t[0]) / (x(&t[0]).square().mean_dim(1) + 1e-2).sqrt() * t[1].clone().unsqueeze()));
    }

    #[test]
    fn attention_weights(
        [batch, heads, queries, keys] in prop::array::uniform4(1_usize..9),
        one_batch: bool,
        one_head: bool,
        biased: bool,
        capped: bool,
    ) {
        let softcap = if capped { 5.0 } else { 0.0 };
        let settings = ScoreSettings { scale: 0.3, softcap };
        let bias_shape = [if one_batch { 1 } else { batch }, if one_head { 1 } else { heads }, queries, keys];
        let scores = |t: &[Tensor<1>]| t[0].clone().reshape([batch, heads, queries, keys]);
        let bias = |t: &[Tensor<1>]| biased.then(|| t[1].clone().reshape(bias_shape));
        let inputs = vec![random(&[batch, heads, queries, keys], 9.0), random(&bias_shape, 1.0)];
        agree(&inputs, 1e-4,
            &|t| flat(jarre_kernels::attention_weights(scores(t), bias(t), settings)),
            &|t| {
                let scores = scores(t) * 0.3;
                let scores = if capped { (scores / softcap).tanh() * softcap } else { scores };
                flat(softmax(match bias(t) { Some(bias) => scores + bias, None => scores }, 3))
            });
    }

    #[test]
    fn attention(
        batch in 1_usize..4,
        queries in 1_usize..150,
        more in 0_usize..9,
        kv_heads in 1_usize..3,
        group in 1_usize..4,
        width in 1_usize..9,
        mask in 0_usize..4,
    ) {
        let (heads, keys) = (kv_heads * group, queries + more);
        let hidden = |head: usize, query: usize, key: usize| match mask {
            0 => false,
            1 => key > query + more,
            // A window, and another one in each head.
            2 => key > query + more || key + 5 + head < query + more,
            _ => (key / 40) != ((query + more) / 40) || key > query + more,
        };
        let bias = (mask > 0).then(|| {
            let values = (0..heads).flat_map(|head| (0..queries).flat_map(move |query| (0..keys).map(move |key| {
                if hidden(head, query, key) { f32::NEG_INFINITY } else { (key as f32 * 0.3).sin() }
            })));
            Tensor::<4>::from_data(TensorData::new(values.collect::<Vec<f32>>(), [1, heads, queries, keys]), &Device::flex().autodiff())
        });
        let settings = ScoreSettings { scale: 0.4, softcap: 0.0 };
        let (q, kv) = ([batch, queries, heads, width], [batch, keys, kv_heads, width]);
        let inputs = vec![random(&q, 1.5), random(&kv, 1.5), random(&kv, 1.0)];
        for softcap in [0.0, 3.0] {
            let settings = ScoreSettings { scale: 0.4, softcap };
            let [query, key, value] = [(&inputs[0].0, q), (&inputs[1].0, kv), (&inputs[2].0, kv)]
                .map(|(values, shape)| Tensor::<4>::from_data(TensorData::new(values.clone(), shape), &Device::flex()));
            let bias = bias.clone().map(Tensor::inner);
            let scores = jarre_kernels::attention_scores(query.clone(), key.clone());
            let twin = jarre_kernels::mix_values(jarre_kernels::attention_weights(scores, bias.clone(), settings), value.clone());
            let mask = bias.map_or(AttentionMask::All, AttentionMask::Bias);
            let fused = jarre_kernels::attention([query, key, value], &mask, settings);
            prop_assert!((fused - twin).abs().max().into_scalar::<f32>() < 1e-5);
        }
        let shaped = |t: &[Tensor<1>]| [t[0].clone().reshape(q), t[1].clone().reshape(kv), t[2].clone().reshape(kv)];
        let mask = bias.clone().map_or(AttentionMask::All, AttentionMask::Bias);
        agree(&inputs, 2e-4, &|t| flat(jarre_kernels::attention(shaped(t), &mask, settings)), &|t| {
            let [query, key, value] = shaped(t).map(|x| x.swap_dims(1, 2));
            let [key, value] = [key, value].map(|x| x.unsqueeze_dim::<5>(2).repeat_dim(2, group).reshape([batch, heads, keys, width]));
            let scores = query.matmul(key.swap_dims(2, 3)) * 0.4;
            let weights = softmax(match &bias { Some(bias) => scores + bias.clone(), None => scores }, 3);
            flat(weights.matmul(value).swap_dims(1, 2))
        });
    }

    #[test]
    fn norms_that_quantise_are_norms_before_rounding([rows, width] in prop::array::uniform2(1_usize..70)) {
        let device = Device::flex();
        let (x, weight, bias) = (random(&[rows, width], 2.0).0, random(&[width], 1.0).0, random(&[width], 1.5).0);
        let one = |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [width]), &device);
        let plain = Tensor::<2>::from_data(TensorData::new(x.clone(), [rows, width]), &device);
        let context = Context::default();
        let pairs = [
            (rms_norm_quantize(context, &x, &weight, 1e-3), jarre_kernels::rms_norm(plain.clone(), one(&weight), 1e-3)),
            (layer_norm_quantize(context, &x, &weight, &bias, 1e-3), jarre_kernels::layer_norm(plain, one(&weight), one(&bias), 1e-3)),
        ];
        for (quantized, normed) in pairs {
            let expected = QuantizedRows::quantize(&jarre_kernels::host_values(normed), rows, width);
            for row in 0..rows {
                prop_assert!((quantized.scale(row) - expected.scale(row)).abs() <= 1e-5 * expected.scale(row));
                let apart = quantized.integers(row).into_iter().zip(expected.integers(row)).map(|(a, b)| (i32::from(a) - i32::from(b)).abs());
                prop_assert!(apart.max().unwrap_or(0) <= 1);
            }
        }
    }

    #[test]
    fn masks_that_are_rules_are_their_bias(
        batch in 1_usize..4,
        // One token and one width are often left out of what lies next to what.
        queries in prop_oneof![Just(1), 1_usize..80],
        more in prop_oneof![Just(0), 0_usize..80],
        [kv_heads, group] in prop::array::uniform2(1_usize..4),
        width in prop_oneof![Just(1), 1_usize..20],
        window in prop::option::of(1_usize..60),
        turned: bool,
    ) {
        let (device, heads, keys) = (Device::flex(), kv_heads * group, queries + more);
        let filled = |[batch, tokens, heads, width]: [usize; 4], scale: f64| {
            // Heads before tokens, as a cache has them, or after.
            let shape = if turned { [batch, heads, tokens, width] } else { [batch, tokens, heads, width] };
            let x = Tensor::<4>::from_data(TensorData::new(random(&shape, scale).0, shape), &device);
            if turned { x.swap_dims(1, 2) } else { x }
        };
        let [query, key, value] =
            [filled([batch, queries, heads, width], 1.5), filled([batch, keys, kv_heads, width], 1.4), filled([batch, keys, kv_heads, width], 1.0)];
        let settings = ScoreSettings { scale: 0.4, softcap: 0.0 };
        let mask = AttentionMask::Causal { window };
        let scores = jarre_kernels::attention_scores(query.clone(), key.clone());
        let bias = mask.bias([queries, keys], &device);
        let twin = jarre_kernels::mix_values(jarre_kernels::attention_weights(scores, bias, settings), value.clone());
        let fused = jarre_kernels::attention([query, key, value], &mask, settings);
        prop_assert!((fused - twin).abs().max().into_scalar::<f32>() < 1e-5);
    }

    #[test]
    fn self_attention_of_a_fused_product_is_that_of_its_parts(
        lengths in prop::collection::vec(0_usize..40, 1..5),
        more in 1_usize..5,
        heads in 1_usize..4,
        width in 1_usize..40,
    ) {
        let (batch, seq, d_model) = (lengths.len(), lengths.iter().max().unwrap() + more, heads * width);
        let values = random(&[batch * seq, 3 * d_model], 0.6).0;
        let attend = |device: &Device| {
            let qkv = Tensor::<2>::from_data(TensorData::new(values.clone(), [batch * seq, 3 * d_model]), device);
            jarre_kernels::self_attention(qkv, heads, &lengths)
        };
        let (found, expected) = (attend(&Device::flex()), attend(&Device::flex().autodiff()).inner());
        for (index, &length) in lengths.iter().enumerate() {
            let rows = |x: &Tensor<2>| x.clone().slice([index * seq..index * seq + length.max(1), 0..d_model]);
            if length > 0 {
                prop_assert!((rows(&found) - rows(&expected)).abs().max().into_scalar::<f32>() < 1e-5);
            }
        }
        prop_assert!(found.is_finite().all().into_scalar::<bool>());
    }

    #[test]
    fn linear_layers([rows, d_input, d_output] in prop::array::uniform3(1_usize..40), biased: bool, output_first: bool) {
        let layout = if output_first { WeightLayout::OutputFirst } else { WeightLayout::InputFirst };
        let inputs = vec![random(&[rows, d_input], 1.0), random(&[d_input, d_output], 1.0), random(&[d_output], 1.0)];
        let x = |t: &[Tensor<1>]| t[0].clone().reshape([1, rows, d_input]);
        let bias = |t: &[Tensor<1>]| biased.then(|| t[2].clone());
        let weight = |t: &[Tensor<1>]| if output_first { t[1].clone().reshape([d_output, d_input]) } else { t[1].clone().reshape([d_input, d_output]) };
        agree(&inputs, 1e-4, &|t| flat(jarre_kernels::linear(x(t), weight(t), bias(t), layout, Precision::F32)), &|t| {
            let weight = if output_first { weight(t).transpose() } else { weight(t) };
            let product = x(t).matmul(weight.unsqueeze());
            flat(match bias(t) { Some(bias) => product + bias.unsqueeze(), None => product })
        });
    }

    /// Eight bits of mantissa: each of `d` terms is off by 1/256 of itself at most, on both sides.
    #[test]
    fn linear_layers_in_bfloat16([rows, d_input, d_output] in prop::array::uniform3(1_usize..40), output_first: bool) {
        let layout = if output_first { WeightLayout::OutputFirst } else { WeightLayout::InputFirst };
        let shape = if output_first { [d_output, d_input] } else { [d_input, d_output] };
        let inputs = vec![random(&[rows, d_input], 1.0), random(&shape, 1.0)];
        let run = |precision| {
            differentiate(&inputs, &|t| {
                let (x, weight) = (t[0].clone().reshape([rows, d_input]), t[1].clone().reshape(shape));
                flat(jarre_kernels::linear(x, weight, None, layout, precision))
            })
        };
        let (exact, rounded) = (run(Precision::F32), run(Precision::Bf16));
        let norm = |values: &[f32]| values.iter().map(|x| x * x).sum::<f32>().sqrt();
        let [x, weight, gradient] = [&inputs[0].0, &inputs[1].0, &noise(rows * d_output)].map(|values| norm(values));
        // Each factor is rounded by 2^-8 of itself at most, so each product by 2^-7, however the sums cancel.
        let bounds = [x * weight, gradient * weight, x * gradient].map(|size| 1.02 / 128.0 * size);
        for (bound, (exact, rounded)) in bounds.into_iter().zip(exact.iter().zip(&rounded)) {
            let error = norm(&exact.iter().zip(rounded).map(|(a, b)| a - b).collect::<Vec<_>>());
            prop_assert!(error <= bound, "{error} instead of {bound}");
        }
    }

    #[test]
    fn activations(count in 1_usize..300, which in 0_usize..4) {
        let (activation, burn): (Activation, fn(Tensor<1>) -> Tensor<1>) = [
            (Activation::Gelu, gelu as fn(Tensor<1>) -> Tensor<1>),
            (Activation::GeluTanh, gelu_approximate),
            (Activation::Silu, silu),
            (Activation::Relu, relu),
        ][which];
        let inputs = vec![random(&[count], 3.0), random(&[count], 1.0)];
        agree(&inputs[..1].to_vec(), 1e-5, &|t| jarre_kernels::activate(t[0].clone(), activation), &|t| burn(t[0].clone()));
        agree(&inputs, 1e-5,
            &|t| jarre_kernels::gated(t[0].clone(), t[1].clone(), activation),
            &|t| burn(t[0].clone()) * t[1].clone());
    }

    #[test]
    fn rotations([batch, seq, heads, half] in prop::array::uniform4(1_usize..6), rest in 0_usize..3, one: bool, interleaved: bool) {
        let width = 2 * half + rest;
        let pairs = if interleaved { RopePairs::Interleaved } else { RopePairs::HalfSplit };
        let device = Device::flex().autodiff();
        let table = [if one { 1 } else { batch }, seq, half];
        let [cos, sin] = [0, 1].map(|_| Tensor::<3>::random(table, Distribution::Normal(0.0, 1.0), &device));
        let inputs = vec![random(&[batch, seq, heads, width], 1.0)];
        let x = |t: &[Tensor<1>]| t[0].clone().reshape([batch, seq, heads, width]);
        agree(&inputs, 1e-5, &|t| flat(jarre_kernels::rope(x(t), &cos, &sin, pairs)), &|t| {
            let [c, s] = [&cos, &sin].map(|table| table.clone().unsqueeze_dim::<4>(2).expand([batch, seq, heads, half]));
            let column = |i: usize| x(t).slice_dim(3, i..i + 1);
            let place = |pair: usize, side: usize| if interleaved { 2 * pair + side } else { pair + side * half };
            let mut columns: Vec<Tensor<4>> = (0..width).map(column).collect();
            for pair in 0..half {
                let (a, b) = (column(place(pair, 0)), column(place(pair, 1)));
                let [c, s] = [&c, &s].map(|table| table.clone().slice_dim(3, pair..pair + 1));
                columns[place(pair, 0)] = a.clone() * c.clone() - b.clone() * s.clone();
                columns[place(pair, 1)] = b * c + a * s;
            }
            flat(Tensor::cat(columns, 3))
        });
    }

    #[test]
    fn losses(rows in 1_usize..12, classes in 2_usize..90, smoothing in prop::sample::select(vec![0.0_f32, 0.1])) {
        let ignored = 1000;
        let targets: Vec<u32> = (0..rows).map(|row| if row % 4 == 3 { ignored } else { (row * 31 % classes) as u32 }).collect();
        let settings = TargetSettings { ignored, smoothing };
        let logits = |t: &[Tensor<1>]| t[0].clone().reshape([rows, classes]);
        agree(&vec![random(&[rows, classes], 4.0)], 1e-5,
            &|t| jarre_kernels::cross_entropy(logits(t), &targets, settings),
            &|t| {
                let log = log_softmax(logits(t), 1);
                let device = log.device();
                let rows: Vec<Tensor<1>> = targets.iter().enumerate().map(|(row, &target)| {
                    let log = log.clone().slice_dim(0, row..row + 1).reshape([classes]);
                    if target == ignored {
                        return log.sum() * 0.0;
                    }
                    let at = Tensor::<1, Int>::from_data(TensorData::new(vec![target as i32], [1]), &device);
                    -(log.clone().select(0, at) * (1.0 - smoothing) + log.mean() * smoothing)
                }).collect();
                Tensor::cat(rows, 0)
            });
    }
}

#[test]
fn an_input_that_is_used_twice_keeps_its_values() {
    let device = Device::flex().autodiff();
    let x = Tensor::<1>::from_data([1.0, -2.0, 0.5], &device).require_grad();
    let y = jarre_kernels::activate(x.clone(), Activation::Silu) + x.clone() * x.clone();
    let gradient = x.grad(&y.sum().backward()).unwrap();
    let expected = [0.927_67 + 2.0, -0.090_784 - 4.0, 0.739_961 + 1.0];
    for (a, b) in gradient.into_data().try_into_vec::<f32>().unwrap().iter().zip(expected) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
    let values: Vec<f32> = x.into_data().try_into_vec().unwrap();
    assert_eq!(values, [1.0, -2.0, 0.5]);
}

#[test]
fn gradient_checkpointing_gives_the_same_gradients() {
    let run = |device: Device| {
        let x = Tensor::<2>::from_data([[1.0, -2.0, 0.5], [0.1, 0.2, 3.0]], &device).require_grad();
        let weight = Tensor::<1>::from_data([0.5, 2.0, 1.0], &device);
        let y = jarre_kernels::rms_norm(x.clone().exp(), weight, 1e-6).tanh();
        x.grad(&y.sum().backward()).unwrap().into_data().try_into_vec::<f32>().unwrap()
    };
    assert_eq!(run(Device::flex().autodiff()), run(Device::flex().autodiff().gradient_checkpointing()));
}

#[test]
fn the_sum_before_a_norm_may_be_fused() {
    let device = Device::flex();
    let [x, residual] = [0, 1].map(|_| Tensor::<2>::random([301, 70], Distribution::Normal(0.0, 2.0), &device));
    let [bias, weight, shift] = [0, 1, 2].map(|_| Tensor::<1>::random([70], Distribution::Normal(0.0, 1.0), &device));
    let expected = jarre_kernels::layer_norm(x.clone() + bias.clone().unsqueeze() + residual.clone(), weight.clone(), shift.clone(), 1e-5);
    let fused = jarre_kernels::add_norm(x, residual, AddNorm { bias, weight, shift, epsilon: 1e-5 });
    assert!((fused - expected).abs().max().into_scalar::<f32>() < 1e-5);
}

#[test]
fn padded_keys_get_no_weight_and_the_others_sum_to_one() {
    let lengths = [5, 1, 9];
    let scores = Tensor::<4>::random([3, 2, 9, 9], Distribution::Normal(0.0, 30.0), &Device::flex());
    let twin = jarre_kernels::padded_softmax(Tensor::from_data(scores.clone().into_data(), &Device::flex().autodiff()), &lengths);
    let weights = jarre_kernels::padded_softmax(scores, &lengths).into_data();
    let twin: Vec<f32> = twin.into_data().try_into_vec().unwrap();
    let weights: Vec<f32> = weights.try_into_vec().unwrap();
    assert!(weights.iter().zip(&twin).all(|(a, b)| (a - b).abs() < 1e-6));
    for (row, keys) in weights.chunks_exact(9).enumerate() {
        let (valid, padding) = keys.split_at(lengths[row / 18]);
        assert!((valid.iter().sum::<f32>() - 1.0).abs() < 1e-6 && padding.iter().all(|&weight| weight == 0.0));
    }
}

#[test]
fn hidden_keys_have_weight_zero_exactly() {
    let bias = Tensor::<4>::from_data([[[[0.0_f32, f32::NEG_INFINITY, 0.0]]]], &Device::flex());
    let scores = Tensor::<4>::random([1, 2, 1, 3], Distribution::Normal(0.0, 1.0), &Device::flex());
    let weights = jarre_kernels::attention_weights(scores, Some(bias), ScoreSettings { scale: 1.0, softcap: 0.0 });
    let weights: Vec<f32> = weights.into_data().try_into_vec().unwrap();
    assert!(weights.iter().enumerate().all(|(i, &weight)| (weight == 0.0) == (i % 3 == 1)), "{weights:?}");
}
