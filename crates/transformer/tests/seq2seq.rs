//! The encoder-decoder beside what Hugging Face transformers computes with a tiny Marian (`families/make_families.py`).
#![expect(clippy::unwrap_used, reason = "tests")]

mod padded;
mod reference;

use burn::tensor::Device;
use jarre_transformer::generate::{BeamSearch, CausalLm, SamplingParams};
use jarre_transformer::{Activation, Error, NormPlacement, Seq2Seq, Seq2SeqConfig, Seq2SeqModel, Sequences};
use padded::{largest_in_tokens, slices, values};
use reference::{Golden, TOLERANCE, folder, largest};
use serde_json::{Value, json};

fn marian() -> Seq2SeqModel {
    Seq2SeqModel::from_folder(folder("marian"), &Device::default()).unwrap()
}

/// A small random model, normalised before its sums.
fn fresh() -> Seq2Seq {
    Seq2SeqConfig::new(40, 24, 3, 2, 48)
        .with_decoder_layers(Some(3))
        .with_decoder_heads(Some(2))
        .with_decoder_d_ff(Some(32))
        .with_norm_placement(NormPlacement::Pre)
        .with_activation(Activation::Gelu)
        .with_logits_bias(true)
        .init(&Device::default())
}

const SOURCES: [&[u32]; 3] = [&[7, 8, 9, 10, 11], &[12, 13], &[14, 15, 16]];
const TARGETS: [&[u32]; 3] = [&[1, 20, 21], &[1, 22, 23, 24, 25], &[1]];

#[test]
fn states_weights_and_logits_agree_with_transformers() {
    let (model, golden) = (marian(), Golden::read("marian"));
    let (sources, targets) = (golden.rows("ids").unwrap(), golden.rows("decoder_ids").unwrap());
    let source = Sequences::right_padded(&slices(&sources), 0);
    let target = Sequences::right_padded(&slices(&targets), 0);
    let states = model.model().forward_states(&source, &target);
    let [read, written]: [Vec<usize>; 2] = [&sources, &targets].map(|rows| rows.iter().map(Vec::len).collect());
    let expected = |name: &str| golden.floats(name).unwrap();
    let mut worst: Vec<(String, f32)> = Vec::new();
    for (index, hidden) in states.encoder.into_iter().enumerate() {
        let name = if index == 2 { "encoder.last".to_owned() } else { format!("encoder.hidden.{index}") };
        worst.push((name.clone(), largest_in_tokens(&values(hidden), &expected(&name), &read)));
    }
    for (index, hidden) in states.decoder.into_iter().enumerate() {
        let name = format!("decoder.hidden.{index}");
        worst.push((name.clone(), largest_in_tokens(&values(hidden), &expected(&name), &written)));
    }
    for (index, weights) in states.decoder_attention.into_iter().enumerate() {
        let name = format!("decoder.attentions.{index}");
        worst.push((name.clone(), largest(&values(weights), &expected(&name))));
    }
    for (index, weights) in states.cross_attention.into_iter().enumerate() {
        let name = format!("cross.{index}");
        worst.push((name.clone(), largest(&values(weights), &expected(&name))));
    }
    // Rows of heads stand between those of queries, so that only the first sequence, which is not padded, can be compared whole.
    for (index, weights) in states.encoder_attention.into_iter().enumerate() {
        let first = 4 * 12 * 12;
        let name = format!("encoder.attentions.{index}");
        worst.push((name.clone(), largest(&values(weights)[..first], &expected(&name)[..first])));
    }
    worst.push(("logits".to_owned(), largest_in_tokens(&values(states.logits), &expected("logits"), &written)));
    for (name, worst) in &worst {
        println!("{name:22} {worst:.1e}");
    }
    assert_eq!(worst.len(), 3 + 3 + 2 + 2 + 2 + 1);
    assert!(worst.iter().all(|(_, worst)| *worst < TOLERANCE), "{worst:?}");
}

#[test]
fn twenty_greedy_tokens_are_those_of_transformers() {
    let (model, golden) = (marian(), Golden::read("marian"));
    let sources = golden.rows("ids").unwrap();
    let expected = golden.rows("greedy").unwrap();
    // The reference goes on behind the token that ends a target.
    let endless = Seq2SeqModel::new(model.model().clone(), model.start(), Vec::new()).unwrap();
    let together = endless.generate(&slices(&sources), &SamplingParams::greedy(), 20).unwrap();
    for ((source, answer), expected) in sources.iter().zip(&together).zip(&expected) {
        assert_eq!(answer.tokens, *expected);
        assert_eq!(endless.generate(&[source], &SamplingParams::greedy(), 20).unwrap()[0].tokens, *expected);
        assert_eq!(endless.beam_search(source, &BeamSearch::new(1), 20).unwrap()[0].tokens, *expected);
    }
}

#[test]
fn padding_of_sources_and_targets_changes_nothing() {
    for model in [fresh(), marian().model().clone()] {
        let vocab = model.config().vocab_size;
        let (source, target) = (Sequences::right_padded(&SOURCES, 3), Sequences::right_padded(&TARGETS, 4));
        let together = values(model.forward(&source, &target));
        for (index, (source, target)) in SOURCES.iter().zip(TARGETS).enumerate() {
            let alone = values(model.forward(&Sequences::right_padded(&[source], 0), &Sequences::right_padded(&[target], 0)));
            let start = index * 5 * vocab;
            assert!(largest(&alone, &together[start..start + alone.len()]) < 1e-4, "pair {index}");
        }
    }
}

#[test]
fn a_target_does_not_see_what_comes_after() {
    let model = fresh();
    let logits = |target: &[u32]| values(model.forward(&Sequences::right_padded(&SOURCES[..1], 0), &Sequences::right_padded(&[target], 0)));
    let (long, other) = (logits(&[1, 20, 21, 22]), logits(&[1, 20, 30, 31]));
    assert!(largest(&long[..80], &other[..80]) < 1e-6 && largest(&long[80..120], &other[80..120]) > 1e-3);
}

/// Logits after the last token of each target, by recomputing everything.
fn recomputed(model: &Seq2Seq, pairs: &[(&[u32], Vec<u32>)]) -> Vec<f32> {
    let vocab = model.config().vocab_size;
    let last = |(source, target): &(&[u32], Vec<u32>)| {
        let logits = values(model.forward(&Sequences::right_padded(&[source], 0), &Sequences::right_padded(&[target], 0)));
        logits[logits.len() - vocab..].to_vec()
    };
    pairs.iter().flat_map(last).collect()
}

#[test]
fn cached_targets_of_several_sources_agree_with_recomputed_ones_in_any_order() {
    let model = fresh();
    let device = Device::default();
    let encoded = model.encode(&Sequences::right_padded(&SOURCES, 0));
    let mut cache = model.new_cache(&encoded, 3, 8);
    let mut pairs: Vec<(&[u32], Vec<u32>)> = SOURCES.iter().zip(TARGETS).map(|(source, target)| (*source, target.to_vec())).collect();
    let mut logits = values(model.forward_cached(&Sequences::right_padded(&TARGETS, 0), &mut cache));
    assert!(largest(&logits, &recomputed(&model, &pairs)) < 1e-4);
    for (step, order) in [vec![2, 0, 1], vec![0, 0, 2, 1], vec![3, 1]].into_iter().enumerate() {
        cache.reorder(&order, &device);
        pairs = order.iter().map(|&row| pairs[row].clone()).collect();
        let added: Vec<Vec<u32>> = (0..pairs.len()).map(|row| vec![30 + row as u32; 1 + (row + step) % 2]).collect();
        pairs.iter_mut().zip(&added).for_each(|((_, target), added)| target.extend(added));
        logits = values(model.forward_cached(&Sequences::right_padded(&slices(&added), 0), &mut cache));
        assert!(largest(&logits, &recomputed(&model, &pairs)) < 1e-4, "step {step}");
    }
    assert_eq!(cache.lengths(), pairs.iter().map(|(_, target)| target.len()).collect::<Vec<_>>());
}

#[test]
fn targets_of_one_source_share_it() {
    let model = Seq2SeqModel::new(fresh(), 1, vec![2]).unwrap();
    let conditioned = model.read(&SOURCES[..1]).unwrap();
    let mut cache = conditioned.new_cache(1, 6);
    conditioned.next_logits(&[&[1, 20]], &mut cache).unwrap();
    conditioned.reorder(&mut cache, &[0, 0, 0]);
    let logits = conditioned.next_logits(&[&[21], &[22], &[23]], &mut cache).unwrap();
    let pairs: Vec<(&[u32], Vec<u32>)> = (21..24).map(|token| (SOURCES[0], vec![1, 20, token])).collect();
    assert!(largest(&logits, &recomputed(model.model(), &pairs)) < 1e-4);
    let all = conditioned.all_logits(&[1, 20, 22]).unwrap();
    assert!(largest(&all[2 * 40..], &logits[40..80]) < 1e-4);
}

#[test]
fn beams_are_worth_what_their_tokens_are() {
    let model = marian();
    let source = &Golden::read("marian").rows("ids").unwrap()[1];
    let beams = model.beam_search(source, &BeamSearch::new(4).with_num_return_sequences(4), 8).unwrap();
    assert_eq!(beams.len(), 4);
    let conditioned = model.read(&[source]).unwrap();
    let mut scores = Vec::new();
    for beam in &beams {
        let target: Vec<u32> = [model.start()].into_iter().chain(beam.tokens.iter().copied()).chain(beam.stop_token).collect();
        let logits = conditioned.all_logits(&target[..target.len() - 1]).unwrap();
        let logprob = |(row, &token): (&[f32], &u32)| {
            let sum: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
            f64::from(row[token as usize]) - sum.ln()
        };
        let sum: f64 = logits.chunks_exact(96).zip(&target[1..]).map(logprob).sum();
        assert!((sum - beam.logprob).abs() < 1e-3, "{sum} {}", beam.logprob);
        scores.push(beam.score);
    }
    assert!(scores.is_sorted_by(|a, b| a >= b));
}

/// The fixture with `settings` in its configuration.
fn with_settings(settings: &[(&str, Value)]) -> Result<Seq2SeqModel, Error> {
    let target = tempfile::tempdir().unwrap();
    let mut config: Value = serde_json::from_slice(&std::fs::read(folder("marian").join("config.json")).unwrap()).unwrap();
    for (key, value) in settings {
        config[key] = value.clone();
    }
    std::fs::write(target.path().join("config.json"), config.to_string()).unwrap();
    std::fs::copy(folder("marian").join("model.safetensors"), target.path().join("model.safetensors")).unwrap();
    Seq2SeqModel::from_folder(target.path(), &Device::default())
}

#[test]
fn banned_tokens_are_never_written() {
    let source = &Golden::read("marian").rows("ids").unwrap()[0];
    let first = Golden::read("marian").rows("greedy").unwrap()[0][0];
    let model = with_settings(&[("bad_words_ids", json!([[first], [3, 4]]))]).unwrap();
    let answer = model.generate(&[source], &SamplingParams::greedy(), 12).unwrap().remove(0);
    assert!(!answer.tokens.is_empty() && !answer.tokens.contains(&first));
}

#[test]
fn settings_that_are_not_computed_and_sizes_that_make_no_model_are_refused() {
    for (key, value, expected) in [
        ("model_type", json!("bart"), "`bart`"),
        ("activation_function", json!("quick_gelu"), "`quick_gelu`"),
        ("normalize_before", json!(true), "normalisation"),
        ("share_encoder_decoder_embeddings", json!(false), "embedding"),
        ("decoder_vocab_size", json!(50), "embedding"),
        ("encoder_attention_heads", json!(5), "make no encoder-decoder"),
        ("decoder_ffn_dim", json!(0), "make no encoder-decoder"),
        ("decoder_layers", json!(1_u64 << 40), "make no encoder-decoder"),
        ("max_position_embeddings", json!(1_u64 << 60), "too large"),
        ("vocab_size", json!(97), "one for encoder, decoder and head"),
        ("decoder_start_token_id", json!(96), "token 96 is beyond"),
        ("decoder_layers", json!(3), "missing: model.decoder.layers.2."),
        ("encoder_layers", json!(1), "unexpected: model.encoder.layers.1."),
    ] {
        let error = with_settings(&[(key, value)]).unwrap_err().to_string();
        assert!(error.contains(expected), "{key}: {error}");
    }
}

#[test]
fn sources_that_cannot_be_read_are_refused() {
    let model = marian();
    let refused = |sources: &[&[u32]]| model.generate(sources, &SamplingParams::greedy(), 4).unwrap_err();
    assert!(matches!(refused(&[]), Error::TooFewTokens { .. }));
    assert!(matches!(refused(&[&[5], &[]]), Error::TooFewTokens { .. }));
    assert!(matches!(refused(&[&[96]]), Error::UnknownToken { id: 96, .. }));
    assert!(matches!(refused(&[&[5; 65]]), Error::ContextLength { tokens: 65, max: 64 }));
    assert!(model.generate(&[&[5; 64]], &SamplingParams::greedy(), 100).unwrap()[0].tokens.len() <= 64);
    assert!(Seq2SeqModel::new(fresh(), 40, Vec::new()).is_err());
}

/// Learns to write a source backwards.
#[cfg(feature = "train")]
#[test]
fn a_model_that_is_made_here_learns() {
    use burn::module::Module;
    use burn::optim::{AdamConfig, GradientsParams};
    use burn::tensor::activation::log_softmax;
    use burn::tensor::{Int, Tensor, TensorData};

    let device = Device::flex().autodiff();
    device.seed(7);
    let mut state = 1_u32;
    let mut source = || -> Vec<u32> {
        let mut token = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            2 + (state >> 16) % 8
        };
        (0..4).map(|_| token()).collect()
    };
    for placement in [NormPlacement::Post, NormPlacement::Pre] {
        let mut model = Seq2SeqConfig::new(10, 32, 4, 1, 64).with_norm_placement(placement).init(&device);
        let mut optimizer = AdamConfig::new().init();
        let mut losses = Vec::new();
        for _ in 0..300 {
            let sources: Vec<Vec<u32>> = (0..16).map(|_| source()).collect();
            let answers: Vec<Vec<u32>> = sources.iter().map(|source| source.iter().rev().copied().collect()).collect();
            let targets: Vec<Vec<u32>> = answers.iter().map(|answer| [&[1], &answer[..3]].concat()).collect();
            let logits = model.forward(&Sequences::right_padded(&slices(&sources), 0), &Sequences::right_padded(&slices(&targets), 0));
            let wanted: Vec<i32> = answers.concat().iter().map(|&token| token as i32).collect();
            let wanted = Tensor::<2, Int>::from_data(TensorData::new(wanted, [64, 1]), &device);
            let loss = -log_softmax(logits.reshape([64, 10]), 1).gather(1, wanted).mean();
            losses.push(loss.clone().into_scalar::<f32>());
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(3e-3, model, gradients);
        }
        println!("{placement:?}: loss {} to {}", losses[0], losses[299]);
        assert!(losses[299] < 0.1 * losses[0], "{placement:?}: {} to {}", losses[0], losses[299]);
        let trained = Seq2SeqModel::new(model.valid(), 1, Vec::new()).unwrap();
        let answer = trained.generate(&[&[3, 4, 5, 6]], &SamplingParams::greedy(), 4).unwrap().remove(0);
        assert_eq!(answer.tokens, [6, 5, 4, 3], "{placement:?}");
    }
}
