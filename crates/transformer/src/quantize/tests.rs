use burn::tensor::{Device, Tensor};
use jarre_kernels::Inputs;
use jarre_quant::{Int4Scheme, SmoothQuant};

use super::capture::Captured;
use super::{Method, Quantizer, Scheme, fold};
use crate::decoder::{Decoder, DecoderConfig, NormKind, NormPlacement};
use crate::{Activation, Error, Sequences};

const TEXTS: [&[u32]; 3] = [&[1, 2, 3, 4, 5, 6, 7], &[9, 8, 30, 31, 2], &[40, 41, 42, 43, 44, 45, 46, 47]];

fn texts() -> Vec<Vec<u32>> {
    TEXTS.iter().map(|text| text.to_vec()).collect()
}

/// One of each kind: gated with shared heads, with a norm after each part, and GPT-2's.
fn decoders() -> Vec<Decoder> {
    let base = DecoderConfig::new(50, 32, 4, 2, 64).with_init_std(0.2);
    let gpt2 = base.clone().with_norm(NormKind::LayerNorm).with_gated(false).with_qkv_bias(true).with_output_bias(true).with_mlp_bias(true);
    let configs = [
        base.clone().with_n_kv_heads(Some(2)),
        base.clone().with_norm_placement(NormPlacement::Sandwich).with_tied(true),
        gpt2.with_activation(Activation::GeluTanh),
        base.with_norm_placement(NormPlacement::Post),
    ];
    configs.iter().map(|config| config.init(&Device::flex())).collect()
}

fn logits(decoder: &Decoder) -> Vec<Tensor<3>> {
    TEXTS.iter().map(|text| decoder.forward(&Sequences::right_padded(&[text], 0))).collect()
}

/// The root mean square of the differences of logits, as a share of that of the logits.
fn difference(a: &[Tensor<3>], b: &[Tensor<3>]) -> f32 {
    let squares = |x: Tensor<3>| x.powi_scalar(2).sum().into_scalar::<f32>();
    let (change, all): (Vec<f32>, Vec<f32>) = a.iter().zip(b).map(|(a, b)| (squares(a.clone() - b.clone()), squares(a.clone()))).unzip();
    (change.iter().sum::<f32>() / all.iter().sum::<f32>()).sqrt()
}

#[test]
fn scales_that_move_between_layers_change_nothing() {
    for mut decoder in decoders() {
        let before = logits(&decoder);
        let captured = Captured::of(&mut decoder, &texts()).unwrap();
        assert!(difference(&before, &logits(&decoder)) < 1e-6, "watching changes a model");
        let folds = std::cell::Cell::new(0);
        fold::all(&mut decoder, &captured, |weights, inputs| {
            assert!(weights.len().is_multiple_of(inputs.columns()) && inputs.tokens() == 20);
            folds.set(folds.get() + 1);
            Ok((0..inputs.columns()).map(|i| 0.25 + (i % 7) as f32).collect())
        })
        .unwrap();
        let config = decoder.config();
        assert!(folds.get() > 0 || config.norm_placement == NormPlacement::Post, "{config:?}");
        assert!(difference(&before, &logits(&decoder)) < 1e-4, "{config:?}");
    }
}

#[test]
fn scales_do_not_move_into_layers_that_are_packed() {
    for mut decoder in decoders() {
        let quantizer = Quantizer::new(Scheme::Bf16).with_inputs(Inputs::Float);
        for layer in &mut decoder.layers {
            for projection in [&mut layer.attention.value, &mut layer.feed_forward.up] {
                quantizer.pack(projection, None).unwrap();
            }
        }
        let before = logits(&decoder);
        let captured = Captured::of(&mut decoder, &texts()).unwrap();
        fold::all(&mut decoder, &captured, |_, inputs| Ok(vec![2.0; inputs.columns()])).unwrap();
        assert!(difference(&before, &logits(&decoder)) < 1e-6, "{:?}", decoder.config());
    }
}

#[test]
fn every_scheme_stays_close_and_is_smaller() {
    let four = |group| Scheme::Int4(Int4Scheme::asymmetric(group));
    let ways = [
        (Scheme::Bf16, Method::RoundToNearest, 0.05),
        (Scheme::Int8, Method::RoundToNearest, 0.08),
        (Scheme::Int8, Method::SmoothQuant(SmoothQuant::default()), 0.08),
        (four(16), Method::RoundToNearest, 0.5),
        (four(16), Method::Awq, 0.5),
        (four(16), Method::Gptq { act_order: true }, 0.5),
        // 32 inputs are not divided by 24: eight bits.
        (four(24), Method::Gptq { act_order: false }, 0.08),
    ];
    for decoder in decoders() {
        let before = logits(&decoder);
        for (scheme, method, bound) in ways {
            let quantizer = Quantizer::new(scheme).with_method(method);
            let packed = quantizer.quantize(decoder.clone(), &texts()).unwrap();
            let found = difference(&before, &logits(&packed));
            assert!(found < bound && found > 0.0, "{found} with {scheme:?} {method:?} and {:?}", decoder.config());
            assert!(packed.is_packed() && packed.weight_bytes() < decoder.weight_bytes() * 3 / 4);
            let again = quantizer.quantize(packed.clone(), &texts()).unwrap();
            assert!(difference(&logits(&packed), &logits(&again)) < 1e-6, "a packed model was packed once more");
        }
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let decoder = decoders().remove(0);
    let refuse =
        |scheme, method, texts: &[Vec<u32>]| Quantizer::new(scheme).with_method(method).quantize(decoder.clone(), texts).unwrap_err();
    let four = Scheme::Int4(Int4Scheme::symmetric(32));
    assert!(matches!(refuse(Scheme::Int8, Method::Awq, &texts()), Error::Unsupported { .. }));
    assert!(matches!(refuse(four, Method::SmoothQuant(SmoothQuant::default()), &texts()), Error::Unsupported { .. }));
    assert!(matches!(refuse(Scheme::Int4(Int4Scheme::symmetric(12)), Method::RoundToNearest, &[]), Error::InvalidSetting { .. }));
    assert!(matches!(refuse(four, Method::Awq, &[]), Error::TooFewTokens { .. }));
    assert!(matches!(refuse(four, Method::Awq, &[vec![]]), Error::TooFewTokens { .. }));
    assert!(matches!(refuse(four, Method::Awq, &[vec![50]]), Error::UnknownToken { id: 50, .. }));
    let damaged = Tensor::<2>::full([32, 32], f32::NAN, &Device::flex());
    let mut decoder = decoder.clone();
    let linear = decoder.layers[1].attention.query.linear.as_mut().unwrap();
    linear.weight = linear.weight.clone().map(|_| damaged);
    let error = Quantizer::new(Scheme::Int8).quantize(decoder, &[]).unwrap_err();
    assert!(error.to_string().starts_with("layers.1.q_proj cannot be quantised"), "{error}");
}
