use std::collections::{HashMap, VecDeque};

use super::SamplingParams;
use super::candidates::Candidates;
use super::setting::within;
use crate::error::Result;

/// Makes tokens less likely that were there before.
///
/// `repeat_penalty` looks at the last tokens of prompt and answer; presence and frequency look at the whole answer and not at the prompt,
/// as in the API of `OpenAI`. (llama.cpp applies all three to the same last tokens, those of the prompt among them.)
#[derive(Clone, Debug)]
pub(super) struct Penalties {
    /// `None` where it is 1 and changes nothing: then no token has to be remembered for it.
    repeat: Option<f32>,
    repeat_last_n: Option<usize>,
    presence: f32,
    frequency: f32,
    /// The last tokens, and how often each is among them.
    last: VecDeque<u32>,
    repeated: HashMap<u32, u32>,
    /// How often the answer has each token.
    written: HashMap<u32, u32>,
}

impl Penalties {
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) where a penalty is out of range.
    pub(super) fn new(params: &SamplingParams) -> Result<Self> {
        let additive = |name, value| within(name, value, -2.0..=2.0, "in [-2, 2]");
        let repeat = within("repeat_penalty", params.repeat_penalty, f32::MIN_POSITIVE..=f32::MAX, "a number above 0")?;
        Ok(Self {
            repeat: ((repeat - 1.0).abs() > 0.0).then_some(repeat),
            repeat_last_n: params.repeat_last_n,
            presence: additive("presence_penalty", params.presence_penalty)?,
            frequency: additive("frequency_penalty", params.frequency_penalty)?,
            last: VecDeque::new(),
            repeated: HashMap::new(),
            written: HashMap::new(),
        })
    }

    /// Whether no token is ever made less likely.
    pub(super) fn is_idle(&self) -> bool {
        self.repeat.is_none() && !self.counts_answer()
    }

    fn counts_answer(&self) -> bool {
        self.presence != 0.0 || self.frequency != 0.0
    }

    /// Remembers a token of the prompt.
    pub(super) fn read(&mut self, id: u32) {
        if self.repeat.is_none() {
            return;
        }
        *self.repeated.entry(id).or_default() += 1;
        if let Some(last_n) = self.repeat_last_n {
            self.last.push_back(id);
            self.forget_beyond(last_n);
        }
    }

    /// Remembers a token of the answer.
    pub(super) fn write(&mut self, id: u32) {
        self.read(id);
        if self.counts_answer() {
            *self.written.entry(id).or_default() += 1;
        }
    }

    /// Changes the logits of the tokens that were there, first by `repeat_penalty`.
    pub(super) fn apply(&self, candidates: &mut Candidates) {
        if let Some(repeat) = self.repeat {
            for &id in self.repeated.keys() {
                let logit = candidates.logit_mut(id);
                *logit = if *logit > 0.0 { *logit / repeat } else { *logit * repeat };
            }
        }
        for (&id, &count) in &self.written {
            *candidates.logit_mut(id) -= self.presence + count as f32 * self.frequency;
        }
    }

    fn forget_beyond(&mut self, last_n: usize) {
        if self.last.len() <= last_n {
            return;
        }
        let oldest = self.last.pop_front().expect("more tokens than are remembered");
        let count = self.repeated.get_mut(&oldest).expect("remembered tokens are counted");
        *count -= 1;
        if *count == 0 {
            self.repeated.remove(&oldest);
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "halves and quarters are exact")]
mod tests {
    use super::*;

    fn penalised(params: &SamplingParams, prompt: &[u32], answer: &[u32]) -> Vec<f32> {
        let mut penalties = Penalties::new(params).unwrap();
        for &id in prompt {
            penalties.read(id);
        }
        for &id in answer {
            penalties.write(id);
        }
        let mut candidates = Candidates::default();
        candidates.refill(&[4.0, -4.0, 1.0, 0.0]);
        penalties.apply(&mut candidates);
        candidates.entries().iter().map(|entry| entry.logit).collect()
    }

    #[test]
    fn repetition_divides_positive_and_multiplies_negative_logits_once() {
        let params = SamplingParams::default().with_repeat_penalty(2.0);
        assert_eq!(penalised(&params, &[0, 0, 0], &[1, 1]), [2.0, -8.0, 1.0, 0.0]);
    }

    #[test]
    fn repetition_forgets_what_lies_further_back() {
        let params = SamplingParams::default().with_repeat_penalty(2.0);
        assert_eq!(penalised(&params.clone().with_repeat_last_n(2), &[0, 2], &[1]), [4.0, -8.0, 0.5, 0.0]);
        assert_eq!(penalised(&params.clone().with_repeat_last_n(2), &[0, 0, 2], &[0, 1]), [2.0, -8.0, 1.0, 0.0]);
        assert_eq!(penalised(&params.with_repeat_last_n(0), &[0, 1, 2], &[1]), [4.0, -4.0, 1.0, 0.0]);
    }

    #[test]
    fn presence_counts_once_and_frequency_each_time_in_the_answer_only() {
        let presence = SamplingParams::default().with_presence_penalty(0.5);
        assert_eq!(penalised(&presence, &[0, 1], &[2, 2, 3]), [4.0, -4.0, 0.5, -0.5]);
        let frequency = SamplingParams::default().with_frequency_penalty(0.5);
        assert_eq!(penalised(&frequency, &[0, 1], &[2, 2, 3]), [4.0, -4.0, 0.0, -0.5]);
        let negative = SamplingParams::default().with_frequency_penalty(-2.0).with_presence_penalty(1.0);
        assert_eq!(penalised(&negative, &[], &[0, 0, 0]), [9.0, -4.0, 1.0, 0.0]);
    }

    /// 4 / 2 - (0.5 + 2 * 0.25) = 1, where subtracting first would give (4 - 1) / 2 = 1.5.
    #[test]
    fn repetition_comes_before_presence_and_frequency() {
        let params = SamplingParams::default().with_repeat_penalty(2.0).with_presence_penalty(0.5).with_frequency_penalty(0.25);
        assert_eq!(penalised(&params, &[], &[0, 0])[0], 1.0);
    }
}
