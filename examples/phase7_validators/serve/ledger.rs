use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jarre_core::{Clock, RequestId};
use jarre_guardrails::pipeline::{Decision, DecisionSink};

use super::DecisionLog;
use super::metrics::Metrics;
use super::verdict::Summary;

/// Takes the decisions of all requests: counts them, logs them, and keeps those of a request until it is answered.
pub(super) struct Ledger {
    open: Mutex<HashMap<RequestId, Vec<Decision>>>,
    metrics: Metrics,
    log: Option<DecisionLog>,
    clock: Arc<dyn Clock>,
}

/// The decisions about one request, forgotten with it.
pub(super) struct Entry {
    ledger: Arc<Ledger>,
    id: RequestId,
}

impl Ledger {
    pub(super) fn new(metrics: Metrics, clock: Arc<dyn Clock>) -> Self {
        Self { open: Mutex::default(), metrics, log: None, clock }
    }

    pub(super) fn with_log(self, log: DecisionLog) -> Self {
        Self { log: Some(log), ..self }
    }

    /// Keeps what is decided about `id` from now on.
    pub(super) fn enter(self: &Arc<Self>, id: RequestId) -> Entry {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Vec::new());
        Entry { ledger: Arc::clone(self), id }
    }
}

impl DecisionSink for Ledger {
    fn record(&self, decision: &Decision) {
        self.metrics.decided(decision);
        if let Some(log) = &self.log
            && !log.write(self.clock.timestamp(), decision)
        {
            self.metrics.unlogged.inc();
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(decisions) = decision.request.as_ref().and_then(|id| open.get_mut(id)) {
            decisions.push(decision.clone());
        }
    }
}

impl Entry {
    /// What the guards did so far.
    pub(super) fn summary(&self) -> Summary {
        let open = self.ledger.open.lock().unwrap_or_else(PoisonError::into_inner);
        Summary::new(open.get(&self.id).map(Vec::as_slice).unwrap_or_default())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.ledger.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
