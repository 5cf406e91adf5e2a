use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jarre_core::FinishReason;
use jarre_transformer::generate::{Sampled, Sampler, StopStrings, TextStream};

use super::admission::Admission;
use crate::output::{Chunk, Finish, StopReason};
use crate::{Request, Result};

type Decode = Box<dyn Fn(&[u32]) -> jarre_transformer::Result<String> + Send>;

/// One answer in the making: chooses its tokens, turns them into text, and knows when it ends.
pub(super) struct Answer {
    index: usize,
    sampler: Sampler,
    ending: Vec<u32>,
    text: Option<TextStream<Decode>>,
    stops: StopStrings,
    stop: Vec<String>,
    include_stop: bool,
    max_tokens: usize,
    tokens: usize,
    #[cfg(feature = "grammar")]
    held: Option<Held>,
    finished: bool,
    /// When its last token was there.
    last_token: Option<Duration>,
}

impl Answer {
    /// Answer `index` to a request, of at most `max_tokens` tokens.
    pub(super) fn new(context: &Admission, request: &Request, index: usize, max_tokens: usize) -> Result<Self> {
        let mut sampling = request.sampling.clone();
        sampling.seed = sampling.seed.wrapping_add(index as u64);
        if !request.ignore_eos {
            sampling.stop_token_ids.extend(context.eos.iter());
        }
        let mut sampler = Sampler::new(&sampling, context.vocab_size)?;
        sampler.accept_prompt(&request.prompt)?;
        let tokenizer = Arc::clone(&context.tokenizer);
        Ok(Self {
            index,
            sampler,
            ending: sampling.stop_token_ids,
            text: Some(TextStream::new(Box::new(move |ids: &[u32]| tokenizer.decode(ids)))),
            stops: StopStrings::new(&request.stop)?,
            stop: request.stop.clone(),
            include_stop: request.include_stop,
            max_tokens,
            tokens: 0,
            #[cfg(feature = "grammar")]
            held: None,
            finished: false,
            last_token: None,
        })
    }

    /// The same, held to what a matcher allows.
    #[cfg(feature = "grammar")]
    pub(super) fn held_to(self, matcher: Option<crate::Matcher>) -> Self {
        Self { held: matcher.map(|matcher| Held { matcher, mask: None }), ..self }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Notes that tokens came `now`; when those before came.
    pub(super) fn stamp(&mut self, now: Duration) -> Option<Duration> {
        self.last_token.replace(now)
    }

    /// Whether [`prepare`](Self::prepare) has something to do.
    #[cfg(feature = "grammar")]
    pub(super) fn is_held(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.mask.is_none()) && !self.finished
    }

    #[cfg(not(feature = "grammar"))]
    #[expect(clippy::unused_self, reason = "without grammars nothing holds an answer")]
    pub(super) fn is_held(&self) -> bool {
        false
    }

    /// Finds out which tokens may come next, which takes no logits: for the time in which those are computed.
    #[cfg(feature = "grammar")]
    pub(super) fn prepare(&mut self) {
        if let Some(held) = &mut self.held {
            held.mask.get_or_insert_with(|| held.matcher.mask());
        }
    }

    #[cfg(not(feature = "grammar"))]
    #[expect(clippy::unused_self, reason = "without grammars there is nothing to find out")]
    pub(super) fn prepare(&mut self) {}

    /// Chooses tokens by the logits of one place after another, as long as they are the drafts that the next logits follow on.
    ///
    /// # Errors
    /// Where the logits are no numbers, or nothing may follow.
    pub(super) fn advance<'a>(&mut self, rows: impl Iterator<Item = &'a [f32]>, drafts: &[u32]) -> Result<Chunk> {
        let mut chunk = Chunk { index: self.index, ..Chunk::default() };
        for (place, logits) in rows.enumerate() {
            let sampled = self.choose(logits)?;
            let agreed = drafts.get(place) == Some(&sampled.id);
            self.push(sampled, &mut chunk)?;
            if !agreed || self.finished {
                break;
            }
        }
        Ok(chunk)
    }

    #[cfg(feature = "grammar")]
    fn choose(&mut self, logits: &[f32]) -> Result<Sampled> {
        let Some(held) = &mut self.held else { return Ok(self.sampler.sample(logits)?) };
        let mask = held.mask.take().unwrap_or_else(|| held.matcher.mask())?;
        let sampled = self.sampler.sample_where(logits, Some(&|id| mask.allows(id)))?;
        held.matcher.accept(sampled.id)?;
        Ok(sampled)
    }

    #[cfg(not(feature = "grammar"))]
    fn choose(&mut self, logits: &[f32]) -> Result<Sampled> {
        Ok(self.sampler.sample(logits)?)
    }

    /// Takes a token: its text, and whether it ends the answer.
    fn push(&mut self, sampled: Sampled, chunk: &mut Chunk) -> Result<()> {
        let id = sampled.id;
        self.tokens += 1;
        chunk.tokens.push(sampled);
        if self.ending.contains(&id) {
            return self.finish(FinishReason::Stop, Some(StopReason::Token(id)), chunk);
        }
        let text = self.text.as_mut().expect("an open answer has its text").push(id)?;
        if self.emit(&text, chunk) {
            self.finished = true;
            return Ok(());
        }
        if self.is_complete() {
            return self.finish(FinishReason::Stop, None, chunk);
        }
        if self.tokens >= self.max_tokens {
            return self.finish(FinishReason::Length, None, chunk);
        }
        Ok(())
    }

    #[cfg(feature = "grammar")]
    fn is_complete(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.matcher.is_done())
    }

    #[cfg(not(feature = "grammar"))]
    #[expect(clippy::unused_self, reason = "an answer without a grammar is never complete by itself")]
    fn is_complete(&self) -> bool {
        false
    }

    /// Gives out text up to a stop text, which ends the answer; whether there was one.
    fn emit(&mut self, text: &str, chunk: &mut Chunk) -> bool {
        let pushed = self.stops.push(text);
        chunk.text.push_str(&pushed.emit);
        let Some(index) = pushed.found else { return false };
        let stop = &self.stop[index];
        if self.include_stop {
            chunk.text.push_str(stop);
        }
        chunk.finish = Some(Finish { reason: FinishReason::Stop, stop: Some(StopReason::Text(stop.clone())) });
        true
    }

    fn finish(&mut self, reason: FinishReason, stop: Option<StopReason>, chunk: &mut Chunk) -> Result<()> {
        self.finished = true;
        chunk.finish = Some(Finish { reason, stop });
        let rest = self.text.take().expect("an answer finishes once").finish()?;
        if !self.emit(&rest, chunk) {
            let stops = std::mem::replace(&mut self.stops, StopStrings::new::<&str>(&[])?);
            chunk.text.push_str(&stops.finish());
        }
        Ok(())
    }
}

/// What holds an answer to its grammar.
#[cfg(feature = "grammar")]
struct Held {
    matcher: crate::Matcher,
    /// What may come next, where it is known already.
    mask: Option<Result<crate::TokenMask>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("index", &self.index).field("tokens", &self.tokens).finish_non_exhaustive()
    }
}
