use anyhow::Result;

use super::scenario::{Cut, Schedule};
use crate::{
    client::{Client, Mix},
    deployment::{Deployment, Fault, MILLI, wait_for_leader},
    record::Record,
    request::{Input, Level},
};

/// Keys that both sides write.
pub(crate) const KEYS: u8 = 2;
/// Clients on each side.
const CLIENTS: u64 = 2;
/// The client that asks the old leader for reads of each level.
pub(crate) const PROBE: u64 = 90;
/// The client that reads everything in the end.
pub(crate) const LAST: u64 = 91;

/// What happened, with times from the moment when the clients began and nodes by their letters.
#[derive(Debug)]
pub(crate) struct Played {
    /// The leader of that moment is node 0 here.
    pub(crate) record: Record,
}

/// Cuts a cluster in which clients work, and heals it.
pub(crate) fn play(mut deployment: Box<dyn Deployment>, cut: Cut, schedule: &Schedule, seed: u64) -> Result<Played> {
    let leader = wait_for_leader(&mut *deployment, 10_000 * MILLI)?;
    let origin = deployment.now();
    let order = letters(leader.node, deployment.nodes());
    for client in clients(&order, cut, origin + schedule.stop, seed) {
        deployment.start(client);
    }
    deployment.run_until(origin + schedule.cut);
    deployment.inject(&Fault::Cut(cut.grudge(&order)))?;
    deployment.run_until(origin + schedule.probe);
    deployment.start(probe(order[0], origin + schedule.probe));
    deployment.run_until(origin + schedule.heal);
    deployment.inject(&Fault::Heal)?;
    deployment.run_until(origin + schedule.stop + 400 * MILLI);
    if let Some(leader) = deployment.leaders().first() {
        let now = deployment.now();
        deployment.start(last_reads(leader.node, now));
    }
    deployment.run_until(origin + schedule.end);
    Ok(Played { record: renamed(deployment.finish()?, origin, &order) })
}

/// Nodes by their letters: the leader, and the others by their numbers.
fn letters(leader: usize, nodes: usize) -> Vec<usize> {
    std::iter::once(leader).chain((0..nodes).filter(|&node| node != leader)).collect()
}

/// Each side has its own, which reach their side alone and know no other.
fn clients(order: &[usize], cut: Cut, until: u64, seed: u64) -> Vec<Client> {
    let (here, there) = cut.sides();
    let mix = Mix { keys: KEYS, writes: 0.6, level: Level::Linearizable, think: 25 * MILLI, until };
    let client = |id, side: &[usize]| Client::mixed(id, side.to_vec(), mix.clone(), 500 * MILLI, seed);
    let ours = (1..=CLIENTS).map(|id| client(id, &order[..here]));
    let theirs = (CLIENTS + 1..=2 * CLIENTS).map(|id| client(id, &order[there..]));
    ours.chain(theirs).collect()
}

/// Reads of the old leader, while it is cut off. A stale one may be as old as the cut is at most, so that its age shows.
fn probe(node: usize, at: u64) -> Client {
    let levels = [Level::Stale { max_age: 10_000 * MILLI }, Level::Stale { max_age: 100 * MILLI }, Level::Lease, Level::Linearizable];
    let steps = levels.map(|level| (at, node, 0, Input::Read(level)));
    Client::scripted(PROBE, steps.to_vec(), 500 * MILLI)
}

fn last_reads(node: usize, at: u64) -> Client {
    Client::scripted(LAST, (0..KEYS).map(|key| (at, node, key, Input::Read(Level::Linearizable))).collect(), 300 * MILLI)
}

fn renamed(mut record: Record, origin: u64, order: &[usize]) -> Record {
    let letter = |node: usize| order.iter().position(|&other| other == node).expect("every node has a letter");
    for operation in &mut record.operations {
        operation.node = letter(operation.node);
        operation.call -= origin;
        operation.end = operation.end.map(|end| end - origin);
        if let crate::request::Answer::Refused { hint: Some(hint), .. } = &mut operation.answer {
            *hint = letter(*hint);
        }
    }
    for reign in &mut record.reigns {
        reign.node = letter(reign.node);
        reign.from = reign.from.saturating_sub(origin);
        reign.until = reign.until.map(|until| until.saturating_sub(origin));
    }
    // Who led before anybody watched is another story.
    record.reigns.retain(|reign| reign.until != Some(0));
    record.replicas = order.iter().map(|&node| record.replicas[node].clone()).collect();
    record
}
