use std::fmt;

use jarre_core::{ChatAccumulator, ChatChunk, ChatModel, Delta, Usage, future, future::BoxStream};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Answer, Outcome, Structured,
    attempt::{Attempts, Next},
    read::{Reading, read},
};
use crate::{
    Result,
    schema::{Incremental, Stopped},
};

/// An answer that is being written. Dropping it drops the model's stream, which cancels the work.
pub struct Answering<'a, M, T> {
    structured: &'a Structured<M, T>,
    attempts: Attempts,
    current: Option<Writing>,
    over: bool,
}

/// What has happened.
#[derive(Debug)]
pub enum Progress<'a, T> {
    /// More is there: the value so far, as [`Incremental::value`] gives it. It is not checked as a whole, and its end is not its end.
    Partial(&'a Value),
    /// The answer does not fit: it was broken off, or read to its end in vain, and is asked for anew. What was shown is void.
    Again(&'a Outcome),
    /// The answer, after which nothing comes.
    Answer(Answer<T>),
}

/// One attempt.
struct Writing {
    stream: BoxStream<'static, jarre_core::Result<ChatChunk>>,
    answer: ChatAccumulator,
    /// The tokens used so far, as far as the model told.
    usage: Usage,
    reading: Incremental,
    /// Whether the text still is the beginning of a JSON document and of nothing else.
    plain: bool,
}

/// What one chunk of a stream led to.
enum Read<T> {
    More,
    Nothing,
    End(Next<T>),
}

impl<'a, M: ChatModel, T: DeserializeOwned> Answering<'a, M, T> {
    pub(super) fn new(structured: &'a Structured<M, T>, attempts: Attempts) -> Self {
        Self { structured, attempts, current: None, over: false }
    }

    /// What happens next; `None` once the answer was given or the answering failed.
    ///
    /// # Errors
    /// As for [`Structured::ask`]; nothing follows an error.
    pub async fn next(&mut self) -> Result<Option<Progress<'_, T>>> {
        if std::mem::replace(&mut self.over, true) {
            return Ok(None);
        }
        loop {
            match self.step().await? {
                Read::Nothing => {}
                Read::More => {
                    self.over = false;
                    break;
                }
                Read::End(Next::Done(answer)) => return Ok(Some(Progress::Answer(answer))),
                Read::End(Next::Again) => {
                    self.over = false;
                    return Ok(self.attempts.last().map(Progress::Again));
                }
            }
        }
        Ok(self.current.as_ref().and_then(|writing| writing.reading.value()).map(Progress::Partial))
    }

    async fn step(&mut self) -> Result<Read<T>> {
        if self.current.is_none() {
            let stream = self.structured.model.stream(self.attempts.request()).await?;
            let reading = self.structured.schema.incremental();
            self.current = Some(Writing { stream, answer: ChatAccumulator::new(), usage: Usage::default(), reading, plain: true });
        }
        let writing = self.current.as_mut().expect("a stream was begun where there was none");
        let Some(chunk) = future::next(&mut writing.stream).await else { return self.end() };
        match writing.take(chunk?, self.structured.config.stop_early)? {
            Taken::Text => Ok(Read::More),
            Taken::Nothing => Ok(Read::Nothing),
            Taken::Stop(stopped) => self.break_off(stopped),
        }
    }

    /// The stream ended: the answer is read as a whole, as it would be without streaming.
    fn end(&mut self) -> Result<Read<T>> {
        let writing = self.current.take().expect("a stream that ended was begun");
        let response = writing.answer.finish()?;
        let text = response.message.text();
        let config = &self.structured.config;
        let reading = read(&text, response.finish_reason, &self.structured.schema, &config.recovery);
        self.attempts.book(text, response.usage, reading).map(Read::End)
    }

    fn break_off(&mut self, stopped: Stopped) -> Result<Read<T>> {
        let writing = self.current.take().expect("a stream that is broken off was begun");
        let (text, usage) = (writing.answer.message().text(), writing.usage);
        drop(writing);
        let outcome = Outcome::BrokenOff { at: stopped.at, violation: stopped.violation };
        self.attempts.book(text, usage, Reading::Fails(outcome)).map(Read::End)
    }
}

enum Taken {
    Text,
    Nothing,
    Stop(Stopped),
}

impl Writing {
    /// A text that is no JSON document from its first character on may still hold one: it is neither shown nor broken off.
    fn take(&mut self, chunk: ChatChunk, stop_early: bool) -> Result<Taken> {
        let texts = chunk.deltas.iter().filter_map(|delta| if let Delta::Text { text, .. } = delta { Some(text.as_str()) } else { None });
        let mut taken = Taken::Nothing;
        for text in texts.filter(|text| !text.is_empty()) {
            match self.plain.then(|| self.reading.push(text)) {
                Some(Ok(())) => taken = Taken::Text,
                Some(Err(stopped)) if stop_early && stopped.violation.keyword != "json" => taken = Taken::Stop(stopped),
                Some(Err(_)) => self.plain = false,
                None => {}
            }
            if matches!(taken, Taken::Stop(_)) {
                break;
            }
        }
        self.usage = chunk.usage.unwrap_or(self.usage);
        self.answer.push(chunk)?;
        Ok(taken)
    }
}

impl<M: fmt::Debug, T> fmt::Debug for Answering<'_, M, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Answering").field("structured", self.structured).field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
