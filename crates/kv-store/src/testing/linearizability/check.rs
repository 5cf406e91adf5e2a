use std::collections::BTreeMap;

use super::{
    Model, Operation, Outcome,
    search::{Found, Interval, search},
};

/// What [`check`] found. Numbers of operations are places in the history that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<K, S> {
    /// There is an order that explains all answers.
    Ok,
    /// There is none.
    Illegal(Box<Counterexample<K, S>>),
    /// The budget was used up before either was known.
    Unknown,
}

/// Why no order explains a history: the first return that none explains, and what stood before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample<K, S> {
    /// The key whose operations cannot be ordered.
    pub key: K,
    /// The operation whose return no order explains, though all returns before it can be explained.
    pub culprit: usize,
    /// The operations under way since the last moment before the culprit's return when none was, by their calls, the culprit among them.
    /// Those whose outcome is unknown are under way forever: they stand here too, whenever they were called.
    pub window: Vec<usize>,
    /// The longest order found for what was called before the culprit returned. At least one operation that had returned has no place in it:
    /// the culprit, or one that the culprit shut out.
    pub order: Vec<usize>,
    /// The state after [`order`](Self::order).
    pub state: S,
}

/// Whether `history` is linearizable with respect to `model`. Takes at most `budget` steps over all keys, each of which tries to place one
/// operation; memory grows with the steps taken.
///
/// # Panics
/// Where an operation returned before it was called.
pub fn check<M: Model>(model: &M, history: &[Operation<M::Input, M::Output>], mut budget: u64) -> Verdict<M::Key, M::State> {
    let mut verdict = Verdict::Ok;
    for (key, intervals) in by_key(model, history) {
        match search(model, &intervals, &mut budget) {
            Found::Order => {}
            Found::OutOfSteps => verdict = Verdict::Unknown,
            Found::NoOrder { longest, state } => {
                return Verdict::Illegal(Box::new(explain(model, key, &intervals, longest, state, budget)));
            }
        }
    }
    verdict
}

type ByKey<'a, M> = BTreeMap<<M as Model>::Key, Vec<Interval<'a, <M as Model>::Input, <M as Model>::Output>>>;

/// What may have had an effect, or has an answer to explain.
fn by_key<'a, M: Model>(model: &M, history: &'a [Operation<M::Input, M::Output>]) -> ByKey<'a, M> {
    let mut keys: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (id, Operation { call, input, outcome, .. }) in history.iter().enumerate() {
        let returned = match outcome {
            Outcome::Failed => continue,
            Outcome::Unknown if model.is_read(input) => continue,
            Outcome::Unknown => None,
            Outcome::Returned { at, output } => {
                assert!(call <= at, "operation {id} returned at {at}, before it was called at {call}");
                Some((*at, output))
            }
        };
        keys.entry(model.key(input)).or_default().push(Interval { id, call: *call, input, returned });
    }
    keys
}

/// Every part of a linearizable history up to some moment is linearizable; so the first return that cannot be explained is found by halving.
fn explain<M: Model>(
    model: &M,
    key: M::Key,
    intervals: &[Interval<'_, M::Input, M::Output>],
    longest: Vec<usize>,
    state: M::State,
    mut budget: u64,
) -> Counterexample<M::Key, M::State> {
    let mut returns: Vec<(u64, usize)> = intervals.iter().enumerate().filter_map(|(nth, i)| Some((i.returned?.0, nth))).collect();
    returns.sort_unstable();
    let ids = |part: &[Interval<'_, M::Input, M::Output>], order: Vec<usize>| order.into_iter().map(|nth| part[nth].id).collect();
    // What is known of the history up to the return at `illegal`: the whole, at first.
    let (mut legal, mut illegal) = (0, returns.len());
    let mut found: (Vec<usize>, M::State) = (ids(intervals, longest), state);
    while legal + 1 < illegal {
        let middle = usize::midpoint(legal, illegal);
        let part = up_to(intervals, &returns[..middle]);
        match search(model, &part, &mut budget) {
            Found::Order => legal = middle,
            Found::NoOrder { longest, state } => (illegal, found) = (middle, (ids(&part, longest), state)),
            // A longer part than the shortest is a counterexample too.
            Found::OutOfSteps => break,
        }
    }
    let culprit = returns[illegal - 1].1;
    let window = window(&up_to(intervals, &returns[..illegal]), intervals[culprit].id);
    Counterexample { key, culprit: intervals[culprit].id, window, order: found.0, state: found.1 }
}

/// The history up to the last of `returns`: what was called by then, where what returns later has not returned.
fn up_to<'a, I, O>(intervals: &[Interval<'a, I, O>], returns: &[(u64, usize)]) -> Vec<Interval<'a, I, O>> {
    let Some(&(end, _)) = returns.last() else { return Vec::new() };
    let mut returned: Vec<bool> = vec![false; intervals.len()];
    for &(_, nth) in returns {
        returned[nth] = true;
    }
    let called = intervals.iter().zip(returned).filter(|(interval, _)| interval.call <= end);
    called.map(|(interval, returned)| Interval { returned: interval.returned.filter(|_| returned), ..*interval }).collect()
}

/// Goes back from the culprit while anything overlaps.
fn window<I, O>(part: &[Interval<'_, I, O>], culprit: usize) -> Vec<usize> {
    let mut by_call: Vec<_> = part.iter().collect();
    by_call.sort_by_key(|interval| (interval.call, interval.id));
    let mut start = by_call.iter().find(|interval| interval.id == culprit).map_or(0, |interval| interval.call);
    let reaches = |interval: &&&Interval<'_, I, O>, start| interval.returned.is_some_and(|(at, _)| at >= start) && interval.call < start;
    while let Some(earlier) = by_call.iter().find(|interval| reaches(interval, start)) {
        start = earlier.call;
    }
    by_call.iter().filter(|interval| interval.returned.is_none() || interval.call >= start).map(|interval| interval.id).collect()
}
