use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jarre_serving::{
    DraftModel, DraftOptions, KvType, Model, Observer, Proposer, Request, Result, SamplingParams, ServeOptions, Speculative, Text,
};
use jarre_transformer::quantize::{Int4Scheme, Quantizer, Scheme};

use crate::fixture::{Answered, FAMILIES, answer, family, options, options_with, prompt, run, shipped};

fn drafting(model: &Arc<Model>, edit: impl FnOnce(&mut DraftOptions)) -> ServeOptions {
    let mut draft = DraftOptions::default();
    (draft.kv_type, draft.kv_cache_bytes) = (KvType::F32, 4 << 20);
    edit(&mut draft);
    options_with(|options| options.speculative = Some(Speculative::Draft(Arc::clone(model), draft)))
}

fn requests(vocab: usize) -> Vec<Request> {
    let request = |i: u32| {
        let sampling = if i.is_multiple_of(2) { SamplingParams::greedy() } else { SamplingParams::default().with_seed(u64::from(i)) };
        let prompt = prompt(i, 2 + i as usize * 5 % 33, vocab);
        Request::new(prompt)
            .with_sampling(sampling)
            .with_max_tokens(7 + i as usize % 6)
            .with_ignore_eos(true)
            .with_n(1 + i as usize % 3 / 2)
    };
    (0..8).map(request).collect()
}

fn all(answered: &[Answered]) -> Vec<Vec<Vec<u32>>> {
    answered.iter().map(|answered| answered.answers.keys().map(|index| answered.ids_of(*index)).collect()).collect()
}

#[test]
fn a_draft_model_changes_no_token_of_any_family() {
    for name in FAMILIES {
        let model = family(name);
        let requests = requests(model.causal().config().vocab_size);
        let expected = all(&answer(&model, &options(), &requests));
        let itself = Arc::new(family(name));
        assert_eq!(all(&answer(&model, &drafting(&itself, |_| ()), &requests)), expected, "{name}");
    }
}

#[test]
fn nor_does_one_that_is_short_of_memory_or_time() {
    let (model, draft) = (shipped(), shipped().quantized(&Quantizer::new(Scheme::Int4(Int4Scheme::symmetric(32))), &[]).unwrap());
    let (draft, requests) = (Arc::new(draft), requests(model.causal().config().vocab_size));
    let expected = all(&answer(&model, &options(), &requests));
    let no_room = drafting(&draft, |draft| draft.kv_cache_bytes = 300 << 10);
    assert_eq!(all(&answer(&model, &no_room, &requests)), expected);
    let slow = drafting(&draft, |draft| (draft.max_num_batched_tokens, draft.tokens) = (3, 2));
    assert_eq!(all(&answer(&model, &slow, &requests)), expected);
    let mut chunks = drafting(&draft, |_| ());
    (chunks.max_num_batched_tokens, chunks.max_num_seqs) = (7, 7);
    assert_eq!(all(&answer(&model, &chunks, &requests)), expected);
}

/// Counts proposals.
#[derive(Default)]
struct Counts {
    proposed: AtomicUsize,
    accepted: AtomicUsize,
    steps: AtomicUsize,
}

struct Counter(Arc<Counts>);

impl Observer for Counter {
    fn speculated(&mut self, proposed: usize, accepted: usize) {
        self.0.proposed.fetch_add(proposed, Ordering::Relaxed);
        self.0.accepted.fetch_add(accepted, Ordering::Relaxed);
    }

    fn step(&mut self, _: jarre_serving::StepStats, _: Duration, _: &jarre_serving::SchedulerStats) {
        self.0.steps.fetch_add(1, Ordering::Relaxed);
    }
}

/// Proposals, those that were taken, and steps of one greedy answer of 33 tokens.
fn count(model: &Model, options: &ServeOptions) -> (usize, usize, usize) {
    let mut core = model.engine(options).unwrap();
    let counts = Arc::new(Counts::default());
    core.observe(Box::new(Counter(Arc::clone(&counts))));
    let request = Request::new(prompt(3, 9, 300)).with_sampling(SamplingParams::greedy()).with_max_tokens(33).with_ignore_eos(true);
    core.add(request, Duration::ZERO).unwrap();
    run(&mut core);
    (counts.proposed.load(Ordering::Relaxed), counts.accepted.load(Ordering::Relaxed), counts.steps.load(Ordering::Relaxed))
}

#[test]
fn a_draft_that_thinks_alike_saves_four_steps_of_five() {
    let model = shipped();
    assert_eq!(count(&model, &options()), (0, 0, 33));
    let itself = Arc::new(shipped());
    // A step for the prompt, six of five tokens, and one for the last two, of which one was proposed.
    assert_eq!(count(&model, &drafting(&itself, |_| ())), (25, 25, 8));
}

#[test]
fn a_draft_of_another_vocabulary_is_refused() {
    let error = shipped().engine(&drafting(&Arc::new(family("llama")), |_| ())).unwrap_err();
    assert!(error.to_string().contains("cannot propose"), "{error}");
    let none = DraftModel::new(&shipped(), shipped().causal().config().vocab_size, {
        let mut options = DraftOptions::default();
        options.tokens = 0;
        options
    });
    assert!(none.is_err());
}

/// Proposes nonsense, and notes what it is asked.
#[derive(Clone, Debug, Default)]
struct Liar(Arc<Mutex<usize>>);

impl Proposer for Liar {
    fn propose(&mut self, texts: &[Text<'_>]) -> Result<Vec<Vec<u32>>> {
        let mut calls = self.0.lock().unwrap();
        *calls += 1;
        if calls.is_multiple_of(3) {
            return Err(jarre_serving::Error::Engine("no idea".to_owned()));
        }
        Ok(texts.iter().map(|text| vec![text.tokens[0], 1, 2, 3, 4, 5, 6, 7, 8, 9]).collect())
    }
}

#[test]
fn whatever_is_proposed_and_however_it_fails_answers_are_the_same() {
    let model = shipped();
    let requests = requests(model.causal().config().vocab_size);
    let expected = all(&answer(&model, &options(), &requests));
    let (mut core, liar) = (model.engine(&options()).unwrap(), Liar::default());
    core.speculate(Box::new(liar.clone()));
    let keys: Vec<_> = requests.iter().map(|request| core.add(request.clone(), Duration::ZERO).unwrap()).collect();
    let mut answered = run(&mut core);
    let answered: Vec<Answered> = keys.iter().map(|key| answered.remove(key).unwrap()).collect();
    assert_eq!(all(&answered), expected);
    assert!(*liar.0.lock().unwrap() > 6);
}
