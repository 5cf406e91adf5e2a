use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    play::{PROBE, Played},
    scenario::{Cut, Schedule},
};
use crate::{
    deployment::Micros,
    judge::{Staleness, Tally, Verdict, both_lead, staleness, tally, two_of_one_term, verdict},
    mode::Mode,
    record::{Operation, Reign},
    request::{Answer, Input, Value, key_name},
};

/// Steps of the checker.
const BUDGET: u64 = 5_000_000;

/// What one mode made of a split: the same for all modes. Times are microseconds from the moment when the clients began.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) mode: Mode,
    pub(crate) clock: &'static str,
    pub(crate) cut: Cut,
    pub(crate) seed: u64,
    pub(crate) schedule: Schedule,
    #[serde(flatten)]
    pub(crate) tally: Tally,
    pub(crate) both_lead: Micros,
    pub(crate) two_of_one_term: bool,
    /// Of reads that were answered by the leader's side, whatever level they asked for.
    pub(crate) staleness: Staleness,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    /// What the old leader answered to reads while it was cut off.
    pub(crate) old_leader: Vec<OldRead>,
    pub(crate) replicas_agree: bool,
    /// By node, what it holds in the end.
    pub(crate) replicas: Vec<BTreeMap<String, Value>>,
    pub(crate) reigns: Vec<Reign>,
    pub(crate) operations: Vec<Operation>,
}

/// A read of the old leader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OldRead {
    pub(crate) level: &'static str,
    pub(crate) max_age: Option<Micros>,
    pub(crate) answer: Answer,
    /// The value is older than one that was acknowledged before.
    pub(crate) is_stale: bool,
}

impl Report {
    pub(crate) fn new(mode: Mode, cut: Cut, seed: u64, schedule: Schedule, played: Played) -> Self {
        let record = played.record;
        let named = |values: &BTreeMap<u8, Value>| values.iter().map(|(key, value)| (key_name(*key), *value)).collect();
        Self {
            mode,
            clock: mode.clock(),
            cut,
            seed,
            schedule,
            tally: tally(&record),
            both_lead: both_lead(&record.reigns, schedule.end),
            two_of_one_term: two_of_one_term(&record.reigns),
            staleness: staleness(&record),
            verdict: verdict(&record, BUDGET),
            old_leader: old_reads(&record),
            replicas_agree: record.replicas.windows(2).all(|pair| pair[0] == pair[1]),
            replicas: record.replicas.iter().map(named).collect(),
            reigns: record.reigns,
            operations: record.operations,
        }
    }
}

fn old_reads(record: &crate::record::Record) -> Vec<OldRead> {
    let probes = record.operations.iter().filter(|operation| operation.client == PROBE);
    let alone = |read: &Operation| {
        let others = record.operations.iter().filter(|operation| operation.acknowledged().is_some());
        let operations = others.cloned().chain([read.clone()]).collect();
        staleness(&crate::record::Record { operations, ..Default::default() }).stale > 0
    };
    let old = |read: &Operation| match read.input {
        Input::Read(level) => {
            let max_age = if let crate::request::Level::Stale { max_age } = level { Some(max_age) } else { None };
            Some(OldRead { level: level.name(), max_age, answer: read.answer.clone(), is_stale: alone(read) })
        }
        Input::Write(_) => None,
    };
    probes.filter_map(old).collect()
}
