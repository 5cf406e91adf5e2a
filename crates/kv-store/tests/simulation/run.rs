use std::time::Duration;

use jarre_kv_store::{
    Error, KeyRange, Op, RangeRequest, ReadLevel, Refusal, Revision, Store, Txn,
    testing::{
        nemesis::{Coverage, Dice, Shape},
        simulation::Simulation,
    },
};
use tokio::{sync::oneshot, time::Instant};

use crate::{
    checks::{ACCOUNTS, HELD, check_all},
    clients::{Client, encode, follow},
    faults::{Done, Nemesis},
    front::Front,
    members::Group,
    record::{Counts, Record},
};

/// When faults begin and end, when clients stop, and when all must be well again, in milliseconds.
const FAULTS: u64 = 4_000;
const HEALED: u64 = 46_000;
const CLIENTS_STOP: u64 = 48_000;
const LATEST: u64 = 120_000;

/// What a run met.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) millis: u64,
    pub(crate) counts: Counts,
    pub(crate) done: Done,
    pub(crate) coverage: Coverage,
    pub(crate) open: u64,
    pub(crate) problems: Vec<String>,
    pub(crate) story: Vec<String>,
}

/// Runs what a seed stands for.
pub(crate) fn run(seed: u64) -> Report {
    let mut dice = Dice::new(seed);
    let members = if dice.happens(0.2) { 5 } else { 3 };
    let calm = Shape { least_delay: 1, mean_delay: 2.0, ..Shape::PERFECT };
    let simulation = Simulation::new(members + 1, dice.roll(), calm);
    let mut world = World {
        group: Group::new(simulation, members, &mut dice),
        nemesis: Nemesis::new(dice.roll(), members, FAULTS, HEALED),
        record: Record::default(),
        members,
        steps: 0,
        refused: None,
    };
    (0..members).for_each(|at| world.group.start(at));
    world.found(&mut dice);
    while world.group.simulation.now() < HEALED {
        world.step(true);
    }
    world.nemesis.heal(&mut world.group);
    while world.group.simulation.now() < CLIENTS_STOP + 2_000 {
        world.step(false);
    }
    world.recover();
    let record = world.record.clone();
    let mut met = record.lock();
    let open = if met.problems.is_empty() && world.group.problems.is_empty() { check_all(&mut met) } else { 0 };
    let problems = world.group.problems.iter().cloned().chain(std::mem::take(&mut met.problems)).collect();
    Report {
        millis: world.group.simulation.now(),
        counts: met.counts,
        done: world.nemesis.done,
        coverage: world.nemesis.coverage,
        open,
        problems,
        story: std::mem::take(&mut world.group.story),
    }
}

struct World {
    group: Group,
    nemesis: Nemesis,
    record: Record,
    members: usize,
    steps: u64,
    /// Why a member did not serve last.
    refused: Option<Error>,
}

impl World {
    fn step(&mut self, with_faults: bool) {
        self.group.simulation.step();
        if with_faults {
            self.nemesis.step(&mut self.group);
        } else {
            self.nemesis.see_refusals(&mut self.group);
        }
        self.steps += 1;
        if self.steps.is_multiple_of(4) {
            self.group.look(self.steps.is_multiple_of(800));
        }
    }

    /// Starts the clients, once accounts are filled.
    fn found(&mut self, dice: &mut Dice) {
        let (front, record, members) = (self.group.front.clone(), self.record.clone(), self.members);
        let mut dice = Dice::new(dice.roll());
        let clients = async move {
            let began = Instant::now();
            fill(&front).await;
            let think = 60.0 + 300.0 * dice.unit();
            let compacts = dice.happens(0.4);
            let mut client = |id: u64| Client {
                id,
                home: id as usize % members,
                members,
                front: front.clone(),
                record: record.clone(),
                dice: Dice::new(dice.roll()),
                began,
                end: Duration::from_millis(CLIENTS_STOP),
                think,
            };
            for id in 0..4 {
                tokio::spawn(client(id).registers(3));
            }
            tokio::spawn(client(4).lists());
            tokio::spawn(client(5).lists());
            tokio::spawn(client(6).sets());
            tokio::spawn(client(7).sets());
            tokio::spawn(client(8).bank(ACCOUNTS));
            tokio::spawn(client(9).bank(ACCOUNTS));
            for id in 10..12 {
                tokio::spawn(client(id).session());
            }
            for id in 12..15 {
                tokio::spawn(client(id).lock());
            }
            tokio::spawn(client(15).age());
            tokio::spawn(client(16).stale());
            tokio::spawn(client(17).stale());
            tokio::spawn(client(18).watch());
            tokio::spawn(client(19).watch());
            if compacts {
                tokio::spawn(client(20).compact());
            }
            std::future::pending::<()>().await;
        };
        self.group.simulation.start(self.members, 1.0, clients);
    }

    /// All is well: somebody leads, everybody serves, all are the same, and nothing is lost.
    fn recover(&mut self) {
        for at in self.group.sound() {
            let served = self.eventually(at, Duration::from_secs(2), move |cluster| {
                Box::pin(async move {
                    for number in 0..10_u64 {
                        cluster.put(b"alive", &encode(number)).await?;
                        cluster.get(b"alive").await?;
                    }
                    Ok(())
                })
            });
            if served.is_none() {
                let how = format!("member {at} does not serve though all is well: {:?}; {}", self.refused, self.group.describe());
                return self.group.problems.push(how);
            }
        }
        if !self.converge() {
            return;
        }
        let Some(&at) = self.group.sound().first() else { return };
        let alive = RangeRequest::new(KeyRange::key("alive")).with_level(ReadLevel::Linearizable);
        let page = self.eventually(at, Duration::from_secs(2), |cluster| Box::pin(async move { cluster.range(alive).await }));
        let Some(revision) = page.map(|page| page.revision) else { return self.group.problems.push("nothing can be read".to_owned()) };
        let mut next = self.record.lock().journal.keys().next_back().map_or(Revision(2), |last| last.next());
        let first = Revision(2);
        // From the beginning where that is still there: what was told must be told again.
        let whole = self.eventually(at, Duration::from_secs(4), move |cluster| {
            Box::pin(async move {
                match follow(first, Duration::from_millis(300))(std::sync::Arc::clone(&cluster)).await {
                    Err(Error::Refused(Refusal::Compacted { at })) => {
                        let from = next.max(at.next());
                        Ok((from, at, follow(from, Duration::from_millis(300))(cluster).await?))
                    }
                    done => Ok((first, Revision::ZERO, done?)),
                }
            })
        });
        let Some((from, compacted, batches)) = whole else { return self.group.problems.push("the history is not told".to_owned()) };
        let mut seen = self.record.lock();
        seen.compacted = seen.compacted.max(compacted);
        next = seen.follow(from, batches);
        drop(seen);
        if next <= revision {
            self.group.problems.push(format!("the history was told up to {next} alone, and the store was at {revision}"));
        }
    }

    /// Waits until all sound members have carried out the same.
    fn converge(&mut self) -> bool {
        while self.group.simulation.now() < LATEST {
            (0..40).for_each(|_| self.step(false));
            let found: Vec<_> = self
                .group
                .sound()
                .into_iter()
                .map(|at| {
                    let cluster = self.group.at(at)?;
                    self.group.simulation.on(at, || (cluster.log_indices(), cluster.verify().map(|verified| verified.digest)))
                })
                .collect();
            let ends: Vec<_> = found.iter().flatten().map(|([last, applied, _], _)| (*last, *applied)).collect();
            let same = ends.len() == found.len()
                && ends.windows(2).all(|pair| pair[0] == pair[1])
                && ends.iter().all(|(last, applied)| last == applied);
            if same {
                let digests: Vec<_> = found.iter().flatten().map(|(_, digest)| digest.as_ref().ok()).collect();
                if digests.windows(2).any(|pair| pair[0] != pair[1]) || digests.contains(&None) {
                    self.group.problems.push(format!("members that carried out the same differ: {digests:?}"));
                    return false;
                }
                return true;
            }
        }
        let how = self.group.describe();
        self.group.problems.push(format!("members do not come together though all is well: {how}"));
        false
    }

    /// What `call` gives at a member, sooner or later.
    fn eventually<T, F>(&mut self, at: usize, limit: Duration, call: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(std::sync::Arc<jarre_kv_store::Cluster>) -> jarre_core::BoxFuture<'static, jarre_kv_store::Result<T>>
            + Clone
            + Send
            + 'static,
    {
        while self.group.simulation.now() < LATEST {
            let (reply, mut answer) = oneshot::channel();
            let (front, call) = (self.group.front.clone(), call.clone());
            // The clients' host has a runtime of its own; this one is asked from within it.
            self.group.simulation.on(self.members, || {
                tokio::spawn(async move { drop(reply.send(front.call(at, limit * 10, call).await)) });
            });
            let outcome = loop {
                self.step(false);
                match answer.try_recv() {
                    Ok(Ok(found)) => break Some(found),
                    Ok(Err(error)) => {
                        self.refused = Some(error);
                        break None;
                    }
                    Err(oneshot::error::TryRecvError::Empty) => {}
                    Err(oneshot::error::TryRecvError::Closed) => break None,
                }
            };
            match outcome {
                Some(found) => return Some(found),
                None => (0..40).for_each(|_| self.step(false)),
            }
        }
        None
    }
}

/// Gives every account what it holds at first.
async fn fill(front: &Front) {
    let mut txn = Txn::new();
    for account in 0..ACCOUNTS {
        txn = txn.then(Op::put(format!("account/{account}"), encode(HELD)));
    }
    loop {
        let txn = txn.clone();
        if front.call(0, Duration::from_secs(3), move |cluster| Box::pin(async move { cluster.txn(txn).await })).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
