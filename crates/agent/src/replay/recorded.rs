//! What came from outside, from a recording.

use std::{fmt, future, sync::Arc, time::Duration};

use jarre_core::{
    BoxFuture, ChatModel, ChatRequest, ChatResponse, Clock, Error as CoreError, ErrorKind, ModelInfo, Result as CoreResult, Timestamp,
    Tool, ToolContext, ToolOutput, ToolSpec,
};
use serde_json::Value;

use super::Tape;
use crate::{ApprovalRequest, ApprovalSource, Event, Lessons, Reflection, Reply, Result};

/// A model that says what was recorded next; where the run was ended instead, it never answers.
pub struct RecordedModel {
    info: ModelInfo,
    tape: Arc<Tape>,
}

/// A tool that returns what was recorded for its call's key; where the run was ended instead, it never returns.
pub struct RecordedTool {
    spec: ToolSpec,
    tape: Arc<Tape>,
}

/// A clock that stands at the time of the record that was written last.
pub struct RecordedClock {
    tape: Arc<Tape>,
}

impl RecordedModel {
    /// The model `info` as `tape` has it.
    pub const fn new(info: ModelInfo, tape: Arc<Tape>) -> Self {
        Self { info, tape }
    }
}

impl RecordedTool {
    /// The tool `spec` as `tape` has it.
    pub const fn new(spec: ToolSpec, tape: Arc<Tape>) -> Self {
        Self { spec, tape }
    }
}

impl RecordedClock {
    /// The clock of `tape`.
    pub const fn new(tape: Arc<Tape>) -> Self {
        Self { tape }
    }
}

impl ChatModel for RecordedModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, _: ChatRequest) -> BoxFuture<'_, CoreResult<ChatResponse>> {
        match self.tape.peek().map(|record| record.event.clone()) {
            Some(Event::ModelAnswered { response, .. }) => ready(Ok(response)),
            Some(Event::ModelFailed { kind, message, .. }) => ready(Err(CoreError::new(kind, message))),
            next => otherwise(&self.tape, next.as_ref()),
        }
    }
}

impl Tool for RecordedTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, _: Value, context: &'a ToolContext) -> BoxFuture<'a, CoreResult<ToolOutput>> {
        match self.tape.peek().map(|record| record.event.clone()) {
            Some(Event::ToolFinished { key, output, .. }) if key == context.idempotency_key => ready(Ok(output)),
            next => otherwise(&self.tape, next.as_ref()),
        }
    }
}

impl Clock for RecordedClock {
    /// Since the run's clock stood at 1970.
    fn now(&self) -> Duration {
        self.tape.time().since(Timestamp::UNIX_EPOCH)
    }

    fn timestamp(&self) -> Timestamp {
        self.tape.time()
    }
}

/// The approvals of a recording.
pub(super) struct RecordedApprovals(pub(super) Arc<Tape>);

impl ApprovalSource for RecordedApprovals {
    fn ask<'a>(&'a self, _: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>> {
        match self.0.peek().map(|record| record.event.clone()) {
            Some(Event::ApprovalAnswered { decision, by, .. }) => ready(Ok(Reply::Decided { decision, by })),
            Some(Event::Cancelled { .. }) => Box::pin(future::pending()),
            _ => ready(Ok(Reply::Pause)),
        }
    }
}

/// The recollections of a recording.
pub(super) struct RecordedLessons(pub(super) Arc<Tape>);

impl Lessons for RecordedLessons {
    fn recall<'a>(&'a self, _: &'a str, _: &'a str, _: usize) -> BoxFuture<'a, Result<Vec<Reflection>>> {
        match self.0.peek().map(|record| record.event.clone()) {
            Some(Event::Recalled { reflections }) => ready(Ok(reflections)),
            Some(_) => ready(Ok(Vec::new())),
            None => ready(Err(self.0.end())),
        }
    }

    fn remember<'a>(&'a self, _: &'a str, _: &'a Reflection) -> BoxFuture<'a, Result<()>> {
        ready(Ok(()))
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(future::ready(value))
}

/// Where the recording has no answer: it was cut short by a person, breaks off, or is of another run.
fn otherwise<'a, T: Send + 'a>(tape: &Tape, next: Option<&Event>) -> BoxFuture<'a, CoreResult<T>> {
    match next {
        Some(Event::Cancelled { .. }) => Box::pin(future::pending()),
        Some(_) => ready(Err(CoreError::new(ErrorKind::Internal, "the recording has something else here"))),
        None => ready(Err(CoreError::new(ErrorKind::Internal, tape.end().to_string()))),
    }
}

macro_rules! debug {
    ($($type:ident)*) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type)).field("tape", &self.tape).finish_non_exhaustive()
            }
        })*
    };
}

debug!(RecordedModel RecordedTool RecordedClock);
