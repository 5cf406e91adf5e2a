//! One answer as it is written.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use jarre_core::{ChatModel, ChatRequest, Delta, Error, FinishReason, future};

use super::interrupt::Interrupt;

/// What futures run on.
pub(super) enum Runtime {
    /// This thread: for a model in this process, whose engine has a thread of its own.
    Here,
    /// Where connections are.
    #[cfg(feature = "server")]
    Tokio(tokio::runtime::Runtime),
}

impl Runtime {
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        match self {
            Self::Here => pollster::block_on(future),
            #[cfg(feature = "server")]
            Self::Tokio(runtime) => runtime.block_on(future),
        }
    }
}

/// What was written, and how fast.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) text: String,
    /// Why it ended; absent where it was stopped.
    pub(super) finish: Option<FinishReason>,
    pub(super) stopped: bool,
    /// Where the model told.
    tokens: Option<u64>,
    first: Option<Duration>,
    total: Duration,
}

impl Answer {
    /// Writes the answer to `out` while it comes, until it ends or Ctrl-C stops it; the request is cancelled then.
    pub(super) async fn write(model: &dyn ChatModel, request: ChatRequest, interrupt: &Interrupt, out: &mut impl Write) -> Result<Self> {
        let started = Instant::now();
        let mut answer = Self::default();
        let Some(stream) = interrupt.or(model.stream(request)).await else { return Ok(Self { stopped: true, ..answer }) };
        let mut stream = stream.map_err(|error| told(&error))?;
        loop {
            let Some(chunk) = interrupt.or(future::next(&mut stream)).await else {
                answer.stopped = true;
                break;
            };
            let Some(chunk) = chunk.transpose().map_err(|error| told(&error))? else { break };
            for delta in chunk.deltas {
                let Delta::Text { text, .. } = delta else { continue };
                answer.first.get_or_insert_with(|| started.elapsed());
                answer.text += &text;
                out.write_all(text.as_bytes())?;
                out.flush()?;
            }
            answer.finish = chunk.finish_reason.or(answer.finish);
            answer.tokens = chunk.usage.map(|usage| usage.completion_tokens).or(answer.tokens);
        }
        answer.total = started.elapsed();
        Ok(answer)
    }

    /// `34 tokens, 21.3 tokens/s, the first after 0.05 s`.
    pub(super) fn speed(&self) -> Option<String> {
        let (tokens, first) = (self.tokens?, self.first?);
        let after = self.total.saturating_sub(first).as_secs_f64();
        let rate = if tokens > 1 && after > 0.0 { format!(", {:.1} tokens/s", (tokens - 1) as f64 / after) } else { String::new() };
        Some(format!("{tokens} token{}{rate}, the first after {:.2} s", if tokens == 1 { "" } else { "s" }, first.as_secs_f64()))
    }
}

/// The error by its message alone, which tells its sources already.
fn told(error: &Error) -> anyhow::Error {
    anyhow!("{error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_that_after_the_first_token() {
        let answer =
            Answer { tokens: Some(21), first: Some(Duration::from_millis(500)), total: Duration::from_millis(2500), ..Answer::default() };
        assert_eq!(answer.speed().as_deref(), Some("21 tokens, 10.0 tokens/s, the first after 0.50 s"));
        assert_eq!(Answer { tokens: Some(1), ..answer }.speed().as_deref(), Some("1 token, the first after 0.50 s"));
        assert_eq!(Answer::default().speed(), None);
    }
}
