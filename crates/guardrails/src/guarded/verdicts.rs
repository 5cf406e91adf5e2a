use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jarre_core::RequestId;

use crate::pipeline::{Decision, DecisionSink};

/// The latest decisions, to be asked for by the request that they belong to.
///
/// A pipeline is [told](crate::pipeline::Pipeline::with_sink) to record here; requests are known by their
/// [`id`](jarre_core::ChatRequest::id).
#[derive(Debug)]
pub struct Verdicts {
    capacity: usize,
    decisions: Mutex<VecDeque<Decision>>,
}

impl Verdicts {
    /// Keeps so many decisions; the oldest are forgotten first.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, decisions: Mutex::default() }
    }

    /// The decisions about the texts of a request, in the order in which they were given.
    pub fn of(&self, request: &RequestId) -> Vec<Decision> {
        self.decisions().iter().filter(|decision| decision.request.as_ref() == Some(request)).cloned().collect()
    }

    fn decisions(&self) -> MutexGuard<'_, VecDeque<Decision>> {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DecisionSink for Verdicts {
    fn record(&self, decision: &Decision) {
        let mut decisions = self.decisions();
        decisions.push_back(decision.clone());
        while decisions.len() > self.capacity {
            decisions.pop_front();
        }
    }
}
