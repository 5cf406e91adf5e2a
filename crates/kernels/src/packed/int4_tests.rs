//! Products with four bits and with inputs of f32 against three loops, on every level, for any number of threads and rows.

use proptest::prelude::*;

use super::tests::{bits, contexts, noise};
use super::{Context, Epilogue, Int4Weights, Int8Weights, PackedMatrix, QuantizedRows};
use crate::Activation;
use crate::math::silu;

/// Codes, scales and zero points of `[n, k]` in groups.
struct Parts {
    codes: Vec<u8>,
    scales: Vec<f32>,
    zeros: Option<Vec<u8>>,
    n: usize,
    k: usize,
    group: usize,
}

impl Parts {
    fn new([n, groups]: [usize; 2], group: usize, zero_point: bool, seed: u64) -> Self {
        let k = groups * group;
        let code = |most: f32| move |x: &f32| ((x + 1.0) * 0.5 * most).round() as u8;
        let codes = noise(n * k, seed).iter().map(code(15.0)).collect();
        let zeros = zero_point.then(|| noise(n * groups, seed ^ 2).iter().map(code(16.0)).collect());
        Self { codes, scales: noise(n * groups, seed ^ 1), zeros, n, k, group }
    }

    fn weights(&self) -> Int4Weights {
        Int4Weights::from_parts(&self.codes, &self.scales, self.zeros.as_deref(), [self.n, self.k], self.group)
    }

    fn zero(&self, group: usize) -> i32 {
        self.zeros.as_ref().map_or(8, |zeros| i32::from(zeros[group]))
    }

    /// The plain way: exact integers in a group, groups in order.
    fn multiply(&self, x: &QuantizedRows) -> Vec<f32> {
        let mut out = Vec::new();
        for i in 0..x.rows() {
            let row = x.integers(i);
            for j in 0..self.n {
                let mut sum = 0.0;
                for (index, inputs) in row.chunks(self.group).enumerate() {
                    let group = j * (self.k / self.group) + index;
                    let codes = &self.codes[group * self.group..(group + 1) * self.group];
                    let product: i32 = codes.iter().zip(inputs).map(|(q, x)| (i32::from(*q) - self.zero(group)) * i32::from(*x)).sum();
                    sum = (product as f32).mul_add(self.scales[group], sum);
                }
                out.push(sum * x.scale(i));
            }
        }
        out
    }
}

fn shapes() -> impl Strategy<Value = (usize, [usize; 2], usize)> {
    // Tiles take some of these groups, in one chunk or in two, and vectors the others.
    (0_usize..70, [1_usize..80, 1_usize..5], prop::sample::select(vec![8_usize, 32, 40, 64, 128, 160, 192, 264, 544]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn products_of_four_bits_agree_with_three_loops((m, sizes, group) in shapes(), zero_point: bool, seed: u64) {
        let parts = Parts::new(sizes, group, zero_point, seed);
        let x = noise(m * parts.k, seed ^ 3);
        let weights = parts.weights();
        prop_assert_eq!(weights.parts(), (parts.codes.clone(), parts.scales.clone(), parts.zeros.clone()));
        for context in contexts() {
            let rows = QuantizedRows::quantize_in(context, &x, m, parts.k);
            let mut out = vec![f32::NAN; m * parts.n];
            weights.matmul_in(context, &rows, &mut out, &Epilogue::default());
            prop_assert_eq!(bits(&out), bits(&parts.multiply(&rows)), "{:?}", context);
        }
    }

    #[test]
    fn inputs_of_f32_are_multiplied_by_the_weights_values((m, sizes, group) in shapes(), four: bool, zero_point: bool, seed: u64) {
        let parts = Parts::new(sizes, group, zero_point, seed);
        let (n, k) = (parts.n, parts.k - if four { 0 } else { parts.k.min(3) });
        let x = noise(m * k, seed ^ 3);
        let (four_bits, eight_bits) = (parts.weights(), Int8Weights::quantize(&noise(n * k, seed), n, k));
        let weights = if four { four_bits.dequantize() } else { eight_bits.dequantize() };
        let mut first: Option<Vec<u32>> = None;
        for context in contexts() {
            let mut out = vec![f32::NAN; m * n];
            if four {
                four_bits.matmul_f32_in(context, &x, &mut out, &Epilogue::default());
            } else {
                eight_bits.matmul_f32_in(context, &x, &mut out, &Epilogue::default());
            }
            for i in 0..m {
                for j in 0..n {
                    let products = x[i * k..(i + 1) * k].iter().zip(&weights[j * k..(j + 1) * k]).map(|(x, w)| f64::from(*x) * f64::from(*w));
                    let (sum, size) = products.fold((0.0, 1e-30), |(sum, size), product| (sum + product, size + product.abs()));
                    prop_assert!((f64::from(out[i * n + j]) - sum).abs() <= 2e-6 * size, "{} {}", out[i * n + j], sum);
                }
            }
            let found = bits(&out);
            prop_assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "{:?}", context);
        }
    }

    #[test]
    fn gated_products_of_four_bits_are_two_products((m, sizes, group) in shapes(), seed: u64) {
        let [gate, up] = [seed, !seed].map(|seed| Parts::new(sizes, group, seed % 2 == 0, seed));
        let rows = QuantizedRows::quantize(&noise(m * gate.k, seed ^ 3), m, gate.k);
        let gates = gate.multiply(&rows);
        let expected: Vec<f32> = up.multiply(&rows).iter().zip(&gates).map(|(up, gate)| silu(*gate) * up).collect();
        for context in contexts() {
            let mut out = vec![f32::NAN; expected.len()];
            gate.weights().matmul_gated_in(context, &up.weights(), &rows, &mut out, Activation::Silu);
            prop_assert_eq!(bits(&out), bits(&expected), "{:?}", context);
        }
    }
}

#[test]
fn a_row_of_four_bits_has_the_same_bits_whatever_stands_beside_it() {
    let parts = Parts::new([613, 13], 32, true, 5);
    let (m, n, k) = (215, parts.n, parts.k);
    let x = noise(m * k, 3);
    let weights = parts.weights();
    let product = |x: &[f32]| {
        let mut out = vec![0.0; x.len() / k * n];
        weights.matmul(x, &mut out, &Epilogue::default());
        bits(&out)
    };
    let all = product(&x);
    assert_eq!(all, bits(&parts.multiply(&QuantizedRows::quantize(&x, m, k))));
    for (first, rows) in [(0, 1), (7, 1), (11, 2), (20, 8), (30, 12), (214, 1), (3, 200)] {
        assert_eq!(product(&x[first * k..(first + rows) * k]), all[first * n..(first + rows) * n], "{rows} rows from {first}");
    }
}

#[test]
fn rounding_to_four_bits_keeps_zeros_and_extremes() {
    let mut weights = vec![0.0; 32];
    weights.extend((0..32).map(|i| i as f32 / 31.0 - 1.0));
    let rounded = Int4Weights::quantize(&weights, 1, 64, 32).dequantize();
    assert!(rounded[..32].iter().all(|&x| x == 0.0));
    assert!(
        (rounded[32] + 1.0).abs() < 1e-6 && rounded.iter().zip(&weights).all(|(a, b)| (a - b).abs() <= 0.5 / 8.0 + 1e-6),
        "{rounded:?}"
    );
}

#[test]
fn an_output_that_is_not_finite_is_nan_and_no_other() {
    let mut weights = noise(40 * 32, 8);
    weights[33 * 32 + 5] = f32::NAN;
    weights[34 * 32 + 7] = f32::INFINITY;
    let weights = Int4Weights::quantize(&weights, 40, 32, 32);
    let mut out = vec![0.0; 40];
    weights.matmul_in(Context::default(), &QuantizedRows::quantize(&noise(32, 9), 1, 32), &mut out, &Epilogue::default());
    assert!(out.iter().enumerate().all(|(j, x)| x.is_nan() == (j == 33 || j == 34)), "{out:?}");
}

#[test]
#[should_panic(expected = "take a multiple of 8 that divides them")]
fn groups_that_do_not_divide_a_row_are_refused() {
    Int4Weights::quantize(&[0.0; 48], 1, 48, 32);
}

#[test]
#[should_panic(expected = "groups of gate and up")]
fn gate_and_up_of_different_groups_are_refused() {
    let [gate, up] = [32, 64].map(|group| Int4Weights::quantize(&noise(64, 1), 1, 64, group));
    gate.matmul_gated(&up, &QuantizedRows::quantize(&noise(64, 2), 1, 64), &mut [0.0], Activation::Silu);
}
