use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::{Inputs, LinearInput, PackedLinear, PackedWeights};
use crate::packed::{Int4Weights, Int8Weights, QuantizedRows};
use crate::{Activation, Bf16Weights};

const N: usize = 37;
const K: usize = 64;

fn noise(count: usize, seed: f32) -> Vec<f32> {
    (0..count).map(|i| ((i as f32 + seed) * 12.9898).sin() * 1.7).collect()
}

fn kinds(seed: f32) -> Vec<PackedWeights> {
    let weights = noise(N * K, seed);
    let codes: Vec<u8> = weights.iter().map(|x| ((x + 1.7) * 4.0) as u8).collect();
    let zeros: Vec<u8> = (0..N * 2).map(|i| (i % 17) as u8).collect();
    vec![
        Int8Weights::quantize(&weights, N, K).into(),
        Int4Weights::quantize(&weights, N, K, 16).into(),
        Int4Weights::from_parts(&codes, &noise(N * 2, seed), Some(&zeros), [N, K], 32).into(),
        Bf16Weights::new(&weights, [N, K]).into(),
    ]
}

fn layers(seed: f32, inputs: Inputs) -> Vec<PackedLinear> {
    let bias = noise(N, seed + 0.5);
    kinds(seed).into_iter().map(|weights| PackedLinear::new(weights, inputs).with_bias(Some(bias.clone()))).collect()
}

fn rows(device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(noise(2 * 3 * K, 3.0), [2, 3, K]), device)
}

fn largest_difference(a: Tensor<3>, b: Tensor<3>) -> f32 {
    (a.without_autodiff() - b.without_autodiff()).abs().max().into_scalar()
}

#[test]
fn a_layer_agrees_with_its_weights_multiplied_out() {
    for (inputs, bound) in [(Inputs::Float, 1e-5), (Inputs::Int8, 0.02)] {
        for layer in layers(1.0, inputs) {
            let (x, device) = (rows(&Device::flex()), Device::flex());
            let weights = Tensor::<2>::from_data(TensorData::new(layer.weights().dequantize(), [N, K]), &device);
            let bias = Tensor::<1>::from_data(layer.bias().unwrap(), &device);
            let expected = (x.clone().reshape([6, K]).matmul(weights.transpose()) + bias.unsqueeze()).reshape([2, 3, N]);
            let largest: f32 = expected.clone().abs().max().into_scalar();
            let bound = if matches!(layer.weights(), PackedWeights::Bf16(_)) { 0.02 } else { bound };
            let activated = layer.forward_activated(x.clone(), Activation::Gelu);
            let gelu = crate::activate(layer.forward(x.clone()), Activation::Gelu);
            assert!(largest_difference(activated, gelu) < 1e-5 * largest);
            let difference = largest_difference(layer.forward(x), expected) / largest;
            assert!(difference < bound, "{difference} with {inputs:?} and {:?}", layer.weights().shape());
        }
    }
}

#[test]
fn a_function_in_the_pass_gives_what_it_gives_afterwards() {
    let (m, x) = (3, noise(3 * K, 3.0));
    for layer in layers(1.0, Inputs::Int8) {
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Silu, Activation::Relu] {
            let mut inputs = vec![LinearInput::Float(x.clone())];
            inputs.extend(layer.multiplies_integers().then(|| LinearInput::Quantized(QuantizedRows::quantize(&x, m, K))));
            for input in inputs {
                let (mut given, mut expected) = (vec![0.0; m * N], vec![0.0; m * N]);
                layer.project_activated(&input, &mut given, activation);
                layer.project(&input, &mut expected, false);
                crate::gate_rows(&mut expected, None, activation);
                assert_eq!(given, expected, "{activation:?}");
            }
        }
    }
}

#[test]
fn records_carry_codes_scales_and_bias() {
    let x = rows(&Device::flex());
    for (layer, other) in layers(1.0, Inputs::Int8).into_iter().zip(layers(2.0, Inputs::Int8)) {
        let expected = layer.forward(x.clone());
        assert!(largest_difference(other.forward(x.clone()), expected.clone()) > 0.1);
        let loaded = other.load_record(layer.clone().into_record());
        assert_eq!(loaded.forward(x.clone()).into_data(), expected.into_data());
    }
}

#[cfg(feature = "autodiff")]
#[test]
fn a_gradient_goes_through_to_the_input() {
    let device = Device::flex().autodiff();
    for layer in layers(1.0, Inputs::Float) {
        let x = rows(&device).require_grad();
        let gradients = layer.forward(x.clone()).sum().backward();
        let weights = layer.weights().dequantize();
        let expected: Vec<f32> = (0..K).map(|k| (0..N).map(|n| weights[n * K + k]).sum()).collect();
        let found: Vec<f32> = x.grad(&gradients).unwrap().into_data().try_into_vec().unwrap();
        for row in found.chunks_exact(K) {
            assert!(row.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-3));
        }
    }
}

#[test]
#[should_panic(expected = "values of a row and inputs of the weights")]
fn rows_of_another_width_are_refused() {
    layers(1.0, Inputs::Int8)[0].forward(Tensor::<2>::zeros([1, K + 1], &Device::flex()));
}

#[test]
fn rows_in_host_memory_give_the_bits_of_tensors() {
    let x = noise(6 * K, 3.0);
    for inputs in [Inputs::Float, Inputs::Int8] {
        for (layer, up) in layers(1.0, inputs).into_iter().zip(layers(2.0, inputs)) {
            let as_tensors = |layer: &PackedLinear| crate::host_values(layer.forward(rows(&Device::flex())));
            let (expected, expected_up) = (as_tensors(&layer), as_tensors(&up));
            let mut kinds = vec![LinearInput::Float(x.clone())];
            if layer.multiplies_integers() {
                kinds.push(LinearInput::Quantized(QuantizedRows::quantize(&x, 6, K)));
            }
            for kind in kinds {
                let mut out = vec![0.0; 6 * N];
                layer.project(&kind, &mut out, false);
                assert_eq!(out, expected);
                layer.project(&kind, &mut out, true);
                assert!(out.iter().zip(&expected).all(|(out, x)| (out - 2.0 * x).abs() <= 1e-6 * x.abs()));
                for (gate, up) in [(layer.clone(), up.clone()), (layer.clone().with_bias(None), up.clone().with_bias(None))] {
                    let [mut gated, mut plain, mut other] = [0; 3].map(|_| vec![0.0; 6 * N]);
                    gate.project_gated(&up, &kind, &mut gated, Activation::Silu);
                    gate.project(&kind, &mut plain, false);
                    up.project(&kind, &mut other, false);
                    let silu = |x: f32| x / (1.0 + (-x).exp());
                    for ((given, gate), up) in gated.iter().zip(&plain).zip(&other) {
                        assert!((given - silu(*gate) * up).abs() <= 1e-4 * (gate * up).abs() + 1e-5, "{given} {gate} {up}");
                    }
                }
            }
            assert!(expected_up != expected);
        }
    }
}
