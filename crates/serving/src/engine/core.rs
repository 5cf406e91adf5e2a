use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jarre_transformer::Tokenizer;
use jarre_transformer::generate::Sampled;

use super::admission::{Admission, Admitted};
use super::answer::Answer;
use super::batch::Batch;
use super::live::Live;
use super::observer::{NoObserver, Observer, StepStats};
use super::pooling::Pooling;
use super::prompt_scores::score_prompt;
use super::residency::Residency;
use super::turn::{Turn, take_turns};
use crate::output::{AdapterStats, Chunk, Output};
use crate::sequence::{Sequence, SequenceStatus};
use crate::{
    CacheConfig, Error, LoraAdapter, ModelRunner, Proposer, Request, Result, ScheduledSequence, Scheduler, SchedulerConfig,
    SchedulerOutput, SchedulerStats, SequenceId, StepResult, Text,
};

/// Names a request in an engine; numbers ascend in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey(u64);

/// How an engine runs.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How steps are planned.
    pub scheduler: SchedulerConfig,
    /// Whether prompts share cached beginnings.
    pub prefix_caching: bool,
    /// The most answers to one request.
    pub max_n: usize,
    /// How long a grammar may take to compile, on a thread of its own; a request with one that takes longer is refused.
    pub grammar_timeout: Duration,
}

/// The engine without threads, clock or IO: requests in, steps, outputs out.
///
/// What a step does follows from the requests, the cancellations and the times that it was told, so that it can be replayed. Answers to a
/// request do not depend on what else runs: see [`paged`](jarre_transformer::paged) for what that means to the bit.
pub struct EngineCore<R> {
    runner: R,
    pub(super) scheduler: Scheduler,
    admission: Arc<Admission>,
    proposer: Option<Box<dyn Proposer>>,
    max_waiting: usize,
    requests: HashMap<RequestKey, Live>,
    owners: HashMap<SequenceId, RequestKey>,
    pub(super) pooling: Pooling,
    next: u64,
    pub(super) observer: Box<dyn Observer>,
    pub(super) outputs: Vec<(RequestKey, Output)>,
    residency: Residency,
    /// Why nothing is computed any more.
    lost: Option<String>,
}

impl<R: ModelRunner> EngineCore<R> {
    /// An engine over `runner`, whose tokens `tokenizer` turns into text; `eos` end answers.
    ///
    /// # Errors
    /// Where the settings make no scheduler.
    pub fn new(runner: R, tokenizer: Arc<Tokenizer>, eos: &[u32], config: &EngineConfig) -> Result<Self> {
        let (num_blocks, block_size) = runner.cache();
        let cache = CacheConfig::new(num_blocks, block_size).with_prefix_caching(config.prefix_caching);
        let mut scheduler = config.scheduler;
        scheduler.max_model_len = scheduler.max_model_len.min(runner.max_len());
        // Who takes requests bounds the queue: what was taken is not refused when preempted sequences come back into it.
        let max_waiting = std::mem::replace(&mut scheduler.max_waiting, usize::MAX);
        let scheduler = Scheduler::new(scheduler, cache)?;
        let (vocab_size, eos) = (runner.vocab_size(), Arc::<[u32]>::from(eos));
        let admission = Admission {
            #[cfg(feature = "grammar")]
            grammars: crate::grammar::TimedCompiler::new(Arc::clone(&tokenizer), vocab_size, Arc::clone(&eos), config.grammar_timeout),
            tokenizer,
            vocab_size,
            eos,
            max_len: scheduler.config().max_model_len.min(scheduler.blocks().config().slots()),
            max_n: config.max_n,
            adapts: runner.adapts().cloned(),
        };
        Ok(Self {
            scheduler,
            admission: Arc::new(admission),
            proposer: None,
            max_waiting,
            runner,
            requests: HashMap::new(),
            owners: HashMap::new(),
            pooling: Pooling::default(),
            next: 0,
            observer: Box::new(NoObserver),
            outputs: Vec::new(),
            residency: Residency::default(),
            lost: None,
        })
    }

    /// Checks from now on what `proposer` proposes.
    pub fn speculate(&mut self, proposer: Box<dyn Proposer>) {
        self.proposer = Some(proposer);
    }

    /// Tells `observer` from now on what happens.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observer = observer;
        self.scheduler.record_block_events();
    }

    /// Takes a request at time `now`.
    ///
    /// # Errors
    /// [`Error::QueueFull`]; [`Error::TooLong`], [`Error::Invalid`] and [`Error::Deadline`] for a request that cannot be answered, however
    /// long it waits; [`Error::Model`] for settings out of range and tokens beyond the vocabulary; what
    /// [`load_adapter`](ModelRunner::load_adapter) says of its adapter; [`Error::Lost`] once the runner is [lost](Self::lost).
    pub fn add(&mut self, request: Request, now: Duration) -> Result<RequestKey> {
        self.check_queue()?;
        let admitted = self.admission.admit(request, now)?;
        self.enqueue(admitted, now)
    }

    /// Takes a request that was admitted, however long the queue is.
    pub(super) fn enqueue(&mut self, admitted: Admitted, now: Duration) -> Result<RequestKey> {
        self.check_runner()?;
        self.load_adapter(&admitted.request)?;
        let id = self.scheduler.add(admitted.sequence())?;
        let key = self.new_key();
        self.owners.insert(id, key);
        self.requests.insert(key, Live::new(admitted, id, now));
        Ok(key)
    }

    fn load_adapter(&mut self, request: &Request) -> Result<()> {
        let Some(adapter) = &request.adapter else { return Ok(()) };
        match self.runner.load_adapter(adapter) {
            // The next step fails with it, and everybody hears why.
            Err(_) if self.runner.lost().is_some() => Ok(()),
            loaded => loaded,
        }
    }

    pub(super) fn check_queue(&self) -> Result<()> {
        let (waiting, limit) = (self.scheduler.waiting(), self.max_waiting);
        if waiting >= limit { Err(Error::QueueFull { waiting, limit }) } else { Ok(()) }
    }

    pub(super) fn check_runner(&self) -> Result<()> {
        self.lost.clone().map_or(Ok(()), |reason| Err(Error::Lost(reason)))
    }

    pub(super) fn new_key(&mut self) -> RequestKey {
        let key = RequestKey(self.next);
        self.next += 1;
        key
    }

    pub(super) fn admission(&self) -> Arc<Admission> {
        Arc::clone(&self.admission)
    }

    /// Forgets a request: nothing is said of it any more. Whether there was one.
    pub fn cancel(&mut self, key: RequestKey) -> bool {
        if let Some(live) = self.requests.remove(&key) {
            for (sequence, _) in &live.answers {
                self.owners.remove(sequence);
                self.scheduler.cancel(*sequence);
            }
        } else if let Some(sequence) = self.pooling.remove(key) {
            self.scheduler.cancel(sequence);
        } else {
            return false;
        }
        self.observer.cancelled();
        true
    }

    /// Why the runner computes nothing any more, if so: every request was given up, and none is taken.
    pub fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    /// What computes the steps.
    pub fn runner(&self) -> &R {
        &self.runner
    }

    /// Whether there is nothing to do.
    pub fn is_idle(&self) -> bool {
        self.requests.is_empty() && self.pooling.is_empty()
    }

    /// The most tokens of prompt and answer together.
    pub fn max_len(&self) -> usize {
        self.admission.max_len
    }

    /// Requests that wait at most.
    pub fn max_waiting(&self) -> usize {
        self.max_waiting
    }

    /// How the cache is laid out.
    pub fn cache_config(&self) -> &CacheConfig {
        self.scheduler.blocks().config()
    }

    /// What the scheduler counts.
    pub fn stats(&self) -> SchedulerStats {
        self.scheduler.stats()
    }

    /// Computes one step. `now` tells the time, before it and after it.
    pub fn step(&mut self, now: &dyn Fn() -> Duration) -> Vec<(RequestKey, Output)> {
        let start = now();
        self.expire(start);
        self.propose();
        let plan = self.scheduler.schedule();
        self.tell_evictions(start);
        if !plan.scheduled.is_empty() {
            self.count_scheduled(&plan, start);
            match self.compute(&plan) {
                Ok((logits, rows)) => {
                    self.pool(&plan, start, now);
                    self.take(&plan, &logits, &rows, now());
                }
                Err(error) => self.give_up(&plan, &error),
            }
            let stats = StepStats { tokens: plan.scheduled.iter().map(|planned| planned.count).sum(), sequences: plan.scheduled.len() };
            self.observer.step(stats, now().saturating_sub(start), &self.scheduler.stats());
        }
        std::mem::take(&mut self.outputs)
    }

    /// Adapters of the requests that run and that wait.
    pub fn adapter_stats(&self) -> AdapterStats {
        let mut stats = AdapterStats::default();
        for live in self.requests.values() {
            let Some(adapter) = &live.request.adapter else { continue };
            let sequences = live.answers.iter().filter_map(|(id, _)| self.scheduler.sequence(*id));
            let runs = sequences.map(Sequence::status).any(|status| status == SequenceStatus::Running);
            let names = if runs { &mut stats.running } else { &mut stats.waiting };
            names.insert(adapter.name().to_owned());
        }
        stats
    }

    fn tell_evictions(&mut self, now: Duration) {
        let events = self.scheduler.take_block_events();
        for residency in self.residency.note(&events, now) {
            self.observer.evicted(&residency);
        }
    }

    fn expire(&mut self, now: Duration) {
        let late = |(key, live): (&RequestKey, &Live)| live.request.deadline.is_some_and(|deadline| deadline <= now).then_some(*key);
        let late: Vec<RequestKey> = self.requests.iter().filter_map(late).chain(self.pooling.late(now)).collect();
        for key in late {
            self.fail(key, Error::Deadline);
        }
    }

    fn propose(&mut self) {
        let Some(proposer) = &mut self.proposer else { return };
        let decoding = self.owners.keys().filter_map(|id| self.scheduler.sequence(*id)).filter(|sequence| sequence.takes_drafts());
        let texts: Vec<Text<'_>> = decoding.map(|sequence| Text { id: sequence.id(), tokens: sequence.tokens() }).collect();
        let Ok(drafts) = proposer.propose(&texts) else { return };
        let drafts: Vec<(SequenceId, Vec<u32>)> = texts.iter().map(|text| text.id).zip(drafts).collect();
        for (id, drafts) in drafts {
            self.scheduler.propose(id, &drafts);
        }
    }

    fn count_scheduled(&mut self, plan: &SchedulerOutput, now: Duration) {
        for id in plan.scheduled.iter().map(|planned| planned.id) {
            let Some(live) = self.owners.get(&id).and_then(|key| self.requests.get_mut(key)) else { continue };
            if !live.was_scheduled {
                live.was_scheduled = true;
                live.stats.scheduled = now;
                self.observer.scheduled(now.saturating_sub(live.stats.arrived));
            }
        }
    }

    /// The logits of a step, and the rows of each planned sequence. What grammars allow is found out meanwhile.
    fn compute(&mut self, plan: &SchedulerOutput) -> Result<(Vec<f32>, Vec<Range<usize>>)> {
        let Self { runner, scheduler, requests, owners, .. } = self;
        runner.copy_blocks(&plan.copies);
        let request = |planned: &ScheduledSequence| Some(&requests.get(owners.get(&planned.id)?)?.request);
        let read = plan.scheduled.iter().filter_map(&request);
        let adapters: Vec<Option<LoraAdapter>> = read.map(|request| request.adapter.clone()).collect();
        let scores_prompt = |planned: &ScheduledSequence| {
            request(planned).is_some_and(|request| request.prompt_logprobs.is_some() && planned.start < request.prompt.len())
        };
        let batch = Batch::new(scheduler, plan, &adapters, scores_prompt);
        let held = sampled_answers(plan, owners, requests).filter(|answer| answer.is_held());
        if batch.is_empty() {
            return Ok((Vec::new(), batch.into_rows()));
        }
        let logits = beside(|| runner.step(&batch.paged()), held.collect())?;
        Ok((logits, batch.into_rows()))
    }

    /// Chooses tokens by the logits of a step.
    fn take(&mut self, plan: &SchedulerOutput, logits: &[f32], rows: &[Range<usize>], now: Duration) {
        let width = self.admission.vocab_size;
        let mut turns = Vec::new();
        for (planned, rows) in plan.scheduled.iter().zip(rows) {
            let logits = &logits[rows.start * width..rows.end * width];
            let Some(&key) = self.owners.get(&planned.id) else { continue };
            match self.read(key, planned, logits) {
                Ok(()) => turns.extend(self.turns(key, planned, logits)),
                Err(error) => self.fail(key, error),
            }
        }
        // A request may have failed at a later one of its sequences.
        turns.retain(|turn: &Turn<'_>| self.owners.contains_key(&turn.id));
        let mut results = Vec::new();
        for (turn, chunk) in turns.iter().zip(take_turns(&turns, &mut self.requests)) {
            match chunk {
                _ if !self.owners.contains_key(&turn.id) => {}
                Ok(chunk) => {
                    results.push(StepResult { id: turn.id, tokens: ids_of(&chunk.tokens), finished: chunk.finish.is_some() });
                    self.emit(turn, chunk, now);
                }
                Err(error) => self.fail(turn.key, error),
            }
        }
        results.retain(|result: &StepResult| self.owners.contains_key(&result.id));
        self.scheduler.finish_step(plan, &results);
        for id in results.iter().filter(|result| result.finished).map(|result| result.id) {
            self.close(id, now);
        }
    }

    /// Notes what a step has read of a prompt.
    fn read(&mut self, key: RequestKey, planned: &ScheduledSequence, logits: &[f32]) -> Result<()> {
        let width = self.admission.vocab_size;
        let sequence = self.scheduler.sequence(planned.id).expect("planned sequences are there until the step is finished");
        let live = self.requests.get_mut(&key).expect("an owner has its request");
        live.stats.usage.cached_tokens = live.stats.usage.cached_tokens.max(sequence.cached_tokens() as u64);
        live.stats.preemptions = live.stats.preemptions.max(sequence.preemptions());
        if live.request.prompt_logprobs.is_none() {
            return Ok(());
        }
        score_prompt(live, planned.start, logits, width)?;
        if planned.sampled && !live.is_answered {
            self.outputs.push((key, Output::Prompt(std::mem::take(&mut live.prompt_logprobs))));
        }
        Ok(())
    }

    /// What is to be chosen by the `logits` of a planned sequence: nothing while its prompt is being read, and tokens for each answer that
    /// begins once it was.
    fn turns<'a>(&mut self, key: RequestKey, planned: &ScheduledSequence, logits: &'a [f32]) -> Vec<Turn<'a>> {
        if !planned.sampled {
            return Vec::new();
        }
        let width = self.admission.vocab_size;
        let logits = &logits[logits.len() - (1 + planned.drafts) * width..];
        let drafts = self.scheduler.drafts(planned.id)[..planned.drafts].to_vec();
        self.fork(key, planned.id).into_iter().map(|id| Turn { key, id, drafts: drafts.clone(), logits, width }).collect()
    }

    /// The sequences that read a planned one's logits: itself, and those of further answers where its prompt was read just now.
    fn fork(&mut self, key: RequestKey, id: SequenceId) -> Vec<SequenceId> {
        let live = self.requests.get_mut(&key).expect("an owner has its request");
        let mut ids = vec![id];
        if live.has_further_answers() {
            for sibling in self.scheduler.fork(id) {
                live.begin_answer(sibling);
                self.owners.insert(sibling, key);
                ids.push(sibling);
            }
        }
        ids
    }

    fn emit(&mut self, turn: &Turn<'_>, chunk: Chunk, now: Duration) {
        let live = self.requests.get_mut(&turn.key).expect("an owner has its request");
        let tokens = chunk.tokens.len();
        live.stats.usage.completion_tokens += tokens as u64;
        live.stats.finished = now;
        let before = live.answer_mut(turn.id).stamp(now);
        if !live.is_answered {
            live.is_answered = true;
            live.stats.first_token = now;
            self.observer.first_token(now.saturating_sub(live.stats.arrived), live.request.prompt.len());
        }
        if let Some(before) = before {
            self.observer.tokens(tokens, now.saturating_sub(before));
        }
        if !turn.drafts.is_empty() {
            self.observer.speculated(turn.drafts.len(), tokens - 1);
        }
        self.outputs.push((turn.key, Output::Chunk(chunk)));
    }

    /// Ends a sequence whose answer is there, and its request with the last of them.
    fn close(&mut self, id: SequenceId, now: Duration) {
        let Some(key) = self.owners.remove(&id) else { return };
        // Answers that end in one step close their request with the first of them.
        let Some(live) = self.requests.get_mut(&key) else { return };
        live.stats.finished = now;
        if live.is_done() {
            let live = self.requests.remove(&key).expect("it was there");
            self.observer.finished(&live.request, &live.stats);
            self.outputs.push((key, Output::Done(live.stats)));
        }
    }

    /// Fails the requests of the step, or all of them where there will be no other step.
    fn give_up(&mut self, plan: &SchedulerOutput, error: &Error) {
        self.lost = self.runner.lost();
        let keys: Vec<RequestKey> = match &self.lost {
            Some(_) => self.requests.keys().copied().chain(self.pooling.keys()).collect(),
            None => plan.scheduled.iter().filter_map(|planned| self.owners.get(&planned.id).copied()).collect(),
        };
        for key in keys {
            let failure = self.lost.clone().map_or_else(|| Error::Engine(error.to_string()), Error::Lost);
            self.fail(key, failure);
        }
        self.scheduler.abandon_step();
    }

    pub(super) fn fail(&mut self, key: RequestKey, error: Error) {
        if self.cancel(key) {
            self.outputs.push((key, Output::Failed(error)));
        }
    }
}

/// The answers that a step chooses tokens for.
fn sampled_answers<'a>(
    plan: &SchedulerOutput,
    owners: &HashMap<SequenceId, RequestKey>,
    requests: &'a mut HashMap<RequestKey, Live>,
) -> impl Iterator<Item = &'a mut Answer> {
    let sampled: HashSet<SequenceId> = plan.scheduled.iter().filter(|planned| planned.sampled).map(|planned| planned.id).collect();
    let keys: HashSet<RequestKey> = sampled.iter().filter_map(|id| owners.get(id)).copied().collect();
    let requests = requests.iter_mut().filter(move |(key, _)| keys.contains(key));
    requests.flat_map(|(_, live)| &mut live.answers).filter(move |(id, _)| sampled.contains(id)).map(|(_, answer)| answer)
}

/// Does `work` while another thread prepares `answers`.
fn beside<T>(work: impl FnOnce() -> T, answers: Vec<&mut Answer>) -> T {
    if answers.is_empty() {
        return work();
    }
    thread::scope(|scope| {
        // Where there is no thread to be had, answers prepare themselves when it is their turn.
        let _ = thread::Builder::new().name("masks".to_owned()).spawn_scoped(scope, move || answers.into_iter().for_each(Answer::prepare));
        work()
    })
}

fn ids_of(tokens: &[Sampled]) -> Vec<u32> {
    tokens.iter().map(|token| token.id).collect()
}

impl<R> std::fmt::Debug for EngineCore<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineCore")
            .field("scheduler", &self.scheduler.stats())
            .field("requests", &self.requests.len())
            .finish_non_exhaustive()
    }
}
