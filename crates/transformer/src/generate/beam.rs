use std::cmp::Ordering;

use jarre_core::FinishReason;
use serde::{Deserialize, Serialize};

use super::log_softmax::LogSoftmax;
use super::model::{readable, rows};
use super::setting::{known, refused, within};
use super::{CausalLm, StopCriteria};
use crate::error::Result;

/// Beam search: the likeliest answers, found by following the `num_beams` likeliest beginnings token by token.
///
/// Settings and rules are those of Hugging Face transformers. Each step ranks all continuations of the beams by their sum of
/// log-probabilities. An answer that ends - by an end-of-sequence token or at `max_tokens` - is complete where it ranks among the first
/// `num_beams`; the first `num_beams` that go on are the next beams. A complete answer scores the sum of its log-probabilities over
/// `length ^ length_penalty`, the token that ends it counted in both, and the best `num_beams` complete ones are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BeamSearch {
    /// Beginnings that are followed, at least 1. One beam is greedy search.
    pub num_beams: usize,
    /// Above 0 favours long answers, below 0 short ones; 0 ranks by probability.
    pub length_penalty: f64,
    /// When the search stops before every beam has `max_tokens`.
    pub early_stopping: EarlyStopping,
    /// Answers that are given back, at most `num_beams`.
    pub num_return_sequences: usize,
}

/// When a beam search that has `num_beams` complete answers stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyStopping {
    /// When the best beam, were it complete now, would not score better than the worst complete answer (`False` in transformers). With a
    /// positive `length_penalty` a beam that gets better by growing can be missed.
    #[default]
    Heuristic,
    /// At once (`True`).
    FirstComplete,
    /// When no beam can become better than the worst complete answer, however it goes on (`"never"`).
    Never,
}

/// An answer of a beam search.
#[derive(Clone, Debug, PartialEq)]
pub struct Beam {
    /// Its tokens, without the prompt and without the token that ended it.
    pub tokens: Vec<u32>,
    /// The sum of the log-probabilities of its tokens and of the one that ended it.
    pub logprob: f64,
    /// `logprob` over `length ^ length_penalty`.
    pub score: f64,
    /// [`Stop`](FinishReason::Stop) where a token ended it, [`Length`](FinishReason::Length) where it was cut off.
    pub finish_reason: FinishReason,
    /// The token that ended it.
    pub stop_token: Option<u32>,
}

impl BeamSearch {
    /// Searches with `num_beams` beams for the best answer, with the default rule of stopping and `length_penalty` 1.
    pub fn new(num_beams: usize) -> Self {
        Self { num_beams, ..Self::default() }
    }

    /// Sets [`length_penalty`](Self::length_penalty).
    pub fn with_length_penalty(self, length_penalty: f64) -> Self {
        Self { length_penalty, ..self }
    }

    /// Sets [`early_stopping`](Self::early_stopping).
    pub fn with_early_stopping(self, early_stopping: EarlyStopping) -> Self {
        Self { early_stopping, ..self }
    }

    /// Sets [`num_return_sequences`](Self::num_return_sequences).
    pub fn with_num_return_sequences(self, num_return_sequences: usize) -> Self {
        Self { num_return_sequences, ..self }
    }

    /// The best answers to `prompt`, the best first: [`num_return_sequences`](Self::num_return_sequences), or fewer where there are not so
    /// many.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) where a setting is out of range, and as [`generate`](super::generate) for the prompt, the
    /// model and its logits.
    pub fn search<M: CausalLm + ?Sized>(&self, model: &M, prompt: &[u32], stop: &StopCriteria) -> Result<Vec<Beam>> {
        let mut search = Search::new(self, model, prompt, stop)?;
        let mut cache = model.new_cache(1, prompt.len() + search.limit - 1);
        let mut logits = model.next_logits(&[prompt], &mut cache)?;
        loop {
            let parents = search.step(&logits, model.vocab_size())?;
            if search.is_done() {
                search.complete.truncate(self.num_return_sequences);
                return Ok(search.complete);
            }
            model.reorder(&mut cache, &parents);
            let unread: Vec<&[u32]> = search.beams.iter().map(Prefix::last).collect();
            logits = model.next_logits(&unread, &mut cache)?;
        }
    }
}

impl Default for BeamSearch {
    /// 4 beams, `length_penalty` 1, one answer.
    fn default() -> Self {
        Self { num_beams: 4, length_penalty: 1.0, early_stopping: EarlyStopping::default(), num_return_sequences: 1 }
    }
}

/// The beginning of an answer.
#[derive(Clone, Debug, Default)]
struct Prefix {
    tokens: Vec<u32>,
    logprob: f64,
}

impl Prefix {
    fn last(&self) -> &[u32] {
        self.tokens.last().map(std::slice::from_ref).expect("a beam has a token after a step")
    }
}

/// A beam and a token behind it.
#[derive(Clone, Copy, Debug)]
struct Continuation {
    parent: usize,
    token: u32,
    logprob: f64,
}

/// The state between two steps.
struct Search<'a> {
    settings: &'a BeamSearch,
    eos_token_ids: &'a [u32],
    limit: usize,
    beams: Vec<Prefix>,
    /// The best complete answers, at most `num_beams`, the best first.
    complete: Vec<Beam>,
}

impl<'a> Search<'a> {
    fn new<M: CausalLm + ?Sized>(settings: &'a BeamSearch, model: &M, prompt: &[u32], stop: &'a StopCriteria) -> Result<Self> {
        readable(prompt, "a prompt", model.vocab_size(), model.max_positions())?;
        let num_beams = within("num_beams", settings.num_beams, 1.., "at least 1")?;
        within("num_return_sequences", settings.num_return_sequences, 1..=num_beams, "at least 1 and at most `num_beams`")?;
        if !settings.length_penalty.is_finite() {
            return Err(refused("length_penalty", settings.length_penalty, "a finite number"));
        }
        stop.eos_token_ids.iter().try_for_each(|&id| known(id, model.vocab_size()).map(drop))?;
        let max_tokens = within("max_tokens", stop.max_tokens, 1.., "at least 1")?;
        let limit = max_tokens.min(model.max_positions() - prompt.len() + 1);
        Ok(Self { settings, eos_token_ids: &stop.eos_token_ids, limit, beams: vec![Prefix::default()], complete: Vec::new() })
    }

    /// Puts a token behind every beam; says which of the beams before each of the beams now continues.
    fn step(&mut self, logits: &[f32], vocab_size: usize) -> Result<Vec<usize>> {
        let continuations = self.continuations(logits, vocab_size)?;
        let (mut beams, mut parents) = (Vec::new(), Vec::new());
        for (rank, continuation) in continuations.into_iter().enumerate() {
            let Prefix { mut tokens, .. } = self.beams[continuation.parent].clone();
            let ends = self.eos_token_ids.contains(&continuation.token);
            if ends || tokens.len() + 1 == self.limit {
                if rank < self.settings.num_beams {
                    self.keep(tokens, continuation, ends);
                }
            } else if beams.len() < self.settings.num_beams {
                tokens.push(continuation.token);
                beams.push(Prefix { tokens, logprob: continuation.logprob });
                parents.push(continuation.parent);
            }
        }
        self.beams = beams;
        Ok(parents)
    }

    /// The likeliest continuations of all beams, the likeliest first: so many that `num_beams` go on, were all others to end.
    fn continuations(&self, logits: &[f32], vocab_size: usize) -> Result<Vec<Continuation>> {
        let wanted = self.settings.num_beams.saturating_mul(1 + self.eos_token_ids.len().max(1));
        let mut all = Vec::new();
        for (parent, (beam, row)) in self.beams.iter().zip(rows(logits, self.beams.len(), vocab_size)?).enumerate() {
            let softmax = LogSoftmax::new(row)?;
            let continued = |(token, _)| Continuation { parent, token, logprob: beam.logprob + softmax.of(token) };
            all.extend(softmax.top(wanted).into_iter().map(continued).filter(|continuation| continuation.logprob > f64::NEG_INFINITY));
        }
        all.sort_by(|a, b| b.logprob.total_cmp(&a.logprob));
        all.truncate(wanted);
        Ok(all)
    }

    fn keep(&mut self, mut tokens: Vec<u32>, Continuation { token, logprob, .. }: Continuation, ends: bool) {
        let score = self.score(logprob, tokens.len() + 1);
        if !ends {
            tokens.push(token);
        }
        let finish_reason = if ends { FinishReason::Stop } else { FinishReason::Length };
        let place = self.complete.partition_point(|other| other.score.total_cmp(&score) != Ordering::Less);
        self.complete.insert(place, Beam { tokens, logprob, score, finish_reason, stop_token: ends.then_some(token) });
        self.complete.truncate(self.settings.num_beams);
    }

    fn is_done(&self) -> bool {
        let Some(best) = self.beams.first() else { return true };
        let worst = match self.complete.last() {
            Some(worst) if self.complete.len() == self.settings.num_beams => worst.score,
            _ => return false,
        };
        let length = match self.settings.early_stopping {
            EarlyStopping::FirstComplete => return true,
            _ if self.settings.num_beams == 1 => return true,
            EarlyStopping::Never if self.settings.length_penalty > 0.0 => self.limit,
            EarlyStopping::Never | EarlyStopping::Heuristic => best.tokens.len(),
        };
        self.score(best.logprob, length) <= worst
    }

    fn score(&self, logprob: f64, length: usize) -> f64 {
        logprob / (length as f64).powf(self.settings.length_penalty)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate::toy::Toy;
    use crate::generate::{SamplingParams, generate};

    /// Every answer there is, and its score, the best first.
    fn exhaustive(model: &Toy, prompt: &[u32], stop: &StopCriteria, length_penalty: f64) -> Vec<(Vec<u32>, f64)> {
        let mut open = vec![(Vec::new(), 0.0)];
        let mut complete = Vec::new();
        while let Some((tokens, logprob)) = open.pop() {
            let logits = model.logits(&[prompt, &tokens].concat());
            let sum: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
            for (id, &logit) in (0..).zip(&logits) {
                let (mut tokens, logprob) = (tokens.clone(), logprob + f64::from(logit) - sum.ln());
                tokens.push(id);
                if stop.eos_token_ids.contains(&id) || tokens.len() == stop.max_tokens {
                    let score = logprob / (tokens.len() as f64).powf(length_penalty);
                    complete.push((tokens, score));
                } else {
                    open.push((tokens, logprob));
                }
            }
        }
        complete.sort_by(|a, b| b.1.total_cmp(&a.1));
        complete
    }

    fn with_ending(beam: &Beam) -> Vec<u32> {
        beam.tokens.iter().copied().chain(beam.stop_token).collect()
    }

    /// Behind token 0 the likeliest is 1 (0.5), behind which all is equal; 2 (0.4) is followed surely by 3. Best by two tokens: 2, 3.
    #[test]
    fn two_beams_find_what_greedy_search_misses() {
        let row = |p: [f32; 4]| p.map(f32::ln).to_vec();
        let model = Toy::markov(vec![row([0.05, 0.5, 0.4, 0.05]), row([0.25; 4]), row([0.0, 0.0, 0.0, 1.0]), row([0.25; 4])]);
        let stop = StopCriteria::new(2);
        let best = BeamSearch::new(2).search(&model, &[0], &stop).unwrap().remove(0);
        assert_eq!((best.tokens, best.finish_reason), (vec![2, 3], FinishReason::Length));
        assert!((best.logprob - 0.4_f64.ln()).abs() < 1e-6 && (best.score - 0.4_f64.ln() / 2.0).abs() < 1e-6);
        assert_eq!(BeamSearch::new(1).search(&model, &[0], &stop).unwrap()[0].tokens, [1, 0]);
    }

    /// Ending at once has probability 0.6; the longer answer 0.4 * 0.9 * 0.9: a mean of -0.51 nats against -0.37.
    #[test]
    fn the_length_penalty_weighs_short_answers_against_long_ones() {
        let row = |p: [f32; 3]| p.map(f32::ln).to_vec();
        let model = Toy::markov(vec![row([0.0, 0.4, 0.6]), row([0.0, 0.9, 0.1]), row([1.0, 0.0, 0.0])]);
        let best = |length_penalty, early_stopping| {
            let search = BeamSearch::new(2).with_length_penalty(length_penalty).with_early_stopping(early_stopping);
            search.search(&model, &[0], &StopCriteria::new(3).with_eos_token_ids([2])).unwrap().remove(0)
        };
        let short = best(0.0, EarlyStopping::Never);
        assert_eq!((short.tokens, short.stop_token, short.finish_reason), (vec![], Some(2), FinishReason::Stop));
        assert_eq!(best(1.0, EarlyStopping::Never).tokens, [1, 1, 1]);
    }

    /// After two steps the best beam scores less than both complete answers, and it is certain to become better by growing, which only the
    /// bound over all lengths sees.
    #[test]
    fn the_rules_of_stopping_differ_as_they_should() {
        let row = |p: [f32; 4]| p.map(f32::ln).to_vec();
        let model = Toy::new(4, move |tokens| match tokens.len() {
            1 => row([0.0, 0.4, 0.35, 0.25]),
            2 => row([0.0, 0.2, 0.6, 0.2]),
            _ => row([0.0, 1.0, 0.0, 0.0]),
        });
        let best = |early_stopping| {
            let search = BeamSearch::new(2).with_early_stopping(early_stopping);
            search.search(&model, &[0], &StopCriteria::new(5).with_eos_token_ids([2])).unwrap()[0].clone()
        };
        // Complete after two steps: 1 2 at ln 0.24 / 2 = -0.71, and 3 2 at ln 0.15 / 2 = -0.95.
        assert_eq!(with_ending(&best(EarlyStopping::FirstComplete)), [1, 2]);
        // The best beam, 1 1, would be complete at ln 0.08 / 2 = -1.26 now, and at -0.51 with five tokens.
        assert_eq!(with_ending(&best(EarlyStopping::Heuristic)), [1, 2]);
        let never = best(EarlyStopping::Never);
        assert_eq!(with_ending(&never), [1, 1, 1, 1, 1]);
        assert!((never.score - 0.08_f64.ln() / 5.0).abs() < 1e-6);
    }

    /// Complete after two steps: 2 at ln 0.3 = -1.20, and 1 2 at ln 0.225 / 2 = -0.75. The best beam is at ln 0.275 / 2 = -0.65.
    #[test]
    fn the_first_complete_answers_are_not_always_the_best() {
        let row = |p: [f32; 4]| p.map(f32::ln).to_vec();
        let model = Toy::new(4, move |tokens| match tokens.len() {
            1 => row([0.0, 0.5, 0.3, 0.2]),
            2 => row([0.0, 0.55, 0.45, 0.0]),
            _ => row([0.0, 1.0, 0.0, 0.0]),
        });
        let best = |early_stopping| {
            let search = BeamSearch::new(2).with_early_stopping(early_stopping);
            with_ending(&search.search(&model, &[0], &StopCriteria::new(5).with_eos_token_ids([2])).unwrap()[0])
        };
        assert_eq!(best(EarlyStopping::FirstComplete), [1, 2]);
        assert_eq!(best(EarlyStopping::Heuristic), [1, 1, 1, 1, 1]);
    }

    #[test]
    fn settings_are_refused_by_name() {
        let message = |search: BeamSearch, stop: StopCriteria| search.search(&Toy::hashed(4, 0), &[0], &stop).unwrap_err().to_string();
        let stop = StopCriteria::default;
        assert!(message(BeamSearch::new(0), stop()).starts_with("num_beams is 0"));
        assert!(message(BeamSearch::new(2).with_num_return_sequences(3), stop()).starts_with("num_return_sequences is 3"));
        assert!(message(BeamSearch::new(2).with_length_penalty(f64::NAN), stop()).starts_with("length_penalty is NaN"));
        assert!(message(BeamSearch::new(2), StopCriteria::new(0)).starts_with("max_tokens is 0"));
        assert!(message(BeamSearch::new(2), stop().with_eos_token_ids([4])).starts_with("token 4 is beyond"));
        assert!(BeamSearch::new(2).search(&Toy::hashed(4, 0), &[], &stop()).is_err());
    }

    #[test]
    fn certain_models_run_out_of_continuations() {
        let model = Toy::markov(vec![vec![f32::NEG_INFINITY, 0.0], vec![0.0, f32::NEG_INFINITY]]);
        let beams = BeamSearch::new(3).with_num_return_sequences(3).search(&model, &[0], &StopCriteria::new(3)).unwrap();
        assert_eq!(beams.iter().map(with_ending).collect::<Vec<_>>(), [[1, 0, 1]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// As many beams as there are answers: nothing is ever cut, so that the best are those of all.
        #[test]
        fn enough_beams_find_the_best_answers(seed in any::<u64>(), length_penalty in -1.5..2.0, max_tokens in 1_usize..5, eos in prop::collection::vec(0_u32..4, 0..2)) {
            let model = Toy::hashed(4, seed);
            let stop = StopCriteria::new(max_tokens).with_eos_token_ids(eos);
            let search = BeamSearch::new(256).with_length_penalty(length_penalty).with_early_stopping(EarlyStopping::Never).with_num_return_sequences(5);
            let beams = search.search(&model, &[1, 2], &stop).unwrap();
            let best = exhaustive(&model, &[1, 2], &stop, length_penalty);
            prop_assert_eq!(beams.len(), best.len().min(5));
            for (beam, (tokens, score)) in beams.iter().zip(best) {
                prop_assert_eq!(with_ending(beam), tokens);
                prop_assert!((beam.score - score).abs() < 1e-5);
            }
        }

        #[test]
        fn one_beam_is_greedy_search(seed in any::<u64>(), eos in 0_u32..8) {
            let model = Toy::hashed(8, seed);
            let stop = StopCriteria::new(12).with_eos_token_ids([eos]);
            let search = BeamSearch::new(1).with_length_penalty(2.0).with_early_stopping(EarlyStopping::Never);
            let beam = search.search(&model, &[1, 2], &stop).unwrap().remove(0);
            let greedy = generate(&model, &[1, 2], &SamplingParams::greedy(), &stop, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
            prop_assert_eq!((beam.tokens, beam.finish_reason, beam.stop_token), (greedy.tokens, greedy.finish_reason, greedy.stop_token));
        }

        /// However few beams: answers come best first, are distinct, and have the score that their own tokens give.
        #[test]
        fn scores_are_those_of_the_answers(seed in any::<u64>(), num_beams in 1_usize..6, length_penalty in -1.0..2.0) {
            let model = Toy::hashed(5, seed);
            let stop = StopCriteria::new(6).with_eos_token_ids([3, 4]);
            let search = BeamSearch::new(num_beams).with_length_penalty(length_penalty).with_num_return_sequences(num_beams);
            let beams = search.search(&model, &[0], &stop).unwrap();
            prop_assert_eq!(beams.len(), num_beams);
            prop_assert!(beams.windows(2).all(|pair| pair[0].score >= pair[1].score && pair[0] != pair[1]));
            for beam in beams {
                let tokens = [vec![0], with_ending(&beam)].concat();
                let logprob: f64 = (1..tokens.len()).map(|len| LogSoftmax::new(&model.logits(&tokens[..len])).unwrap().of(tokens[len])).sum();
                prop_assert!((beam.logprob - logprob).abs() < 1e-9);
                prop_assert!((beam.score - logprob / ((tokens.len() - 1) as f64).powf(length_penalty)).abs() < 1e-9);
            }
        }
    }
}
