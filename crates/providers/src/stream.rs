use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use jarre_core::{BoxFuture, BoxStream, ChatChunk, Error, ErrorKind, Result, Timings};
use jarre_openai::{ApiError, ChatCompletion, ChunkReader, StreamEvent, sse};
use serde_json::{Map, Value};

use crate::{Endpoint, body::Body};

/// The most bytes of one event.
const MAX_EVENT_BYTES: usize = 8 << 20;

/// An answer that is being read.
pub(crate) struct Answer {
    endpoint: Endpoint,
    /// When the request was handed over.
    start: Duration,
    first_token: Option<Duration>,
    /// `None` once everything was read.
    body: Option<Body>,
    decoder: sse::Decoder,
    reader: ChunkReader,
    ready: VecDeque<ChatChunk>,
    /// What comes after the chunks that are ready.
    failed: Option<Error>,
    finished: bool,
}

impl Answer {
    /// Begins to read `body`, up to the first chunk.
    ///
    /// # Errors
    /// What goes wrong before there is one.
    pub(crate) async fn open(endpoint: Endpoint, body: Body, start: Duration) -> Result<Self> {
        let mut answer = Self {
            endpoint,
            start,
            first_token: None,
            body: None,
            decoder: sse::Decoder::new(MAX_EVENT_BYTES),
            reader: ChunkReader::new(),
            ready: VecDeque::new(),
            failed: None,
            finished: false,
        };
        if body.is_event_stream() {
            answer.body = Some(body);
        } else {
            answer.take_whole(&body.all().await?)?;
        }
        if let Some(first) = answer.next().await? {
            answer.ready.push_front(first);
        }
        Ok(answer)
    }

    /// The next chunk; `None` at the end, of which the last chunk before it states the timings. An error comes after all that came before
    /// it, however the answer was cut into pieces.
    async fn next(&mut self) -> Result<Option<ChatChunk>> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Ok(Some(chunk));
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let Some(body) = &mut self.body else { return Ok(None) };
            if let Some(piece) = body.next().await? {
                self.decoder.push(&piece);
                self.take_events();
            } else {
                self.decoder.finish();
                self.take_events();
                self.end();
            }
        }
    }

    fn take_events(&mut self) {
        while self.body.is_some()
            && let Some(event) = self.decoder.next_event()
        {
            let event = event.map_err(|error| Error::new(ErrorKind::InvalidResponse, error.to_string()).with_source(error));
            match event.and_then(|event| StreamEvent::parse(&event.data)) {
                Ok(StreamEvent::Done) => self.end(),
                Ok(StreamEvent::Chunk(chunk)) => {
                    let chunk = self.reader.read(*chunk);
                    self.take(chunk);
                }
                Err(error) => self.fail(error),
            }
        }
    }

    fn fail(&mut self, error: Error) {
        (self.body, self.failed) = (None, Some(error));
    }

    fn take(&mut self, chunk: ChatChunk) {
        if self.first_token.is_none() && !chunk.deltas.is_empty() {
            self.first_token = Some(self.elapsed());
        }
        self.finished |= chunk.finish_reason.is_some();
        self.ready.push_back(chunk);
    }

    fn end(&mut self) {
        if self.body.take().is_none() {
            return;
        }
        if self.finished {
            let timings = Timings { time_to_first_token: self.first_token, total: self.elapsed() };
            self.ready.push_back(ChatChunk::default().with_timings(timings));
        } else {
            let message = format!("the answer of {} broke off, try again", self.endpoint.provider());
            self.fail(Error::new(ErrorKind::Unavailable, message));
        }
    }

    /// An answer that came in one piece, though a stream was asked for.
    fn take_whole(&mut self, bytes: &[u8]) -> Result<()> {
        let unreadable = |error: serde_json::Error| {
            let message = format!("the answer of {} cannot be read: {error}", self.endpoint.provider());
            Error::new(ErrorKind::InvalidResponse, message).with_source(error)
        };
        let fields: Map<String, Value> = serde_json::from_slice(bytes).map_err(unreadable)?;
        // Gateways report failures of what stands behind them with a status of success.
        if fields.get("error").is_some_and(|error| !error.is_null()) {
            return Err(ApiError::from_response(502, bytes, None).into());
        }
        let completion: ChatCompletion = serde_json::from_value(Value::Object(fields)).map_err(unreadable)?;
        let timings = Timings { time_to_first_token: None, total: self.elapsed() };
        self.ready.extend(completion.into_core()?.with_timings(timings).into_chunks());
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        self.endpoint.clock().now().saturating_sub(self.start)
    }
}

/// `answer` as a stream, which ends after an error.
pub(crate) fn stream(answer: Answer) -> BoxStream<'static, Result<ChatChunk>> {
    Box::pin(Chunks { step: Some(step(answer)) })
}

type Step = BoxFuture<'static, Option<(Result<ChatChunk>, Option<Answer>)>>;

struct Chunks {
    step: Option<Step>,
}

impl Stream for Chunks {
    type Item = Result<ChatChunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(step_now) = &mut self.step else { return Poll::Ready(None) };
        let item = ready!(step_now.as_mut().poll(context));
        let (chunk, rest) = item.map_or((None, None), |(chunk, rest)| (Some(chunk), rest));
        self.step = rest.map(step);
        Poll::Ready(chunk)
    }
}

fn step(mut answer: Answer) -> Step {
    Box::pin(async move {
        match answer.next().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(answer))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
}
