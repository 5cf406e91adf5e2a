//! They are unsafe in the way that they are meant to be, and in no other.

use jarre_kv_store::testing::nemesis::{Dice, Grudge, Partition};
use proptest::prelude::*;

use super::*;
use crate::{
    client::{Client, Mix},
    deployment::{Deployment, Fault},
    judge::{Verdict, tally, two_of_one_term, verdict},
    record::Record,
    request::Level,
    simulation::Simulation,
};

const NODES: usize = 5;

fn naive(seed: u64) -> Box<dyn Deployment> {
    Box::new(Simulation::new(Naive::cluster(NODES), seed))
}

fn async_term(seed: u64) -> Box<dyn Deployment> {
    Box::new(Simulation::new(AsyncTerm::cluster(NODES, seed), seed))
}

fn unsynced(seed: u64) -> Box<dyn Deployment> {
    Box::new(Simulation::new(Unsynced::cluster(NODES, seed), seed))
}

fn with_clients(mut deployment: Box<dyn Deployment>, seed: u64, until: Micros) -> Box<dyn Deployment> {
    let mix = Mix { keys: 3, writes: 0.6, level: Level::Linearizable, think: 20 * MILLI, until };
    for id in 1..=3 {
        deployment.start(Client::mixed(id, (0..NODES).collect(), mix.clone(), 200 * MILLI, seed));
    }
    deployment
}

/// Random cuts, deaths and pauses, then two seconds of health with clients.
fn storm(deployment: Box<dyn Deployment>, seed: u64) -> (Record, usize) {
    let mut deployment = with_clients(deployment, seed, 7_000 * MILLI);
    let mut dice = Dice::new(seed);
    for at in (500..5_000).step_by(250) {
        deployment.run_until(at * MILLI);
        let node = dice.below(NODES as u64) as usize;
        let leaders: Vec<usize> = deployment.leaders().iter().map(|leader| leader.node).collect();
        let partition = Partition::ALL[dice.below(Partition::ALL.len() as u64) as usize];
        let fault = match dice.below(8) {
            0 => Fault::Kill(node),
            1 | 2 => Fault::Start(node),
            3 => Fault::Pause(node),
            4 => Fault::Resume(node),
            5 => Fault::Heal,
            _ => Fault::Cut(partition.grudge(NODES, &leaders, &mut dice)),
        };
        deployment.inject(&fault).unwrap();
    }
    let all = (0..NODES).flat_map(|node| [Fault::Start(node), Fault::Resume(node)]).chain([Fault::Heal]);
    all.for_each(|fault| deployment.inject(&fault).unwrap());
    deployment.run_until(7_500 * MILLI);
    let leaders = deployment.leaders().len();
    (deployment.finish().unwrap(), leaders)
}

#[test]
fn while_nothing_breaks_nothing_is_lost() {
    for seed in 0..20 {
        for deployment in [naive(seed), async_term(seed), unsynced(seed)] {
            let mut deployment = with_clients(deployment, seed, 2_000 * MILLI);
            deployment.run_until(2_200 * MILLI);
            let record = deployment.finish().unwrap();
            assert_eq!(tally(&record).lost, [0; 0]);
            assert!(tally(&record).writes_acknowledged > 50);
            assert!(record.replicas.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}");
            assert_eq!(record.reigns.len(), 1, "nobody rises against a leader that is well");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_term_has_one_leader_whatever_happens(seed in any::<u64>()) {
        let (record, leaders) = storm(async_term(seed), seed);
        prop_assert!(!two_of_one_term(&record.reigns));
        prop_assert_eq!(leaders, 1, "and one leads in the end");
        prop_assert!(record.replicas.windows(2).all(|pair| pair[0] == pair[1]), "and all follow: {:?}", record.replicas);
    }

    /// As long as it has power it is a quorum like any other.
    #[test]
    fn what_a_majority_has_in_memory_outlives_cuts_deaths_and_pauses(seed in any::<u64>()) {
        let (record, leaders) = storm(unsynced(seed), seed);
        prop_assert_eq!(tally(&record).lost, [0; 0]);
        prop_assert_eq!(verdict(&record, 1_000_000), Verdict::Linearizable);
        prop_assert!(!two_of_one_term(&record.reigns));
        prop_assert_eq!(leaders, 1);
        prop_assert!(record.replicas.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", record.replicas);
    }

    #[test]
    fn primaries_that_meet_become_one_and_replicas_agree(seed in any::<u64>()) {
        let (record, leaders) = storm(naive(seed), seed);
        prop_assert_eq!(leaders, 1);
        // A backup that was away may hold a later write that its primary never saw; clients have overwritten it since.
        prop_assert!(record.replicas.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", record.replicas);
    }

    #[test]
    fn what_a_majority_cannot_reach_steps_down(seed in 0..1_000_u64) {
        let mut deployment = async_term(seed);
        deployment.run_until(500 * MILLI);
        let old = deployment.leaders()[0];
        let others: Vec<usize> = (0..NODES).filter(|&node| node != old.node).collect();
        deployment.inject(&Fault::Cut(Grudge::between(NODES, &[&[old.node], &others]))).unwrap();
        deployment.run_until(500 * MILLI + 2 * SILENCE);
        prop_assert!(deployment.leaders().iter().all(|leader| leader.node != old.node));
        deployment.run_until(3_000 * MILLI);
        let [new] = deployment.leaders()[..] else { panic!("one leads the majority") };
        prop_assert!(new.term > old.term && new.node != old.node);
    }
}

#[test]
fn without_a_sync_a_power_loss_takes_what_a_majority_had() {
    let mut deployment = with_clients(unsynced(1), 1, 900 * MILLI);
    deployment.run_until(1_000 * MILLI);
    deployment.inject(&Fault::PowerLoss).unwrap();
    assert!(deployment.leaders().is_empty());
    (0..NODES).for_each(|node| deployment.inject(&Fault::Start(node)).unwrap());
    deployment.run_until(2_000 * MILLI);
    assert_eq!(deployment.leaders().len(), 1, "it goes on as if nothing had been");
    let record = deployment.finish().unwrap();
    let tally = tally(&record);
    assert!(tally.writes_acknowledged > 50 && tally.lost.len() == tally.writes_acknowledged, "{tally:?}");
}
