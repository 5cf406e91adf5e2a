use std::{collections::BTreeMap, sync::Arc};

use jarre_core::Clock;

use super::{
    Layer, Mode,
    offsets::Source,
    reading::Reading,
    record::{Event, Outcome, Record},
    rewrite::Rewrite,
    threads::each,
};
use crate::{Context, Effect};

/// One group at its work on one text.
pub(super) struct Group {
    readings: Vec<Reading>,
    /// Releases nothing before its end.
    holds: bool,
    state: State,
    pub(super) rewrite: Rewrite,
    /// What was found and is not merged yet, by place, layer and turn.
    waiting: BTreeMap<(usize, usize, usize), Event>,
    turns: usize,
    /// What was merged, in order.
    pub(super) records: Vec<Record>,
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

impl Group {
    pub(super) fn new(layers: Vec<Arc<Layer>>, holds: bool) -> Self {
        let observed = layers.iter().any(|layer| layer.mode == Mode::Observe);
        Self {
            readings: layers.into_iter().map(Reading::new).collect(),
            holds,
            state: State::Idle,
            rewrite: Rewrite::default(),
            waiting: BTreeMap::new(),
            turns: 0,
            records: Vec::new(),
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
            State::Idle | State::Reading if self.holds => self.rewrite.pushed(),
            State::Idle | State::Reading => self.rewrite.pushed() - self.rewrite.done(),
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
            self.rewrite.push(text);
            if let Some(seen) = &mut self.seen {
                seen.push_str(text);
            }
            each(&mut self.readings, text.len(), threads, |reading| reading.read(text, clock));
            self.merge(self.decided(), &mut released);
        }
        if then != Then::More && self.state == State::Reading {
            each(&mut self.readings, self.rewrite.pushed(), threads, |reading| reading.finish(clock));
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
        self.readings.iter_mut().filter(|reading| reading.observes()).for_each(|reading| reading.begin(context, clock));
        each(&mut self.readings, until, threads, |reading| {
            reading.read(&seen[..until], clock);
            reading.finish(clock);
        });
        self.collect();
        for ((start, layer, _), event) in std::mem::take(&mut self.waiting) {
            if self.readings[layer].observes() {
                let (span, said, _) = event.weigh(start, &self.readings[layer].layer);
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

    fn decided(&self) -> usize {
        self.readings.iter().map(Reading::decided).min().unwrap_or(usize::MAX).min(self.rewrite.pushed())
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
        self.rewrite.copy(decided, out);
        self.rewrite.forget();
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

    fn apply(&mut self, start: usize, layer: usize, event: Event, out: &mut String) {
        let (span, said, effect) = event.weigh(start, &self.readings[layer].layer);
        self.records.push(Record { layer, span: span.clone(), said, outcome: Outcome::from(&effect) });
        match effect {
            Effect::Note => {}
            Effect::Replace(with) => self.rewrite.replace(&span, &with, self.records.len(), out),
            Effect::Block => {
                self.rewrite.copy(start, out);
                self.until = Some(self.rewrite.done());
                self.state = State::Blocked;
            }
        }
    }

    /// The last byte of the input that was needed to block.
    pub(super) fn blocked_at(&self) -> Option<usize> {
        let start = self.records.last()?.span.start;
        let done = self.rewrite.done();
        Some(if start < done { done - 1 } else { start })
    }

    /// Drops the records that are not sure to have been made when the byte `at` of the output was, and gives the last byte of the input
    /// that this byte needed; nothing where the group had read everything by then.
    pub(super) fn keep_what_led_to(&mut self, at: usize) -> Option<usize> {
        if self.holds || at >= self.rewrite.offsets.length() {
            return None;
        }
        let needed = match self.rewrite.offsets.source(at) {
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
