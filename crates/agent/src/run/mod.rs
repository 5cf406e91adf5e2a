mod advance;
mod answer;
mod apply;
mod budget;
mod circles;
mod conversation;
mod evidence;
mod judge;
mod next;
mod prompt;
mod reflect;
mod shorten;
mod step;

use std::{collections::BTreeMap, time::Duration};

use jarre_core::{Cost, ModelInfo, Timestamp, ToolSpec, Usage};

pub(crate) use shorten::head_and_tail;
pub use step::{CallState, Step, StepCall};

use self::{circles::Circles, conversation::Conversation, evidence::Evidence};
use crate::{ApprovalToken, Outcome, Phase, Purpose, Record, Reflection, Result, Settings, Task, TestReport, codec::Catalogue};

/// A run: the fold of its events.
///
/// It does nothing itself. [`next`](Self::next) says what it waits for, and [`apply`](Self::apply) tells it what happened; both depend on the
/// events alone, so that a run that was killed goes on from its log, and a log can be followed by whoever reads it.
///
/// Plan, act, observe; where tests fail after a change, reflect and begin another attempt; until the work is done and tested, a budget is used
/// up, or the run goes round in circles.
///
/// ```
/// use jarre_agent::{Action, Event, Purpose, Record, Run, SCHEMA, Settings, Task};
/// use jarre_core::{ModelInfo, Timestamp};
///
/// let mut run = Run::new("r1");
/// assert_eq!(run.next(), Action::Begin);
/// let task = Task { instructions: "add two and two".into(), ..Task::default() };
/// let model = ModelInfo::new("jarre", "none");
/// let event = Event::Started { run: "r1".into(), task, settings: Settings::default(), tools: vec![], model };
/// run.apply(&Record { schema: SCHEMA, seq: 0, at: Timestamp::UNIX_EPOCH, previous: Record::root("r1"), event })?;
/// assert!(matches!(run.next(), Action::CallModel { call: 0, purpose: Purpose::Plan, .. }));
/// # Ok::<(), jarre_agent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Run {
    name: String,
    /// Records that were applied.
    seq: u64,
    stage: Stage,

    task: Task,
    settings: Settings,
    tools: Catalogue,
    model: ModelInfo,
    conversation: Conversation,
    /// Tokens of the conversation that are sent at most.
    window: usize,

    started: Timestamp,
    /// The time of the last record.
    now: Timestamp,
    /// When people were asked, while they are.
    waiting_since: Option<Timestamp>,
    /// How long people were waited for.
    waited: Duration,
    /// When the last of them answered, until the run goes on, which may be days later.
    answered: Option<Timestamp>,

    /// The number of the next call of the model, or of the one in flight.
    call: u64,
    /// When the call in flight was begun.
    asked: Option<Timestamp>,
    /// Failures of the model since it last answered.
    failures: u64,
    /// The last answer that could not be read, and what was wrong with it: for a plan, an analysis or a summary.
    unread: Option<(String, String)>,
    /// Answers that could not be read: all, and since the last that could.
    malformed: u64,
    malformed_in_a_row: u64,
    usage: Usage,
    cost: Cost,

    plan: Option<String>,
    steps: Vec<Step>,
    /// Steps that could be acted upon.
    acted: u64,
    calls_of: BTreeMap<String, u64>,
    refused_of: BTreeMap<String, u64>,
    /// Approvals that were asked for.
    approvals: u64,
    evidence: Evidence,
    circles: Circles,
    /// Whether the plan was changed by force in this attempt.
    forced: bool,

    attempt: u64,
    recalled: Vec<Reflection>,
    reflections: Vec<Reflection>,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    New,
    Ask(Purpose),
    Approve,
    Call,
    Recall,
    Remember,
    Finish(Outcome),
    Ended(Outcome),
}

impl Run {
    /// A run of this name of which nothing has happened.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            seq: 0,
            stage: Stage::New,
            task: Task::default(),
            settings: Settings::default(),
            tools: Catalogue::default(),
            model: ModelInfo::new("", ""),
            conversation: Conversation::default(),
            window: 0,
            started: Timestamp::UNIX_EPOCH,
            now: Timestamp::UNIX_EPOCH,
            waiting_since: None,
            waited: Duration::ZERO,
            answered: None,
            call: 0,
            asked: None,
            failures: 0,
            unread: None,
            malformed: 0,
            malformed_in_a_row: 0,
            usage: Usage::default(),
            cost: Cost::ZERO,
            plan: None,
            steps: Vec::new(),
            acted: 0,
            calls_of: BTreeMap::new(),
            refused_of: BTreeMap::new(),
            approvals: 0,
            evidence: Evidence::default(),
            circles: Circles::default(),
            forced: false,
            attempt: 1,
            recalled: Vec::new(),
            reflections: Vec::new(),
        }
    }

    /// The run that these records are the log of, the first of them [`Started`](crate::Event::Started).
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<Self> {
        let mut records = records.into_iter().peekable();
        let name = match records.peek().map(|record| &record.event) {
            Some(crate::Event::Started { run, .. }) => run.clone(),
            _ => String::new(),
        };
        let mut run = Self::new(name);
        for record in records {
            run.apply(record)?;
        }
        Ok(run)
    }
}

/// What is known of it.
impl Run {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many records it is the fold of: the number of the next.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What it is doing.
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::New | Stage::Ask(Purpose::Plan) => Phase::Plan,
            Stage::Ask(Purpose::Act) => Phase::Act,
            Stage::Ask(Purpose::Compact) | Stage::Call => Phase::Observe,
            Stage::Ask(Purpose::Reflect) | Stage::Recall | Stage::Remember => Phase::Reflect,
            Stage::Approve => Phase::NeedsApproval,
            Stage::Finish(_) | Stage::Ended(_) => Phase::Ended,
        }
    }

    /// What is to be done.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// How.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The tools that the model is told of.
    pub fn tools(&self) -> &[ToolSpec] {
        self.tools.specs()
    }

    /// The plan that is followed.
    pub fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }

    /// The steps so far, with those that could not be read.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The tokens of all answers.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// What all answers cost.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// How it ended; `None` while it goes on.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Finish(outcome) | Stage::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Whether its end is written.
    pub fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }

    /// Attempts that were begun, the one that goes on included: from 1.
    pub fn attempts(&self) -> u64 {
        self.attempt
    }

    /// What was made of the failures of this run.
    pub fn reflections(&self) -> &[Reflection] {
        &self.reflections
    }

    /// What earlier tasks taught about the last failure.
    pub fn recalled(&self) -> &[Reflection] {
        &self.recalled
    }

    /// Answers that could not be read.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// The tests that failed when they last ran.
    pub fn open_failures(&self) -> Option<&TestReport> {
        self.evidence.open()
    }

    /// The number of the model's call that was begun and not ended.
    pub fn in_flight(&self) -> Option<u64> {
        self.asked.map(|_| self.call)
    }

    /// Failures of the model since it last answered.
    pub fn failures_in_a_row(&self) -> u64 {
        self.failures
    }

    /// Whether people were asked and have not all answered.
    pub fn is_asking(&self) -> bool {
        self.waiting_since.is_some()
    }

    /// Whether a person has been asked for the approval `token` and has not answered.
    pub fn waits_for(&self, token: &ApprovalToken) -> bool {
        self.is_asking() && self.requests().iter().any(|request| request.token == *token)
    }

    /// The time of its last record.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// When its time is used up. Time in which people are waited for does not count, nor does that from their answer to the next record.
    pub fn deadline(&self) -> Timestamp {
        self.started.saturating_add(self.settings.limits.wall).saturating_add(self.waited)
    }
}
