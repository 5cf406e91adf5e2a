//! What must hold of every decoder, whatever it is made of: caches, padding and neighbours change nothing.
#![expect(clippy::unwrap_used, reason = "tests")]

use burn::tensor::{Device, Tensor};
use jarre_transformer::{
    Activation, Decoder, DecoderConfig, NormKind, NormPlacement, Positions, RopeConfig, RopeLayout, RopeScaling, Sequences, SlidingLayers,
};
use proptest::prelude::*;

const VOCAB: usize = 40;

fn base() -> DecoderConfig {
    DecoderConfig::new(VOCAB, 16, 4, 3, 24).with_max_positions(64).with_init_std(0.3)
}

/// One decoder of each kind of position, normalisation, window and head.
fn zoo() -> Vec<Decoder> {
    let rope = |scaling| Positions::Rope(RopeConfig::new(100.0).with_scaling(scaling));
    let configs = [
        base().with_n_kv_heads(Some(2)),
        base().with_n_kv_heads(Some(1)).with_sliding_window(Some(3)),
        base().with_positions(Positions::Rope(RopeConfig::new(50.0).with_layout(RopeLayout::Interleaved).with_dim(Some(2)))),
        base().with_positions(rope(RopeScaling::Linear { factor: 3.0 })).with_n_kv_heads(Some(2)),
        base().with_positions(Positions::Learned).with_norm(NormKind::LayerNorm).with_gated(false).with_qkv_bias(true),
        base().with_positions(Positions::Alibi).with_norm_placement(NormPlacement::Post).with_activation(Activation::Relu),
        base().with_positions(Positions::Sinusoidal).with_norm(NormKind::LayerNorm).with_tied(false),
        base()
            .with_norm_placement(NormPlacement::Sandwich)
            .with_qk_norm(true)
            .with_attention_softcap(Some(4.0))
            .with_logit_softcap(Some(6.0))
            .with_sliding_window(Some(2))
            .with_sliding_layers(SlidingLayers::Listed(vec![true, false, true])),
    ];
    let device = Device::default();
    device.seed(11);
    configs.iter().map(|config| config.init(&device)).collect()
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec().unwrap()
}

/// Logits of a sequence alone, `[seq, vocab]`.
fn alone(model: &Decoder, ids: &[u32]) -> Vec<f32> {
    values(model.forward(&Sequences::right_padded(&[ids], 0)))
}

fn close(ours: &[f32], theirs: &[f32]) -> Result<(), TestCaseError> {
    let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    prop_assert!(ours.len() == theirs.len() && worst < 2e-5, "{} values, {} values, {worst} apart", ours.len(), theirs.len());
    Ok(())
}

fn sequences(most: usize) -> impl Strategy<Value = Vec<Vec<u32>>> {
    prop::collection::vec(prop::collection::vec(0..VOCAB as u32, 1..12), 1..=most)
}

fn slices(rows: &[Vec<u32>]) -> Vec<&[u32]> {
    rows.iter().map(Vec::as_slice).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn padding_on_either_side_and_neighbours_change_nothing(rows in sequences(4)) {
        for model in zoo() {
            for tokens in [Sequences::right_padded(&slices(&rows), 1), Sequences::left_padded(&slices(&rows), 1)] {
                let together = values(model.forward(&tokens));
                for (row, (ids, place)) in rows.iter().zip(tokens.tokens()).enumerate() {
                    let range = (row * tokens.seq() + place.start) * VOCAB..(row * tokens.seq() + place.end) * VOCAB;
                    close(&together[range], &alone(&model, ids))?;
                }
            }
        }
    }

    #[test]
    fn cached_decoding_equals_reading_all_at_once(ids in prop::collection::vec(0..VOCAB as u32, 2..14), cuts in prop::collection::vec(1_usize..5, 14)) {
        for model in zoo() {
            let mut cache = model.new_cache(1, ids.len());
            let mut read = 0;
            for cut in &cuts {
                if read == ids.len() {
                    break;
                }
                let end = (read + cut).min(ids.len());
                let logits = values(model.forward_cached(&Sequences::right_padded(&[&ids[read..end]], 0), &mut cache));
                close(&logits, &alone(&model, &ids[..end])[(end - 1) * VOCAB..])?;
                read = end;
            }
        }
    }

    #[test]
    fn ragged_batches_with_a_cache_equal_each_sequence_alone(prompts in sequences(3), more in prop::collection::vec(0..VOCAB as u32, 6)) {
        for model in zoo() {
            let mut cache = model.new_cache(prompts.len(), 32);
            let mut texts = prompts.clone();
            let mut logits = values(model.forward_cached(&Sequences::right_padded(&slices(&prompts), 0), &mut cache));
            for pair in more.chunks_exact(2) {
                for (row, text) in texts.iter().enumerate() {
                    let expected = alone(&model, text);
                    close(&logits[row * VOCAB..(row + 1) * VOCAB], &expected[expected.len() - VOCAB..])?;
                }
                // The first sequence gets two tokens, the others one.
                let added: Vec<&[u32]> = (0..texts.len()).map(|row| if row == 0 { pair } else { &pair[..1] }).collect();
                logits = values(model.forward_cached(&Sequences::right_padded(&added, 0), &mut cache));
                texts.iter_mut().zip(&added).for_each(|(text, added)| text.extend(*added));
            }
        }
    }

    #[test]
    fn packed_documents_do_not_see_each_other(rows in sequences(3)) {
        let ids: Vec<u32> = rows.concat();
        let documents = rows.iter().enumerate().flat_map(|(number, row)| vec![number as u32; row.len()]).collect();
        let packed = Sequences::packed(ids.clone(), ids.len(), Some(documents));
        for model in zoo().iter().filter(|model| !slides(model)) {
            let expected: Vec<f32> = rows.iter().flat_map(|row| alone(model, row)).collect();
            close(&values(model.forward(&packed)), &expected)?;
        }
    }

    #[test]
    fn a_reordered_cache_goes_on_as_the_sequences_it_was_copied_from(prompts in sequences(3), seed: u64, token in 0..VOCAB as u32) {
        for model in zoo() {
            let mut cache = model.new_cache(prompts.len(), 16);
            model.forward_cached(&Sequences::right_padded(&slices(&prompts), 0), &mut cache);
            let order: Vec<usize> = (0..2).map(|i| (seed >> (8 * i)) as usize % prompts.len()).collect();
            cache.reorder(&order, &model.device());
            let logits = values(model.forward_cached(&Sequences::right_padded(&[&[token], &[token]], 0), &mut cache));
            for (row, &from) in order.iter().enumerate() {
                let expected = alone(&model, &[prompts[from].as_slice(), &[token]].concat());
                close(&logits[row * VOCAB..(row + 1) * VOCAB], &expected[expected.len() - VOCAB..])?;
            }
        }
    }
}

fn slides(model: &Decoder) -> bool {
    model.config().sliding_window.is_some()
}
