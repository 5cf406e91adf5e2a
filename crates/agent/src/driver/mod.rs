//! Runs a [`Run`]: asks models and people, calls tools, and writes down what happens before and after it does.

mod approvals;
mod cancel;
mod effects;
mod fit;
mod journal;
mod lessons;
mod observer;
mod race;
mod timer;

use std::{collections::BTreeSet, fmt, sync::Arc};

use jarre_core::{Capability, ChatModel, Clock};

pub use approvals::{ApprovalSource, DenyAll, PauseForApproval, Reply};
pub use cancel::Cancel;
pub use journal::{Journal, MemoryJournal};
pub use lessons::{Lessons, NoLessons};
pub use observer::Observer;
pub use timer::{ThreadTimer, Timer};

use crate::{
    Action, CodecKind, Error, Event, Result, Run, Settings, Task, Toolbox,
    codec::{FINISH, finish_spec},
};

/// Drives runs: everything that happens outside of them happens here.
///
/// It needs no runtime; whatever polls its futures will do. One driver can drive any number of runs at once.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::{Driven, Driver, MemoryJournal, Outcome, Settings, Task, Toolbox};
/// use jarre_core::{ChatResponse, FinishReason, Message, SystemClock, ToolCall, testing::ScriptedModel};
///
/// let finish = Message::assistant("").with_part(ToolCall::new("1", "finish", r#"{"answer": "four"}"#));
/// let model = ScriptedModel::new().with_text("say it").with_response(ChatResponse::new(finish, FinishReason::ToolCalls));
/// let clock = Arc::new(SystemClock::new());
/// let driver = Driver::new(Arc::new(model), Toolbox::new(), clock.clone());
///
/// let journal = MemoryJournal::new("r1", clock);
/// let task = Task { instructions: "what are two and two?".into(), ..Task::default() };
/// let driven = pollster::block_on(driver.start(&journal, "r1", task, Settings::default()))?;
/// let Driven::Ended(run) = driven else { unreachable!("nobody had to be asked") };
/// assert_eq!(run.outcome(), Some(&Outcome::Done { answer: "four".into() }));
/// # Ok::<(), jarre_agent::Error>(())
/// ```
#[derive(Clone)]
pub struct Driver {
    model: Arc<dyn ChatModel>,
    tools: Toolbox,
    clock: Arc<dyn Clock>,
    approvals: Arc<dyn ApprovalSource>,
    lessons: Arc<dyn Lessons>,
    observers: Vec<Arc<dyn Observer>>,
    timer: Option<Arc<dyn Timer>>,
    cancel: Cancel,
    keeps_keys: BTreeSet<String>,
}

/// Where driving has led.
#[derive(Clone, Debug)]
pub enum Driven {
    /// The run has ended; it holds how, and what it has.
    Ended(Run),
    /// People have to decide first. Once the log has their answers, [`Driver::resume`] goes on, in this process or in another.
    Paused(Run),
}

impl Driven {
    /// The run.
    pub fn run(&self) -> &Run {
        match self {
            Self::Ended(run) | Self::Paused(run) => run,
        }
    }
}

impl Driver {
    /// A driver that pauses for approvals, keeps no reflections, and gives up nothing that takes long.
    pub fn new(model: Arc<dyn ChatModel>, tools: Toolbox, clock: Arc<dyn Clock>) -> Self {
        Self {
            model,
            tools,
            clock,
            approvals: Arc::new(PauseForApproval),
            lessons: Arc::new(NoLessons),
            observers: Vec::new(),
            timer: None,
            cancel: Cancel::new(),
            keeps_keys: BTreeSet::new(),
        }
    }

    /// Sets who is asked for approvals.
    pub fn with_approvals(mut self, approvals: impl ApprovalSource + 'static) -> Self {
        self.approvals = Arc::new(approvals);
        self
    }

    /// Sets where reflections are kept and found.
    pub fn with_lessons(mut self, lessons: impl Lessons + 'static) -> Self {
        self.lessons = Arc::new(lessons);
        self
    }

    /// Adds someone who follows.
    pub fn with_observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Sets what lets time pass: tries of a model are then spaced, and what outlasts the run's time is given up. Without it models and tools
    /// are trusted to keep the deadline that they are given.
    pub fn with_timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// Sets the handle that ends runs.
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Names tools that keep idempotency keys beyond the life of a process: a call that was begun and of which it is not known how it ended
    /// is made again, with its key. Tools of the class `Read` are called again in any case; of others the model is told that it is not known.
    pub fn with_kept_keys<S: Into<String>>(mut self, tools: impl IntoIterator<Item = S>) -> Self {
        self.keeps_keys.extend(tools.into_iter().map(Into::into));
        self
    }

    /// Begins the run `name` and drives it. `journal` is empty, and of the same name.
    ///
    /// # Errors
    /// Where the settings do not fit the model or the tools, or the journal fails.
    pub async fn start(&self, journal: &dyn Journal, name: &str, task: Task, settings: Settings) -> Result<Driven> {
        let model = self.model.info().clone();
        if settings.codec == CodecKind::Native && !model.can(Capability::Tools) {
            return Err(Error::Invalid(format!("the model `{}` cannot call tools, set the codec `react`", model.name)));
        }
        let mut tools = self.tools.specs();
        if self.tools.get(FINISH).is_none() {
            tools.push(finish_spec());
        }
        crate::codec::Catalogue::new(tools.clone())?;
        let mut run = Run::new(name);
        self.write(&mut run, journal, Event::Started { run: name.to_owned(), task, settings, tools, model }).await?;
        self.resume(journal, run).await
    }

    /// Drives `run` from where it is: the fold of everything in `journal`.
    ///
    /// # Errors
    /// Where the journal, the approvals or the lessons fail. The run can be resumed from its journal. A model or a tool that fails is no
    /// error here: the run takes it in.
    pub async fn resume(&self, journal: &dyn Journal, mut run: Run) -> Result<Driven> {
        loop {
            let action = run.next();
            if let Some(reason) = self.cancel.reason().filter(|_| run.outcome().is_none() && action != Action::Begin) {
                self.write(&mut run, journal, Event::Cancelled { reason }).await?;
                continue;
            }
            match action {
                Action::Begin => return Err(Error::Invalid("the run has not begun, start it".to_owned())),
                Action::CallModel { call, purpose, request } => self.call_model(&mut run, journal, call, purpose, *request).await?,
                Action::CallTools(calls) => self.call_tool(&mut run, journal, calls).await?,
                Action::AskHuman(requests) => {
                    if !self.ask_human(&mut run, journal, requests).await? {
                        return Ok(Driven::Paused(run));
                    }
                }
                Action::Recall { query, limit } => {
                    let reflections = self.lessons.recall(&run.settings().lessons_scope, &query, limit).await?;
                    self.write(&mut run, journal, Event::Recalled { reflections }).await?;
                }
                Action::Remember(reflection) => {
                    self.lessons.remember(&run.settings().lessons_scope, &reflection).await?;
                    self.write(&mut run, journal, Event::Remembered).await?;
                }
                Action::Finish(outcome) => self.write(&mut run, journal, Event::Finished { outcome }).await?,
                Action::Ended => return Ok(Driven::Ended(run)),
            }
        }
    }

    async fn write(&self, run: &mut Run, journal: &dyn Journal, event: Event) -> Result<()> {
        let record = journal.append(event).await?;
        run.apply(&record)?;
        for observer in &self.observers {
            observer.observe(&record);
        }
        Ok(())
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("model", self.model.info()).field("tools", &self.tools).finish_non_exhaustive()
    }
}
