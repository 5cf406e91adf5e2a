//! The search for an order, for the operations of one key.

use std::collections::HashSet;

use super::Model;

/// An operation that may have had an effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval<'a, I, O> {
    /// Its place in the history.
    pub id: usize,
    pub call: u64,
    pub input: &'a I,
    /// When and with what it returned; `None` where that is unknown.
    pub returned: Option<(u64, &'a O)>,
}

/// How a search ended.
#[derive(Debug)]
pub(super) enum Found<S> {
    /// All that returned can be placed.
    Order,
    /// They cannot. The longest order that was found, by place among the intervals, and the state after it.
    NoOrder { longest: Vec<usize>, state: S },
    /// The budget was used up.
    OutOfSteps,
}

/// Tries orders until one places all operations that returned. Each attempt to place an operation takes a step off `budget`.
pub(super) fn search<M: Model>(model: &M, intervals: &[Interval<'_, M::Input, M::Output>], budget: &mut u64) -> Found<M::State> {
    let mut events = Events::new(intervals);
    let mut placed = Placed { bits: vec![0; intervals.len().div_ceil(64)], order: Vec::new() };
    let mut state = model.initial();
    let mut failed: HashSet<(Vec<u64>, M::State)> = HashSet::new();
    let mut longest = (Vec::new(), state.clone());
    let mut at = events.first();
    while events.returns_left > 0 {
        match events.kinds[at] {
            Event::Call(operation) => {
                let Some(left) = budget.checked_sub(1) else { return Found::OutOfSteps };
                *budget = left;
                let Interval { input, returned, .. } = intervals[operation];
                let next = model.step(&state, input, returned.map(|(_, output)| output));
                let next = next.filter(|next| failed.insert((placed.bits_with(operation), next.clone())));
                let Some(next) = next else {
                    at = events.next[at];
                    continue;
                };
                placed.push(operation, std::mem::replace(&mut state, next));
                events.lift(operation);
                at = events.first();
                if placed.order.len() > longest.0.len() {
                    longest = (placed.operations(), state.clone());
                }
            }
            // The operation that returns here must be placed before anything that is called later.
            Event::Return(_) => {
                let Some((operation, before)) = placed.pop() else {
                    return Found::NoOrder { longest: longest.0, state: longest.1 };
                };
                state = before;
                events.unlift(operation);
                at = events.next[events.calls[operation]];
            }
        }
    }
    Found::Order
}

/// The operations that stand in the order so far, with the states before them.
struct Placed<S> {
    bits: Vec<u64>,
    order: Vec<(usize, S)>,
}

impl<S> Placed<S> {
    fn bits_with(&self, operation: usize) -> Vec<u64> {
        let mut bits = self.bits.clone();
        bits[operation / 64] |= 1 << (operation % 64);
        bits
    }

    fn push(&mut self, operation: usize, before: S) {
        self.bits[operation / 64] |= 1 << (operation % 64);
        self.order.push((operation, before));
    }

    fn pop(&mut self) -> Option<(usize, S)> {
        let (operation, before) = self.order.pop()?;
        self.bits[operation / 64] &= !(1 << (operation % 64));
        Some((operation, before))
    }

    fn operations(&self) -> Vec<usize> {
        self.order.iter().map(|(operation, _)| *operation).collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Call(usize),
    Return(usize),
}

/// Calls and returns by time, as a list from which what was placed is lifted. Place 0 is the head.
struct Events {
    kinds: Vec<Event>,
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Where each operation's call and return stand.
    calls: Vec<usize>,
    returns: Vec<Option<usize>>,
    returns_left: usize,
}

impl Events {
    fn new<I, O>(intervals: &[Interval<'_, I, O>]) -> Self {
        // At one moment calls stand before returns: operations that touch are concurrent.
        let calls = intervals.iter().enumerate().map(|(nth, interval)| ((interval.call, false), Event::Call(nth)));
        let returns = intervals.iter().enumerate().filter_map(|(nth, interval)| Some(((interval.returned?.0, true), Event::Return(nth))));
        let mut timed: Vec<_> = calls.chain(returns).collect();
        timed.sort_by_key(|(time, _)| *time);
        // The head is never visited; its kind only fills the place.
        let kinds: Vec<Event> = std::iter::once(Event::Return(usize::MAX)).chain(timed.into_iter().map(|(_, event)| event)).collect();
        let mut events = Self {
            next: (1..=kinds.len()).collect(),
            previous: (0..kinds.len()).map(|at| at.saturating_sub(1)).chain([kinds.len() - 1]).collect(),
            calls: vec![0; intervals.len()],
            returns: vec![None; intervals.len()],
            returns_left: 0,
            kinds,
        };
        for (at, event) in events.kinds.iter().enumerate().skip(1) {
            match *event {
                Event::Call(operation) => events.calls[operation] = at,
                Event::Return(operation) => {
                    events.returns[operation] = Some(at);
                    events.returns_left += 1;
                }
            }
        }
        events
    }

    fn first(&self) -> usize {
        self.next[0]
    }

    fn lift(&mut self, operation: usize) {
        self.unlink(self.calls[operation]);
        if let Some(at) = self.returns[operation] {
            self.unlink(at);
            self.returns_left -= 1;
        }
    }

    /// Undoes the latest [`lift`](Self::lift) that is not undone.
    fn unlift(&mut self, operation: usize) {
        if let Some(at) = self.returns[operation] {
            self.link(at);
            self.returns_left += 1;
        }
        self.link(self.calls[operation]);
    }

    fn unlink(&mut self, at: usize) {
        let (previous, next) = (self.previous[at], self.next[at]);
        self.next[previous] = next;
        self.previous[next] = previous;
    }

    fn link(&mut self, at: usize) {
        let (previous, next) = (self.previous[at], self.next[at]);
        self.next[previous] = at;
        self.previous[next] = at;
    }
}
