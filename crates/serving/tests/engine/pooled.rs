use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jarre_core::testing::HashEmbedder;
use jarre_core::{Embedder, Error as CoreError, ErrorKind, Reranker};
use jarre_serving::{EngineCore, Error, ModelRunner, Output, PooledRequest, Request, RequestKey, RequestStats};
use jarre_transformer::{Device, SentenceEncoder};

use crate::fixture::{answer, family, options, options_with, prompt, tiny_folder};

/// What came of each request.
#[derive(Debug, Default)]
struct Came {
    rows: Vec<Vec<f32>>,
    tokens: Vec<u32>,
    stats: Option<RequestStats>,
    failure: Option<Error>,
    /// The step in which it ended.
    step: u64,
}

fn run<R: ModelRunner>(core: &mut EngineCore<R>) -> HashMap<RequestKey, Came> {
    let (mut came, time): (HashMap<RequestKey, Came>, _) = (HashMap::new(), Cell::new(0));
    while !core.is_idle() {
        time.set(time.get() + 1);
        assert!(time.get() < 10_000, "the engine comes to an end");
        for (key, output) in core.step(&|| Duration::from_millis(time.get())) {
            let entry = came.entry(key).or_default();
            entry.step = time.get();
            match output {
                Output::Pooled(rows) => entry.rows.extend(rows),
                Output::Chunk(chunk) => entry.tokens.extend(chunk.tokens.iter().map(|token| token.id)),
                Output::Done(stats) => entry.stats = Some(stats),
                Output::Failed(error) => entry.failure = Some(error),
                other => panic!("{other:?}"),
            }
        }
    }
    let stats = core.stats();
    assert_eq!((stats.running, stats.waiting, stats.blocks_free), (0, 0, stats.blocks));
    came
}

fn texts() -> Vec<String> {
    let words = ["vector", "index", "block", "cache", "token", "prompt"];
    (0..40).map(|i| (0..=i * 7 % 23).map(|j| words[(i + j) % 6]).collect::<Vec<_>>().join(" ")).collect()
}

fn words(texts: &[String]) -> Vec<usize> {
    texts.iter().map(|text| text.split(' ').count()).collect()
}

fn generation(seed: u32) -> Request {
    Request::new(prompt(seed, 30, 50)).with_max_tokens(12).with_ignore_eos(true)
}

#[test]
fn vectors_beside_answers_are_those_of_the_encoder_and_answers_are_their_own() {
    let encoder = SentenceEncoder::from_folder(tiny_folder().join("../all-minilm-l6-v2-int8"), &Device::default()).unwrap();
    let (texts, encoder) = (texts(), Arc::new(encoder));
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let wanted = encoder.embed(&borrowed).unwrap();
    let model = family("llama");
    let options = options_with(|options| (options.max_num_seqs, options.max_num_batched_tokens) = (8, 40));
    let alone = answer(&model, &options, &[generation(1), generation(2)]);

    let mut core = model.engine(&options).unwrap();
    let first = core.add(generation(1), Duration::ZERO).unwrap();
    let request = PooledRequest::embedding(encoder, texts.clone(), words(&texts)).with_priority(0);
    let (tokens, vectors) = (request.tokens(), core.add_pooled(request, Duration::ZERO).unwrap());
    let second = core.add(generation(2), Duration::ZERO).unwrap();
    let came = run(&mut core);
    assert_eq!((&came[&first].tokens, &came[&second].tokens), (&alone[0].ids(), &alone[1].ids()));
    let rows = &came[&vectors].rows;
    assert_eq!(rows.len(), texts.len());
    for (row, wanted) in rows.iter().zip(wanted.rows()) {
        let apart = row.iter().zip(wanted).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-5, "{apart}");
    }
    let stats = came[&vectors].stats.unwrap();
    assert_eq!((stats.usage.prompt_tokens, stats.usage.completion_tokens), (tokens as u64, 0));
    assert!(stats.scheduled <= stats.finished && stats.finished > Duration::from_millis(tokens as u64 / 40), "every token was paid for");
}

/// Notes how much is computed at a time.
struct Counted {
    largest: Arc<AtomicUsize>,
}

impl Reranker for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    fn score(&self, query: &str, candidates: &[&str]) -> jarre_core::Result<Vec<f32>> {
        let words: usize = candidates.iter().map(|candidate| candidate.split(' ').count()).sum();
        self.largest.fetch_max(words, Ordering::SeqCst);
        Ok(candidates.iter().map(|candidate| (query.len() * 100 + candidate.len()) as f32).collect())
    }
}

#[test]
fn a_long_request_lets_others_pass_between_its_groups() {
    let largest = Arc::new(AtomicUsize::new(0));
    let scorer = || Arc::new(Counted { largest: Arc::clone(&largest) });
    let mut core =
        family("llama").engine(&options_with(|options| (options.max_num_seqs, options.max_num_batched_tokens) = (4, 32))).unwrap();
    let many: Vec<(String, String)> = (0..200).map(|i| ("q".repeat(1 + i % 2), "word ".repeat(9) + "end")).collect();
    let long = core.add_pooled(PooledRequest::scoring(scorer(), many.clone(), vec![10; 200]), Duration::ZERO).unwrap();
    let short = core.add_pooled(PooledRequest::scoring(scorer(), many[..2].to_vec(), vec![10; 2]), Duration::ZERO).unwrap();
    let prompt = core.add(generation(1), Duration::ZERO).unwrap();
    let came = run(&mut core);
    assert!(came[&short].step <= 5 && came[&prompt].step <= 20, "{} {}", came[&short].step, came[&prompt].step);
    assert!(came[&long].step >= 60, "2,000 tokens at 32 a step");
    let wanted: Vec<Vec<f32>> = many.iter().map(|(query, candidate)| vec![(query.len() * 100 + candidate.len()) as f32]).collect();
    assert_eq!(came[&long].rows, wanted);
    assert!(largest.load(Ordering::SeqCst) <= 32, "no group has more than a step's tokens");
}

#[test]
fn a_step_that_only_pools_reads_no_model_and_one_text_may_be_longer_than_a_step() {
    let mut core =
        family("llama").engine(&options_with(|options| (options.max_num_seqs, options.max_num_batched_tokens) = (4, 16))).unwrap();
    let request = PooledRequest::embedding(Arc::new(HashEmbedder::new(8, 512)), vec!["a".to_owned(), "b".to_owned()], vec![100, 0]);
    let key = core.add_pooled(request, Duration::ZERO).unwrap();
    let came = run(&mut core);
    assert_eq!((came[&key].rows.len(), came[&key].step), (2, 8), "7 steps for 100 tokens, and one more for the second");
}

#[test]
fn what_goes_wrong_fails_its_own_request() {
    let mut core = family("llama").engine(&options()).unwrap();
    let now = Duration::ZERO;
    assert!(matches!(core.add_pooled(PooledRequest::new(vec![], |_| Ok(Vec::new())), now), Err(Error::Invalid(_))));
    let late = PooledRequest::new(vec![1], |_| Ok(Vec::new())).with_deadline(now);
    assert!(matches!(core.add_pooled(late, now), Err(Error::Deadline)));

    let refusing = PooledRequest::new(vec![1], |_| Err(CoreError::new(ErrorKind::InvalidRequest, "no such text")));
    let refusing = core.add_pooled(refusing, now).unwrap();
    let short = core.add_pooled(PooledRequest::new(vec![1, 1], |_| Ok(vec![vec![1.0]])), now).unwrap();
    let broken = core.add_pooled(PooledRequest::new(vec![1], |_| panic!("a defect")), now).unwrap();
    let expiring = PooledRequest::new(vec![10_000; 3], |inputs| Ok(inputs.map(|_| Vec::new()).collect()));
    let expiring = core.add_pooled(expiring.with_deadline(Duration::from_millis(30)), now).unwrap();
    let cancelled = core.add_pooled(PooledRequest::new(vec![1], |_| panic!("nobody asks for it")), now).unwrap();
    assert!(core.cancel(cancelled) && !core.cancel(cancelled));
    let answered = core.add(generation(1), now).unwrap();
    let came = run(&mut core);
    assert!(matches!(&came[&refusing].failure, Some(Error::Encoder(error)) if error.kind() == ErrorKind::InvalidRequest));
    assert!(matches!(&came[&short].failure, Some(Error::Engine(told)) if told.contains("1 rows for 2 inputs")));
    assert!(matches!(&came[&broken].failure, Some(Error::Engine(told)) if told.contains("defect")));
    assert!(matches!(came[&expiring].failure, Some(Error::Deadline)));
    assert_eq!((came[&answered].tokens.len(), came.contains_key(&cancelled)), (12, false));
}

#[test]
fn inputs_count_in_the_queue() {
    let mut core = family("llama").engine(&options_with(|options| options.max_waiting = 2)).unwrap();
    let pooled = || PooledRequest::new(vec![3], |_| Ok(vec![vec![0.0]]));
    core.add_pooled(pooled(), Duration::ZERO).unwrap();
    core.add(generation(1), Duration::ZERO).unwrap();
    assert!(matches!(core.add_pooled(pooled(), Duration::ZERO), Err(Error::QueueFull { waiting: 2, limit: 2 })));
    assert!(matches!(core.add(generation(1), Duration::ZERO), Err(Error::QueueFull { waiting: 2, limit: 2 })));
    run(&mut core);
    assert!(core.add_pooled(pooled(), Duration::ZERO).is_ok());
}
