use std::time::Duration;

use jarre_kv_store::{
    Store,
    testing::nemesis::{Coverage, Dice},
};
use tokio::time::Instant;

use crate::{
    clients::Client,
    faults::{Done, Nemesis},
    front::Front,
    histories::{
        bank::{bank, opening},
        checks::check_all,
        lists::lists,
        record::{Counts, Record},
        registers::registers,
        sets::sets,
    },
    operator::{Changes, Operator},
    settle::LATEST,
    world::World,
};

/// When faults begin and end, and when clients stop, in milliseconds.
const FAULTS: u64 = 4_000;
const HEALED: u64 = 55_000;
const CLIENTS_STOP: u64 = 57_000;

/// What a run met.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) millis: u64,
    pub(crate) counts: Counts,
    pub(crate) done: Done,
    /// Members that did not start, for good reason.
    pub(crate) refused: u64,
    pub(crate) changes: Changes,
    pub(crate) coverage: Coverage,
    pub(crate) open: u64,
    pub(crate) problems: Vec<String>,
    pub(crate) story: Vec<String>,
}

/// Runs what a seed stands for.
pub(crate) fn run(seed: u64) -> Report {
    let mut dice = Dice::new(seed);
    let founders = if dice.happens(0.2) { 5 } else { 3 };
    let mut operator = operator(&mut dice);
    let spare_hosts = operator.as_ref().map_or(0, |_| if founders == 5 { 1 } else { 2 });
    let mut world = World::new(founders, spare_hosts, &mut dice);
    if let Some(operator) = &operator {
        world.group.spare = operator.may_lose();
    }
    let mut nemesis = Nemesis::new(dice.roll(), world.hosts, FAULTS, HEALED);
    world.spawn(clients(world.group.front.clone(), world.record.clone(), founders, Dice::new(dice.roll())));
    while world.now() < HEALED {
        step(&mut world, operator.as_mut());
        nemesis.step(&mut world.group);
    }
    nemesis.heal(&mut world.group);
    while world.now() < CLIENTS_STOP + 2_000 {
        step(&mut world, operator.as_mut());
    }
    if let Some(operator) = &mut operator {
        operator.finish(&mut world, LATEST);
    }
    world.settle();
    report(&mut world, &nemesis, operator.map_or_else(Changes::default, |operator| operator.changes))
}

fn step(world: &mut World, operator: Option<&mut Operator>) {
    world.step();
    if let Some(operator) = operator {
        operator.step(world);
    }
}

/// In some runs members change, in few of those down to one.
fn operator(dice: &mut Dice) -> Option<Operator> {
    let (changes, few) = (dice.happens(0.5), dice.happens(0.3));
    let sizes = if few { 1..=3 } else { 3..=5 };
    changes.then(|| Operator::new(dice.roll(), sizes, FAULTS, HEALED))
}

/// What became of it, once all that clients saw is judged.
fn report(world: &mut World, nemesis: &Nemesis, changes: Changes) -> Report {
    let record = world.record.clone();
    let mut met = record.lock();
    let open = if met.problems.is_empty() && world.group.problems.is_empty() { check_all(&mut met) } else { 0 };
    let problems = world.group.problems.iter().cloned().chain(std::mem::take(&mut met.problems)).collect();
    Report {
        millis: world.now(),
        counts: met.counts,
        done: nemesis.done,
        refused: world.group.refused,
        changes,
        coverage: nemesis.coverage,
        open,
        problems,
        story: std::mem::take(&mut world.group.story),
    }
}

/// Fills the accounts, and starts the clients.
async fn clients(front: Front, record: Record, founders: usize, mut dice: Dice) {
    let began = Instant::now();
    fill(&front).await;
    let think = 60.0 + 300.0 * dice.unit();
    let compacts = dice.happens(0.4);
    let mut client = |id: u64| Client {
        id,
        home: id as usize % founders,
        front: front.clone(),
        record: record.clone(),
        dice: Dice::new(dice.roll()),
        began,
        end: Duration::from_millis(CLIENTS_STOP),
        think,
    };
    (0..4).for_each(|id| drop(tokio::spawn(registers(client(id), 3))));
    (4..6).for_each(|id| drop(tokio::spawn(lists(client(id)))));
    (6..8).for_each(|id| drop(tokio::spawn(sets(client(id)))));
    (8..10).for_each(|id| drop(tokio::spawn(bank(client(id)))));
    (10..12).for_each(|id| drop(tokio::spawn(client(id).session())));
    (12..15).for_each(|id| drop(tokio::spawn(client(id).lock())));
    tokio::spawn(client(15).age());
    (16..18).for_each(|id| drop(tokio::spawn(client(id).stale())));
    (18..20).for_each(|id| drop(tokio::spawn(client(id).watch())));
    if compacts {
        tokio::spawn(client(20).compact());
    }
}

/// Gives every account what it holds at first.
async fn fill(front: &Front) {
    loop {
        let call = front.call(0, Duration::from_secs(3), |cluster| Box::pin(async move { cluster.txn(opening()).await }));
        if call.await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
