use std::ops::ControlFlow;
use std::time::Duration;

use jarre_serving::{KvType, Model, NgramProposer, Request, SamplingParams, ServeOptions, Speculative};
use jarre_transformer::generate::{StopCriteria, generate};
use jarre_transformer::quantize::{Int4Scheme, Quantizer, Scheme};

use crate::fixture::{Answered, FAMILIES, answer, family, options, options_with, prompt, run, shipped};

/// Requests of different lengths, greedy and drawn.
fn requests(vocab: usize) -> Vec<Request> {
    let params = |i: u64| match i % 3 {
        0 => SamplingParams::greedy(),
        1 => SamplingParams::default().with_seed(i).with_top_p(0.9),
        _ => SamplingParams::default().with_seed(i).with_temperature(0.7).with_repeat_penalty(1.2),
    };
    let request = |i: u32| {
        let len = 3 + (i as usize * 7) % 23;
        Request::new(prompt(i, len, vocab)).with_sampling(params(u64::from(i))).with_max_tokens(6 + i as usize % 5).with_ignore_eos(true)
    };
    (0..9).map(request).collect()
}

/// The tokens that each request gets when it is alone.
fn alone(model: &Model, options: &ServeOptions, requests: &[Request]) -> Vec<Vec<u32>> {
    requests.iter().map(|request| answer(model, options, std::slice::from_ref(request))[0].ids()).collect()
}

fn together(model: &Model, options: &ServeOptions, requests: &[Request]) -> Vec<Vec<u32>> {
    answer(model, options, requests).iter().map(Answered::ids).collect()
}

/// A model by itself, in company, in chunks, with little memory, and with proposals.
pub(crate) fn check(model: &Model, what: &str) {
    let requests = requests(model.causal().config().vocab_size);
    let expected = alone(model, &options(), &requests);
    assert_eq!(together(model, &options(), &requests), expected, "{what}: in company");

    let chunks = options_with(|options| (options.max_num_batched_tokens, options.max_num_seqs) = (5, 5));
    assert_eq!(together(model, &chunks, &requests), expected, "{what}: in chunks");

    let cramped = options_with(|options| options.kv_cache_bytes = blocks_of(model, options.block_size, 14));
    let mut core = model.engine(&cramped).unwrap();
    let keys: Vec<_> = requests.iter().map(|request| core.add(request.clone(), Duration::ZERO).unwrap()).collect();
    let answered = run(&mut core);
    assert!(core.stats().preemptions > 0, "{what}: memory was to be short");
    let ids: Vec<Vec<u32>> = keys.iter().map(|key| answered[key].ids()).collect();
    assert_eq!(ids, expected, "{what}: preempted");

    let proposer = NgramProposer { max_ngram: 3, min_ngram: 1, tokens: 3 };
    let proposing = options_with(|options| options.speculative = Some(Speculative::Ngram(proposer)));
    assert_eq!(together(model, &proposing, &requests), expected, "{what}: with proposals");
}

/// Bytes of so many blocks.
fn blocks_of(model: &Model, block_size: usize, blocks: usize) -> usize {
    let config = model.causal().config();
    let numbers = config.head_width() * block_size.next_multiple_of(16) + config.head_width().next_multiple_of(16) * block_size;
    blocks * config.n_layers * config.kv_heads() * numbers * 4
}

#[test]
fn answers_of_every_family_depend_on_the_request_alone() {
    for name in FAMILIES {
        check(&family(name), name);
    }
}

#[test]
fn so_do_those_of_packed_models_with_every_kind_of_cache() {
    for scheme in [Scheme::Int8, Scheme::Int4(Int4Scheme::symmetric(32)), Scheme::Bf16] {
        let model = shipped().quantized(&Quantizer::new(scheme), &[]).unwrap();
        let requests = requests(model.causal().config().vocab_size);
        for kv_type in [KvType::F32, KvType::Bf16, KvType::Int8] {
            let options = options_with(|options| options.kv_type = kv_type);
            let mut small = options.clone();
            (small.max_num_batched_tokens, small.max_num_seqs) = (7, 7);
            let expected = alone(&model, &options, &requests);
            assert_eq!(together(&model, &options, &requests), expected, "{scheme:?} {kv_type:?}");
            assert_eq!(together(&model, &small, &requests), expected, "{scheme:?} {kv_type:?} in chunks");
        }
        check(&model, &format!("{scheme:?}"));
    }
}

/// Beside `generate`, which has no paged cache.
#[test]
fn the_shipped_model_answers_as_without_an_engine() {
    let model = shipped();
    let requests = requests(model.causal().config().vocab_size);
    for (request, ids) in requests.iter().zip(together(&model, &options(), &requests)) {
        let stop = StopCriteria::new(request.max_tokens.unwrap());
        let expected = generate(model.causal(), &request.prompt, &request.sampling, &stop, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(ids, expected.tokens);
    }
    check(&model, "jarre-tiny");
}

#[test]
fn a_prompt_that_is_cached_is_answered_as_a_cold_one() {
    let model = shipped();
    let vocab = model.causal().config().vocab_size;
    let system = prompt(1, 40, vocab);
    let request = |seed: u32| {
        let text = [system.clone(), prompt(seed, 9, vocab)].concat();
        Request::new(text).with_sampling(SamplingParams::greedy()).with_max_tokens(8).with_ignore_eos(true)
    };
    let mut core = model.engine(&options()).unwrap();
    let mut ask = |request: Request| {
        let key = core.add(request, Duration::ZERO).unwrap();
        run(&mut core).remove(&key).unwrap()
    };
    for seed in [2, 3, 2] {
        let warm = ask(request(seed));
        assert_eq!(warm.ids(), alone(&model, &options(), &[request(seed)])[0]);
        let cached = warm.stats.unwrap().usage.cached_tokens;
        assert!(if seed == 2 && cached == 0 { true } else { cached >= 40 }, "{cached} tokens were found");
    }
    let salted = ask(request(2).with_cache_salt("another tenant"));
    assert_eq!(salted.stats.unwrap().usage.cached_tokens, 0, "tenants share nothing");
}

#[test]
fn several_answers_are_those_of_several_requests() {
    let model = shipped();
    let vocab = model.causal().config().vocab_size;
    let request = |seed: u64| {
        let sampling = SamplingParams::default().with_seed(seed);
        Request::new(prompt(5, 18, vocab)).with_sampling(sampling).with_max_tokens(9).with_ignore_eos(true)
    };
    let four = &answer(&model, &options(), &[request(70).with_n(4)])[0];
    let single: Vec<Request> = (70..74).map(request).collect();
    let expected = alone(&model, &options(), &single);
    assert_eq!((0..4).map(|index| four.ids_of(index)).collect::<Vec<_>>(), expected);
    assert_eq!(four.stats.unwrap().usage.completion_tokens, 36);
    assert_eq!(four.stats.unwrap().usage.prompt_tokens, 18);
}
