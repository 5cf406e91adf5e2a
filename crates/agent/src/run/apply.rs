use std::time::Duration;

use jarre_core::{ChatResponse, Cost, Error as CoreError, ErrorKind, ModelInfo, Timestamp, ToolCall, ToolOutput, ToolSpec};

use super::{Run, Stage, prompt, step::CallState};
use crate::{
    ApprovalRequest, ApprovalToken, Decision, Error, Event, Outcome, Purpose, Record, Result, SCHEMA, Settings, Task, codec::Catalogue,
};

/// Why an event cannot be taken.
type Refusal = String;

impl Run {
    /// Takes in what happened.
    ///
    /// # Errors
    /// [`Error::Log`] where the event cannot follow what was before it, names it and says why, or where its version is not known; the run is
    /// then as it was.
    pub fn apply(&mut self, record: &Record) -> Result<()> {
        let refuse = |reason: String| Error::Log { run: self.name.clone(), at: record.seq, reason };
        if record.schema > SCHEMA {
            let reason =
                format!("it has the version {} of events, and this program knows those up to {SCHEMA}: use a newer one", record.schema);
            return Err(refuse(reason));
        }
        if record.seq != self.seq {
            return Err(refuse(format!("the record {} was expected", self.seq)));
        }
        let before = (self.now, self.waited, self.answered);
        // The clock of a machine may be set back; the run's own time is not.
        self.now = if self.seq == 0 { record.at } else { self.now.max(record.at) };
        if let Some(answered) = self.answered.take() {
            self.waited = self.waited.saturating_add(self.now.since(answered));
        }
        if let Err(reason) = self.take_event(&record.event) {
            (self.now, self.waited, self.answered) = before;
            let reason = format!("the event `{}` cannot follow: {reason}", record.event.name());
            return Err(Error::Log { run: self.name.clone(), at: record.seq, reason });
        }
        self.seq += 1;
        Ok(())
    }

    fn take_event(&mut self, event: &Event) -> Result<(), Refusal> {
        match event {
            Event::Started { run, task, settings, tools, model } => self.begin(run, task, settings, tools, model),
            Event::ModelCalled { call, purpose, .. } => self.model_called(*call, *purpose),
            Event::ModelAnswered { call, response, cost } => self.model_answered(*call, response, *cost),
            Event::ModelFailed { call, kind, message } => self.model_failed(*call, *kind, message),
            Event::ApprovalAsked { requests } => self.approval_asked(requests),
            Event::ApprovalAnswered { token, decision, by } => self.approval_answered(token, decision, by),
            Event::ToolStarted { call, key } => self.tool_started(call, key),
            Event::ToolFinished { key, output, took } => self.tool_finished(key, output, *took),
            Event::Recalled { reflections } => {
                self.expect(&Stage::Recall, "nothing was to be looked up")?;
                self.recalled.clone_from(reflections);
                self.reflect();
                Ok(())
            }
            Event::Remembered => {
                self.expect(&Stage::Remember, "nothing was to be kept")?;
                self.try_again();
                Ok(())
            }
            Event::Cancelled { reason } => self.cancelled(reason),
            Event::Finished { outcome } => {
                self.expect(&Stage::Finish(outcome.clone()), "the run does not end so")?;
                self.stage = Stage::Ended(outcome.clone());
                Ok(())
            }
        }
    }

    fn expect(&self, stage: &Stage, otherwise: &str) -> Result<(), Refusal> {
        if self.stage == *stage { Ok(()) } else { Err(otherwise.to_owned()) }
    }

    fn begin(&mut self, run: &str, task: &Task, settings: &Settings, tools: &[ToolSpec], model: &ModelInfo) -> Result<(), Refusal> {
        self.expect(&Stage::New, "the run has begun already")?;
        if run != self.name {
            return Err(format!("it begins the run `{run}`"));
        }
        self.tools = Catalogue::new(tools.to_vec()).map_err(|error| error.to_string())?;
        (self.task, self.settings, self.model) = (task.clone(), settings.clone(), model.clone());
        self.started = self.now;
        self.window = self.first_window();
        self.conversation.ask(prompt::task(task));
        self.go(Stage::Ask(Purpose::Plan));
        Ok(())
    }

    fn model_called(&mut self, call: u64, purpose: Purpose) -> Result<(), Refusal> {
        self.expect(&Stage::Ask(purpose), "the model was not to be asked for this")?;
        if call != self.call || self.asked.is_some() {
            return Err(format!("the call {} of the model is the next that can begin", self.call + u64::from(self.asked.is_some())));
        }
        self.asked = Some(self.now);
        Ok(())
    }

    /// Ends the call in flight: what it was for, and when it was begun.
    fn end_call(&mut self, call: u64) -> Result<(Purpose, Timestamp), Refusal> {
        let Stage::Ask(purpose) = self.stage else { return Err("no model was asked".to_owned()) };
        let asked = self.asked.filter(|_| call == self.call).ok_or_else(|| format!("the call {call} of the model is not in flight"))?;
        self.asked = None;
        self.call += 1;
        Ok((purpose, asked))
    }

    fn model_answered(&mut self, call: u64, response: &ChatResponse, cost: Cost) -> Result<(), Refusal> {
        let (purpose, asked) = self.end_call(call)?;
        self.take(purpose, response, cost, asked);
        Ok(())
    }

    fn model_failed(&mut self, call: u64, kind: ErrorKind, message: &str) -> Result<(), Refusal> {
        let (purpose, _) = self.end_call(call)?;
        self.failures += 1;
        let too_long = kind == ErrorKind::ContextLength;
        let mended = too_long || CoreError::new(kind, "").is_retryable();
        if kind == ErrorKind::Cancelled {
            self.stage = Stage::Finish(Outcome::Cancelled { reason: message.to_owned() });
        } else if !mended || self.failures > self.settings.limits.retries {
            self.stage = Stage::Finish(Outcome::Failed { reason: message.to_owned() });
        } else if too_long {
            // What was reckoned to fit does not: the window is smaller than it was thought to be.
            self.window = (self.window.min(self.conversation.tokens(self.window, self.system().len())) / 3 * 2).max(256);
            if purpose == Purpose::Act { self.act() } else { self.go(Stage::Ask(purpose)) }
        } else {
            self.go(Stage::Ask(purpose));
        }
        Ok(())
    }

    fn approval_asked(&mut self, requests: &[ApprovalRequest]) -> Result<(), Refusal> {
        self.expect(&Stage::Approve, "no call waits for a person")?;
        let expected = self.requests();
        let same = expected.len() == requests.len() && expected.iter().zip(requests).all(|(ours, theirs)| ours.call == theirs.call);
        if self.waiting_since.is_some() || !same {
            return Err("these are not the calls that a person was to be asked for".to_owned());
        }
        let waiting = self.current_mut().iter_mut().filter(|call| call.is_waiting());
        for (call, request) in waiting.zip(requests) {
            call.state = CallState::Waiting { why: request.why.clone(), token: Some(request.token.clone()) };
        }
        self.approvals += requests.len() as u64;
        self.waiting_since = Some(self.now);
        Ok(())
    }

    fn approval_answered(&mut self, token: &ApprovalToken, decision: &Decision, by: &str) -> Result<(), Refusal> {
        let asked = |state: &CallState| matches!(state, CallState::Waiting { token: Some(asked), .. } if asked == token);
        let found = self.current().iter().position(|call| asked(&call.state)).filter(|_| self.stage == Stage::Approve);
        let at = found.ok_or_else(|| format!("no call waits for the approval {}", token.as_str()))?;
        let mut call = self.current()[at].clone();
        match decision {
            Decision::Approved => call.state = CallState::Allowed,
            Decision::Edited { arguments } => call = self.edited(&call.call, arguments),
            Decision::Denied { reason } => call.refuse(format!("not made, as {by} did not allow it: {reason}")),
        }
        call.decided_by = Some(by.to_owned());
        self.current_mut()[at] = call;
        if !self.current().iter().any(super::StepCall::is_waiting) {
            let since = self.waiting_since.take().unwrap_or(self.now);
            self.waited = self.waited.saturating_add(self.now.since(since));
            self.answered = Some(self.now);
        }
        self.advance();
        Ok(())
    }

    fn tool_started(&mut self, call: &ToolCall, key: &str) -> Result<(), Refusal> {
        self.expect(&Stage::Call, "no tool was to be called")?;
        let next = self.current_mut().iter_mut().find(|call| !call.is_over());
        let next = next.filter(|next| next.call == *call && next.state == CallState::Allowed);
        let next = next.ok_or_else(|| format!("the call {:?} of `{}` is not the next", call.id, call.name))?;
        next.state = CallState::Started { key: key.to_owned() };
        Ok(())
    }

    fn tool_finished(&mut self, key: &str, output: &ToolOutput, took: Duration) -> Result<(), Refusal> {
        self.expect(&Stage::Call, "no tool was called")?;
        let begun = |state: &CallState| matches!(state, CallState::Started { key: begun } if begun == key);
        let call = self.current_mut().iter_mut().find(|call| begun(&call.state));
        let call = call.ok_or_else(|| format!("no call of the key {key} was begun"))?;
        (call.state, call.output, call.took) = (CallState::Made, Some(output.clone()), took);
        self.advance();
        Ok(())
    }

    fn cancelled(&mut self, reason: &str) -> Result<(), Refusal> {
        match self.stage {
            Stage::New => Err("the run has not begun".to_owned()),
            Stage::Ended(_) => Err("the run has ended".to_owned()),
            // What is decided stays so.
            Stage::Finish(_) => Ok(()),
            _ => {
                self.stage = Stage::Finish(Outcome::Cancelled { reason: reason.to_owned() });
                Ok(())
            }
        }
    }
}
