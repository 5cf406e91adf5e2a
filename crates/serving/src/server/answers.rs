use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use jarre_core::Usage;

use super::app::App;
use super::failure::Answer;
use super::trace::Trace;
use crate::drafted::Drafted;
use crate::{Completion, Error, Output, OutputStream, PooledRequest, Request, Result};

/// The outputs of a call's prompts, as they come. Dropping it cancels what is not answered.
pub(super) struct Answers {
    app: Arc<App>,
    streams: Vec<Option<OutputStream>>,
    /// Which stream is asked first, so that none waits for another.
    first: usize,
    usage: Usage,
    trace: Trace,
}

impl Answers {
    /// Submits a request for each prompt: all of them, or none where one is refused. They may have grammars, which take time to compile.
    pub(super) fn submit(app: &Arc<App>, requests: Vec<Request>, trace: Trace) -> Result<Self> {
        let streams = requests.into_iter().map(|request| app.engine.submit(request).map(Some)).collect::<Result<_>>();
        let streams = streams.inspect_err(|error| trace.failed(kind_of(error)))?;
        Ok(Self { app: Arc::clone(app), streams, first: 0, usage: Usage::default(), trace })
    }

    /// Submits inputs for a model beside the engine's own.
    pub(super) fn pool(app: &Arc<App>, request: PooledRequest, trace: Trace) -> Result<Self> {
        let stream = app.engine.submit_pooled(request).inspect_err(|error| trace.failed(kind_of(error)))?;
        Ok(Self { app: Arc::clone(app), streams: vec![Some(stream)], first: 0, usage: Usage::default(), trace })
    }

    /// The rows of all inputs, in their order.
    pub(super) async fn rows(mut self) -> Answer<Vec<Vec<f32>>> {
        let mut rows = Vec::new();
        while let Some((_, output)) = self.next().await {
            match output {
                Output::Pooled(more) => rows.extend(more),
                Output::Failed(error) => return Err(self.app.failure(error)),
                _ => {}
            }
        }
        Ok(rows)
    }

    /// The next output, and the prompt that it belongs to; none where all are answered or one failed.
    pub(super) async fn next(&mut self) -> Option<(usize, Output)> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The whole answers to each of `prompts` prompts, `n` each.
    pub(super) async fn collect(mut self, prompts: usize, n: usize) -> Answer<(Vec<Vec<Completion>>, Usage)> {
        let mut open = vec![vec![Drafted::default(); n]; prompts];
        let mut done = vec![Vec::new(); prompts];
        while let Some((prompt, output)) = self.next().await {
            match output {
                Output::Prompt(scores) => open[prompt].iter_mut().for_each(|drafted| drafted.prompt_logprobs.clone_from(&scores)),
                Output::Chunk(chunk) => open[prompt][chunk.index].push(chunk),
                Output::Done(stats) => {
                    done[prompt] = std::mem::take(&mut open[prompt]).into_iter().map(|drafted| drafted.finish(stats)).collect();
                }
                Output::Failed(error) => return Err(self.app.failure(error)),
                Output::Pooled(_) => {}
            }
        }
        Ok((done, self.usage))
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<(usize, Output)>> {
        let count = self.streams.len();
        for place in (self.first..self.first + count).map(|place| place % count) {
            let Some(stream) = &mut self.streams[place] else { continue };
            match Pin::new(stream).poll_next(context) {
                Poll::Pending => {}
                Poll::Ready(None) => self.streams[place] = None,
                Poll::Ready(Some(output)) => {
                    self.first = place + 1;
                    self.note(place, &output);
                    return Poll::Ready(Some((place, output)));
                }
            }
        }
        if self.streams.iter().all(Option::is_none) { Poll::Ready(None) } else { Poll::Pending }
    }

    /// The tokens of the prompts that are answered.
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    pub(super) fn app(&self) -> &Arc<App> {
        &self.app
    }

    fn note(&mut self, place: usize, output: &Output) {
        match output {
            Output::Prompt(_) | Output::Pooled(_) => {}
            Output::Chunk(chunk) => {
                self.app.metrics.generated(chunk.tokens.len());
                if let Some(finish) = &chunk.finish {
                    self.app.metrics.answered(finish.reason);
                }
            }
            Output::Done(stats) => {
                self.usage += stats.usage;
                self.trace.done(stats);
                self.streams[place] = None;
            }
            Output::Failed(error) => {
                self.trace.failed(kind_of(error));
                self.streams.iter_mut().for_each(|stream| *stream = None);
            }
        }
    }
}

fn kind_of(error: &Error) -> &'static str {
    match error {
        Error::QueueFull { .. } => "queue_full",
        Error::TooLong { .. } => "too_long",
        Error::GrammarTimeout { .. } => "grammar_timeout",
        Error::Deadline => "deadline",
        Error::ShuttingDown => "shutting_down",
        Error::Invalid(_) => "invalid",
        Error::Lost(_) => "lost",
        Error::Encoder(_) => "encoder",
        Error::Engine(_) | Error::Model(_) => "internal",
    }
}
