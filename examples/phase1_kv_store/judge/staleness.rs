use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    deployment::Micros,
    record::{Operation, Record},
    request::{Answer, Value},
};

/// How old the answers to reads were, whatever the node said of their age.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Staleness {
    /// Reads that missed a write that had been acknowledged before they were called.
    pub(crate) stale: usize,
    /// The longest that such a write had been acknowledged.
    pub(crate) oldest: Micros,
}

/// An acknowledged write: when it was called, and when acknowledged.
type Span = (Micros, Micros);

/// Compares each read with the acknowledged writes of its key. A read of `v` is stale where a write that was called after `v` had been
/// acknowledged was itself acknowledged before the read was called.
pub(crate) fn staleness(record: &Record) -> Staleness {
    let mut writes: BTreeMap<u8, Vec<Span>> = BTreeMap::new();
    let mut spans: BTreeMap<Value, Span> = BTreeMap::new();
    for operation in &record.operations {
        if let (Some(value), Some(end)) = (operation.acknowledged(), operation.end) {
            writes.entry(operation.key).or_default().push((operation.call, end));
            spans.insert(value, (operation.call, end));
        }
    }
    // Operations stand in the order of their calls, so these do.
    let soonest: BTreeMap<u8, Vec<Span>> = writes.into_iter().map(|(key, writes)| (key, soonest_ends(writes))).collect();
    let mut staleness = Staleness::default();
    for read in &record.operations {
        let Some(age) = age(read, &spans, &soonest) else { continue };
        staleness.stale += 1;
        staleness.oldest = staleness.oldest.max(age);
    }
    staleness
}

/// By call, the soonest end of any write called then or later.
fn soonest_ends(mut writes: Vec<Span>) -> Vec<Span> {
    let mut soonest = Micros::MAX;
    for (_, end) in writes.iter_mut().rev() {
        soonest = soonest.min(*end);
        *end = soonest;
    }
    writes
}

fn age(read: &Operation, spans: &BTreeMap<Value, Span>, soonest: &BTreeMap<u8, Vec<Span>>) -> Option<Micros> {
    let Answer::Value { value, .. } = read.answer else { return None };
    // A value whose write was never acknowledged has no known end: nothing can be said of it.
    let writes = soonest.get(&read.key)?;
    let later = match value {
        None => 0,
        Some(value) => {
            let (_, end) = spans.get(&value)?;
            writes.partition_point(|(call, _)| call <= end)
        }
    };
    let missed = writes.get(later).map(|(_, soonest)| *soonest)?;
    read.call.checked_sub(missed).filter(|age| *age > 0)
}
