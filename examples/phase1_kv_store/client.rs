//! A client as a state machine: what it asks next, and what it makes of an answer.

use jarre_kv_store::testing::nemesis::Dice;

use crate::{
    deployment::{MILLI, Micros},
    request::{Answer, Input, Level, Refusal, Request, Value},
};

/// How long a client waits before it asks again after a refusal.
const PAUSE: Micros = 20 * MILLI;

/// Asks one thing at a time.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: u64,
    /// Without an answer for so long, the outcome is unknown.
    pub(crate) timeout: Micros,
    /// The nodes it can reach, and the place of the one that it asks.
    reach: Vec<usize>,
    at: usize,
    work: Work,
    wait: Micros,
}

#[derive(Clone, Debug)]
enum Work {
    Mix { mix: Mix, dice: Dice, written: u64 },
    Script { steps: std::vec::IntoIter<(Micros, usize, u8, Input)> },
}

/// Random reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    /// Keys from 0.
    pub(crate) keys: u8,
    /// The share of writes.
    pub(crate) writes: f64,
    /// How fresh reads have to be.
    pub(crate) level: Level,
    /// The mean time between an answer and the next request.
    pub(crate) think: Micros,
    /// When it stops.
    pub(crate) until: Micros,
}

impl Client {
    /// One that reads and writes at `reach`, the first of these at first.
    pub(crate) fn mixed(id: u64, reach: Vec<usize>, mix: Mix, timeout: Micros, seed: u64) -> Self {
        let dice = Dice::new(seed ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self { id, timeout, reach, at: 0, work: Work::Mix { mix, dice, written: 0 }, wait: 0 }
    }

    /// One that asks these things, each no earlier than its time, of the node that stands beside it, and never elsewhere.
    pub(crate) fn scripted(id: u64, steps: Vec<(Micros, usize, u8, Input)>, timeout: Micros) -> Self {
        Self { id, timeout, reach: Vec::new(), at: 0, work: Work::Script { steps: steps.into_iter() }, wait: 0 }
    }

    /// What it asks next and when, not before `now`; `None` where it has finished.
    pub(crate) fn next(&mut self, now: Micros) -> Option<(Micros, Request)> {
        let client = self.id;
        match &mut self.work {
            Work::Script { steps } => {
                let (at, node, key, input) = steps.next()?;
                Some((at.max(now), Request { client, node, key, input }))
            }
            Work::Mix { mix, dice, written } => {
                let at = now + std::mem::take(&mut self.wait) + dice.exponential(mix.think as f64);
                if at >= mix.until {
                    return None;
                }
                let key = dice.below(u64::from(mix.keys)) as u8;
                let input = if dice.happens(mix.writes) {
                    *written += 1;
                    Input::Write(Value::new(client, *written))
                } else {
                    Input::Read(mix.level)
                };
                Some((at, Request { client, node: self.reach[self.at], key, input }))
            }
        }
    }

    /// Decides where to ask next.
    pub(crate) fn heard(&mut self, answer: &Answer) {
        if self.reach.is_empty() {
            return;
        }
        match answer {
            Answer::Value { .. } | Answer::Written => {}
            Answer::Refused { reason: Refusal::NotLeader, hint: Some(leader) } if self.reach.contains(leader) => {
                self.at = self.reach.iter().position(|node| node == leader).expect("it was found a line above");
            }
            Answer::Refused { .. } => {
                self.at = (self.at + 1) % self.reach.len();
                self.wait = PAUSE;
            }
            Answer::Unknown => self.at = (self.at + 1) % self.reach.len(),
        }
    }
}
