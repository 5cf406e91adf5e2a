use std::{
    collections::HashSet,
    iter::Peekable,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jarre_core::{ChatModel, Clock, Cost, Sampling, SystemClock, Usage};
use tokio::task::JoinSet;

use super::{
    Call, Dataset, Item, Limits, Progress, Scoring, Stop, Summary, Task, blocking,
    call::{Ledger, Line},
    limits::Spent,
    record,
};
use crate::{
    Error, Provenance, Result, Sample, digest,
    track::{RunId, RunLease, RunStatus, Tracker},
};

/// Asks a model all items of a dataset, scores the answers, and writes each to a run as soon as it is there.
///
/// A run that was interrupted, by whatever, goes on where it ended: an answer that was written is not asked for again, one that failed is. Answers
/// are cached by everything that they depend on, so that another run that asks the same gets the same without asking.
pub struct Runner {
    shared: Arc<Shared>,
    limits: Limits,
    stop: Stop,
    observer: Option<Observer>,
}

type Observer = Box<dyn Fn(&Progress) + Send + Sync>;

/// What every answer needs.
struct Shared {
    variant: String,
    line: Line,
    task: Arc<dyn Task>,
    scoring: Scoring,
    repeats: u32,
    tracker: Tracker,
    primary: Option<String>,
}

/// How long a run is taken to run without a sign of life.
const LEASE: Duration = Duration::from_mins(1);

impl Runner {
    /// Asks `model` by `task` and scores by `scoring`, into `tracker`: one answer an item, with the default limits, through the cache.
    pub fn new(model: Arc<dyn ChatModel>, task: Arc<dyn Task>, scoring: Scoring, tracker: Tracker) -> Self {
        let limits = Limits::default();
        let line = Line {
            model,
            endpoint: String::new(),
            sampling: Sampling::default(),
            seed: 0,
            cache: Some(tracker.clone()),
            clock: Arc::new(SystemClock::new()),
            retries: limits.retries.clone(),
            timeout: limits.timeout(),
        };
        let primary = scoring.names().into_iter().next();
        let shared = Shared { variant: String::new(), line, task, scoring, repeats: 1, tracker, primary };
        Self { shared: Arc::new(shared), limits, stop: Stop::new(), observer: None }
    }

    /// Names the variant: what recorded scores are looked up by.
    pub fn with_variant(mut self, variant: impl Into<String>) -> Self {
        self.shared_mut().variant = variant.into();
        self
    }

    /// Says where the model is asked, which tells it from others of the same name in the cache.
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.shared_mut().line.endpoint = endpoint.into();
        self
    }

    /// Sets how tokens are chosen where the task leaves it open.
    pub fn with_sampling(mut self, sampling: Sampling) -> Self {
        self.shared_mut().line.sampling = sampling;
        self
    }

    /// Asks so often for each item; repeat `k` with the seed `seed + k`.
    pub fn with_repeats(mut self, repeats: u32, seed: u64) -> Self {
        self.shared_mut().repeats = repeats;
        self.shared_mut().line.seed = seed;
        self
    }

    /// Sets what the run may take.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.shared_mut().line.retries = limits.retries.clone();
        self.shared_mut().line.timeout = limits.timeout();
        self.limits = limits;
        self
    }

    /// Asks the model each time, whatever it said before.
    pub fn without_cache(mut self) -> Self {
        self.shared_mut().line.cache = None;
        self
    }

    /// Measures by `clock`.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.shared_mut().line.clock = clock;
        self
    }

    /// Ends when `stop` is asked for.
    pub fn with_stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Tells `observer` after each answer how far it is.
    pub fn with_observer(mut self, observer: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Where the figures of a run over `dataset` come from.
    pub fn provenance(&self, dataset: &Dataset) -> Provenance {
        let Shared { line, task, scoring, .. } = self.shared.as_ref();
        let info = line.model.info();
        Provenance {
            git: None,
            dataset: Some(dataset.reference()),
            prompt: task.prompt(),
            method: task.name(),
            model: info.name.clone(),
            sampling: line.sampling.clone(),
            scorers: scoring.versions().into_iter().collect(),
            environment: super::machine::describe(&info.provider, &line.endpoint, self.shared.repeats),
        }
    }

    /// Asks everything that the run does not have yet. The run ends as `done`, or, where a limit or somebody ended it, as `cancelled`, and can be
    /// started again.
    ///
    /// Must be called within a tokio runtime with time enabled.
    ///
    /// # Errors
    /// Of the tracker, and [`Error::InvalidExperiment`] where an item lacks what the task asks with; the run then ends as `failed`. That the
    /// model fails is no error of the run: it stands in the sample.
    ///
    /// # Panics
    /// Where the task, a scorer or a judge does.
    pub async fn run(&self, run: &RunId, dataset: &Dataset) -> Result<Summary> {
        self.shared.check(dataset)?;
        let (tracker, id, provenance) = (self.tracker(), run.clone(), self.provenance(dataset));
        let lease = blocking(move || {
            let lease = tracker.start_run(&id, LEASE)?;
            record::params(&tracker, &id, &provenance)?;
            tracker.forget_failed_samples(&id)?;
            Ok(lease)
        })
        .await?;
        let outcome = self.ask_all(&lease, dataset).await;
        self.end(lease, outcome).await
    }

    async fn end(&self, lease: RunLease, outcome: Result<Summary>) -> Result<Summary> {
        let tracker = self.tracker();
        match outcome {
            Ok(summary) => {
                let status = if summary.stopped.is_some() { RunStatus::Cancelled } else { RunStatus::Done };
                let shared = Arc::clone(&self.shared);
                blocking(move || {
                    record::figures(&tracker, &lease.run, &shared.scoring)?;
                    tracker.finish_run(&lease, status)
                })
                .await?;
                Ok(summary)
            }
            Err(error) => {
                let why = error.to_string();
                // The first error says what happened; that the end could not be written either adds nothing.
                let _ = blocking(move || tracker.fail_run(&lease, &why)).await;
                Err(error)
            }
        }
    }

    async fn ask_all(&self, lease: &RunLease, dataset: &Dataset) -> Result<Summary> {
        let (tracker, id) = (self.tracker(), lease.run.clone());
        let finished = blocking(move || tracker.finished(&id)).await?;
        let mut state = State::new(dataset.items.len() * self.shared.repeats as usize, self.shared.line.clock.now());
        let mut work = self.shared.work(dataset, &finished).peekable();
        state.summary.reused = finished.len().min(state.summary.total);
        let mut asked = JoinSet::new();
        loop {
            self.fill(&mut asked, &mut work, &mut state, lease);
            // A call may take longer than the run is taken to live without a sign.
            match tokio::time::timeout(LEASE / 4, asked.join_next()).await {
                Ok(None) => break,
                Ok(Some(answer)) => {
                    let sample = answer.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
                    self.take(&sample, &mut state);
                }
                Err(_) => {}
            }
            self.sign_of_life(lease, &mut state).await?;
        }
        Ok(state.summary)
    }

    fn take(&self, sample: &Sample, state: &mut State) {
        state.take(sample, self.shared.primary.as_deref());
        if let Some(observer) = &self.observer {
            observer(&state.progress());
        }
    }

    fn fill(
        &self,
        asked: &mut JoinSet<Result<Sample>>,
        work: &mut Peekable<impl Iterator<Item = (Arc<Item>, u32)>>,
        state: &mut State,
        lease: &RunLease,
    ) {
        while asked.len() < self.limits.concurrency && work.peek().is_some() {
            state.spent.time = self.shared.line.clock.now().saturating_sub(state.started);
            let asked_for = self.stop.is_requested().then(|| "somebody asked for it; start it again to go on".to_owned());
            state.summary.stopped = asked_for.or_else(|| self.limits.reached(&state.spent));
            if state.summary.stopped.is_some() {
                return;
            }
            let Some((item, repeat)) = work.next() else { return };
            asked.spawn(Arc::clone(&self.shared).answer(lease.run.clone(), item, repeat));
        }
    }

    async fn sign_of_life(&self, lease: &RunLease, state: &mut State) -> Result<()> {
        let now = self.shared.line.clock.now();
        if now.saturating_sub(state.renewed) < LEASE / 4 {
            return Ok(());
        }
        state.renewed = now;
        let (tracker, lease) = (self.tracker(), lease.clone());
        blocking(move || tracker.renew_run(&lease, LEASE)).await
    }

    pub(super) fn tracker(&self) -> Tracker {
        self.shared.tracker.clone()
    }

    pub(super) fn variant(&self) -> &str {
        &self.shared.variant
    }

    pub(super) fn seed(&self) -> u64 {
        self.shared.line.seed
    }

    fn shared_mut(&mut self) -> &mut Shared {
        Arc::get_mut(&mut self.shared).expect("nobody else has it before the run")
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("variant", &self.shared.variant)
            .field("line", &self.shared.line)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// That every item can be asked is known before the first is.
    fn check(&self, dataset: &Dataset) -> Result<()> {
        if dataset.items.is_empty() {
            return Err(Error::InvalidExperiment(format!("the dataset {} has no items", dataset.name)));
        }
        dataset.items.iter().try_for_each(|item| self.task.input(item).map(drop))
    }

    /// Repeat by repeat, so that a run that ends early has asked each item about as often.
    fn work(&self, dataset: &Dataset, finished: &HashSet<(String, u32)>) -> impl Iterator<Item = (Arc<Item>, u32)> + use<> {
        let mut work = Vec::new();
        let items: Vec<Arc<Item>> = dataset.items.iter().cloned().map(Arc::new).collect();
        for repeat in 0..self.repeats {
            let open = items.iter().filter(|item| !finished.contains(&(item.id.clone(), repeat)));
            work.extend(open.map(|item| (Arc::clone(item), repeat)));
        }
        work.into_iter()
    }

    async fn answer(self: Arc<Self>, run: RunId, item: Arc<Item>, repeat: u32) -> Result<Sample> {
        let call = Call { line: &self.line, repeat, ledger: Mutex::default() };
        let reply = self.task.answer(&item, &call).await;
        let ledger = call.ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut sample = self.sample(&item, repeat, &ledger)?;
        match reply {
            Ok(reply) => (sample.output, sample.finish_reason) = (reply.text, reply.finish_reason),
            Err(error) => sample.error = Some(chain(&error)),
        }
        let shared = Arc::clone(&self);
        let mut sample = blocking(move || {
            shared.score(&item, &mut sample);
            Ok(sample)
        })
        .await?;
        if sample.error.is_none() {
            sample.scores.extend(self.scoring.judged(&sample).await);
        }
        let tracker = self.tracker.clone();
        blocking(move || tracker.insert_sample(&run, &sample).map(|_| sample)).await
    }

    fn score(&self, item: &Item, sample: &mut Sample) {
        if sample.error.is_none() {
            sample.scores.extend(self.scoring.recorded(item, &self.variant));
            self.scoring.score(sample);
        }
    }

    fn sample(&self, item: &Item, repeat: u32, ledger: &Ledger) -> Result<Sample> {
        let input = self.task.input(item)?;
        Ok(Sample {
            item: item.id.clone(),
            repeat,
            target: item.target.clone(),
            cluster: item.cluster.clone(),
            stratum: item.stratum.clone(),
            input_hash: digest::of(&item.fields),
            request_hash: digest::of_all(&ledger.requests),
            target_hash: digest::of(&item.target),
            input,
            usage: ledger.usage,
            cost: ledger.cost,
            time_to_first_token: ledger.first_token,
            latency: ledger.latency,
            attempts: ledger.attempts,
            ..Sample::default()
        })
    }
}

/// What is known while a run goes on.
struct State {
    summary: Summary,
    spent: Spent,
    started: Duration,
    renewed: Duration,
    sum: f64,
    scored: usize,
}

impl State {
    fn new(total: usize, now: Duration) -> Self {
        let summary = Summary { total, ..Summary::default() };
        Self { summary, spent: Spent::default(), started: now, renewed: now, sum: 0.0, scored: 0 }
    }

    fn take(&mut self, sample: &Sample, primary: Option<&str>) {
        self.summary.answered += 1;
        let failed = sample.error.is_some();
        self.summary.failed += usize::from(failed);
        self.spent.failures_in_a_row = if failed { self.spent.failures_in_a_row + 1 } else { 0 };
        // What the cache answered was paid for before.
        let (usage, cost) = if sample.attempts > 0 { (sample.usage, sample.cost) } else { (Usage::default(), Cost::ZERO) };
        self.spent.usage += usage;
        self.spent.cost += cost;
        (self.summary.usage, self.summary.cost) = (self.spent.usage, self.spent.cost);
        if let Some(value) = primary.and_then(|primary| sample.value(primary)) {
            self.sum += value;
            self.scored += 1;
        }
    }

    fn progress(&self) -> Progress {
        let Summary { total, reused, answered, failed, usage, cost, .. } = self.summary;
        Progress { total, done: reused + answered, failed, usage, cost, sum: self.sum, scored: self.scored }
    }
}

/// An error with its causes, which say what a bare message leaves open.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
