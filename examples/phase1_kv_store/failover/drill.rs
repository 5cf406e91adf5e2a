use anyhow::Result;
use jarre_kv_store::testing::nemesis::Dice;
use serde::Serialize;

use crate::{
    client::{Client, Mix},
    deployment::{Deployment, Fault, MILLI, Micros, wait_for_leader},
    record::Record,
    request::Level,
};

/// From one kill to about the next.
pub(super) const PERIOD: Micros = 2_500 * MILLI;
/// How long a node stays dead.
const DEAD: Micros = 1_200 * MILLI;
const CLIENTS: u64 = 3;

pub(super) struct Drill {
    pub(super) kills: Vec<Kill>,
    pub(super) record: Record,
    pub(super) end: Micros,
}

/// The death of a leader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Kill {
    pub(super) at: Micros,
    pub(super) node: usize,
    pub(super) term: Option<u64>,
    /// From the kill to the first acknowledgement of a write that was called after it; `None` where there was none until the end.
    pub(super) gap: Option<Micros>,
}

/// Kills the leader so many times, starts it again each time, and lets clients write throughout.
pub(super) fn drill(mut deployment: Box<dyn Deployment>, count: u32, seed: u64) -> Result<Drill> {
    wait_for_leader(&mut *deployment, 10_000 * MILLI)?;
    let origin = deployment.now();
    let until = origin + Micros::from(count) * PERIOD + PERIOD;
    for client in clients(deployment.nodes(), until, seed) {
        deployment.start(client);
    }
    let mut dice = Dice::new(seed);
    let mut kills = Vec::new();
    for number in 0..u64::from(count) {
        deployment.run_until(origin + number * PERIOD + 500 * MILLI + dice.below(300 * MILLI));
        let leader = wait_for_leader(&mut *deployment, PERIOD)?;
        let at = deployment.now();
        deployment.inject(&Fault::Kill(leader.node))?;
        deployment.run_until(at + DEAD);
        deployment.inject(&Fault::Start(leader.node))?;
        kills.push(Kill { at, node: leader.node, term: leader.term, gap: None });
    }
    let end = until + 500 * MILLI;
    deployment.run_until(end);
    let record = deployment.finish()?;
    for kill in &mut kills {
        kill.gap = gap(&record, kill.at);
    }
    Ok(Drill { kills, record, end })
}

fn clients(nodes: usize, until: Micros, seed: u64) -> impl Iterator<Item = Client> {
    let mix = Mix { keys: 8, writes: 0.7, level: Level::Linearizable, think: 10 * MILLI, until };
    (1..=CLIENTS).map(move |id| {
        let reach = (0..nodes).map(|node| (node + id as usize) % nodes).collect();
        Client::mixed(id, reach, mix.clone(), 300 * MILLI, seed)
    })
}

fn gap(record: &Record, kill: Micros) -> Option<Micros> {
    let after = record.operations.iter().filter(|operation| operation.call >= kill && operation.acknowledged().is_some());
    Some(after.filter_map(|operation| operation.end).min()? - kill)
}
