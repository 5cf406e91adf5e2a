use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::core::{EngineCore, RequestKey};
use crate::output::{Output, RequestStats};
use crate::{Error, ModelRunner, NewSequence, PooledRequest, Result, SchedulerOutput, SequenceId};

/// Requests for models beside the engine's own that are not done.
#[derive(Debug, Default)]
pub(super) struct Pooling {
    requests: HashMap<RequestKey, Pooled>,
    owners: HashMap<SequenceId, RequestKey>,
}

#[derive(Debug)]
struct Pooled {
    request: PooledRequest,
    /// The inputs that stand in the queue, and what stands there for them.
    group: Range<usize>,
    sequence: SequenceId,
    stats: RequestStats,
    was_scheduled: bool,
}

impl Pooling {
    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = RequestKey> + '_ {
        self.requests.keys().copied()
    }

    /// Those whose deadline has passed.
    pub(super) fn late(&self, now: Duration) -> Vec<RequestKey> {
        let is_late = |pooled: &Pooled| pooled.request.deadline.is_some_and(|deadline| deadline <= now);
        self.requests.iter().filter(|(_, pooled)| is_late(pooled)).map(|(key, _)| *key).collect()
    }

    /// Forgets a request; the sequence that stood for it.
    pub(super) fn remove(&mut self, key: RequestKey) -> Option<SequenceId> {
        let sequence = self.requests.remove(&key)?.sequence;
        self.owners.remove(&sequence);
        Some(sequence)
    }
}

/// Refuses what cannot be computed, however long it waits.
pub(super) fn check(request: &PooledRequest, now: Duration) -> Result<()> {
    if request.is_empty() {
        return Err(Error::Invalid("there is no input; give at least one".to_owned()));
    }
    if request.deadline.is_some_and(|deadline| deadline <= now) {
        return Err(Error::Deadline);
    }
    Ok(())
}

impl<R: ModelRunner> EngineCore<R> {
    /// Takes inputs for a model beside the engine's own at time `now`; their rows come as [`Output::Pooled`].
    ///
    /// # Errors
    /// [`Error::QueueFull`]; [`Error::Invalid`] without an input, [`Error::Deadline`]; [`Error::Lost`] once the runner is [lost](Self::lost).
    pub fn add_pooled(&mut self, request: PooledRequest, now: Duration) -> Result<RequestKey> {
        self.check_queue()?;
        check(&request, now)?;
        self.enqueue_pooled(request, now)
    }

    /// Takes a request that was checked, however long the queue is.
    pub(super) fn enqueue_pooled(&mut self, request: PooledRequest, now: Duration) -> Result<RequestKey> {
        self.check_runner()?;
        let (group, tokens) = request.group(0, self.group_limit());
        let sequence = self.scheduler.add(NewSequence::pooled(tokens).with_priority(request.priority))?;
        let key = self.new_key();
        let mut stats = RequestStats { arrived: now, ..RequestStats::default() };
        stats.usage.prompt_tokens = request.tokens() as u64;
        self.pooling.owners.insert(sequence, key);
        self.pooling.requests.insert(key, Pooled { request, group, sequence, stats, was_scheduled: false });
        Ok(key)
    }

    /// Computes the groups that a step, which began at `start`, has paid for.
    pub(super) fn pool(&mut self, plan: &SchedulerOutput, start: Duration, now: &dyn Fn() -> Duration) {
        for planned in &plan.scheduled {
            let Some(&key) = self.pooling.owners.get(&planned.id) else { continue };
            let pooled = self.pooling.requests.get_mut(&key).expect("an owner has its request");
            if !std::mem::replace(&mut pooled.was_scheduled, true) {
                pooled.stats.scheduled = start;
                self.observer.scheduled(start.saturating_sub(pooled.stats.arrived));
            }
            if planned.sampled {
                let done = self.pool_group(key, now);
                done.unwrap_or_else(|error| self.fail(key, error));
            }
        }
    }

    fn pool_group(&mut self, key: RequestKey, now: &dyn Fn() -> Duration) -> Result<()> {
        let most = self.group_limit();
        let pooled = self.pooling.requests.get_mut(&key).expect("an owner has its request");
        let rows = pooled.compute()?;
        self.outputs.push((key, Output::Pooled(rows)));
        let (group, tokens) = pooled.request.group(pooled.group.end, most);
        if group.is_empty() {
            self.finish_pooled(key, now());
            return Ok(());
        }
        let sequence = self.scheduler.add(NewSequence::pooled(tokens).with_priority(pooled.request.priority))?;
        self.pooling.owners.remove(&pooled.sequence);
        self.pooling.owners.insert(sequence, key);
        (pooled.group, pooled.sequence) = (group, sequence);
        Ok(())
    }

    /// The scheduler forgets the last group's sequence with the step.
    fn finish_pooled(&mut self, key: RequestKey, now: Duration) {
        let Some(mut pooled) = self.pooling.requests.remove(&key) else { return };
        self.pooling.owners.remove(&pooled.sequence);
        (pooled.stats.first_token, pooled.stats.finished) = (now, now);
        self.observer.pooled(&pooled.request, &pooled.stats);
        self.outputs.push((key, Output::Done(pooled.stats)));
    }

    fn group_limit(&self) -> usize {
        self.scheduler.config().max_num_batched_tokens
    }
}

impl Pooled {
    /// The rows of the group. A defect of the model is not one of the engine.
    #[expect(clippy::disallowed_methods, reason = "the encoder is somebody's, and its defects are not the engine's")]
    fn compute(&mut self) -> Result<Vec<Vec<f32>>> {
        let (request, group) = (&mut self.request, self.group.clone());
        let rows = catch_unwind(AssertUnwindSafe(|| request.compute(group)));
        let rows = rows.map_err(|_| Error::Engine("the encoder failed because of a defect".to_owned()))??;
        if rows.len() == self.group.len() {
            return Ok(rows);
        }
        Err(Error::Engine(format!("the encoder gave {} rows for {} inputs", rows.len(), self.group.len())))
    }
}
