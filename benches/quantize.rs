//! Products with weights of eight and four bits beside what burn does with its own quantised tensors, which multiplies them out first.
//!
//! `cargo bench --bench quantize`

use std::hint::black_box;

use burn::tensor::quantization::{QuantScheme, QuantValue};
use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jarre_kernels::packed::{Int4Weights, Int8Weights};
use jarre_kernels::{Inputs, PackedLinear, host_values};

/// Inputs and outputs.
const SIZE: usize = 4096;

fn quantize(criterion: &mut Criterion) {
    let device = Device::flex();
    let weights = Tensor::<2>::random([SIZE, SIZE], Distribution::Normal(0.0, 0.02), &device);
    let rows = host_values(weights.clone());
    let eight = PackedLinear::new(Int8Weights::quantize(&rows, SIZE, SIZE), Inputs::Int8);
    let four = PackedLinear::new(Int4Weights::quantize(&rows, SIZE, SIZE, 32), Inputs::Int8);
    let burns = weights.clone().transpose().quantize_dynamic(&QuantScheme::default().with_value(QuantValue::Q8S));
    let mut group = criterion.benchmark_group("quantised product, 4096x4096");
    group.sample_size(10);
    for m in [1, 32, 512] {
        let x = Tensor::<2>::random([m, SIZE], Distribution::Normal(0.0, 1.0), &device);
        let expected = x.clone().matmul(weights.clone().transpose());
        let error = |y: Tensor<2>| {
            let squares = |x: Tensor<2>| x.square().mean().into_scalar::<f32>();
            (squares(y - expected.clone()) / squares(expected.clone())).sqrt()
        };
        assert!(error(eight.forward(x.clone())) < 0.02 && error(four.forward(x.clone())) < 0.15);
        assert!(error(x.clone().matmul(burns.clone())) < 0.1);
        group.bench_function(BenchmarkId::new("jarre W8A8", m), |b| b.iter(|| eight.forward(black_box(x.clone()))));
        group.bench_function(BenchmarkId::new("jarre W4A8", m), |b| b.iter(|| four.forward(black_box(x.clone()))));
        group.bench_function(BenchmarkId::new("burn Q8S", m), |b| b.iter(|| black_box(x.clone()).matmul(burns.clone())));
    }
    group.finish();
}

criterion_group!(benches, quantize);
criterion_main!(benches);
