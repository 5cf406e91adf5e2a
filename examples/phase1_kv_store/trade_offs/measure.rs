use anyhow::Result;
use serde::Serialize;

use super::condition::Condition;
use crate::{
    client::{Client, Mix},
    deployment::{MILLI, Micros, wait_for_leader},
    judge::{Staleness, Verdict, staleness, tally, verdict},
    mode::Mode,
    quantile::quantile,
    record::{Operation, Record},
    request::{Answer, Level},
};

/// When the condition begins, takes a turn and ends, when clients stop, and when what is left is compared; from the start of the clients.
const BEGIN: Micros = 500 * MILLI;
const MIDDLE: Micros = 1_000 * MILLI;
const END: Micros = 1_500 * MILLI;
const STOP: Micros = 2_000 * MILLI;
const COMPARE: Micros = 2_500 * MILLI;
const BUDGET: u64 = 1_000_000;
/// The mean pause of a client, so that reads that cost nothing do not take the machine from everything else.
const THINK: Micros = MILLI;
const WRITERS: u64 = 2;
const READERS: u64 = 2;

/// What clients see of a mode at a read level under a condition. Rates and latencies are those while the condition lasts.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) mode: Mode,
    pub(crate) clock: &'static str,
    pub(crate) level: &'static str,
    pub(crate) condition: Condition,
    pub(crate) writes_per_second: f64,
    pub(crate) write_p50: Option<Micros>,
    pub(crate) write_p99: Option<Micros>,
    pub(crate) reads_per_second: f64,
    pub(crate) read_p50: Option<Micros>,
    pub(crate) read_p99: Option<Micros>,
    /// The longest stretch without an acknowledged write, and without an answered read.
    pub(crate) write_gap: Micros,
    pub(crate) read_gap: Micros,
    pub(crate) lost: usize,
    #[serde(flatten)]
    pub(crate) staleness: Staleness,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

/// Runs a cluster with two writers and two readers through a condition.
pub(crate) fn measure(mode: Mode, level: Level, condition: Condition, seed: u64) -> Result<Row> {
    let mut deployment = mode.deploy(3, seed)?;
    let leader = wait_for_leader(&mut *deployment, 10_000 * MILLI)?.node;
    let origin = deployment.now();
    for client in clients(leader, deployment.nodes(), level, condition, origin + STOP, seed) {
        deployment.start(client);
    }
    deployment.run_until(origin + BEGIN);
    condition.begin(&mut *deployment, leader)?;
    deployment.run_until(origin + MIDDLE);
    condition.turn(&mut *deployment, leader)?;
    deployment.run_until(origin + END);
    condition.end(&mut *deployment, leader)?;
    deployment.run_until(origin + COMPARE);
    Ok(row(mode, level, condition, &deployment.finish()?, origin))
}

/// Writers know all nodes and begin with the leader. Readers that ask for less begin elsewhere, each at a follower of its own. Where the
/// leader is to be cut off, half of the clients will be with it, and know nobody else; the other half know all but it.
fn clients(leader: usize, nodes: usize, level: Level, condition: Condition, until: Micros, seed: u64) -> Vec<Client> {
    let reach = |number: u64, first: usize| -> Vec<usize> {
        let all = (0..nodes).map(|node| (first + node) % nodes);
        let is_with_leader = number == 1;
        all.filter(|&node| condition != Condition::LeaderInMinority || (node == leader) == is_with_leader).collect()
    };
    let mix = |writes| Mix { keys: 8, writes, level, think: THINK, until };
    let is_stale = matches!(level, Level::Stale { .. });
    let writers = (1..=WRITERS).map(|id| Client::mixed(id, reach(id, leader), mix(1.0), 300 * MILLI, seed));
    let readers = (1..=READERS).map(|number| {
        let first = if is_stale { leader + number as usize } else { leader };
        Client::mixed(WRITERS + number, reach(number, first % nodes), mix(0.0), 300 * MILLI, seed)
    });
    writers.chain(readers).collect()
}

fn row(mode: Mode, level: Level, condition: Condition, record: &Record, origin: Micros) -> Row {
    let (writes, reads): (Vec<&Operation>, Vec<&Operation>) =
        record.operations.iter().filter(|operation| operation.is_answered()).partition(|operation| operation.answer == Answer::Written);
    let window = origin + BEGIN..origin + END;
    let latencies = |operations: &[&Operation]| {
        let within = operations.iter().filter(|operation| operation.end.is_some_and(|end| window.contains(&end)));
        let mut latencies: Vec<Micros> = within.filter_map(|operation| Some(operation.end? - operation.call)).collect();
        latencies.sort_unstable();
        latencies
    };
    let (write, read) = (latencies(&writes), latencies(&reads));
    let seconds = (END - BEGIN) as f64 / 1e6;
    let span = (origin + BEGIN, origin + STOP);
    Row {
        mode,
        clock: mode.clock(),
        level: level.name(),
        condition,
        writes_per_second: write.len() as f64 / seconds,
        write_p50: quantile(&write, 0.5),
        write_p99: quantile(&write, 0.99),
        reads_per_second: read.len() as f64 / seconds,
        read_p50: quantile(&read, 0.5),
        read_p99: quantile(&read, 0.99),
        write_gap: longest_gap(&writes, span),
        read_gap: longest_gap(&reads, span),
        lost: tally(record).lost.len(),
        staleness: staleness(record),
        verdict: verdict(record, BUDGET),
    }
}

/// The longest stretch in a span of time in which none of the operations ended.
pub(super) fn longest_gap(operations: &[&Operation], (from, until): (Micros, Micros)) -> Micros {
    let mut ends: Vec<Micros> = operations.iter().filter_map(|operation| operation.end).filter(|end| (from..until).contains(end)).collect();
    ends.extend([from, until]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}
