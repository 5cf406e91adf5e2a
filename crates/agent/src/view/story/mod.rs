//! The story of a run: a fold of its records into what a reader follows, step by step.

mod call;
mod failure;
mod step;

use jarre_core::{Cost, Timestamp, Usage};

pub use call::{Approval, Call};
pub use failure::{Failure, Lesson};
pub use step::Step;

use crate::{ApprovalToken, Event, Outcome, Phase, Purpose, Record, Reflection, Settings, Task};

/// A run as a reader follows it: steps, each with what the model thought and did and what came of it, approvals, failures with what was learnt
/// from them, and the end.
///
/// It takes records of any log, also of one that no run would write, and makes the best of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Story {
    /// The run's name; empty before its first record.
    pub run: String,
    /// What is to be done.
    pub task: Task,
    /// How.
    pub settings: Settings,
    /// Who runs the model.
    pub provider: String,
    /// The model.
    pub model: String,
    /// When the run began.
    pub started: Timestamp,
    /// When its last record was written.
    pub updated: Timestamp,
    /// The number of the next record.
    pub next: u64,
    /// What it is doing.
    pub phase: Phase,
    /// The last plan, in the model's words.
    pub plan: String,
    /// The steps; each begins with a call of the model.
    pub steps: Vec<Step>,
    /// The runs of tests that failed, with what was learnt from them.
    pub failures: Vec<Failure>,
    /// Tokens of all calls.
    pub usage: Usage,
    /// Money of all calls.
    pub cost: Cost,
    /// Why someone asked the run to end, where someone did.
    pub cancelled: Option<String>,
    /// How it ended, where it did.
    pub outcome: Option<Outcome>,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            run: String::new(),
            task: Task::default(),
            settings: Settings::default(),
            provider: String::new(),
            model: String::new(),
            started: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
            next: 0,
            phase: Phase::Plan,
            plan: String::new(),
            steps: Vec::new(),
            failures: Vec::new(),
            usage: Usage::default(),
            cost: Cost::ZERO,
            cancelled: None,
            outcome: None,
        }
    }
}

impl Story {
    /// The story that `records` tell.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut story = Self::default();
        for record in records {
            story.push(record);
        }
        story
    }

    /// Takes in the next record. Returns the place of the step that it changed, where it changed one.
    pub fn push(&mut self, record: &Record) -> Option<usize> {
        let at = record.at;
        if self.next == 0 {
            self.started = at;
        }
        (self.updated, self.next) = (at, record.seq.saturating_add(1));
        match &record.event {
            Event::Started { run, task, settings, model, .. } => {
                (self.run, self.task, self.settings) = (run.clone(), task.clone(), settings.clone());
                (self.provider, self.model) = (model.provider.clone(), model.name.clone());
                None
            }
            Event::ModelCalled { call, purpose, .. } => Some(self.begin(*call, *purpose, at)),
            Event::ModelAnswered { call, response, cost } => {
                let place = self.of_call(*call, at);
                self.usage += response.usage;
                self.cost += *cost;
                self.steps[place].answer(response, *cost, at);
                self.learn(place);
                Some(place)
            }
            Event::ModelFailed { call, kind, message } => {
                let place = self.of_call(*call, at);
                self.steps[place].fail(*kind, message, at);
                Some(place)
            }
            Event::Recalled { reflections } => self.recall(reflections),
            Event::Remembered => None,
            Event::Cancelled { reason } => {
                self.cancelled = Some(reason.clone());
                None
            }
            Event::Finished { outcome } => {
                (self.phase, self.outcome) = (Phase::Ended, Some(outcome.clone()));
                None
            }
            acted => self.act(acted, at),
        }
    }

    /// The calls that wait for a person.
    pub fn pending(&self) -> impl Iterator<Item = (&Step, &Call)> {
        let is_over = self.outcome.is_some();
        let calls = self.steps.iter().flat_map(|step| step.calls.iter().map(move |call| (step, call)));
        calls.filter(move |(_, call)| !is_over && call.approval.as_ref().is_some_and(Approval::is_pending))
    }

    /// Whether nothing was taken in yet.
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    /// What tools did, and what people said of it.
    fn act(&mut self, event: &Event, at: Timestamp) -> Option<usize> {
        match event {
            Event::ApprovalAsked { requests } => {
                self.phase = Phase::NeedsApproval;
                let place = self.last(at);
                for request in requests {
                    self.steps[place].ask(request, at);
                }
                Some(place)
            }
            Event::ApprovalAnswered { token, decision, by } => {
                let place = self.answered(token)?;
                let call = self.steps[place].calls.iter_mut().find(|call| call.waits_for(token))?;
                call.approval.as_mut()?.answer(decision, by, at);
                if self.pending().next().is_none() {
                    self.phase = Phase::Act;
                }
                Some(place)
            }
            Event::ToolStarted { call, key } => {
                let place = self.last(at);
                self.steps[place].start(call, key, at);
                self.phase = Phase::Observe;
                Some(place)
            }
            Event::ToolFinished { key, output, took } => {
                let place = self.steps.iter().rposition(|step| step.calls.iter().any(|call| call.key == *key))?;
                let call = self.steps[place].calls.iter_mut().rfind(|call| call.key == *key)?;
                call.finish(output, *took, at);
                if call.is_red() {
                    let tests = call.tests.clone().unwrap_or_default();
                    self.failures.push(Failure::new(self.failures.len() + 1, place, tests));
                }
                Some(place)
            }
            _ => None,
        }
    }

    fn begin(&mut self, call: u64, purpose: Purpose, at: Timestamp) -> usize {
        self.phase = match purpose {
            Purpose::Plan => Phase::Plan,
            Purpose::Act | Purpose::Compact => Phase::Act,
            Purpose::Reflect => Phase::Reflect,
        };
        self.steps.push(Step::new(call, purpose, at));
        self.steps.len() - 1
    }

    /// The step that the call of the model with this number began; a new one where the log does not have it.
    fn of_call(&mut self, call: u64, at: Timestamp) -> usize {
        let found = self.steps.iter().rposition(|step| step.number == call);
        found.unwrap_or_else(|| self.begin(call, Purpose::Act, at))
    }

    /// The step that is under way.
    fn last(&mut self, at: Timestamp) -> usize {
        if self.steps.is_empty() { self.begin(0, Purpose::Act, at) } else { self.steps.len() - 1 }
    }

    fn answered(&self, token: &ApprovalToken) -> Option<usize> {
        self.steps.iter().rposition(|step| step.calls.iter().any(|call| call.waits_for(token)))
    }

    fn recall(&mut self, reflections: &[Reflection]) -> Option<usize> {
        let failure = self.failures.last_mut()?;
        failure.recalled = reflections.to_vec();
        Some(failure.step)
    }

    /// Keeps a plan, and what the model made of a failure beside that failure.
    fn learn(&mut self, place: usize) {
        let step = &self.steps[place];
        match step.purpose {
            Purpose::Plan => self.plan.clone_from(&step.text),
            Purpose::Reflect => {
                let lesson = Lesson::read(&step.text);
                match self.failures.last_mut() {
                    Some(failure) => failure.lesson = Some(lesson),
                    None => self.failures.push(Failure { lesson: Some(lesson), ..Failure::new(1, place, crate::TestReport::default()) }),
                }
            }
            Purpose::Act | Purpose::Compact => {}
        }
    }
}
