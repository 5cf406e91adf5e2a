//! What the algorithms promise: a smaller error of the layer's output than rounding to the nearest.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_quant::{Awq, Calibration, Error, Gptq, Int4Groups, Int4Scheme, Int8Rows, SmoothQuant};
use proptest::prelude::*;

const COLUMNS: usize = 64;
const ROWS: usize = 24;

/// Numbers in [-1, 1) that look random.
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Inputs as layers have them: a few hidden causes, some channels much larger than others.
fn inputs(seed: u64, tokens: usize) -> Vec<f32> {
    let mix = noise(seed, 12 * COLUMNS);
    let causes = noise(seed + 1, tokens * 12);
    let own = noise(seed + 2, tokens * COLUMNS);
    (0..tokens * COLUMNS)
        .map(|i| {
            let (token, column) = (i / COLUMNS, i % COLUMNS);
            let shared: f32 = (0..12).map(|cause| causes[token * 12 + cause] * mix[cause * COLUMNS + column]).sum();
            (shared + 0.2 * own[i]) * if column % 16 == 3 { 8.0 } else { 0.5 }
        })
        .collect()
}

fn calibrated(seed: u64) -> Calibration {
    let mut calibration = Calibration::new(COLUMNS);
    calibration.observe(&inputs(seed, 600)).unwrap();
    calibration
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn gptq_and_awq_lose_less_than_rounding(seed in 0_u64..1_000_000, zero_point: bool, group in prop::sample::select(vec![16_usize, 32, 64])) {
        let (weights, calibration) = (noise(seed + 9, ROWS * COLUMNS), calibrated(seed));
        let scheme = Int4Scheme { group, zero_point };
        let error = |other: &[f32]| calibration.layer_error(&weights, other).unwrap();
        let nearest = error(&Int4Groups::round(&weights, COLUMNS, scheme).unwrap().dequantize());
        for act_order in [false, true] {
            let gptq = error(&Gptq::new(scheme).with_act_order(act_order).quantize(&weights, &calibration).unwrap().dequantize());
            prop_assert!(gptq < 0.8 * nearest, "act_order {act_order}: {gptq} against {nearest}");
        }
        let awq = error(&Awq::new(scheme).quantize(&weights, &calibration).unwrap().dequantize());
        prop_assert!(awq < nearest, "{awq} against {nearest}");
    }

    /// The gain is there on inputs that were not calibrated on, too.
    #[test]
    fn gptq_generalises(seed in 0_u64..1_000_000) {
        let (weights, scheme) = (noise(seed + 9, ROWS * COLUMNS), Int4Scheme::symmetric(32));
        let (mut known, mut other) = (Calibration::new(COLUMNS), Calibration::new(COLUMNS));
        let all = inputs(seed, 1200);
        known.observe(&all[..600 * COLUMNS]).unwrap();
        other.observe(&all[600 * COLUMNS..]).unwrap();
        let gptq = Gptq::new(scheme).quantize(&weights, &known).unwrap().dequantize();
        let nearest = Int4Groups::round(&weights, COLUMNS, scheme).unwrap().dequantize();
        prop_assert!(other.layer_error(&weights, &gptq).unwrap() < 0.9 * other.layer_error(&weights, &nearest).unwrap());
    }

    /// Outputs with both sides in eight bits come closer to those in f32.
    #[test]
    fn smoothing_helps_where_some_inputs_are_large(seed in 0_u64..1_000_000) {
        let (weights, x) = (noise(seed + 9, ROWS * COLUMNS), inputs(seed, 300));
        let calibration = calibrated(seed);
        let scales = SmoothQuant::default().input_scales(&weights, &calibration).unwrap();
        let smooth = SmoothQuant::scale_weights(&weights, &scales).unwrap();
        let divided: Vec<f32> = x.chunks_exact(COLUMNS).flat_map(|x| x.iter().zip(&scales).map(|(x, s)| x / s)).collect();
        let exact = product(&x, &weights);
        // The division and the multiplication cancel.
        prop_assert!(exact.iter().zip(product(&divided, &smooth)).all(|(a, b)| (a - b).abs() < 1e-3));
        let error = |x: &[f32], w: &[f32]| {
            let (x, w) = (Int8Rows::round(x, COLUMNS).unwrap().dequantize(), Int8Rows::round(w, COLUMNS).unwrap().dequantize());
            product(&x, &w).iter().zip(&exact).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
        };
        let (plain, smoothed) = (error(&x, &weights), error(&divided, &smooth));
        prop_assert!(smoothed < plain, "{smoothed} against {plain}");
    }
}

/// `x w^T`, `[tokens, rows]`.
fn product(x: &[f32], weights: &[f32]) -> Vec<f32> {
    let dot = |x: &[f32], w: &[f32]| x.iter().zip(w).map(|(x, w)| x * w).sum::<f32>();
    x.chunks_exact(COLUMNS).flat_map(|x| weights.chunks_exact(COLUMNS).map(move |w| dot(x, w))).collect()
}

#[test]
fn inputs_that_were_always_zero_do_no_harm() {
    let mut x = inputs(4, 100);
    x.chunks_exact_mut(COLUMNS).for_each(|row| row[7] = 0.0);
    let mut calibration = Calibration::new(COLUMNS);
    calibration.observe(&x).unwrap();
    let weights = noise(5, ROWS * COLUMNS);
    let scheme = Int4Scheme::asymmetric(32);
    let gptq = Gptq::new(scheme).quantize(&weights, &calibration).unwrap().dequantize();
    let awq = Awq::new(scheme).quantize(&weights, &calibration).unwrap().dequantize();
    assert!(gptq.iter().chain(&awq).all(|x| x.is_finite()));
    // Nothing was seen at all: GPTQ is rounding to the nearest.
    let blank = Calibration::new(COLUMNS);
    let rounded = Int4Groups::round(&weights, COLUMNS, scheme).unwrap();
    assert_eq!(Gptq::new(scheme).quantize(&weights, &blank).unwrap(), rounded);
}

#[test]
fn weights_of_another_layer_are_refused() {
    let calibration = calibrated(1);
    let scheme = Int4Scheme::symmetric(32);
    assert!(matches!(Gptq::new(scheme).quantize(&[0.0; COLUMNS + 1], &calibration), Err(Error::Shape { .. })));
    assert!(matches!(Awq::new(scheme).quantize(&[f32::INFINITY; COLUMNS], &calibration), Err(Error::NotFinite { index: 0 })));
    assert!(matches!(Gptq::new(Int4Scheme::symmetric(24)).quantize(&[0.0; COLUMNS], &calibration), Err(Error::Group { .. })));
}
