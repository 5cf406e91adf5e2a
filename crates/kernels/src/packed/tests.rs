//! Products against three loops over integers, on every level, for any number of threads and rows.

use proptest::prelude::*;

use super::{Context, Epilogue, Int8Weights, Level, PackedMatrix, QuantizedRows};
use crate::Activation;
use crate::math::{gelu, gelu_tanh, silu};
use crate::samples::{self, pools};

/// Numbers between -1 and 1, of which some are 0.
pub(super) fn noise(count: usize, seed: u64) -> Vec<f32> {
    samples::noise(count, seed).into_iter().map(|x| if x.abs() < 0.1 { 0.0 } else { x }).collect()
}

/// The plain way to quantise a row.
fn quantize(row: &[f32]) -> (Vec<i8>, f32) {
    if row.iter().any(|x| !x.is_finite()) {
        return (vec![0; row.len()], f32::NAN);
    }
    let largest = row.iter().fold(0.0, |largest: f32, x| largest.max(x.abs()));
    let inverse = 127.0 / largest;
    if !inverse.is_finite() {
        return (vec![0; row.len()], 0.0);
    }
    (row.iter().map(|x| (x * inverse).round_ties_even() as i8).collect(), largest / 127.0)
}

/// The plain way to multiply rows `[m, k]` with weights `[n, k]`.
fn multiply(x: &[f32], weights: &[f32], [m, n, k]: [usize; 3]) -> Vec<f32> {
    let mut out = Vec::new();
    let weights: Vec<_> = (0..n).map(|j| quantize(&weights[j * k..(j + 1) * k])).collect();
    for i in 0..m {
        let (row, row_scale) = quantize(&x[i * k..(i + 1) * k]);
        for (column, scale) in &weights {
            let sum: i32 = row.iter().zip(column).map(|(x, w)| i32::from(*x) * i32::from(*w)).sum();
            out.push(sum as f32 * row_scale * scale);
        }
    }
    out
}

/// Bits, all NaNs being one.
pub(super) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
}

pub(super) fn contexts() -> impl Iterator<Item = Context<'static>> {
    pools().iter().flat_map(|pool| Level::available().into_iter().map(move |level| Context::new(level, pool)))
}

fn matmul(context: Context<'_>, weights: &Int8Weights, x: &[f32], m: usize, epilogue: &Epilogue<'_>) -> Vec<f32> {
    let rows = QuantizedRows::quantize_in(context, x, m, weights.inputs());
    let mut out = vec![f32::NAN; m * weights.outputs()];
    weights.matmul_in(context, &rows, &mut out, epilogue);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn products_agree_with_three_loops(m in 0_usize..40, n in 0_usize..100, k in 0_usize..70, seed: u64) {
        let (x, weights) = (noise(m * k, seed), noise(n * k, seed ^ 1));
        let expected = bits(&multiply(&x, &weights, [m, n, k]));
        let weights = Int8Weights::quantize(&weights, n, k);
        for context in contexts() {
            let out = matmul(context, &weights, &x, m, &Epilogue::default());
            prop_assert_eq!(&bits(&out), &expected, "{:?}", context);
        }
    }

    #[test]
    fn rows_that_one_level_quantised_are_multiplied_by_any(m in 1_usize..70, n in 1_usize..70, k in 1_usize..200, seed: u64) {
        let (x, weights) = (noise(m * k, seed), noise(n * k, seed ^ 1));
        let expected = bits(&multiply(&x, &weights, [m, n, k]));
        let weights = Int8Weights::quantize(&weights, n, k);
        for rows in Level::available().into_iter().map(|level| QuantizedRows::quantize_in(Context::new(level, &pools()[1]), &x, m, k)) {
            for context in contexts() {
                let mut out = vec![f32::NAN; m * n];
                weights.matmul_in(context, &rows, &mut out, &Epilogue::default());
                prop_assert_eq!(&bits(&out), &expected, "{:?}", context);
            }
        }
    }

    #[test]
    fn given_integers_are_multiplied_whatever_they_are(m in 1_usize..14, n in 1_usize..40, k in 1_usize..30, seed: u64) {
        let values: Vec<i8> = noise(n * k, seed).iter().map(|x| (x * 140.0) as i8).collect();
        let (scales, x) = (noise(n, seed ^ 1), noise(m * k, seed ^ 2));
        let weights = Int8Weights::from_parts(&values, &scales, n, k);
        for context in contexts() {
            let rows = QuantizedRows::quantize_in(context, &x, m, k);
            let out = matmul(context, &weights, &x, m, &Epilogue::default());
            for i in 0..m {
                let (row, row_scale) = quantize(&x[i * k..(i + 1) * k]);
                prop_assert_eq!(&rows.integers(i), &row);
                prop_assert_eq!(rows.scale(i).to_bits(), row_scale.to_bits());
                for j in 0..n {
                    let sum: i32 = row.iter().zip(&values[j * k..]).map(|(x, w)| i32::from(*x) * i32::from(*w)).sum();
                    prop_assert_eq!(out[i * n + j].to_bits(), (sum as f32 * row_scale * scales[j]).to_bits());
                }
            }
        }
    }

    #[test]
    fn epilogues_are_what_they_say(m in 1_usize..20, n in 1_usize..80, k in 1_usize..40, seed: u64, kind in 0_usize..5, parts in 0_usize..6) {
        let (x, weights) = (noise(m * k, seed), noise(n * k, seed ^ 1));
        let (bias, residual) = (noise(n, seed ^ 2), noise(m * n, seed ^ 3));
        let mut epilogue = Epilogue::default();
        if kind > 0 {
            epilogue = epilogue.with_activation([Activation::Gelu, Activation::GeluTanh, Activation::Silu, Activation::Relu][kind - 1]);
        }
        let mut expected = multiply(&x, &weights, [m, n, k]);
        if parts % 2 == 1 {
            epilogue = epilogue.with_bias(&bias);
            expected.iter_mut().enumerate().for_each(|(i, x)| *x += bias[i % n]);
        }
        for x in &mut expected {
            *x = [*x, gelu(*x), gelu_tanh(*x), silu(*x), x.max(0.0)][kind];
        }
        if parts / 2 > 0 {
            expected.iter_mut().zip(&residual).for_each(|(x, r)| *x += r);
        }
        let onto = parts / 2 == 2;
        epilogue = match parts / 2 { 1 => epilogue.with_residual(&residual), 2 => epilogue.onto_output(), _ => epilogue };
        let weights = Int8Weights::quantize(&weights, n, k);
        for context in contexts() {
            let rows = QuantizedRows::quantize_in(context, &x, m, k);
            let mut out = if onto { residual.clone() } else { vec![f32::NAN; m * n] };
            weights.matmul_in(context, &rows, &mut out, &epilogue);
            prop_assert_eq!(bits(&out), bits(&expected), "{:?}", context);
        }
    }

    #[test]
    fn gated_products_are_two_products(m in 0_usize..20, n in 1_usize..80, k in 1_usize..40, seed: u64) {
        let [x, gate, up] = [noise(m * k, seed), noise(n * k, seed ^ 1), noise(n * k, seed ^ 2)];
        let gates = multiply(&x, &gate, [m, n, k]);
        let expected: Vec<f32> = multiply(&x, &up, [m, n, k]).iter().zip(&gates).map(|(up, gate)| silu(*gate) * up).collect();
        let [gate, up] = [gate, up].map(|weights| Int8Weights::quantize(&weights, n, k));
        for context in contexts() {
            let rows = QuantizedRows::quantize_in(context, &x, m, k);
            let mut out = vec![f32::NAN; m * n];
            gate.matmul_gated_in(context, &up, &rows, &mut out, Activation::Silu);
            prop_assert_eq!(bits(&out), bits(&expected), "{:?}", context);
        }
    }
}

/// A shape that is large enough for many tasks, and odd in every direction.
const LARGE: [usize; 3] = [215, 613, 403];

#[test]
fn large_products_agree_with_three_loops() {
    let [m, n, k] = LARGE;
    let (x, weights) = (noise(m * k, 1), noise(n * k, 2));
    let expected = bits(&multiply(&x, &weights, LARGE));
    let weights = Int8Weights::quantize(&weights, n, k);
    for context in contexts() {
        assert!(bits(&matmul(context, &weights, &x, m, &Epilogue::default())) == expected, "{context:?}");
    }
}

#[test]
fn a_row_has_the_same_bits_whatever_stands_beside_it() {
    let [m, n, k] = LARGE;
    let x = noise(m * k, 3);
    let bias = noise(n, 4);
    let weights = Int8Weights::quantize(&noise(n * k, 5), n, k);
    let epilogue = Epilogue::default().with_bias(&bias).with_activation(Activation::GeluTanh);
    let context = Context::default();
    let all = matmul(context, &weights, &x, m, &epilogue);
    for (first, rows) in [(0, 1), (7, 1), (11, 2), (20, 8), (30, 12), (100, 13), (214, 1), (3, 200)] {
        let some = matmul(context, &weights, &x[first * k..(first + rows) * k], rows, &epilogue);
        assert_eq!(bits(&some), bits(&all[first * n..(first + rows) * n]), "{rows} rows from {first}");
    }
}

#[test]
fn sums_that_pass_the_range_of_32_bits_on_their_way_end_right() {
    // 255 * 127 * 100,000 is above 2^31; the sum itself is not.
    let (n, k) = (33, 100_003);
    let mut values = vec![127_i8; n * k];
    values[k..2 * k].fill(-128);
    let weights = Int8Weights::from_parts(&values, &vec![1.0; n], n, k);
    for sign in [1.0_f32, -1.0] {
        for context in contexts() {
            let out = matmul(context, &weights, &vec![sign * 127.0; k], 1, &Epilogue::default());
            assert_eq!(out[0].to_bits(), (sign * (127 * 127 * k) as f32).to_bits(), "{context:?}");
            assert_eq!(out[1].to_bits(), (-sign * (127 * 128 * k) as f32).to_bits(), "{context:?}");
        }
    }
}

#[test]
fn rows_that_are_not_finite_are_nan_and_their_neighbours_are_not() {
    let (n, k) = (40, 21);
    let weights = Int8Weights::quantize(&noise(n * k, 6), n, k);
    let clean = noise(14 * k, 7);
    for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = clean.clone();
        x[5 * k + 20] = bad;
        for context in contexts() {
            let (out, expected) =
                (matmul(context, &weights, &x, 14, &Epilogue::default()), matmul(context, &weights, &clean, 14, &Epilogue::default()));
            assert!(out[5 * n..6 * n].iter().all(|x| x.is_nan()), "{context:?}");
            assert_eq!(bits(&out[..5 * n]), bits(&expected[..5 * n]));
            assert_eq!(bits(&out[6 * n..]), bits(&expected[6 * n..]));
        }
    }
}

#[test]
fn an_output_whose_weights_are_not_finite_is_nan_and_no_other() {
    let (n, k) = (40, 21);
    let mut weights = noise(n * k, 8);
    weights[33 * k] = f32::INFINITY;
    let out = matmul(Context::default(), &Int8Weights::quantize(&weights, n, k), &noise(k, 9), 1, &Epilogue::default());
    assert!(out.iter().enumerate().all(|(j, x)| x.is_nan() == (j == 33)));
}

#[test]
fn zeros_and_tiny_and_huge_rows_are_finite() {
    let (n, k) = (3, 5);
    let weights = Int8Weights::quantize(&[0.5; 15], n, k);
    for (value, expected) in [(0.0, 1.0), (-0.0, 1.0), (1e-45, 1.0), (3.7e-37, 1.0), (4e-37, 1.0), (1e30, 2.5e30), (f32::MIN_POSITIVE, 1.0)]
    {
        for context in contexts() {
            let out = matmul(context, &weights, &[value; 5], 1, &Epilogue::default().with_bias(&[1.0; 3]));
            assert!(out.iter().all(|x: &f32| (x - expected).abs() <= expected * 1e-5), "{value} gave {out:?} on {context:?}");
        }
    }
}

#[test]
fn one_call_quantises_and_multiplies() {
    let [m, n, k] = [3, 35, 17];
    let (x, weights) = (noise(m * k, 10), noise(n * k, 11));
    let mut out = vec![0.0; m * n];
    Int8Weights::quantize(&weights, n, k).matmul(&x, &mut out, &Epilogue::default());
    assert_eq!(bits(&out), bits(&multiply(&x, &weights, [m, n, k])));
}

#[test]
#[should_panic(expected = "values of the output")]
fn an_output_of_another_shape_is_refused() {
    Int8Weights::quantize(&[1.0; 6], 2, 3).matmul(&[1.0; 3], &mut [0.0; 3], &Epilogue::default());
}

#[test]
#[should_panic(expected = "values of 1 rows of 3")]
fn inputs_that_are_not_whole_rows_are_refused() {
    Int8Weights::quantize(&[1.0; 6], 2, 3).matmul(&[1.0; 4], &mut [0.0; 2], &Epilogue::default());
}

#[test]
#[should_panic(expected = "values of the bias")]
fn a_bias_of_another_shape_is_refused() {
    Int8Weights::quantize(&[1.0; 6], 2, 3).matmul(&[1.0; 3], &mut [0.0; 2], &Epilogue::default().with_bias(&[1.0; 3]));
}

#[test]
#[should_panic(expected = "values of the residual")]
fn a_residual_of_another_shape_is_refused() {
    Int8Weights::quantize(&[1.0; 6], 2, 3).matmul(&[1.0; 3], &mut [0.0; 2], &Epilogue::default().with_residual(&[1.0; 1]));
}

#[test]
#[should_panic(expected = "shapes of gate and up")]
fn gate_and_up_of_different_shapes_are_refused() {
    let [gate, up] = [2, 3].map(|n| Int8Weights::quantize(&vec![1.0; n * 3], n, 3));
    gate.matmul_gated(&up, &QuantizedRows::quantize(&[1.0; 3], 1, 3), &mut [0.0; 2], Activation::Silu);
}

#[test]
#[should_panic(expected = "might not fit 32 bits")]
fn more_inputs_than_sums_can_hold_are_refused() {
    Int8Weights::from_parts(&vec![0; 140_000], &[1.0], 1, 140_000);
}
