//! Arrivals driven through a scheduler in simulated time, with a fixed cost per token in a model's place: what a cache of some size, a
//! budget or a policy does to a load, without computing anything.

pub mod trace;

use std::{collections::HashMap, hash::BuildHasher};

use crate::{
    Error, Result,
    scheduler::{Scheduler, SchedulerOutput, StepResult},
    sequence::{NewSequence, SequenceId},
};

/// A request of a trace.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When it comes, in seconds of simulated time; a trace is in order of it.
    pub at: f64,
    /// What it asks. Its answer has `max_tokens` tokens.
    pub sequence: NewSequence,
}

/// What a step costs, in seconds of simulated time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepCost {
    /// Each step, whatever it computes.
    pub step: f64,
    /// Each token of it.
    pub token: f64,
}

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Replayed {
    /// Steps that computed something.
    pub steps: u64,
    /// Tokens that they computed.
    pub tokens: u64,
    /// Requests that were answered to their end.
    pub finished: u64,
    /// Requests that would never fit.
    pub refused: u64,
    /// When the last step ended, in seconds of simulated time.
    pub seconds: f64,
}

/// Replays a trace to its end through a scheduler that has nothing else to do.
///
/// Requests wait outside while its queue is full. `answer` gives the tokens of answers by request (its number in the trace) and position;
/// `observe` sees the scheduler after each step. A request of several answers gets one.
///
/// # Errors
/// What [`Scheduler::add`] refuses for other reasons than a full queue or too many tokens.
///
/// ```
/// use jarre_serving::{
///     block_manager::CacheConfig,
///     replay::{self, Arrival, StepCost},
///     scheduler::{Scheduler, SchedulerConfig},
///     sequence::NewSequence,
/// };
///
/// # fn main() -> jarre_serving::Result<()> {
/// let mut scheduler = Scheduler::new(SchedulerConfig::new(256), CacheConfig::new(64, 16))?;
/// let trace = (0..10_u32).map(|n| Arrival { at: f64::from(n), sequence: NewSequence::new(vec![n; 100], 20) });
/// let cost = StepCost { step: 0.01, token: 0.001 };
/// let mut fullest: f64 = 0.0;
/// let done = replay::replay(&mut scheduler, trace, cost, |_, _| 0, |scheduler, _| fullest = fullest.max(scheduler.stats().kv_usage))?;
/// // A token needs a step of its own but the first, which the prompt's step gives.
/// assert_eq!((done.finished, done.tokens), (10, 10 * (100 + 19)));
/// assert!(fullest < 0.2);
/// # Ok(())
/// # }
/// ```
pub fn replay<S: BuildHasher>(
    scheduler: &mut Scheduler<S>,
    trace: impl IntoIterator<Item = Arrival>,
    cost: StepCost,
    answer: impl Fn(u64, usize) -> u32,
    mut observe: impl FnMut(&Scheduler<S>, &SchedulerOutput),
) -> Result<Replayed> {
    let mut trace = trace.into_iter().enumerate().peekable();
    let mut requests = HashMap::new();
    let mut done = Replayed::default();
    loop {
        if let (true, Some((_, next))) = (scheduler.is_idle(), trace.peek()) {
            done.seconds = done.seconds.max(next.at);
        }
        while scheduler.waiting() < scheduler.config().max_waiting
            && let Some((number, next)) = trace.next_if(|(_, next)| next.at <= done.seconds)
        {
            match scheduler.add(next.sequence) {
                Ok(id) => _ = requests.insert(id, number as u64),
                Err(Error::TooLong { .. }) => done.refused += 1,
                Err(error) => return Err(error),
            }
        }
        let output = scheduler.schedule();
        if !output.scheduled.is_empty() {
            done.steps += 1;
            done.tokens += output.tokens() as u64;
            done.seconds += cost.step + cost.token * output.tokens() as f64;
            done.finished += answer_all(scheduler, &output, &mut requests, &answer);
            observe(scheduler, &output);
        } else if trace.peek().is_none() {
            return Ok(done);
        }
    }
}

/// Gives every sampled sequence its next token, and says how many answers ended with that.
fn answer_all<S: BuildHasher>(
    scheduler: &mut Scheduler<S>,
    output: &SchedulerOutput,
    requests: &mut HashMap<SequenceId, u64>,
    answer: impl Fn(u64, usize) -> u32,
) -> u64 {
    let mut results = Vec::new();
    for scheduled in output.scheduled.iter().filter(|scheduled| scheduled.sampled) {
        let sequence = scheduler.sequence(scheduled.id).expect("what is scheduled is there");
        let at = sequence.answer().len();
        let finished = at + 1 == sequence.max_tokens();
        results.push(StepResult { id: scheduled.id, tokens: vec![answer(requests[&scheduled.id], at)], finished });
    }
    scheduler.finish_step(output, &results);
    let before = requests.len();
    for result in results.iter().filter(|result| result.finished) {
        requests.remove(&result.id);
    }
    (before - requests.len()) as u64
}
