use std::ops::ControlFlow;

use jarre_core::FinishReason;
use serde::{Deserialize, Serialize};

use super::model::{readable, rows};
use super::setting::refused;
use super::{CausalLm, Sampled, Sampler, SamplingParams};
use crate::error::Result;

/// When an answer ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StopCriteria {
    /// The most tokens of an answer.
    pub max_tokens: usize,
    /// The model's end-of-sequence tokens; none lets it go on. More can be named in
    /// [`SamplingParams::stop_token_ids`].
    pub eos_token_ids: Vec<u32>,
}

/// One of several prompts that are answered together.
#[derive(Clone, Copy, Debug)]
pub struct GenerationRequest<'a> {
    /// At least one token.
    pub prompt: &'a [u32],
    /// How its tokens are chosen.
    pub params: &'a SamplingParams,
    /// When its answer ends.
    pub stop: &'a StopCriteria,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// Its tokens, without the prompt and without the token that ended it.
    pub tokens: Vec<u32>,
    /// The model's own log-probability of each.
    pub logprobs: Vec<f32>,
    /// [`Stop`](FinishReason::Stop) where a token ended it or the caller did, [`Length`](FinishReason::Length) where `max_tokens` or the
    /// model's last position was reached.
    pub finish_reason: FinishReason,
    /// The token that ended it.
    pub stop_token: Option<u32>,
}

impl StopCriteria {
    /// Ends an answer after `max_tokens` tokens.
    pub fn new(max_tokens: usize) -> Self {
        Self { max_tokens, eos_token_ids: Vec::new() }
    }

    /// Sets [`eos_token_ids`](Self::eos_token_ids).
    pub fn with_eos_token_ids(self, ids: impl IntoIterator<Item = u32>) -> Self {
        Self { eos_token_ids: ids.into_iter().collect(), ..self }
    }
}

impl Default for StopCriteria {
    /// 256 tokens.
    fn default() -> Self {
        Self::new(256)
    }
}

impl From<&jarre_core::Sampling> for StopCriteria {
    /// `max_tokens`, where it is set; the model's own tokens are to be added, and stop texts go to [`StopStrings`](super::StopStrings).
    fn from(sampling: &jarre_core::Sampling) -> Self {
        sampling.max_tokens.map_or_else(Self::default, |max_tokens| Self::new(max_tokens as usize))
    }
}

/// Answers one prompt. `on_token` sees each token as it is chosen, but the one that ends the answer, and may break off the answer behind it.
///
/// # Errors
/// - [`Error::TooFewTokens`](crate::Error::TooFewTokens) for an empty prompt, [`Error::ContextLength`](crate::Error::ContextLength) for one
///   that is longer than the model reads, [`Error::UnknownToken`](crate::Error::UnknownToken) for a token beyond the vocabulary;
/// - [`Error::InvalidSetting`](crate::Error::InvalidSetting) as [`Sampler::new`], and where `min_tokens` is above `max_tokens`;
/// - [`Error::Logits`](crate::Error::Logits) as [`Sampler::sample`], and what the model fails with.
pub fn generate<M: CausalLm + ?Sized>(
    model: &M,
    prompt: &[u32],
    params: &SamplingParams,
    stop: &StopCriteria,
    on_token: &mut dyn FnMut(&Sampled) -> ControlFlow<()>,
) -> Result<Generation> {
    let request = GenerationRequest { prompt, params, stop };
    generate_batch(model, &[request], &mut |_, sampled| on_token(sampled)).map(only)
}

/// Answers several prompts together, each as [`generate`] does alone; `on_token` is told the place of the request.
///
/// Answers that are done leave the batch, so that the others pay nothing for them.
///
/// # Errors
/// As [`generate`], for the first request that fails.
pub fn generate_batch<M: CausalLm + ?Sized>(
    model: &M,
    requests: &[GenerationRequest<'_>],
    on_token: &mut dyn FnMut(usize, &Sampled) -> ControlFlow<()>,
) -> Result<Vec<Generation>> {
    let mut answers = requests.iter().map(|request| Answer::new(model, request)).collect::<Result<Vec<_>>>()?;
    let mut open: Vec<usize> = (0..answers.len()).filter(|&index| answers[index].limit > 0).collect();
    let Some(capacity) = open.iter().map(|&index| requests[index].prompt.len() + answers[index].limit - 1).max() else {
        return Ok(answers.into_iter().map(Answer::finish).collect());
    };
    let mut cache = model.new_cache(open.len(), capacity);
    let mut unread: Vec<&[u32]> = open.iter().map(|&index| requests[index].prompt).collect();
    loop {
        let logits = model.next_logits(&unread, &mut cache)?;
        for (&index, row) in open.iter().zip(rows(&logits, open.len(), model.vocab_size())?) {
            answers[index].step(row, &mut |sampled| on_token(index, sampled))?;
        }
        let kept: Vec<usize> = (0..open.len()).filter(|&row| answers[open[row]].finish_reason.is_none()).collect();
        if kept.is_empty() {
            return Ok(answers.into_iter().map(Answer::finish).collect());
        }
        if kept.len() < open.len() {
            model.reorder(&mut cache, &kept);
            open = kept.iter().map(|&row| open[row]).collect();
        }
        unread = open.iter().map(|&index| answers[index].last()).collect();
    }
}

fn only(mut answers: Vec<Generation>) -> Generation {
    answers.pop().expect("one request gives one answer")
}

/// An answer in the making.
struct Answer {
    sampler: Sampler,
    ending: Vec<u32>,
    /// The most tokens, by what is asked for and by what the model can read: the last is written and never read.
    limit: usize,
    tokens: Vec<u32>,
    logprobs: Vec<f32>,
    finish_reason: Option<FinishReason>,
    stop_token: Option<u32>,
}

impl Answer {
    fn new<M: CausalLm + ?Sized>(model: &M, request: &GenerationRequest<'_>) -> Result<Self> {
        let prompt = readable(request.prompt, "a prompt", model.vocab_size(), model.max_positions())?;
        let limit = request.stop.max_tokens.min(model.max_positions() - prompt.len() + 1);
        if request.params.min_tokens > request.stop.max_tokens {
            return Err(refused("min_tokens", request.params.min_tokens, "at most `max_tokens`"));
        }
        let mut params = request.params.clone();
        params.stop_token_ids.extend(&request.stop.eos_token_ids);
        let mut sampler = Sampler::new(&params, model.vocab_size())?;
        sampler.accept_prompt(prompt)?;
        let (tokens, logprobs) = (Vec::new(), Vec::new());
        Ok(Self { sampler, ending: params.stop_token_ids, limit, tokens, logprobs, finish_reason: None, stop_token: None })
    }

    fn step(&mut self, logits: &[f32], on_token: &mut dyn FnMut(&Sampled) -> ControlFlow<()>) -> Result<()> {
        let sampled = self.sampler.sample(logits)?;
        if self.ending.contains(&sampled.id) {
            self.stop_token = Some(sampled.id);
            self.finish_reason = Some(FinishReason::Stop);
            return Ok(());
        }
        self.tokens.push(sampled.id);
        self.logprobs.push(sampled.logprob);
        if on_token(&sampled).is_break() {
            self.finish_reason = Some(FinishReason::Stop);
        } else if self.tokens.len() == self.limit {
            self.finish_reason = Some(FinishReason::Length);
        }
        Ok(())
    }

    fn last(&self) -> &[u32] {
        self.tokens.last().map(std::slice::from_ref).expect("an open answer has a token after a step")
    }

    fn finish(self) -> Generation {
        let finish_reason = self.finish_reason.unwrap_or(FinishReason::Length);
        Generation { tokens: self.tokens, logprobs: self.logprobs, finish_reason, stop_token: self.stop_token }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate::toy::Toy;

    const GO_ON: fn(&Sampled) -> ControlFlow<()> = |_| ControlFlow::Continue(());

    /// Token `i` is followed by `i + 1`, nearly surely, and the last by itself.
    fn counting(vocab_size: usize) -> Toy {
        let row = |i: usize| (0..vocab_size).map(|id| if id == (i + 1).min(vocab_size - 1) { 20.0 } else { 0.0 }).collect();
        Toy::markov((0..vocab_size).map(row).collect())
    }

    fn greedy(model: &Toy, prompt: &[u32], stop: &StopCriteria) -> Result<Generation> {
        generate(model, prompt, &SamplingParams::greedy(), stop, &mut GO_ON.clone())
    }

    #[test]
    fn an_answer_ends_with_its_tokens_or_with_an_ending_token() {
        let model = counting(8);
        let cut_off = greedy(&model, &[1, 2], &StopCriteria::new(3)).unwrap();
        assert_eq!((cut_off.tokens, cut_off.finish_reason, cut_off.stop_token), (vec![3, 4, 5], FinishReason::Length, None));
        assert_eq!(cut_off.logprobs.len(), 3);
        let ended = greedy(&model, &[1, 2], &StopCriteria::new(9).with_eos_token_ids([0, 5])).unwrap();
        assert_eq!((ended.tokens, ended.finish_reason, ended.stop_token), (vec![3, 4], FinishReason::Stop, Some(5)));
        let params = SamplingParams::greedy().with_stop_token_ids([4]);
        let ended = generate(&model, &[2], &params, &StopCriteria::new(9), &mut GO_ON.clone()).unwrap();
        assert_eq!((ended.tokens, ended.stop_token), (vec![3], Some(4)));
        assert!(greedy(&model, &[1], &StopCriteria::new(0)).unwrap().tokens.is_empty());
    }

    #[test]
    fn min_tokens_holds_for_the_ending_tokens_of_the_model() {
        let params = SamplingParams::greedy().with_min_tokens(2);
        let stop = StopCriteria::new(9).with_eos_token_ids([2]);
        let answer = generate(&counting(4), &[1], &params, &stop, &mut GO_ON.clone()).unwrap();
        // Token 2 is next, but banned: of the others, all equal, the lowest is taken; then 1; then 2 ends the answer.
        assert_eq!((answer.tokens, answer.stop_token), (vec![0, 1], Some(2)));
        let too_many = generate(&counting(4), &[1], &params, &StopCriteria::new(1), &mut GO_ON.clone()).unwrap_err();
        assert_eq!(too_many.to_string(), "min_tokens is 2; it has to be at most `max_tokens`");
    }

    #[test]
    fn the_caller_sees_each_token_and_can_break_off() {
        let mut seen = Vec::new();
        let answer = generate(&counting(9), &[0], &SamplingParams::greedy(), &StopCriteria::new(8), &mut |sampled| {
            seen.push(sampled.id);
            if sampled.id == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(
            answer.unwrap(),
            Generation { finish_reason: FinishReason::Stop, ..greedy(&counting(9), &[0], &StopCriteria::new(3)).unwrap() }
        );
        assert_eq!(seen, [1, 2, 3]);
    }

    /// The last token of an answer is never read, so that a context of 5 gives 3 tokens behind a prompt of 3.
    #[test]
    fn the_context_bounds_the_answer_and_the_prompt() {
        let model = counting(9).with_max_positions(5);
        let answer = greedy(&model, &[0, 1, 2], &StopCriteria::default()).unwrap();
        assert_eq!((answer.tokens, answer.finish_reason), (vec![3, 4, 5], FinishReason::Length));
        assert_eq!(greedy(&model, &[0; 5], &StopCriteria::default()).unwrap().tokens.len(), 1);
        let message = |prompt: &[u32]| greedy(&model, prompt, &StopCriteria::default()).unwrap_err().to_string();
        assert_eq!(message(&[0; 6]), "6 tokens are more than the model's context of 5; shorten them");
        assert_eq!(message(&[]), "a prompt has 0 tokens and needs at least 1");
        assert!(message(&[1, 9]).starts_with("token 9 is beyond the vocabulary of 9 tokens"));
    }

    #[test]
    fn a_model_that_gives_nonsense_is_an_error() {
        let nan = Toy::new(3, |tokens| if tokens.len() < 3 { vec![0.0, 5.0, 0.0] } else { vec![0.0, f32::NAN, 0.0] });
        assert!(greedy(&nan, &[0], &StopCriteria::default()).unwrap_err().to_string().contains("token 1 is NaN"));
        let short = Toy::new(3, |_| vec![0.0; 2]);
        assert!(
            greedy(&short, &[0], &StopCriteria::default()).unwrap_err().to_string().contains("the model gave 2 for 1 rows of 3 tokens")
        );
    }

    #[test]
    fn the_request_of_a_chat_bounds_the_answer() {
        let asked = jarre_core::Sampling::default().with_max_tokens(7_u32);
        assert_eq!(StopCriteria::from(&asked), StopCriteria::new(7));
        assert_eq!(StopCriteria::from(&jarre_core::Sampling::default()), StopCriteria::default());
    }

    #[test]
    fn penalties_look_at_the_prompt() {
        let params = SamplingParams::greedy().with_repeat_penalty(2.0);
        let model = Toy::new(3, |_| vec![3.0, 2.0, 1.0]);
        let answer = generate(&model, &[0], &params, &StopCriteria::new(2), &mut GO_ON.clone()).unwrap();
        assert_eq!(answer.tokens, [1, 0]);
    }

    #[test]
    fn no_request_gives_no_answer() {
        assert_eq!(generate_batch(&counting(3), &[], &mut |_, _| ControlFlow::Continue(())).unwrap(), []);
    }

    proptest! {
        /// Answers end at different times, by ending tokens, limits and the callers, and the others go on undisturbed.
        #[test]
        fn a_batch_gives_what_each_prompt_gives_alone(
            prompts in prop::collection::vec(prop::collection::vec(0_u32..12, 1..9), 1..6),
            seed in any::<u64>(),
            break_at in 1_usize..20,
        ) {
            let model = Toy::hashed(12, seed).with_max_positions(16);
            let params: Vec<SamplingParams> = (0..prompts.len())
                .map(|i| SamplingParams::default().with_seed(seed ^ i as u64).with_temperature(i as f32 / 2.0).with_presence_penalty(0.5).with_repeat_penalty(1.3))
                .collect();
            let stops: Vec<StopCriteria> = (0..prompts.len()).map(|i| StopCriteria::new(3 * i + 1).with_eos_token_ids([i as u32])).collect();
            let requests: Vec<GenerationRequest<'_>> = (0..prompts.len())
                .map(|i| GenerationRequest { prompt: &prompts[i], params: &params[i], stop: &stops[i] })
                .collect();
            let breaks = |count: &mut usize| {
                *count += 1;
                if *count == break_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let mut counts = vec![0; prompts.len()];
            let together = generate_batch(&model, &requests, &mut |index, _| breaks(&mut counts[index])).unwrap();
            for (request, answer) in requests.iter().zip(together) {
                let mut count = 0;
                let alone = generate(&model, request.prompt, request.params, request.stop, &mut |_| breaks(&mut count)).unwrap();
                prop_assert_eq!(answer, alone);
            }
        }

        /// Every token is the likeliest behind all that precede it, whatever the cache was made of.
        #[test]
        fn cached_greedy_search_is_that_of_the_definition(prompt in prop::collection::vec(0_u32..12, 1..9), seed in any::<u64>()) {
            let model = Toy::hashed(12, seed);
            let answer = greedy(&model, &prompt, &StopCriteria::new(10)).unwrap();
            let mut tokens = prompt;
            for id in answer.tokens {
                let logits = model.logits(&tokens);
                prop_assert!(logits.iter().all(|&logit| logit <= logits[id as usize]));
                tokens.push(id);
            }
        }
    }
}
