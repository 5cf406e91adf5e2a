//! Decoders cut over several workers, beside the same decoders in one process.
#![expect(clippy::unwrap_used, reason = "tests")]

mod adapted;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use adapted::adapted;
use burn::tensor::Device;
use jarre_kernels::Inputs;
use jarre_quant::Int4Scheme;
use jarre_transformer::collective::{Collective, Communicator, Rendezvous, RingConfig};
use jarre_transformer::paged::{KvType, PagedAdapter, PagedBatch, PagedDecoder, ShardConfig, ShardedDecoder};
use jarre_transformer::quantize::{Method, Quantizer, Scheme};
use jarre_transformer::{CausalModel, Decoder, DecoderConfig, Error, Result, int8};

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
const MAX_LEN: usize = 64;

fn folder(family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families").join(family)
}

fn model(family: &str) -> CausalModel {
    CausalModel::from_folder(folder(family), &Device::default()).unwrap()
}

/// Does `work` on every worker of a ring, each in a thread of its own; the results by rank.
fn on_all<T: Send>(world: usize, work: impl Fn(Communicator) -> T + Sync) -> Vec<T> {
    let config = |rank, address| RingConfig::new(rank, world, address).with_timeout(Duration::from_mins(2));
    let rendezvous = Rendezvous::bind(&config(0, "127.0.0.1:0".parse().unwrap())).unwrap();
    let address = rendezvous.address();
    thread::scope(|scope| {
        let (work, config) = (&work, &config);
        let first = scope.spawn(move || work(rendezvous.connect().unwrap()));
        let other = |rank| scope.spawn(move || work(Communicator::connect(&config(rank, address)).unwrap()));
        let others: Vec<_> = (1..world).map(other).collect();
        std::iter::once(first).chain(others).map(|worker| worker.join().unwrap()).collect()
    })
}

/// One for each of the sequences of [`steps`].
type EachOf<T> = [T; 3];

/// Whose sequences have no adapter.
const NONE: EachOf<Option<PagedAdapter>> = [const { None }; 3];

/// Prompts read in chunks of different lengths, then beside each other token by token: the logits of each sequence, step by step.
fn steps(
    vocab: usize,
    adapters: &EachOf<Option<PagedAdapter>>,
    mut forward: impl FnMut(&PagedBatch<'_>) -> Result<Vec<f32>>,
) -> Result<EachOf<Vec<f32>>> {
    let text = |seed: u32, len: u32| (0..len).map(|i| (i * 7 + seed) % vocab as u32).collect::<Vec<_>>();
    let texts = [text(3, 30), text(11, 22), text(5, 8)];
    let tables: EachOf<Vec<u32>> = [(0..8).rev().collect(), (10..16).collect(), vec![9, 8]];
    let mut logits = EachOf::<Vec<f32>>::default();
    // How far each sequence is known after a step.
    let plan = [[13, 0, 0], [17, 9, 5], [18, 19, 6], [19, 20, 7], [30, 22, 8]];
    let mut known = [0; 3];
    for ends in plan {
        let read: Vec<usize> = (0..3).filter(|&sequence| ends[sequence] > known[sequence]).collect();
        let new = |sequence: &usize| texts[*sequence][known[*sequence]..ends[*sequence]].iter();
        let tokens: Vec<u32> = read.iter().flat_map(new).copied().collect();
        let owners: Vec<usize> = read.iter().flat_map(|sequence| new(sequence).map(|_| *sequence)).collect();
        let mut query_starts = vec![0];
        query_starts.extend((1..=tokens.len()).filter(|&row| owners.get(row) != owners.get(row - 1)));
        let outputs: Vec<usize> = (0..tokens.len()).filter(|row| row % 3 > 0 || query_starts.contains(&(row + 1))).collect();
        let batch = PagedBatch {
            tokens: &tokens,
            query_starts: &query_starts,
            context_lens: &read.iter().map(|&sequence| ends[sequence]).collect::<Vec<_>>(),
            block_tables: &read.iter().map(|&sequence| tables[sequence].as_slice()).collect::<Vec<_>>(),
            adapters: &read.iter().map(|&sequence| adapters[sequence].as_ref()).collect::<Vec<_>>(),
            outputs: &outputs,
        };
        for (row, output) in forward(&batch)?.chunks_exact(vocab).zip(&outputs) {
            logits[owners[*output]].extend(row);
        }
        known = ends;
    }
    Ok(logits)
}

fn whole(decoder: &Decoder, kind: KvType, adapters: &EachOf<Option<PagedAdapter>>) -> EachOf<Vec<f32>> {
    let model = PagedDecoder::new(decoder, MAX_LEN).unwrap();
    let mut cache = model.new_cache(16, BLOCK, kind);
    steps(decoder.config().vocab_size, adapters, |batch| Ok(model.forward(&mut cache, batch))).unwrap()
}

fn part(
    decoder: &Decoder,
    kind: KvType,
    adapters: &EachOf<Option<PagedAdapter>>,
    collective: &mut dyn Collective,
) -> Result<EachOf<Vec<f32>>> {
    let model = ShardedDecoder::new(decoder, MAX_LEN, collective.rank(), collective.world_size())?;
    logits(&model, kind, adapters, collective)
}

/// The logits of a worker's part, and the others'.
fn logits(
    model: &ShardedDecoder,
    kind: KvType,
    adapters: &EachOf<Option<PagedAdapter>>,
    collective: &mut dyn Collective,
) -> Result<EachOf<Vec<f32>>> {
    let mut cache = model.new_cache(16, BLOCK, kind);
    let adapters = adapters.each_ref().map(|adapter| Some(model.read_adapter(&adapter.as_ref()?.to_words()).unwrap()));
    steps(model.config().vocab_size, &adapters, |batch| model.forward(&mut cache, batch, collective))
}

/// The largest difference of any worker's logits from those of one process, for each sequence.
fn differences(decoder: &Decoder, kind: KvType, adapters: &EachOf<Option<PagedAdapter>>, world: usize) -> EachOf<f32> {
    let expected = whole(decoder, kind, adapters);
    let parts = on_all(world, |mut communicator| part(decoder, kind, adapters, &mut communicator).unwrap());
    assert!(parts.iter().all(|part| *part == parts[0]), "all workers have the same logits");
    std::array::from_fn(|sequence| largest(&parts[0][sequence], &expected[sequence]))
}

fn difference(decoder: &Decoder, kind: KvType, world: usize) -> f32 {
    differences(decoder, kind, &NONE, world).into_iter().fold(0.0, f32::max)
}

fn largest(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Two adapters, and a sequence without.
fn two_adapters(decoder: &Decoder) -> EachOf<Option<PagedAdapter>> {
    let adapter = |rank, seed| Some(PagedAdapter::new(&adapted(decoder, rank, seed)).unwrap());
    [adapter(3, 1), None, adapter(5, 2)]
}

/// Numbers of workers that the heads of a model can be cut over.
fn worlds(model: &CausalModel) -> impl Iterator<Item = usize> {
    let heads = model.config().kv_heads();
    [2, 4].into_iter().filter(move |world| heads.is_multiple_of(*world))
}

#[test]
fn every_family_has_the_logits_of_one_process_in_f32() {
    for family in DECODERS {
        let model = model(family);
        for world in worlds(&model) {
            let difference = difference(model.decoder(), KvType::F32, world);
            println!("{family:20} {world} workers: {difference:.1e}");
            assert!(difference <= 1e-4, "{family} over {world} workers: {difference}");
        }
    }
}

#[test]
fn with_eight_bit_weights_and_inputs_it_has_them_to_the_bit() {
    for family in DECODERS {
        let packed = model(family).quantized(&Quantizer::new(Scheme::Int8).with_inputs(Inputs::Int8), &[]).unwrap();
        for world in worlds(&packed) {
            for kind in [KvType::F32, KvType::Bf16, KvType::Int8] {
                let difference = difference(packed.decoder(), kind, world);
                assert!(difference == 0.0, "{family} over {world} workers, {kind:?}: {difference}");
            }
        }
    }
}

#[test]
fn with_other_weights_it_has_them_to_the_rounding_of_sums() {
    let four_bits = Scheme::Int4(Int4Scheme::asymmetric(8));
    for family in DECODERS {
        for (scheme, inputs) in [(four_bits, Inputs::Float), (Scheme::Int8, Inputs::Float)] {
            let packed = model(family).quantized(&Quantizer::new(scheme).with_inputs(inputs), &[]).unwrap();
            for world in worlds(&packed) {
                let difference = difference(packed.decoder(), KvType::F32, world);
                assert!(difference <= 1e-4, "{family} {scheme:?} over {world} workers: {difference}");
            }
        }
    }
}

/// An input that lies between two integers, or two bfloat16, may be rounded to the other one where the sums before it were added up in
/// another order. That is seldom, and loses no more than rounding does anyhow.
#[test]
fn where_inputs_are_rounded_too_most_are_rounded_to_the_same() {
    let (mut same, mut other) = (0, 0);
    for family in DECODERS {
        for scheme in [Scheme::Int4(Int4Scheme::asymmetric(8)), Scheme::Bf16] {
            let packed = model(family).quantized(&Quantizer::new(scheme).with_inputs(Inputs::Int8), &[]).unwrap();
            for world in worlds(&packed) {
                let difference = difference(packed.decoder(), KvType::F32, world);
                println!("{family:20} {scheme:?} {world} workers: {difference:.1e}");
                assert!(difference <= 0.15, "{family} {scheme:?} over {world} workers: {difference}");
                *if difference <= 1e-4 { &mut same } else { &mut other } += 1;
            }
        }
    }
    assert!(same > 3 * other, "{same} with the same logits, {other} with others");
}

#[test]
fn adapters_have_the_logits_of_one_process_in_f32() {
    for family in DECODERS {
        let model = model(family);
        let adapters = two_adapters(model.decoder());
        let [with, without] = [&adapters, &NONE].map(|adapters| whole(model.decoder(), KvType::F32, adapters));
        assert!([0, 2].iter().all(|&sequence| largest(&with[sequence], &without[sequence]) > 1e-2), "{family}: they have to do something");
        for world in worlds(&model) {
            let differences = differences(model.decoder(), KvType::F32, &adapters, world);
            println!("{family:20} {world} workers: {differences:?}");
            assert!(differences.iter().all(|&difference| difference <= 1e-4), "{family} over {world} workers: {differences:?}");
        }
    }
}

/// What an adapter adds is a sum of floats, which may carry the next layer's inputs across a middle between two integers.
#[test]
fn with_eight_bit_weights_and_inputs_adapters_change_no_bit_of_others() {
    let (mut same, mut other) = (0, 0);
    for family in DECODERS {
        let packed = model(family).quantized(&Quantizer::new(Scheme::Int8).with_inputs(Inputs::Int8), &[]).unwrap();
        let adapters = two_adapters(model(family).decoder());
        for world in worlds(&packed) {
            let [first, plain, second] = differences(packed.decoder(), KvType::F32, &adapters, world);
            println!("{family:20} {world} workers: {first:.1e} and {second:.1e}");
            assert!(plain == 0.0, "{family} over {world} workers: {plain}");
            for difference in [first, second] {
                assert!(difference <= 0.15, "{family} over {world} workers: {difference}");
                *if difference <= 1e-4 { &mut same } else { &mut other } += 1;
            }
        }
    }
    assert!(same > 3 * other, "{same} with the same logits, {other} with others");
}

#[test]
fn with_other_weights_adapters_have_the_logits_of_one_process() {
    let four_bits = Scheme::Int4(Int4Scheme::asymmetric(8));
    for (scheme, family) in [(four_bits, "llama"), (Scheme::Int8, "qwen2"), (Scheme::Bf16, "gpt2")] {
        let adapters = two_adapters(model(family).decoder());
        let packed = model(family).quantized(&Quantizer::new(scheme).with_inputs(Inputs::Float), &[]).unwrap();
        let differences = differences(packed.decoder(), KvType::F32, &adapters, 2);
        assert!(differences.iter().all(|&difference| difference <= 1e-4), "{family} {scheme:?}: {differences:?}");
    }
}

#[test]
fn adapters_cost_no_further_exchange() {
    let model = model("llama_bias");
    let packed = model.clone().quantized(&Quantizer::new(Scheme::Int8).with_inputs(Inputs::Int8), &[]).unwrap();
    for decoder in [model.decoder(), packed.decoder()] {
        let operations = [&two_adapters(model.decoder()), &NONE].map(|adapters| {
            on_all(2, |mut communicator| {
                part(decoder, KvType::F32, adapters, &mut communicator).unwrap();
                communicator.stats().operations
            })
        });
        assert!(operations[0] == operations[1] && operations[0][0] > 0, "{operations:?}");
    }
}

#[test]
fn adapters_that_were_not_cut_for_a_worker_are_refused() {
    let model = model("llama");
    let whole = two_adapters(model.decoder());
    let stranger = two_adapters(self::model("qwen3").decoder());
    on_all(2, |mut communicator| {
        let part = |rank| ShardedDecoder::new(model.decoder(), MAX_LEN, rank, 2).unwrap();
        let (mine, other) = (part(communicator.rank()), part(1 - communicator.rank()));
        let theirs = whole.each_ref().map(|adapter| Some(other.adapter_part(adapter.as_ref()?).unwrap()));
        for adapters in [&whole, &theirs] {
            let mut cache = mine.new_cache(16, BLOCK, KvType::F32);
            let error = steps(96, adapters, |batch| mine.forward(&mut cache, batch, &mut communicator)).unwrap_err().to_string();
            assert!(error.contains("ShardedDecoder::adapter_part"), "{error}");
        }
        for adapter in [&theirs[0], &stranger[0]] {
            let error = mine.adapter_part(adapter.as_ref().unwrap()).unwrap_err().to_string();
            assert!(error.contains("whole adapters of the model"), "{error}");
        }
    });
}

/// That parts which `read` reads have the bits of parts that are cut out of a model.
fn check_read(model: &CausalModel, what: &str, world: usize, read: impl Fn(ShardConfig) -> Result<ShardedDecoder> + Sync) {
    let adapters = two_adapters(model.decoder());
    for adapters in [&NONE, &adapters] {
        let both = on_all(world, |mut communicator| {
            let cut = part(model.decoder(), KvType::F32, adapters, &mut communicator).unwrap();
            let read = read(ShardConfig::new(communicator.rank(), world, MAX_LEN)).unwrap();
            assert_eq!(read.place(), (communicator.rank(), world));
            (cut, logits(&read, KvType::F32, adapters, &mut communicator).unwrap())
        });
        assert!(both.iter().all(|(cut, read)| cut == read), "{what} over {world} workers");
    }
}

#[test]
fn parts_that_are_read_alone_are_those_of_the_whole_model() {
    let stored_otherwise = ["llama_bf16", "llama_f16", "llama_sharded"];
    for family in DECODERS.into_iter().chain(stored_otherwise) {
        let model = model(family);
        for world in worlds(&model) {
            check_read(&model, family, world, |part| part.read_folder(folder(family), &Device::default()));
        }
    }
}

#[test]
fn so_they_are_where_weights_are_packed_meanwhile() {
    let four_bits = Scheme::Int4(Int4Scheme::asymmetric(8));
    for family in DECODERS {
        for (scheme, inputs) in [(Scheme::Int8, Inputs::Int8), (four_bits, Inputs::Float), (Scheme::Bf16, Inputs::Float)] {
            let quantizer = Quantizer::new(scheme).with_inputs(inputs);
            let packed = CausalModel::from_folder_quantized(folder(family), &quantizer, &Device::default()).unwrap();
            for world in worlds(&packed) {
                let read = |part: ShardConfig| part.with_quantizer(quantizer).read_folder(folder(family), &Device::default());
                check_read(&packed, &format!("{family} {scheme:?}"), world, read);
            }
        }
    }
}

#[test]
fn so_they_are_of_gguf_files_and_of_folders_in_eight_bits() {
    let quantizer = Quantizer::new(Scheme::Int8);
    for family in ["gpt2", "llama", "qwen2", "phi3"] {
        let path = folder(family).join("model.gguf");
        let packed = CausalModel::from_gguf_quantized(&path, &quantizer, &Device::default()).unwrap();
        check_read(&packed, family, 2, |part| part.with_quantizer(quantizer).read_gguf(&path, &Device::default()));
        let float = CausalModel::from_gguf(&path, &Device::default()).unwrap();
        check_read(&float, family, 2, |part| part.read_gguf(&path, &Device::default()));
        let eight_bits = tempfile::tempdir().unwrap();
        int8::quantize_folder(&folder(family), eight_bits.path()).unwrap();
        let float = CausalModel::from_folder(eight_bits.path(), &Device::default()).unwrap();
        check_read(&float, family, 2, |part| part.read_folder(eight_bits.path(), &Device::default()));
    }
}

#[test]
fn what_cannot_be_cut_or_packed_is_refused_before_it_is_read() {
    let refusal = |family: &str, part: ShardConfig| part.read_folder(folder(family), &Device::default()).unwrap_err().to_string();
    let text = refusal("llama_mqa", ShardConfig::new(0, 2, MAX_LEN));
    assert!(text.contains("workers is 2; it has to be a divisor of the model's number of key heads, 1"), "{text}");
    assert!(refusal("llama", ShardConfig::new(2, 2, MAX_LEN)).contains("below the number of workers, 2"));
    let wide = ShardConfig::new(0, 4, MAX_LEN).with_quantizer(Quantizer::new(Scheme::Int4(Int4Scheme::symmetric(16))));
    assert!(refusal("llama", wide).contains("16"));
    let calibrated = Quantizer::new(Scheme::Int4(Int4Scheme::symmetric(8))).with_method(Method::Awq);
    assert!(refusal("llama", ShardConfig::new(0, 2, MAX_LEN).with_quantizer(calibrated)).contains("rounding to the nearest"));
}

/// A ring that offers sums alone, as devices do.
struct SumsAlone(Communicator);

impl Collective for SumsAlone {
    fn rank(&self) -> usize {
        self.0.rank()
    }

    fn world_size(&self) -> usize {
        self.0.world_size()
    }

    fn all_reduce_sum(&mut self, values: &mut [f32]) -> Result<()> {
        self.0.all_reduce_sum(values)
    }
}

#[test]
fn a_collective_that_only_sums_is_enough() {
    let packed = model("llama_bias").quantized(&Quantizer::new(Scheme::Int8).with_inputs(Inputs::Int8), &[]).unwrap();
    let expected = whole(packed.decoder(), KvType::F32, &NONE);
    let parts = on_all(2, |communicator| part(packed.decoder(), KvType::F32, &NONE, &mut SumsAlone(communicator)).unwrap());
    assert!(parts.iter().all(|part| *part == expected));
}

#[test]
fn operations_made_of_sums_are_those_of_the_ring() {
    let results = on_all(3, |communicator| {
        let rank = communicator.rank();
        let integers = [[i32::MAX - 9, -5, 7 << 12, -4096, 0], [4, -(1 << 30), -1, 4095, 0], [5, 1 << 29, -4096, 1, 0]][rank];
        let magnitudes = [[0.0, 3.0, f32::INFINITY, f32::NAN], [1e-30, 2.5, f32::MAX, 0.0], [0.0, 3.5, 1.0, f32::INFINITY]][rank];
        let mine = vec![rank as f32 + 0.5; rank * 2];
        let run = |collective: &mut dyn Collective| {
            let (mut sums, mut largest) = (integers, magnitudes);
            collective.all_reduce_sum_integers(&mut sums).unwrap();
            collective.all_reduce_max(&mut largest).unwrap();
            let wrong = collective.all_gather(&mine, &[0, 2, 4]).unwrap();
            (sums, largest.map(f32::to_bits).map(|bits| bits.min(f32::NAN.to_bits())), wrong)
        };
        let mut ring = communicator;
        let by_ring = run(&mut ring);
        (by_ring, run(&mut SumsAlone(ring)))
    });
    let sums = [i32::MAX, -5 - (1 << 30) + (1 << 29), (7 << 12) - 4097, 0, 0];
    let largest = [1e-30, 3.5, f32::INFINITY, f32::NAN].map(f32::to_bits);
    for (by_ring, by_sums) in results {
        assert_eq!(by_ring, (sums, largest, vec![vec![], vec![1.5; 2], vec![2.5; 4]]));
        assert_eq!(by_sums, by_ring);
    }
}

#[test]
fn what_cannot_be_cut_is_refused_with_what_could_be() {
    let refusal = |decoder: &Decoder, world| ShardedDecoder::new(decoder, MAX_LEN, 0, world).unwrap_err().to_string();
    let text = refusal(model("llama_mqa").decoder(), 2);
    assert!(text.contains("workers is 2; it has to be a divisor of the model's number of key heads, 1"), "{text}");
    assert!(refusal(model("llama3").decoder(), 4).contains("a divisor of the model's number of key heads, 2"));
    let narrow = DecoderConfig::new(100, 32, 4, 1, 3).init(&Device::default());
    assert!(refusal(&narrow, 4).contains("at most 3"));
    let grouped = model("llama").quantized(&Quantizer::new(Scheme::Int4(Int4Scheme::symmetric(16))), &[]);
    if let Ok(grouped) = grouped {
        assert!(refusal(grouped.decoder(), 4).contains("16"));
    }
    assert!(matches!(ShardedDecoder::new(model("llama").decoder(), MAX_LEN, 2, 2), Err(Error::InvalidSetting { .. })));
}

#[test]
fn a_part_among_other_workers_than_it_was_cut_for_is_refused() {
    let model = model("llama");
    let errors = on_all(2, |mut communicator| {
        let part = ShardedDecoder::new(model.decoder(), MAX_LEN, 1 - communicator.rank(), 2).unwrap();
        let mut cache = part.new_cache(16, BLOCK, KvType::F32);
        steps(96, &NONE, |batch| part.forward(&mut cache, batch, &mut communicator)).unwrap_err().to_string()
    });
    assert!(errors[0].contains("it has part 1 of 2"), "{errors:?}");
}

#[test]
fn a_worker_that_leaves_between_layers_is_named_and_nobody_hangs() {
    let model = model("llama");
    let results = on_all(4, |mut communicator| {
        if communicator.rank() == 2 {
            communicator.all_reduce_sum(&mut [0.0; 13 * 32]).unwrap();
            return None;
        }
        Some(part(model.decoder(), KvType::F32, &NONE, &mut communicator).unwrap_err())
    });
    for error in results.into_iter().flatten() {
        assert!(matches!(error, Error::Collective { .. }) && error.to_string().contains("rank 2"), "{error}");
    }
}
