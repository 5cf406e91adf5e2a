use std::{fmt, sync::Arc, time::Duration};

use jarre_core::{Clock, RequestId};

use super::{
    Action, Decision, DecisionSink, LayerVerdict, Pipeline, Spot, Verdict,
    group::{Group, Then},
    reading::Reading,
    record::{Outcome, Record, Said},
};
use crate::{Context, Reach, scan::boundary_before};

/// What passes through all groups before the next bytes do, so that a block in an early part of a long text stops the reading.
const PORTION: usize = 64 * 1024;

/// One reading of one text by a [`Pipeline`]. It waits for nothing: text is [pushed](Self::push), and what is released comes back.
///
/// Where it is dropped before its end, the sink is told of a decision that is not complete.
pub struct PipelineScan {
    groups: Vec<Group>,
    context: Context,
    clock: Arc<dyn Clock>,
    sink: Option<Arc<dyn DecisionSink>>,
    request: Option<RequestId>,
    threads: usize,
    streams: bool,
    released: String,
    blocked: bool,
    told: bool,
    latency: Duration,
}

impl PipelineScan {
    pub(super) fn new(pipeline: &Pipeline, context: &Context) -> Self {
        let streams = pipeline.streams(context.stage);
        let here = |group: &Vec<Arc<super::Layer>>| -> Vec<_> {
            group.iter().filter(|layer| layer.stages.contains(&context.stage)).cloned().collect()
        };
        let layers = pipeline.groups.iter().map(here).filter(|layers| !layers.is_empty());
        let groups = layers.map(|layers| {
            let holds = !streams || layers.iter().any(|layer| layer.reach() == Reach::Whole);
            Group::new(layers, holds)
        });
        Self {
            groups: groups.collect(),
            context: context.clone(),
            clock: pipeline.clock.clone(),
            sink: pipeline.sink.clone(),
            request: None,
            threads: pipeline.threads,
            streams,
            released: String::new(),
            blocked: false,
            told: false,
            latency: Duration::ZERO,
        }
    }

    /// Tells the sink which request the text belongs to.
    pub fn with_request(mut self, request: Option<RequestId>) -> Self {
        self.request = request;
        self
    }

    /// Reads `text`, which follows what was pushed before, and gives what is released. After a block nothing is read.
    pub fn push(&mut self, text: &str) -> String {
        let from = self.released.len();
        let start = self.clock.now();
        let mut text = text;
        while !text.is_empty() && !self.blocked {
            let (portion, rest) = text.split_at(boundary_before(text, PORTION));
            self.feed(portion, Then::More);
            text = rest;
        }
        self.latency += self.clock.now().saturating_sub(start);
        self.released[from..].to_owned()
    }

    /// Ends the text and gives the rest of what is released, and the verdict on the whole.
    pub fn finish(mut self) -> (String, Verdict) {
        let from = self.released.len();
        let start = self.clock.now();
        if !self.blocked {
            self.feed("", Then::End);
        }
        self.groups.iter_mut().for_each(|group| group.observe(&self.context, self.clock.as_ref(), self.threads));
        self.latency += self.clock.now().saturating_sub(start);
        let rest = self.released[from..].to_owned();
        let verdict = self.verdict();
        self.tell(&verdict, true);
        (rest, verdict)
    }

    /// Whether a layer has stopped the text: whoever writes it can be told to stop.
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// The bytes that were pushed and are held back. Never more than [`Pipeline::reach`].
    pub fn held(&self) -> usize {
        self.groups.iter().map(Group::undecided).sum()
    }

    fn feed(&mut self, text: &str, mut then: Then) {
        let mut carried = None;
        let mut last_block = None;
        for (index, group) in self.groups.iter_mut().enumerate() {
            let text = carried.as_deref().unwrap_or(text);
            let (released, next) = group.read(text, then, &self.context, self.clock.as_ref(), self.threads);
            if group.is_blocked() {
                last_block = Some(index);
            }
            (carried, then) = (Some(released), next);
        }
        let released = carried.as_deref().unwrap_or(text);
        self.blocked = last_block.is_some();
        if self.streams || !self.blocked {
            self.released.push_str(released);
        }
        if let Some(index) = last_block {
            self.forget_what_came_after(index);
        }
    }

    /// Earlier groups may have read on past what the block was about, or not, as the text was cut: what they said there does not count.
    fn forget_what_came_after(&mut self, block: usize) {
        let Some(mut at) = self.groups[block].blocked_at() else { return };
        for group in self.groups[..block].iter_mut().rev() {
            let Some(needed) = group.keep_what_led_to(at) else { return };
            at = needed;
        }
    }

    fn verdict(&mut self) -> Verdict {
        let mut layers = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            for (layer, reading) in group.readings().iter().enumerate() {
                let mut verdict = unread(reading, group.was_run(layer));
                for record in group.records.iter().filter(|record| record.layer == layer) {
                    self.add(&mut verdict, index, record, reading.layer.rewrites);
                }
                layers.push(verdict);
            }
        }
        let allowed = !layers.iter().any(|layer| layer.stopped);
        Verdict { allowed, text: std::mem::take(&mut self.released), layers, latency: self.latency }
    }

    fn add(&self, verdict: &mut LayerVerdict, group: usize, record: &Record, rewrites: bool) {
        let action = match (&record.said, record.outcome) {
            (Said::Failed(_), _) => Action::Failed,
            (_, Outcome::Noted) => Action::Allow,
            (_, Outcome::Replaced) if rewrites => Action::Rewrite,
            (_, Outcome::Replaced) => Action::Redact,
            (_, Outcome::Blocked) => Action::Block,
        };
        verdict.action = verdict.action.max(action);
        verdict.stopped |= record.outcome == Outcome::Blocked;
        match &record.said {
            Said::Failed(failure) => verdict.failure = Some(*failure),
            Said::Found { label, score } => {
                let span = self.groups[..group].iter().rev().fold(record.span.clone(), |span, group| group.rewrite.offsets.origin(span));
                verdict.score = verdict.score.max(*score);
                verdict.spans.push(Spot { start: span.start, end: span.end, label: label.clone(), score: *score });
            }
        }
    }

    fn tell(&mut self, verdict: &Verdict, complete: bool) {
        self.told = true;
        tell(self.sink.as_deref(), verdict, &self.context, self.request.as_ref(), complete);
    }
}

/// Tells `sink` of a verdict on a text that stood at `context`.
pub(super) fn tell(sink: Option<&dyn DecisionSink>, verdict: &Verdict, context: &Context, request: Option<&RequestId>, complete: bool) {
    let Some(sink) = sink else { return };
    sink.record(&Decision {
        request: request.cloned(),
        stage: context.stage,
        tool: context.tool.as_deref().map(str::to_owned),
        allowed: verdict.allowed,
        complete,
        layers: verdict.layers.clone(),
        latency: verdict.latency,
        text: sink.wants_text().then(|| verdict.text.clone()),
    });
}

fn unread(reading: &Reading, was_run: bool) -> LayerVerdict {
    LayerVerdict {
        name: reading.layer.name.to_string(),
        action: if was_run { Action::Allow } else { Action::Skipped },
        score: 0.0,
        spans: Vec::new(),
        failure: None,
        stopped: false,
        latency: reading.spent,
    }
}

impl Drop for PipelineScan {
    fn drop(&mut self) {
        if !self.told && self.sink.is_some() && !std::thread::panicking() {
            let verdict = self.verdict();
            self.tell(&verdict, self.blocked);
        }
    }
}

impl fmt::Debug for PipelineScan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PipelineScan").field("context", &self.context).field("blocked", &self.blocked).finish_non_exhaustive()
    }
}
