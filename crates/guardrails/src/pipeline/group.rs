use std::{borrow::Cow, collections::BTreeMap, ops::Range, sync::Arc, thread};

use jarre_core::Clock;

use super::{
    Failure, Layer, Mode, OnFailure,
    offsets::{Offsets, Source},
    reading::Reading,
};
use crate::{Context, Effect, Finding, scan::boundary_before};

/// From this length of a text on, layers of a group read it at the same time, in bytes.
///
/// `cargo bench -p jarre-guardrails --bench pipeline -- threads` shows where two threads begin to be faster than one.
pub(super) const PARALLEL: usize = 32 * 1024;

/// One group at its work on one text.
pub(super) struct Group {
    readings: Vec<Reading>,
    /// Releases nothing before its end.
    holds: bool,
    state: State,
    /// The input from `base` on.
    text: String,
    base: usize,
    /// Up to here the input was copied or replaced.
    done: usize,
    /// What was found and is not merged yet, by place, layer and turn.
    waiting: BTreeMap<(usize, usize, usize), Event>,
    turns: usize,
    /// What was merged, in order.
    pub(super) records: Vec<Record>,
    pub(super) offsets: Offsets,
    held: String,
    /// All of the input, where layers observe it.
    seen: Option<String>,
    /// The input that led to what was released, where the text was stopped.
    until: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No text came.
    Idle,
    Reading,
    Ended,
    Blocked,
    /// An earlier group stopped the text, so what this one made of it does not matter.
    Skipped,
}

/// How a text goes on after a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// There may be more.
    More,
    /// It has ended.
    End,
    /// A group has stopped it here.
    Stop,
}

enum Event {
    Found(Finding),
    Failed(Failure),
}

/// Something that a layer of a group said, at its place in the group's input.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) layer: usize,
    pub(super) span: Range<usize>,
    pub(super) said: Said,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug)]
pub(super) enum Said {
    Found { label: Cow<'static, str>, score: f32 },
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Noted,
    Replaced,
    Blocked,
}

impl Group {
    pub(super) fn new(layers: Vec<Arc<Layer>>, holds: bool) -> Self {
        let observed = layers.iter().any(|layer| layer.mode == Mode::Observe);
        Self {
            readings: layers.into_iter().map(Reading::new).collect(),
            holds,
            state: State::Idle,
            text: String::new(),
            base: 0,
            done: 0,
            waiting: BTreeMap::new(),
            turns: 0,
            records: Vec::new(),
            offsets: Offsets::default(),
            held: String::new(),
            seen: observed.then(String::new),
            until: None,
        }
    }

    pub(super) fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// Whether this layer of it has read.
    pub(super) fn was_run(&self, layer: usize) -> bool {
        self.state != State::Skipped && self.readings[layer].has_begun()
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.state == State::Blocked
    }

    /// The bytes of its input that have not been released.
    pub(super) fn undecided(&self) -> usize {
        match self.state {
            State::Idle | State::Reading if self.holds => self.pushed(),
            State::Idle | State::Reading => self.pushed() - self.done,
            State::Ended | State::Blocked | State::Skipped => 0,
        }
    }

    /// Reads `text` and gives what is released, and how that goes on.
    pub(super) fn read(&mut self, text: &str, then: Then, context: &Context, clock: &dyn Clock, threads: usize) -> (String, Then) {
        if then == Then::Stop && (self.holds || (text.is_empty() && self.state == State::Idle)) {
            // What is stopped before its end is not released, so it need not be read.
            self.abandon();
            return (String::new(), Then::Stop);
        }
        if self.state == State::Idle && (then != Then::More || !text.is_empty()) {
            self.state = State::Reading;
            self.readings.iter_mut().filter(|reading| !reading.observes()).for_each(|reading| reading.begin(context, clock));
        }
        let mut released = String::new();
        if !text.is_empty() {
            self.text.push_str(text);
            if let Some(seen) = &mut self.seen {
                seen.push_str(text);
            }
            let threads = if text.len() < PARALLEL { 1 } else { threads };
            each(&mut self.readings, threads, |reading| reading.read(text, clock));
            self.merge(self.decided(), &mut released);
        }
        if then != Then::More && self.state == State::Reading {
            let threads = if self.pushed() < PARALLEL { 1 } else { threads };
            each(&mut self.readings, threads, |reading| reading.finish(clock));
            self.merge(usize::MAX, &mut released);
            if self.state == State::Reading {
                self.state = State::Ended;
            }
        }
        self.release(released, then)
    }

    /// Lets the layers read that only observe, once it is known how much of the text there is.
    pub(super) fn observe(&mut self, context: &Context, clock: &dyn Clock, threads: usize) {
        let Some(seen) = self.seen.take().filter(|_| !matches!(self.state, State::Idle | State::Skipped)) else { return };
        let until = self.until.map_or(seen.len(), |until| seen.ceil_char_boundary(until));
        let threads = if until < PARALLEL { 1 } else { threads };
        self.readings.iter_mut().filter(|reading| reading.observes()).for_each(|reading| reading.begin(context, clock));
        each(&mut self.readings, threads, |reading| {
            reading.read(&seen[..until], clock);
            reading.finish(clock);
        });
        self.collect();
        for ((start, layer, _), event) in std::mem::take(&mut self.waiting) {
            if self.readings[layer].observes() {
                let (span, said, _) = self.weigh(start, layer, event);
                self.records.push(Record { layer, span, said, outcome: Outcome::Noted });
            }
        }
    }

    fn release(&mut self, mut released: String, then: Then) -> (String, Then) {
        let then = if self.is_blocked() { Then::Stop } else { then };
        if self.holds {
            self.held.push_str(&released);
            released = if then == Then::More { String::new() } else { std::mem::take(&mut self.held) };
        }
        (released, then)
    }

    /// Forgets that it read anything.
    fn abandon(&mut self) {
        self.readings.iter_mut().for_each(Reading::stop);
        self.records.clear();
        self.state = State::Skipped;
    }

    fn pushed(&self) -> usize {
        self.base + self.text.len()
    }

    fn decided(&self) -> usize {
        self.readings.iter().map(Reading::decided).min().unwrap_or(usize::MAX).min(self.pushed())
    }

    /// Applies, in order, what starts before the place that all layers have decided about, and releases the text up to there.
    fn merge(&mut self, decided: usize, out: &mut String) {
        self.collect();
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 < decided) {
            let ((start, layer, _), event) = first.remove_entry();
            self.apply(start, layer, event, out);
            if self.is_blocked() {
                self.readings.iter_mut().for_each(Reading::stop);
                return;
            }
        }
        self.copy(decided, out);
        self.forget();
    }

    fn collect(&mut self) {
        for (layer, reading) in self.readings.iter_mut().enumerate() {
            let found = reading.found.drain(..).map(|finding| (finding.span.start, Event::Found(finding)));
            let failed = reading.failed.take().map(|(decided, failure)| (decided, Event::Failed(failure)));
            for (start, event) in found.chain(failed) {
                self.waiting.insert((start, layer, self.turns), event);
                self.turns += 1;
            }
        }
    }

    /// What a layer said and where, and what effect that has here.
    fn weigh(&self, start: usize, layer: usize, event: Event) -> (Range<usize>, Said, Effect) {
        let policy = &self.readings[layer].layer;
        let enforced = policy.mode == Mode::Enforce;
        match event {
            Event::Failed(failure) => {
                let closed = enforced && policy.on_failure == OnFailure::Closed;
                (start..start, Said::Failed(failure), if closed { Effect::Block } else { Effect::Note })
            }
            Event::Found(Finding { span, label, score, effect }) => {
                // A score that is not a number is no reason to look away.
                let counts = enforced && (score >= policy.min_score || score.is_nan());
                (span, Said::Found { label, score }, if counts { effect } else { Effect::Note })
            }
        }
    }

    fn apply(&mut self, start: usize, layer: usize, event: Event, out: &mut String) {
        let (span, said, effect) = self.weigh(start, layer, event);
        let outcome = match effect {
            Effect::Note => Outcome::Noted,
            Effect::Replace(_) => Outcome::Replaced,
            Effect::Block => Outcome::Blocked,
        };
        self.records.push(Record { layer, span: span.clone(), said, outcome });
        match effect {
            Effect::Note => {}
            Effect::Replace(with) => self.replace(span, &with, out),
            Effect::Block => {
                self.copy(start, out);
                self.until = Some(self.done);
                self.state = State::Blocked;
            }
        }
    }

    /// Puts `with` in the place of what is left of `span`; where an earlier replacement has taken all of it, nothing is left to do.
    fn replace(&mut self, span: Range<usize>, with: &str, out: &mut String) {
        let end = self.boundary_after(span.end);
        if end < self.done || (end == self.done && span.start < self.done) {
            return;
        }
        self.copy(span.start, out);
        self.offsets.replace(self.done..end, with.len(), self.records.len());
        out.push_str(with);
        self.done = end;
    }

    /// Releases the input up to `to` as it is.
    fn copy(&mut self, to: usize, out: &mut String) {
        let to = self.base + boundary_before(&self.text, to.saturating_sub(self.base));
        if to > self.done {
            out.push_str(&self.text[self.done - self.base..to - self.base]);
            self.offsets.copy(to - self.done);
            self.done = to;
        }
    }

    fn boundary_after(&self, at: usize) -> usize {
        let at = at.clamp(self.done, self.pushed());
        (at..self.pushed()).find(|&at| self.text.is_char_boundary(at - self.base)).unwrap_or(self.pushed())
    }

    fn forget(&mut self) {
        let cut = self.done - self.base;
        // Moving what is left costs its length: only once that is the smaller part.
        if cut > self.text.len() / 2 {
            self.text.drain(..cut);
            self.base += cut;
        }
    }

    /// The last byte of the input that was needed to block.
    pub(super) fn blocked_at(&self) -> Option<usize> {
        let start = self.records.last()?.span.start;
        Some(if start < self.done { self.done - 1 } else { start })
    }

    /// Drops the records that are not sure to have been made when the byte `at` of the output was, and gives the last byte of the input
    /// that this byte needed; nothing where the group had read everything by then.
    pub(super) fn keep_what_led_to(&mut self, at: usize) -> Option<usize> {
        if self.holds || at >= self.offsets.length() {
            return None;
        }
        let needed = match self.offsets.source(at) {
            Source::Copied(at) => {
                self.records.retain(|record| record.span.start <= at);
                at
            }
            Source::Replaced(input, records) => {
                self.records.truncate(records);
                input.end.saturating_sub(1).max(input.start)
            }
        };
        self.until = Some(needed + 1);
        Some(needed)
    }
}

/// Runs `work` on every reading, on so many threads.
fn each(readings: &mut [Reading], threads: usize, work: impl Fn(&mut Reading) + Sync) {
    let open = readings.iter().filter(|reading| reading.is_open()).count();
    let share = readings.len().div_ceil(threads.min(open).max(1));
    if share >= readings.len() {
        return readings.iter_mut().for_each(work);
    }
    let work = &work;
    thread::scope(|scope| {
        let mut shares = readings.chunks_mut(share);
        let own = shares.next();
        for share in shares {
            scope.spawn(move || share.iter_mut().for_each(work));
        }
        own.into_iter().flatten().for_each(work);
    });
}
