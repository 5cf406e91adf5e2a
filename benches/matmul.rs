//! Products with packed weights, from one row to many, beside burn's in f32.
//!
//! `cargo bench --bench matmul`

use std::hint::black_box;

use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_kernels::packed::{Int4Weights, Int8Weights};
use jarre_kernels::{Bf16Weights, Inputs, PackedLinear, host_values};

/// Inputs and outputs.
const SIZE: usize = 2048;

fn matmul(criterion: &mut Criterion) {
    let device = Device::flex();
    let weights = Tensor::<2>::random([SIZE, SIZE], Distribution::Normal(0.0, 0.02), &device);
    let rows = host_values(weights.clone());
    let layers = [
        ("W8A8", 0.02, PackedLinear::new(Int8Weights::quantize(&rows, SIZE, SIZE), Inputs::Int8)),
        ("W4A8 g32", 0.15, PackedLinear::new(Int4Weights::quantize(&rows, SIZE, SIZE, 32), Inputs::Int8)),
        ("W4A8 g128", 0.2, PackedLinear::new(Int4Weights::quantize(&rows, SIZE, SIZE, 128), Inputs::Int8)),
        ("W8A16", 0.02, PackedLinear::new(Int8Weights::quantize(&rows, SIZE, SIZE), Inputs::Float)),
        ("bf16", 0.01, PackedLinear::new(Bf16Weights::new(&rows, [SIZE, SIZE]), Inputs::Float)),
    ];
    let mut group = criterion.benchmark_group("product, 2048x2048");
    group.sample_size(10);
    for m in [1, 32, 512] {
        let x = Tensor::<2>::random([m, SIZE], Distribution::Normal(0.0, 1.0), &device);
        let expected = x.clone().matmul(weights.clone().transpose());
        let squares = |x: Tensor<2>| x.square().mean().into_scalar::<f32>();
        group.throughput(Throughput::Elements((2 * m * SIZE * SIZE) as u64));
        for (name, bound, layer) in &layers {
            let error = (squares(layer.forward(x.clone()) - expected.clone()) / squares(expected.clone())).sqrt();
            assert!(error < *bound, "{name}: {error}");
            group.bench_function(BenchmarkId::new(*name, m), |b| b.iter(|| layer.forward(black_box(x.clone()))));
        }
        let transposed = weights.clone().transpose();
        group.bench_function(BenchmarkId::new("burn f32", m), |b| b.iter(|| black_box(x.clone()).matmul(transposed.clone())));
    }
    group.finish();
}

criterion_group!(benches, matmul);
criterion_main!(benches);
