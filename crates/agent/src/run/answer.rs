use jarre_core::{ChatResponse, Cost, FinishReason, Timestamp};
use serde_json::Value;

use super::{
    Run, Stage, prompt, reflect,
    shorten::head_and_tail,
    step::{CallState, Step, StepCall},
};
use crate::{
    Budget, Outcome, Purpose,
    codec::{FINISH, ReadCall, Reading},
};

/// Bytes of a plan or a summary that are kept.
const TEXT_BYTES: usize = 8_000;
/// Bytes of an answer that could not be read that the model sees again.
const UNREAD_BYTES: usize = 4_000;

impl Run {
    /// Takes in an answer of the model, which was asked at `asked` for `purpose`.
    pub(super) fn take(&mut self, purpose: Purpose, response: &ChatResponse, cost: Cost, asked: Timestamp) {
        self.usage += response.usage;
        self.cost += cost;
        self.failures = 0;
        if purpose == Purpose::Act {
            return self.take_step(response, cost, asked);
        }
        match self.take_text(purpose, response) {
            Ok(()) => (self.unread, self.malformed_in_a_row) = (None, 0),
            Err(complaint) => {
                let said = head_and_tail(&response.message.text(), UNREAD_BYTES);
                self.unread = Some((if said.trim().is_empty() { "(no text)".to_owned() } else { said }, complaint));
                self.count_malformed(Stage::Ask(purpose));
            }
        }
    }

    fn take_text(&mut self, purpose: Purpose, response: &ChatResponse) -> Result<(), String> {
        let text = response.message.text();
        let text = text.trim();
        if response.finish_reason == FinishReason::ContentFilter {
            return Err("the answer was withheld by a policy: say it in another way".to_owned());
        }
        match purpose {
            Purpose::Reflect => {
                let reflection = reflect::read(text, &self.task.instructions, &self.failure())?;
                self.conversation.say(text);
                self.reflections.push(reflection);
                self.stage = Stage::Remember;
            }
            _ if text.is_empty() => return Err("the answer has no text, write what was asked for".to_owned()),
            Purpose::Compact => {
                let open = self.evidence.open().map(|_| self.data(&self.failure()));
                let summary = head_and_tail(text, TEXT_BYTES);
                let plan = self.plan.as_deref().unwrap_or_default();
                self.conversation.sum_up(prompt::summed_up(&summary, plan, open.as_deref(), self.reflections.last()));
                self.go(Stage::Ask(Purpose::Act));
            }
            Purpose::Plan | Purpose::Act => {
                let plan = head_and_tail(text, TEXT_BYTES);
                self.conversation.say(&plan);
                self.conversation.ask(prompt::GO_ON);
                self.plan = Some(plan);
                self.act();
            }
        }
        Ok(())
    }

    fn take_step(&mut self, response: &ChatResponse, cost: Cost, asked: Timestamp) {
        let number = self.steps.len() as u64;
        let reading = self.settings.codec.read(response, number, &self.tools);
        let malformed = reading.malformed();
        let mut step = Step {
            number,
            attempt: self.attempt,
            asked,
            answered: self.now,
            ended: None,
            thought: reading.thought.clone(),
            calls: Vec::new(),
            malformed: malformed.clone(),
            usage: response.usage,
            cost,
        };
        match malformed {
            Some(complaint) => {
                step.calls = not_made(reading, &complaint);
                step.ended = Some(self.now);
                self.converse(&step, &response.message.text());
                self.steps.push(step);
                self.count_malformed(Stage::Ask(Purpose::Act));
                if matches!(self.stage, Stage::Ask(_)) {
                    self.act();
                }
            }
            None => self.take_calls(reading, step),
        }
    }

    fn take_calls(&mut self, reading: Reading, mut step: Step) {
        self.malformed_in_a_row = 0;
        self.acted += 1;
        if let Some(outcome) = self.end(&reading) {
            step.ended = Some(self.now);
            step.calls = reading.calls.into_iter().map(|read| StepCall::new(read.call, CallState::Made)).collect();
            self.steps.push(step);
            self.stage = Stage::Finish(outcome);
            return;
        }
        for ReadCall { call, arguments } in reading.calls {
            let judged = self.judge(call, &arguments.unwrap_or_default());
            step.calls.push(judged);
        }
        self.steps.push(step);
        self.advance();
    }

    /// How the run ends, where the agent gives up, or says that it is done and nothing speaks against it.
    fn end(&self, reading: &Reading) -> Option<Outcome> {
        let ReadCall { call, arguments } = reading.calls.iter().find(|read| read.call.name == FINISH)?;
        let named = |name| arguments.as_ref().ok().and_then(|value| value.get(name));
        let answer = named("answer").and_then(Value::as_str).unwrap_or(&call.arguments).to_owned();
        if named("gave_up").and_then(Value::as_bool) == Some(true) {
            return Some(Outcome::Stuck { reason: format!("the agent gave up: {answer}") });
        }
        self.doubt().is_none().then_some(Outcome::Done { answer })
    }

    /// Why it is not believed that the work is done.
    pub(super) fn doubt(&self) -> Option<String> {
        self.evidence.doubt(&self.tools, self.settings.must_test)
    }

    fn count_malformed(&mut self, again: Stage) {
        self.malformed += 1;
        self.malformed_in_a_row += 1;
        if self.malformed_in_a_row >= self.settings.limits.malformed.max(1) {
            self.stage = Stage::Finish(Outcome::OutOfBudget { budget: Budget::Malformed });
        } else {
            self.go(again);
        }
    }
}

/// The calls of an answer that is not acted upon, each with what is wrong.
fn not_made(reading: Reading, complaint: &str) -> Vec<StepCall> {
    let whole = reading.complaint.is_some();
    let refuse = |ReadCall { call, arguments }: ReadCall| match arguments {
        _ if whole => StepCall::refused(call, complaint),
        Err(wrong) => StepCall::refused(call, wrong),
        Ok(_) => StepCall::refused(call, "not made: another call of the same answer cannot be read"),
    };
    reading.calls.into_iter().map(refuse).collect()
}
