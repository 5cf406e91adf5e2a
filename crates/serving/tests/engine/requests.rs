use std::time::Duration;

use jarre_core::FinishReason;
use jarre_serving::{Error, Finish, Request, SamplingParams, StopReason};
use jarre_transformer::generate::{CausalLm, Sampled};

use crate::fixture::{answer, family, options, options_with, prompt, run, shipped};

fn text(words: &str) -> Request {
    let ids = shipped().tokenizer().encode(words).unwrap();
    Request::new(ids).with_sampling(SamplingParams::greedy()).with_max_tokens(24)
}

#[test]
fn a_stop_text_ends_an_answer_wherever_tokens_are_cut() {
    let model = shipped();
    let free = &answer(&model, &options(), &[text("The borrow checker")])[0].answers[&0];
    let (middle, end) = (free.text.floor_char_boundary(free.text.len() / 2), free.text.floor_char_boundary(free.text.len() / 2 + 4));
    let stop = &free.text[middle..end];
    let before = &free.text[..free.text.find(stop).unwrap()];
    let request = text("The borrow checker").with_stop(["never to be found", stop]);
    let stopped = &answer(&model, &options(), std::slice::from_ref(&request))[0].answers[&0];
    assert_eq!(stopped.text, before);
    assert_eq!(stopped.finish, Some(Finish { reason: FinishReason::Stop, stop: Some(StopReason::Text(stop.to_owned())) }));
    assert!(stopped.tokens.len() < free.tokens.len());
    let included = &answer(&model, &options(), &[request.with_include_stop(true)])[0].answers[&0];
    assert_eq!(included.text, format!("{before}{stop}"));
}

#[test]
fn a_token_ends_an_answer_and_min_tokens_holds_it_off() {
    let model = shipped();
    let free = answer(&model, &options(), &[text("fn main() {")])[0].ids();
    let ending = free[5];
    let first = free.iter().position(|&id| id == ending).unwrap();
    let params = SamplingParams::greedy().with_stop_token_ids([ending]);
    let stopped = &answer(&model, &options(), &[text("fn main() {").with_sampling(params.clone())])[0];
    assert_eq!(stopped.ids(), free[..=first]);
    assert_eq!(stopped.answers[&0].finish, Some(Finish { reason: FinishReason::Stop, stop: Some(StopReason::Token(ending)) }));
    let later = &answer(&model, &options(), &[text("fn main() {").with_sampling(params.with_min_tokens(first + 3))])[0];
    assert!(later.ids().len() >= first + 3 && !later.ids()[..first + 3].contains(&ending));
    let cut_off = &answer(&model, &options(), &[text("fn main() {").with_max_tokens(4)])[0];
    assert_eq!(cut_off.answers[&0].finish, Some(Finish { reason: FinishReason::Length, stop: None }));
    assert_eq!(cut_off.ids(), free[..4]);
}

#[test]
fn texts_of_chunks_make_the_text_of_the_tokens() {
    let model = shipped();
    let answered = &answer(&model, &options(), &[text("Café — naïve").with_max_tokens(60)])[0];
    let text = model.tokenizer().decode(&answered.ids()).unwrap();
    assert_eq!(answered.answers[&0].text.trim_start(), text.trim_start());
}

/// Every place of a prompt, however it is cut, beside the model without a cache.
#[test]
fn prompts_are_scored_place_by_place() {
    let model = family("llama");
    let vocab = model.causal().config().vocab_size;
    let tokens = prompt(3, 21, vocab);
    let logits = model.causal().all_logits(&tokens).unwrap();
    for budget in [4, 512] {
        let options = options_with(|options| (options.max_num_batched_tokens, options.max_num_seqs) = (budget, 4));
        let request = Request::new(tokens.clone()).with_prompt_logprobs(3).with_max_tokens(2).with_ignore_eos(true);
        let plain = Request::new(tokens.clone()).with_max_tokens(2).with_ignore_eos(true);
        // The second finds the prompt cached and is scored all the same.
        let answered = answer(&model, &options, &[plain, request.clone(), request]);
        assert!(answered[0].prompt.is_empty());
        for scored in &answered[1..] {
            assert_eq!(scored.prompt.len(), tokens.len() - 1);
            for (place, score) in scored.prompt.iter().enumerate() {
                let expected = Sampled::given(tokens[place + 1], &logits[place * vocab..(place + 1) * vocab], 3).unwrap();
                assert_eq!(score.id, expected.id);
                assert!((score.logprob - expected.logprob).abs() < 1e-4);
                assert_eq!(score.top_logprobs.len(), 3);
            }
        }
    }
}

#[test]
fn what_cannot_be_answered_is_refused_with_the_numbers() {
    let model = family("llama");
    let small = options_with(|options| (options.max_model_len, options.max_waiting, options.max_n) = (Some(40), 2, 3));
    let mut core = model.engine(&small).unwrap();
    let mut refuse = |request: Request| core.add(request, Duration::from_secs(9)).unwrap_err();
    let request = || Request::new(prompt(1, 30, 50));
    assert!(matches!(refuse(request().with_max_tokens(11)), Error::TooLong { prompt: 30, answer: 11, limit: 40 }));
    assert!(matches!(refuse(Request::new(prompt(1, 40, 50))), Error::TooLong { prompt: 40, answer: 1, limit: 40 }));
    assert!(matches!(refuse(request().with_deadline(Duration::from_secs(9))), Error::Deadline));
    for (wrong, says) in [
        (Request::new([]), "the prompt is empty"),
        (request().with_n(0), "n is 0; it has to be 1 to 3"),
        (request().with_n(4), "n is 4"),
        (request().with_max_tokens(0), "max_tokens is 0"),
        (request().with_stop([""]), "stop is an empty string"),
        (request().with_sampling(SamplingParams::default().with_min_tokens(11)), "min_tokens is 11, and answers have at most 10"),
        (request().with_sampling(SamplingParams::default().with_temperature(-1.0)), "temperature is -1"),
        (Request::new([u32::MAX]), "beyond the vocabulary"),
    ] {
        let error = refuse(wrong).to_string();
        assert!(error.contains(says), "{error}");
    }
    core.add(request(), Duration::ZERO).unwrap();
    core.add(request(), Duration::ZERO).unwrap();
    assert!(matches!(core.add(request(), Duration::ZERO).unwrap_err(), Error::QueueFull { waiting: 2, limit: 2 }));
    assert_eq!(run(&mut core).len(), 2);
}

#[test]
fn deadlines_and_cancellations_free_their_blocks_between_steps() {
    let model = family("llama");
    let mut core = model.engine(&options()).unwrap();
    let request = |seed| Request::new(prompt(seed, 12, 50)).with_max_tokens(40).with_ignore_eos(true);
    let late = core.add(request(1).with_deadline(Duration::from_millis(5)), Duration::ZERO).unwrap();
    let gone = core.add(request(2).with_n(3), Duration::ZERO).unwrap();
    let stays = core.add(request(3), Duration::ZERO).unwrap();
    for _ in 0..3 {
        core.step(&|| Duration::from_millis(2));
    }
    assert!(core.cancel(gone) && !core.cancel(gone));
    let answered = run(&mut core);
    assert_eq!(answered[&late].failure.as_deref(), Some("the deadline of the request has passed"));
    assert!(!answered.contains_key(&gone));
    assert_eq!(answered[&stays].stats.unwrap().usage.completion_tokens, 40);
}

#[test]
fn statistics_tell_the_times_of_a_request() {
    let model = family("llama");
    let request = Request::new(prompt(1, 12, 50)).with_max_tokens(5).with_ignore_eos(true);
    let stats = answer(&model, &options(), &[request])[0].stats.unwrap();
    let ms = Duration::from_millis;
    assert_eq!((stats.arrived, stats.scheduled, stats.first_token, stats.finished), (ms(0), ms(1), ms(1), ms(5)));
    assert_eq!((stats.time_to_first_token(), stats.time_per_output_token(5), stats.time_per_output_token(1)), (ms(1), Some(ms(1)), None));
    assert_eq!((stats.usage.prompt_tokens, stats.usage.completion_tokens), (12, 5));
}
