//! A norm and its gradient: one pass of `jarre-kernels` beside the operations that autodiff makes of burn's own.
//!
//! `cargo bench --bench norms`

use std::hint::black_box;

use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const EPSILON: f64 = 1e-5;

/// Rows and width: a batch of nanoGPT's setting, and one of a small language model.
const SHAPES: [[usize; 2]; 2] = [[768, 128], [4096, 256]];

type Norm = fn(Tensor<2>, Tensor<1>) -> Tensor<2>;

fn ours(x: Tensor<2>, weight: Tensor<1>) -> Tensor<2> {
    jarre_kernels::rms_norm(x, weight, EPSILON)
}

fn burns(x: Tensor<2>, weight: Tensor<1>) -> Tensor<2> {
    let scale = (x.clone().square().mean_dim(1) + EPSILON).sqrt().recip();
    x * scale * weight.unsqueeze()
}

/// The gradient of the input.
fn gradient(norm: Norm, x: &Tensor<2>, weight: &Tensor<1>) -> Tensor<2> {
    let x = Tensor::from_data(x.to_data(), &Device::flex().autodiff()).require_grad();
    let weight = Tensor::from_data(weight.to_data(), &x.device()).require_grad();
    let gradients = norm(x.clone(), weight).square().sum().backward();
    x.grad(&gradients).expect("the input has a gradient")
}

fn norms(criterion: &mut Criterion) {
    for shape in SHAPES {
        let device = Device::flex();
        let x = Tensor::<2>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let weight = Tensor::<1>::random([shape[1]], Distribution::Normal(1.0, 0.1), &device);
        let difference = |a: Tensor<2>, b: Tensor<2>| (a - b).abs().max().into_scalar::<f32>();
        assert!(difference(ours(x.clone(), weight.clone()), burns(x.clone(), weight.clone())) < 1e-5);
        assert!(difference(gradient(ours, &x, &weight), gradient(burns, &x, &weight)) < 1e-3);
        let mut group = criterion.benchmark_group("rms_norm");
        group.throughput(Throughput::Elements((shape[0] * shape[1]) as u64));
        for (name, norm) in [("jarre", ours as Norm), ("burn", burns)] {
            let label = format!("{}x{}", shape[0], shape[1]);
            group.bench_function(BenchmarkId::new(format!("{name} forward"), &label), |b| {
                b.iter(|| norm(black_box(x.clone()), weight.clone()));
            });
            group.bench_function(BenchmarkId::new(format!("{name} forward and backward"), &label), |b| {
                b.iter(|| gradient(norm, black_box(&x), &weight));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, norms);
criterion_main!(benches);
