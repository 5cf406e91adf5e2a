use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jarre_core::{BoxFuture, Timestamp};

use super::{Divergence, Replayed};
use crate::{Cancel, Error, Event, Journal, Record, Result, log};

/// The log of a run that is replayed: a [`Journal`] that compares what is appended with what was, and where the recorded doubles find what came
/// from outside.
pub struct Tape {
    records: Vec<Record>,
    cancel: Cancel,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many records were written again.
    next: usize,
    diverged: Option<Box<Divergence>>,
    /// Whether something was asked for that the log does not have any more.
    over: bool,
}

impl Tape {
    /// The tape of `records`, of which the first was played: it says how the run began. Where someone ended the run, `cancel` is used.
    pub fn new(records: Vec<Record>, cancel: Cancel) -> Self {
        let tape = Self { records, cancel, state: Mutex::new(State { next: 1, diverged: None, over: false }) };
        tape.play_cancel(1);
        tape
    }

    /// What was recorded next; `None` where the recording ends.
    pub fn peek(&self) -> Option<&Record> {
        self.records.get(self.state().next)
    }

    /// The time of the last record that was written again.
    pub fn time(&self) -> Timestamp {
        let played = self.state().next.saturating_sub(1);
        self.records.get(played).map_or(Timestamp::UNIX_EPOCH, |record| record.at)
    }

    /// How it went so far.
    pub fn outcome(&self) -> Replayed {
        let state = self.state();
        if let Some(divergence) = &state.diverged {
            return Replayed::Diverged(divergence.clone());
        }
        match self.records.get(state.next) {
            // A log can only go on where its run does.
            Some(expected) => {
                Replayed::Diverged(Box::new(Divergence { at: state.next as u64, expected: Some(expected.clone()), got: None }))
            }
            None => Replayed::Same { records: state.next as u64 },
        }
    }

    /// Whether the replay has come as far as it can: it diverged, or the recording ended.
    pub(super) fn is_over(&self) -> bool {
        let state = self.state();
        state.over || state.diverged.is_some()
    }

    /// That the recording has no more.
    pub(super) fn end(&self) -> Error {
        self.state().over = true;
        Error::Invalid("the recording ends here".into())
    }

    fn compare(&self, event: Event) -> Result<Record> {
        let next = self.state().next;
        let Some(expected) = self.records.get(next) else { return Err(self.after_the_end(next, event)) };
        let event = with_measured(event, &expected.event);
        let again = Record { event, ..expected.clone() };
        let same = again == *expected && log::encode(&again).ok() == log::encode(expected).ok();
        if !same {
            let divergence = Divergence { at: next as u64, expected: Some(expected.clone()), got: Some(again.event) };
            self.state().diverged = Some(Box::new(divergence));
            return Err(Error::Invalid(format!("the replay diverges at record {next}")));
        }
        self.state().next = next + 1;
        self.play_cancel(next + 1);
        Ok(again)
    }

    /// A recording that broke off is followed no further; behind the end of a run nothing may come.
    fn after_the_end(&self, next: usize, event: Event) -> Error {
        if self.records.last().is_some_and(|last| matches!(last.event, Event::Finished { .. })) {
            self.state().diverged = Some(Box::new(Divergence { at: next as u64, expected: None, got: Some(event) }));
        }
        self.end()
    }

    fn play_cancel(&self, next: usize) {
        if let Some(Event::Cancelled { reason }) = self.records.get(next).map(|record| &record.event) {
            self.cancel.cancel(reason);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Tape {
    fn append(&self, event: Event) -> BoxFuture<'_, Result<Record>> {
        Box::pin(async move { self.compare(event) })
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").field("records", &self.records.len()).field("state", &*self.state()).finish_non_exhaustive()
    }
}

/// The event with what was measured or said from outside, which does not follow from the run: how long a tool took, and whose answer came first.
fn with_measured(event: Event, expected: &Event) -> Event {
    match (event, expected) {
        (Event::ToolFinished { key, output, .. }, Event::ToolFinished { took, .. }) => Event::ToolFinished { key, output, took: *took },
        (Event::ApprovalAnswered { .. }, Event::ApprovalAnswered { .. }) => expected.clone(),
        (event, _) => event,
    }
}
