use rand_pcg::Pcg64;

use super::SamplingParams;
use super::candidates::Candidates;
use super::log_softmax::LogSoftmax;
use super::mirostat::Mirostat;
use super::penalties::Penalties;
use super::setting::{known, refused, within};
use super::truncation::Truncation;
use crate::error::{Error, Result};
use crate::rng;

/// Chooses the tokens of one answer, by the settings of [`SamplingParams`].
///
/// The random numbers of an answer depend on the seed and on nothing else, and all sums over the vocabulary are plain arithmetic in a
/// fixed order: the same logits give the same tokens.
///
/// Cost of a token: a few passes over the vocabulary; sorted is only what stays.
#[derive(Clone, Debug)]
pub struct Sampler {
    vocab_size: usize,
    logit_bias: Vec<(u32, f32)>,
    penalties: Penalties,
    ending: Vec<u32>,
    min_tokens: usize,
    allowed: Option<Vec<u32>>,
    choice: Choice,
    top_logprobs: usize,
    answer_len: usize,
    rng: Pcg64,
    candidates: Candidates,
}

/// A token that was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// The token.
    pub id: u32,
    /// Its log-probability by the model itself, before penalties, bias, temperature and truncation.
    pub logprob: f32,
    /// The likeliest tokens by the model itself and their log-probabilities, the likeliest first.
    pub top_logprobs: Vec<(u32, f32)>,
}

impl Sampled {
    /// A token that stands in a text, as a model of `logits` sees it at its place, and the `top` likeliest there.
    ///
    /// # Errors
    /// [`Error::UnknownToken`] where it is beyond the logits, [`Error::Logits`] where one is NaN or none is above negative infinity.
    pub fn given(id: u32, logits: &[f32], top: usize) -> Result<Self> {
        let model = LogSoftmax::new(logits)?;
        let id = known(id, logits.len())?;
        Ok(Self { id, logprob: model.of(id) as f32, top_logprobs: model.top(top) })
    }
}

/// How a token is chosen of those that are left when bias, penalties and bans are done.
#[derive(Clone, Debug)]
enum Choice {
    Likeliest,
    Truncated { steps: Vec<Truncation>, temperature: f32 },
    Mirostat { temperature: f32, state: Mirostat },
}

impl Sampler {
    /// A sampler for logits of `vocab_size` tokens, no token being there yet.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] where a setting is out of range or not a number, and [`Error::UnknownToken`] where it names a token beyond the
    /// vocabulary.
    pub fn new(params: &SamplingParams, vocab_size: usize) -> Result<Self> {
        let known = |ids: &[u32]| ids.iter().map(|&id| known(id, vocab_size)).collect::<Result<Vec<_>>>();
        Ok(Self {
            vocab_size,
            logit_bias: params.logit_bias.iter().map(|(&id, &bias)| parse_bias(id, bias, vocab_size)).collect::<Result<_>>()?,
            penalties: Penalties::new(params)?,
            ending: known(&params.stop_token_ids)?,
            min_tokens: params.min_tokens,
            allowed: params.allowed_token_ids.as_deref().map(known).transpose()?.map(parse_allowed).transpose()?,
            choice: Choice::new(params)?,
            top_logprobs: params.top_logprobs,
            answer_len: 0,
            rng: rng::stream(params.seed, 0),
            candidates: Candidates::default(),
        })
    }

    /// Remembers tokens of the prompt, which `repeat_penalty` looks at.
    ///
    /// # Errors
    /// [`Error::UnknownToken`].
    pub fn accept_prompt(&mut self, tokens: &[u32]) -> Result<()> {
        for &id in tokens {
            self.penalties.read(known(id, self.vocab_size)?);
        }
        Ok(())
    }

    /// Remembers a token of the answer that was chosen without [`sample`](Self::sample), as speculative decoding does.
    ///
    /// # Errors
    /// [`Error::UnknownToken`].
    pub fn accept(&mut self, id: u32) -> Result<()> {
        self.penalties.write(known(id, self.vocab_size)?);
        self.answer_len += 1;
        Ok(())
    }

    /// Chooses the next token of the answer by the logits of the whole vocabulary, and remembers it.
    ///
    /// A logit of negative infinity bans a token; those of positive infinity share all of the probability.
    ///
    /// # Errors
    /// [`Error::Logits`] where the logits are not those of the vocabulary, one is NaN, or they and the settings leave no token.
    pub fn sample(&mut self, logits: &[f32]) -> Result<Sampled> {
        self.sample_where(logits, None)
    }

    /// As [`sample`](Self::sample), of the tokens that a grammar, say, `allows` at this place.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn sample_where(&mut self, logits: &[f32], allows: Option<&dyn Fn(u32) -> bool>) -> Result<Sampled> {
        let model = self.read(logits)?;
        let id = if self.takes_likeliest(allows) { model.likeliest() } else { self.draw(logits, allows)? };
        self.accept(id)?;
        Ok(Sampled { id, logprob: model.of(id) as f32, top_logprobs: model.top(self.top_logprobs) })
    }

    /// Whether the next token is the model's likeliest, so that there is nothing to draw from.
    fn takes_likeliest(&self, allows: Option<&dyn Fn(u32) -> bool>) -> bool {
        matches!(self.choice, Choice::Likeliest)
            && allows.is_none()
            && self.allowed.is_none()
            && self.logit_bias.is_empty()
            && self.penalties.is_idle()
            && (self.answer_len >= self.min_tokens || self.ending.is_empty())
    }

    fn draw(&mut self, logits: &[f32], allows: Option<&dyn Fn(u32) -> bool>) -> Result<u32> {
        self.prepare(logits, allows)?;
        Ok(match &mut self.choice {
            Choice::Likeliest => self.candidates.likeliest().id,
            Choice::Truncated { .. } => self.candidates.draw(&mut self.rng).id,
            Choice::Mirostat { state, .. } => {
                let drawn = self.candidates.draw(&mut self.rng);
                state.observe(drawn, &self.candidates);
                drawn.id
            }
        })
    }

    /// The distribution that [`sample`](Self::sample) would draw from: the tokens that may be chosen and their probabilities, the likeliest
    /// first, lower ids first among equals. Nothing is drawn, remembered or learned.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn distribution(&mut self, logits: &[f32]) -> Result<Vec<(u32, f32)>> {
        self.read(logits)?;
        self.prepare(logits, None)?;
        Ok(match self.choice {
            Choice::Likeliest => vec![(self.candidates.likeliest().id, 1.0)],
            _ => self.candidates.probabilities(),
        })
    }

    fn read<'a>(&self, logits: &'a [f32]) -> Result<LogSoftmax<'a>> {
        if logits.len() != self.vocab_size {
            return Err(Error::Logits(format!("{} were given for a vocabulary of {} tokens", logits.len(), self.vocab_size)));
        }
        LogSoftmax::new(logits)
    }

    /// Takes the candidates through every step before the draw.
    fn prepare(&mut self, logits: &[f32], allows: Option<&dyn Fn(u32) -> bool>) -> Result<()> {
        let candidates = &mut self.candidates;
        candidates.refill(logits);
        for &(id, bias) in &self.logit_bias {
            bias_logit(candidates.logit_mut(id), bias);
        }
        self.penalties.apply(candidates);
        if self.answer_len < self.min_tokens {
            for &id in &self.ending {
                *candidates.logit_mut(id) = f32::NEG_INFINITY;
            }
        }
        if let Some(ids) = &self.allowed {
            candidates.allow(ids);
        }
        if let Some(allows) = allows {
            candidates.keep_ids(allows);
        }
        candidates.settle()?;
        self.choice.apply(candidates);
        Ok(())
    }
}

impl Choice {
    fn new(params: &SamplingParams) -> Result<Self> {
        let temperature = within("temperature", params.temperature, 0.0..=f32::MAX, "a number of at least 0")?;
        let steps = Truncation::chain(params)?;
        let mirostat = params.mirostat.map(Mirostat::new).transpose()?;
        Ok(match mirostat {
            _ if temperature == 0.0 => Self::Likeliest,
            Some(state) => Self::Mirostat { temperature, state },
            None => Self::Truncated { steps, temperature },
        })
    }

    fn apply(&self, candidates: &mut Candidates) {
        match self {
            Self::Likeliest => {}
            Self::Truncated { steps, temperature } => {
                for step in steps {
                    step.apply(candidates);
                }
                candidates.divide(*temperature);
            }
            Self::Mirostat { temperature, state } => {
                candidates.divide(*temperature);
                state.apply(candidates);
            }
        }
    }
}

fn parse_bias(id: u32, bias: f32, vocab_size: usize) -> Result<(u32, f32)> {
    let bias = within("logit_bias", bias, f32::NEG_INFINITY..=f32::MAX, "a number, or negative infinity to ban a token")?;
    Ok((known(id, vocab_size)?, bias))
}

fn parse_allowed(mut ids: Vec<u32>) -> Result<Vec<u32>> {
    if ids.is_empty() {
        return Err(refused("allowed_token_ids", "empty", "at least one token, or left out"));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// A ban holds for an infinite logit too, where adding would give NaN.
fn bias_logit(logit: &mut f32, bias: f32) {
    *logit = if bias == f32::NEG_INFINITY { bias } else { *logit + bias };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEVER: f32 = f32::NEG_INFINITY;

    fn sampler(params: &SamplingParams, vocab_size: usize) -> Sampler {
        Sampler::new(params, vocab_size).unwrap()
    }

    fn draws(params: &SamplingParams, logits: &[f32], count: usize) -> Vec<u32> {
        let mut sampler = sampler(params, logits.len());
        (0..count).map(|_| sampler.sample(logits).unwrap().id).collect()
    }

    fn ids(params: &SamplingParams, logits: &[f32]) -> Vec<u32> {
        let mut ids: Vec<u32> = sampler(params, logits.len()).distribution(logits).unwrap().into_iter().map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// The message of the error that the settings or the logits meet.
    fn refusal(params: &SamplingParams, logits: &[f32]) -> String {
        Sampler::new(params, 4).and_then(|mut sampler| sampler.sample(logits)).unwrap_err().to_string()
    }

    fn softmax(logits: &[f64]) -> Vec<f64> {
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        logits.iter().map(|logit| logit.exp() / sum).collect()
    }

    /// Pearson's statistic of `count` draws against exact probabilities has mean k - 1 and variance close to 2 (k - 1) for k outcomes; five
    /// standard deviations above are passed less than once in ten thousand seeds.
    fn assert_draws_follow(params: &SamplingParams, logits: &[f32], exact: &[(u32, f64)]) {
        let count = 40_000;
        let mut seen = vec![0_u32; logits.len()];
        for id in draws(params, logits, count) {
            seen[id as usize] += 1;
        }
        let expected: Vec<(u32, f64)> = exact.iter().map(|&(id, p)| (seen[id as usize], p * count as f64)).collect();
        let statistic: f64 = expected.iter().map(|&(seen, expected)| (f64::from(seen) - expected).powi(2) / expected).sum();
        let degrees = (exact.len() - 1) as f64;
        assert!(statistic < degrees + 5.0 * (2.0 * degrees).sqrt(), "chi-square {statistic} for {degrees} degrees of freedom");
        assert_eq!(expected.iter().map(|(seen, _)| *seen as usize).sum::<usize>(), count, "other tokens were drawn");
    }

    #[test]
    fn plain_draws_follow_the_softmax() {
        let logits: Vec<f32> = (0..50).map(|i| ((i * 37) % 50) as f32 / 15.0).collect();
        for temperature in [1.0, 0.5, 2.5] {
            let exact = softmax(&logits.iter().map(|&logit| f64::from(logit) / f64::from(temperature)).collect::<Vec<_>>());
            let exact: Vec<(u32, f64)> = (0..).zip(exact).collect();
            assert_draws_follow(&SamplingParams::default().with_temperature(temperature).with_seed(11), &logits, &exact);
        }
    }

    /// Weights are summed in parts, which a draw passes over; here are four, the last one short.
    #[test]
    fn draws_reach_every_part_of_a_large_vocabulary() {
        let logits: Vec<f32> = (0..1700).map(|i| ((i * 37) % 11) as f32 / 10.0).collect();
        let exact: Vec<(u32, f64)> = (0..).zip(softmax(&logits.iter().map(|&logit| f64::from(logit)).collect::<Vec<_>>())).collect();
        assert_draws_follow(&SamplingParams::default().with_seed(2), &logits, &exact);
    }

    /// Tokens 5 and 7 are banned by the model and by a bias, 3 is raised; 0.9 of the mass of what is left is kept and then cooled down.
    #[test]
    fn draws_of_a_chain_follow_the_distribution_computed_by_hand() {
        let probabilities = [0.3_f64, 0.2, 0.15, 0.05, 0.1, 0.0, 0.06, 0.14];
        let logits: Vec<f32> = probabilities.iter().map(|p| p.ln() as f32).collect();
        let params =
            SamplingParams::default().with_logit_bias([(3, 4.0_f32.ln()), (7, NEVER)]).with_top_p(0.9).with_temperature(0.5).with_seed(5);
        // Left: 0.3, 0.2, 0.15, 0.2 (raised), 0.1, 0.06, in all 1.01; the first four make 0.842, with 0.1 it is 0.941.
        let squares = [(0, 0.09), (1, 0.04), (2, 0.0225), (3, 0.04), (4, 0.01)];
        let exact: Vec<(u32, f64)> = squares.iter().map(|&(id, square)| (id, square / 0.2025)).collect();
        assert_draws_follow(&params, &logits, &exact);
        let mut sampler = sampler(&params, 8);
        for ((id, p), (exact_id, exact)) in
            sampler.distribution(&logits).unwrap().into_iter().zip([exact[0], exact[1], exact[3], exact[2], exact[4]])
        {
            assert_eq!(id, exact_id);
            assert!((f64::from(p) - exact).abs() < 1e-6);
        }
    }

    #[test]
    fn greedy_takes_the_likeliest_and_the_lowest_id_among_equals() {
        assert_eq!(draws(&SamplingParams::greedy(), &[1.0, 5.0, 5.0, 2.0], 3), [1, 1, 1]);
        assert_eq!(draws(&SamplingParams::greedy().with_typ_p(0.1).with_mirostat(3.0, 0.1), &[1.0, 5.0, 5.0, 2.0], 3), [1, 1, 1]);
        assert_eq!(sampler(&SamplingParams::greedy(), 3).distribution(&[0.0, 1.0, 0.0]).unwrap(), [(1, 1.0)]);
        assert_eq!(draws(&SamplingParams::greedy().with_frequency_penalty(1.0), &[0.0, 1.5, 1.0], 4), [1, 2, 1, 0]);
    }

    /// Each case changes where two neighbouring steps change places.
    #[test]
    fn steps_come_in_the_order_of_llama_cpp() {
        let plain = SamplingParams::default;
        // Bias before penalties: (1 + 3) / 2 = 2 is above 1.8; 1 / 2 + 3 is not below it.
        let mut biased = sampler(&SamplingParams::greedy().with_logit_bias([(0, 3.0)]).with_repeat_penalty(2.0), 2);
        biased.accept_prompt(&[0]).unwrap();
        assert_eq!(biased.sample(&[1.0, 2.2]).unwrap().id, 1);
        // Penalties before truncation: token 0 is the one that top_k keeps until it is penalised.
        let mut penalised = sampler(&plain().with_repeat_penalty(4.0).with_top_k(1), 2);
        penalised.accept_prompt(&[0]).unwrap();
        assert_eq!(penalised.distribution(&[2.0, 1.0]).unwrap(), [(1, 1.0)]);
        // top_n_sigma before top_k: of the four, sigma is 1.87, and 1.1 sigma below 5 is 2.9. Of the first three it would be 0.8.
        let logits = [5.0, 4.0, 3.0, 0.0];
        assert_eq!(ids(&plain().with_top_k(3).with_top_n_sigma(1.1), &logits), [0, 1, 2]);
        // top_k before typ_p: of two equals the first is most typical; of all five it is one of the many.
        let logits = [3.0, 3.0, 1.5, 1.5, 1.5].map(|logit: f32| logit);
        assert_eq!(ids(&plain().with_typ_p(0.1).with_top_k(2), &logits), [0]);
        // typ_p before top_p: the likeliest, 0.5, is not typical of H = 1.58; 0.2 is, and is all that top_p finds.
        let logits = [0.5_f32, 0.2, 0.1, 0.1, 0.1].map(f32::ln);
        assert_eq!(ids(&plain().with_typ_p(0.15).with_top_p(0.3), &logits), [1]);
        // top_k before top_p: of 0.4, 0.3, 0.2, 0.1 the first two make 0.7; among the first two 0.4 is 4/7 by itself.
        let logits = [0.4_f32, 0.3, 0.2, 0.1].map(f32::ln);
        assert_eq!(ids(&plain().with_top_k(2).with_top_p(0.55), &logits), [0]);
        // top_p before min_p: the first two make 0.7, and both are kept; were they all that min_p leaves, 0.4 would be 4/7 by itself.
        assert_eq!(ids(&plain().with_top_p(0.55).with_min_p(0.6), &logits), [0, 1]);
        // Truncation before temperature: at temperature 4 the first would not have half of the mass by itself.
        let logits = [0.6_f32, 0.2, 0.1, 0.1].map(f32::ln);
        assert_eq!(ids(&plain().with_top_p(0.5).with_temperature(4.0), &logits), [0]);
        assert_eq!(ids(&plain().with_min_p(0.4).with_temperature(4.0), &logits), [0]);
        // Temperature before mirostat: cooled down, all but the first are more than 2 bits of a surprise.
        assert_eq!(ids(&plain().with_mirostat(1.0, 0.1).with_temperature(0.25), &[0.4_f32, 0.3, 0.3].map(f32::ln)), [0]);
        // Mirostat in the place of truncation.
        assert_eq!(ids(&plain().with_mirostat(5.0, 0.1).with_top_k(1), &[0.4_f32, 0.3, 0.3].map(f32::ln)), [0, 1, 2]);
    }

    #[test]
    fn the_same_seed_draws_the_same_tokens() {
        let logits: Vec<f32> = (0..200).map(|i| (i % 7) as f32).collect();
        let params = SamplingParams::default().with_top_k(50).with_min_p(0.001);
        assert_eq!(draws(&params.clone().with_seed(3), &logits, 50), draws(&params.clone().with_seed(3), &logits, 50));
        assert_ne!(draws(&params.clone().with_seed(3), &logits, 50), draws(&params.with_seed(4), &logits, 50));
    }

    #[test]
    fn a_distribution_leaves_the_sampler_as_it_was() {
        let logits = [1.0, 2.0, 3.0, 0.5];
        let params = SamplingParams::default().with_frequency_penalty(0.3).with_mirostat(1.5, 0.2).with_min_tokens(4);
        let mut asked = sampler(&params, 4);
        let with_questions: Vec<u32> = (0..30)
            .map(|_| {
                asked.distribution(&logits).unwrap();
                asked.sample(&logits).unwrap().id
            })
            .collect();
        assert_eq!(with_questions, draws(&params, &logits, 30));
    }

    /// Raw probabilities 1/8, 5/8, 2/8, whatever the settings make of them.
    #[test]
    fn logprobs_are_those_of_the_model() {
        let logits = [1.0_f32, 5.0, 2.0].map(f32::ln);
        let params = SamplingParams::default().with_temperature(0.1).with_logit_bias([(1, NEVER), (0, 50.0)]).with_top_logprobs(2);
        let Sampled { id, logprob, top_logprobs } = sampler(&params, 3).sample(&logits).unwrap();
        assert_eq!((id, top_logprobs.iter().map(|(id, _)| *id).collect::<Vec<_>>()), (0, vec![1, 2]));
        for (logprob, p) in [(logprob, 0.125_f32), (top_logprobs[0].1, 0.625), (top_logprobs[1].1, 0.25)] {
            assert!((logprob - p.ln()).abs() < 1e-6);
        }
        assert_eq!(sampler(&params.with_top_logprobs(9), 3).sample(&logits).unwrap().top_logprobs.len(), 3);
    }

    #[test]
    fn bans_hold_against_infinite_logits() {
        let infinite = [f32::INFINITY, 1.0, f32::INFINITY, NEVER];
        assert_eq!(ids(&SamplingParams::default(), &infinite), [0, 2]);
        assert_eq!(ids(&SamplingParams::default().with_logit_bias([(0, NEVER)]), &infinite), [2]);
        assert_eq!(ids(&SamplingParams::default().with_allowed_token_ids([3, 1, 1]), &infinite), [1]);
        let logprob = sampler(&SamplingParams::greedy(), 4).sample(&infinite).unwrap().logprob;
        assert!((logprob + std::f32::consts::LN_2).abs() < 1e-6);
    }

    #[test]
    fn an_answer_does_not_end_before_it_has_min_tokens() {
        let params = SamplingParams::greedy().with_stop_token_ids([2]).with_min_tokens(2);
        assert_eq!(draws(&params, &[0.0, 1.0, 9.0], 4), [1, 1, 2, 2]);
        let mut speculative = sampler(&params, 3);
        speculative.accept(0).unwrap();
        speculative.accept(0).unwrap();
        assert_eq!(speculative.sample(&[0.0, 1.0, 9.0]).unwrap().id, 2);
    }

    #[test]
    fn settings_are_refused_by_name() {
        let (plain, logits) = (SamplingParams::default, [0.0; 4]);
        for (params, expected) in [
            (plain().with_temperature(-0.5), "temperature is -0.5; it has to be a number of at least 0"),
            (plain().with_temperature(f32::NAN), "temperature is NaN; it has to be a number of at least 0"),
            (plain().with_temperature(f32::INFINITY), "temperature is inf; it has to be a number of at least 0"),
            (plain().with_repeat_penalty(0.0), "repeat_penalty is 0; it has to be a number above 0"),
            (plain().with_presence_penalty(2.5), "presence_penalty is 2.5; it has to be in [-2, 2]"),
            (plain().with_frequency_penalty(f32::NAN), "frequency_penalty is NaN; it has to be in [-2, 2]"),
            (plain().with_mirostat(-1.0, 0.1), "mirostat.tau is -1; it has to be a number above 0"),
            (plain().with_logit_bias([(1, f32::NAN)]), "logit_bias is NaN; it has to be a number, or negative infinity to ban a token"),
            (plain().with_allowed_token_ids([]), "allowed_token_ids is empty; it has to be at least one token, or left out"),
        ] {
            assert_eq!(refusal(&params, &logits), expected);
        }
        for params in [plain().with_logit_bias([(4, 1.0)]), plain().with_allowed_token_ids([4]), plain().with_stop_token_ids([4])] {
            assert!(refusal(&params, &logits).starts_with("token 4 is beyond the vocabulary of 4 tokens"));
        }
        assert!(sampler(&plain(), 4).accept_prompt(&[0, 4]).is_err());
        assert!(sampler(&plain(), 4).accept(4).is_err());
    }

    #[test]
    fn logits_without_a_meaning_are_refused() {
        let plain = SamplingParams::default();
        assert!(refusal(&plain, &[0.0, f32::NAN, 0.0, 0.0]).contains("token 1 is NaN"));
        assert!(refusal(&plain, &[NEVER; 4]).contains("none is above negative infinity"));
        assert!(refusal(&plain, &[0.0; 3]).contains("3 were given for a vocabulary of 4 tokens"));
        let nothing_left = plain.with_allowed_token_ids([2]).with_stop_token_ids([2]).with_min_tokens(1);
        assert!(refusal(&nothing_left, &[0.0; 4]).contains("leave no token"));
    }

    proptest! {
        /// What the sampler draws is in its distribution, which sums to 1, and the distribution is that of the settings by definition.
        #[test]
        fn a_distribution_is_what_is_drawn_from(
            logits in prop::collection::vec(-8.0_f32..8.0, 2..200),
            (top_k, top_p, min_p, temperature) in (0_u32..100, 0.05_f32..1.0, 0.0_f32..0.5, 0.1_f32..3.0),
            seed in any::<u64>(),
        ) {
            let params = SamplingParams::default().with_top_k(top_k).with_top_p(top_p).with_min_p(min_p).with_temperature(temperature).with_seed(seed);
            let mut sampler = sampler(&params, logits.len());
            let distribution = sampler.distribution(&logits).unwrap();
            prop_assert!((distribution.iter().map(|&(_, p)| f64::from(p)).sum::<f64>() - 1.0).abs() < 1e-5);
            let tempered: Vec<f64> = distribution.iter().map(|&(id, _)| f64::from(logits[id as usize]) / f64::from(temperature)).collect();
            for (exact, &(_, p)) in softmax(&tempered).into_iter().zip(&distribution) {
                prop_assert!((f64::from(p) - exact).abs() < 1e-5);
            }
            let drawn = sampler.sample(&logits).unwrap().id;
            prop_assert!(distribution.iter().any(|&(id, _)| id == drawn));
        }
    }

    #[test]
    fn a_grammar_bans_all_but_what_it_names_and_changes_no_logprob() {
        let logits = [3.0, 1.0, 2.0, 0.0];
        let free = Sampled::given(2, &logits, 1).unwrap();
        let mut sampler = Sampler::new(&SamplingParams::greedy().with_top_logprobs(1), 4).unwrap();
        assert_eq!(sampler.sample_where(&logits, Some(&|id| id == 2 || id == 3)).unwrap(), free);
        assert_eq!(free.top_logprobs[0].0, 0);
        assert!(sampler.sample_where(&logits, Some(&|_| false)).unwrap_err().to_string().contains("a grammar leave no token"));
        assert!(Sampled::given(4, &logits, 0).is_err());
    }
}
