//! Causal attention and its gradient: one operation of `jarre-kernels` beside burn's products and softmax.
//!
//! `cargo bench --bench attention`

use std::hint::black_box;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jarre_kernels::{AttentionMask, ScoreSettings};

/// Batch, tokens, heads and their width.
const SHAPES: [[usize; 4]; 2] = [[12, 64, 4, 32], [6, 512, 8, 32]];

type Attention = fn([Tensor<4>; 3], Tensor<4>) -> Tensor<4>;

fn settings(width: usize) -> ScoreSettings {
    ScoreSettings { scale: (width as f64).sqrt().recip(), softcap: 0.0 }
}

fn ours(inputs: [Tensor<4>; 3], bias: Tensor<4>) -> Tensor<4> {
    let [_, _, _, width] = inputs[0].dims();
    jarre_kernels::attention(inputs, &AttentionMask::Bias(bias), settings(width))
}

fn burns(inputs: [Tensor<4>; 3], bias: Tensor<4>) -> Tensor<4> {
    let [_, _, _, width] = inputs[0].dims();
    let [query, key, value] = inputs.map(|x| x.swap_dims(1, 2));
    let scores = query.matmul(key.swap_dims(2, 3)) * settings(width).scale + bias;
    softmax(scores, 3).matmul(value).swap_dims(1, 2)
}

/// Minus infinity above the diagonal, `[1, 1, seq, seq]`.
fn causal(seq: usize, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = (0..seq * seq).map(|i| if i % seq > i / seq { f32::NEG_INFINITY } else { 0.0 }).collect();
    Tensor::from_data(TensorData::new(values, [1, 1, seq, seq]), device)
}

/// The gradients of query, key and value.
fn gradients(attention: Attention, inputs: &[Tensor<4>; 3], bias: &Tensor<4>) -> [Tensor<4>; 3] {
    let leaves = inputs.clone().map(Tensor::require_grad);
    let gradients = attention(leaves.clone(), bias.clone()).square().sum().backward();
    leaves.map(|leaf| leaf.grad(&gradients).expect("each input has a gradient"))
}

fn attention(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    for shape in SHAPES {
        let inputs = [0, 1, 2].map(|_| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device));
        let bias = causal(shape[1], &device);
        for (ours, theirs) in gradients(ours, &inputs, &bias).into_iter().zip(gradients(burns, &inputs, &bias)) {
            assert!((ours - theirs).abs().max().into_scalar::<f32>() < 1e-3);
        }
        let mut group = criterion.benchmark_group("attention forward and backward");
        let [batch, seq, heads, width] = shape;
        for (name, attention) in [("jarre", ours as Attention), ("burn", burns)] {
            let id = BenchmarkId::new(name, format!("{batch}x{seq} tokens, {heads} heads of {width}"));
            group.bench_function(id, |b| b.iter(|| gradients(attention, black_box(&inputs), &bias)));
        }
        group.finish();
    }
}

/// Reading a prompt: 2,048 tokens, 12 heads of 64, as `peers/attention.py` runs torch on.
fn prefill(criterion: &mut Criterion) {
    let device = Device::flex();
    let inputs = [0, 1, 2].map(|_| Tensor::<4>::random([1, 2048, 12, 64], Distribution::Normal(0.0, 1.0), &device));
    let bias = causal(2048, &device);
    let difference = ours(inputs.clone(), bias.clone()) - burns(inputs.clone(), bias.clone());
    assert!(difference.abs().max().into_scalar::<f32>() < 1e-5);
    let mut group = criterion.benchmark_group("causal prefill");
    group.sample_size(10);
    for (name, attention) in [("jarre", ours as Attention), ("burn", burns)] {
        group.bench_function(BenchmarkId::new(name, "2048 tokens, 12 heads of 64"), |b| {
            b.iter(|| attention(black_box(inputs.clone()), bias.clone()));
        });
    }
    group.finish();
}

criterion_group!(benches, attention, prefill);
criterion_main!(benches);
