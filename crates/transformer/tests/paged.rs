//! Decoders over a paged cache, beside Hugging Face transformers and beside themselves: chunks, company, blocks that are shared.
#![expect(clippy::unwrap_used, reason = "tests")]

mod adapted;
mod reference;

use adapted::adapted;
use burn::module::Module;
use burn::tensor::Device;
use jarre_kernels::Inputs;
use jarre_quant::Int4Scheme;
use jarre_transformer::paged::{KvType, PagedAdapter, PagedBatch, PagedDecoder, PagedKvCache};
use jarre_transformer::quantize::{Quantizer, Scheme};
use jarre_transformer::{CausalModel, LoraConfig};
use reference::{Golden, TOLERANCE, folder, largest};

const DECODERS: [&str; 18] = [
    "gpt2",
    "llama",
    "llama3",
    "llama_bias",
    "llama_dynamic",
    "llama_linear",
    "llama_mqa",
    "llama_yarn",
    "llama_yarn_spelled",
    "mistral",
    "qwen2",
    "qwen2_sliding",
    "qwen3",
    "smollm2",
    "phi3",
    "phi3_longrope",
    "phi3_partial",
    "gemma2",
];

const BLOCK: usize = 4;

/// A sequence as a step sees it: tokens, how many of them are cached, and its blocks.
struct Part<'a> {
    tokens: &'a [u32],
    cached: usize,
    blocks: &'a [u32],
}

/// Logits after every new token of all parts.
fn step(model: &PagedDecoder, cache: &mut PagedKvCache, parts: &[Part<'_>]) -> Vec<f32> {
    adapted_step(model, cache, parts, &[])
}

/// The same with an adapter for each part.
fn adapted_step(model: &PagedDecoder, cache: &mut PagedKvCache, parts: &[Part<'_>], adapters: &[Option<&PagedAdapter>]) -> Vec<f32> {
    let tokens: Vec<u32> = parts.iter().flat_map(|part| &part.tokens[part.cached..]).copied().collect();
    let mut query_starts = vec![0];
    for part in parts {
        query_starts.push(query_starts.last().unwrap() + part.tokens.len() - part.cached);
    }
    let context_lens: Vec<usize> = parts.iter().map(|part| part.tokens.len()).collect();
    let block_tables: Vec<&[u32]> = parts.iter().map(|part| part.blocks).collect();
    let outputs: Vec<usize> = (0..tokens.len()).collect();
    let batch = PagedBatch {
        tokens: &tokens,
        query_starts: &query_starts,
        context_lens: &context_lens,
        block_tables: &block_tables,
        adapters,
        outputs: &outputs,
    };
    model.forward(cache, &batch)
}

/// As many blocks as `tokens` need, from `first` on, backwards.
fn blocks(first: u32, tokens: usize) -> Vec<u32> {
    (first..first + tokens.div_ceil(BLOCK) as u32).rev().collect()
}

fn model(family: &str) -> CausalModel {
    CausalModel::from_folder(folder(family), &Device::default()).unwrap()
}

/// Rows of `[tokens, vocab]`.
fn rows(logits: &[f32], vocab: usize, range: std::ops::Range<usize>) -> &[f32] {
    &logits[range.start * vocab..range.end * vocab]
}

#[test]
fn every_family_agrees_with_transformers() {
    for family in DECODERS {
        let (model, golden) = (model(family), Golden::read(family));
        let vocab = model.config().vocab_size;
        let mut worst = 0.0_f32;
        for case in ["single", "right", "long"] {
            let mask = golden.rows(&format!("mask.{case}"));
            let padded = golden.rows(&format!("ids.{case}")).unwrap();
            let lengths: Vec<usize> = match &mask {
                Some(mask) => mask.iter().map(|row| row.iter().sum::<u32>() as usize).collect(),
                None => padded.iter().map(Vec::len).collect(),
            };
            let seq = padded[0].len();
            let theirs = golden.floats(&format!("logits.{case}")).unwrap();
            // What stretches with the text is measured by the longest text, as there.
            let paged = PagedDecoder::new(model.decoder(), *lengths.iter().max().unwrap()).unwrap();
            let mut cache = paged.new_cache(256, BLOCK, KvType::F32);
            let tables: Vec<Vec<u32>> = (0..padded.len()).map(|row| blocks(row as u32 * 60 + 3, lengths[row])).collect();
            let parts: Vec<Part<'_>> = padded
                .iter()
                .zip(&lengths)
                .zip(&tables)
                .map(|((tokens, &length), blocks)| Part { tokens: &tokens[..length], cached: 0, blocks })
                .collect();
            let ours = step(&paged, &mut cache, &parts);
            let mut start = 0;
            for (row, &length) in lengths.iter().enumerate() {
                let theirs = rows(&theirs, vocab, row * seq..row * seq + length);
                worst = worst.max(largest(rows(&ours, vocab, start..start + length), theirs));
                start += length;
            }
        }
        println!("{family:20} {worst:.1e}");
        assert!(worst < TOLERANCE, "{family}: {worst}");
    }
}

/// A prompt read at once, in chunks, beside another sequence, and behind blocks that another sequence wrote.
fn ways(model: &PagedDecoder, kind: KvType) -> Vec<Vec<f32>> {
    let vocab = model.config().vocab_size as u32;
    let prompt: Vec<u32> = (0..27).map(|i| (i * 7 + 3) % vocab).collect();
    let other: Vec<u32> = (0..11).map(|i| (i * 5 + 1) % vocab).collect();
    let (table, beside) = (blocks(2, prompt.len()), blocks(20, other.len()));
    let width = vocab as usize;
    let whole = step(model, &mut model.new_cache(40, BLOCK, kind), &[Part { tokens: &prompt, cached: 0, blocks: &table }]);

    let mut cache = model.new_cache(40, BLOCK, kind);
    let mut chunked = Vec::new();
    for end in [1, 6, 7, 20, 27] {
        let cached = chunked.len() / width;
        chunked.extend(step(model, &mut cache, &[Part { tokens: &prompt[..end], cached, blocks: &table }]));
    }

    let mut cache = model.new_cache(40, BLOCK, kind);
    let parts = [Part { tokens: &other, cached: 0, blocks: &beside }, Part { tokens: &prompt, cached: 0, blocks: &table }];
    let in_company = step(model, &mut cache, &parts)[other.len() * width..].to_vec();

    // The first 12 tokens lie in three blocks already, moved elsewhere since.
    let last = table.len() - 3;
    let moved: Vec<u32> = [31, 30, 33].into_iter().chain(table[..last].iter().copied()).collect();
    table[..3].iter().zip(&moved).for_each(|(&from, &to)| cache.copy_block(from, to));
    let mut shared = whole[..12 * width].to_vec();
    shared.extend(step(model, &mut cache, &[Part { tokens: &prompt, cached: 12, blocks: &moved }]));
    vec![whole, chunked, in_company, shared]
}

#[test]
fn chunks_company_and_shared_blocks_change_nothing() {
    for family in DECODERS {
        let paged = PagedDecoder::new(model(family).decoder(), 64).unwrap();
        for kind in [KvType::F32, KvType::Bf16, KvType::Int8] {
            let ways = ways(&paged, kind);
            for way in &ways[1..] {
                // Products in f32 add up in another order where rows are few; keys of few bits can round the other way then.
                let bound = if kind == KvType::F32 { 2e-5 } else { 2e-2 };
                let difference = largest(way, &ways[0]);
                assert!(difference < bound, "{family} {kind:?}: {difference}");
            }
        }
    }
}

#[test]
fn with_packed_weights_they_do_not_change_a_bit() {
    for family in DECODERS {
        for scheme in [Scheme::Int8, Scheme::Int4(Int4Scheme::asymmetric(8)), Scheme::Bf16] {
            let quantizer = Quantizer::new(scheme).with_inputs(Inputs::Int8);
            let Ok(packed) = model(family).quantized(&quantizer, &[]) else { panic!("{family} cannot be packed as {scheme:?}") };
            let paged = PagedDecoder::new(packed.decoder(), 64).unwrap();
            for kind in [KvType::F32, KvType::Bf16, KvType::Int8] {
                let ways = ways(&paged, kind);
                assert!(ways[0].iter().all(|logit| logit.is_finite()));
                for (way, logits) in ways.iter().enumerate() {
                    assert!(logits == &ways[0], "{family} {scheme:?} {kind:?}: way {way}");
                }
            }
        }
    }
}

#[test]
fn an_adapter_of_peft_gives_its_logits_over_blocks() {
    let golden = Golden::read("llama/lora");
    let (ids, expected) = (golden.rows("ids.single").unwrap().concat(), golden.floats("logits.single").unwrap());
    let model = model("llama");
    let adapter = PagedAdapter::from_folder(model.decoder(), folder("llama/lora")).unwrap();
    let paged = PagedDecoder::new(model.decoder(), ids.len()).unwrap();
    let table = blocks(0, ids.len());
    let part = [Part { tokens: &ids, cached: 0, blocks: &table }];
    let mut cache = paged.new_cache(64, BLOCK, KvType::F32);
    assert!(largest(&adapted_step(&paged, &mut cache, &part, &[Some(&adapter)]), &expected) < TOLERANCE);
    assert!(largest(&step(&paged, &mut cache, &part), &expected) > 1e-2, "the adapter has to do something");
}

/// Sequences with two adapters and one with none, alone and in one step: logits of each.
fn alone_and_together(model: &PagedDecoder, adapters: [Option<&PagedAdapter>; 3]) -> [Vec<Vec<f32>>; 2] {
    let vocab = model.config().vocab_size as u32;
    let texts: Vec<Vec<u32>> = [9, 14, 5].iter().map(|&len| (0..len).map(|i| (i * 7 + len) % vocab).collect()).collect();
    let tables: Vec<Vec<u32>> = texts.iter().enumerate().map(|(row, text)| blocks(10 * row as u32, text.len())).collect();
    let parts: Vec<Part<'_>> = texts.iter().zip(&tables).map(|(tokens, blocks)| Part { tokens, cached: 0, blocks }).collect();
    let mut cache = model.new_cache(40, BLOCK, KvType::F32);
    let alone: Vec<_> =
        parts.chunks(1).zip(adapters.chunks(1)).map(|(part, adapter)| adapted_step(model, &mut cache, part, adapter)).collect();
    let all = adapted_step(model, &mut cache, &parts, &adapters);
    let mut rest = all.as_slice();
    let mut take = |count: usize| rest.split_off(..count).unwrap().to_vec();
    let together = alone.iter().map(|logits| take(logits.len())).collect();
    [alone, together]
}

#[test]
fn adapters_on_every_projection_act_on_their_own_sequences() {
    for family in ["llama", "qwen2", "gemma2"] {
        let plain = model(family);
        let [first, second] = [1, 2].map(|seed| adapted(plain.decoder(), 3, seed));
        let adapters = [&first, &second].map(|adapted| PagedAdapter::new(adapted).unwrap());
        assert_eq!(adapters[0].num_params(), first.num_params() - plain.decoder().num_params());
        let wanted = [Some(&adapters[0]), None, Some(&adapters[1])];
        let merged = [first.merge_lora(), plain.decoder().clone(), second.merge_lora()];
        let [alone, together] = alone_and_together(&PagedDecoder::new(plain.decoder(), 32).unwrap(), wanted);
        for (row, merged) in merged.iter().enumerate() {
            let [expected, _] = alone_and_together(&PagedDecoder::new(merged, 32).unwrap(), [None; 3]);
            let scale = expected[row].iter().fold(1.0_f32, |most, logit| most.max(logit.abs()));
            assert!(largest(&alone[row], &expected[row]) < 1e-5 * scale, "{family} {row}");
            assert!(largest(&together[row], &alone[row]) < 1e-5 * scale, "{family} {row}");
        }
        let packed = plain.quantized(&Quantizer::new(Scheme::Int8).with_inputs(Inputs::Int8), &[]).unwrap();
        let paged = PagedDecoder::new(packed.decoder(), 32).unwrap();
        let [alone, together] = alone_and_together(&paged, wanted);
        assert_eq!(together[1], alone[1], "{family}: company with adapters changes no bit of a sequence without");
        let [bare, _] = alone_and_together(&paged, [None; 3]);
        assert!(largest(&alone[0], &bare[0]) > 1e-2, "{family}: the adapter has to do something");
        for row in [0, 2] {
            let scale = alone[row].iter().fold(1.0_f32, |most, logit| most.max(logit.abs()));
            assert!(largest(&together[row], &alone[row]) < 2e-2 * scale, "{family} {row}");
        }
    }
}

#[test]
#[should_panic(expected = "another model's")]
fn an_adapter_of_another_model_is_not_taken() {
    let decoder = model("gemma2").decoder().clone().with_lora(&LoraConfig::new(2)).unwrap();
    let adapter = PagedAdapter::new(&decoder).unwrap();
    let paged = PagedDecoder::new(model("gpt2").decoder(), 32).unwrap();
    adapted_step(&paged, &mut paged.new_cache(4, BLOCK, KvType::F32), &[Part { tokens: &[1], cached: 0, blocks: &[0] }], &[Some(&adapter)]);
}
