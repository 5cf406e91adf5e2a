//! Partitions by their definitions, for clusters of every size that anybody runs, and what becomes of packets.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use jarre_kv_store::testing::nemesis::{Coverage, Dice, Fault, Grudge, Network, Partition, Plan, Schedule, Shape};
use proptest::prelude::*;

/// Groups of nodes that talk with each other; `None` where that is no division into groups, or a link is cut one way.
fn groups(grudge: &Grudge) -> Option<Vec<BTreeSet<usize>>> {
    let nodes = 0..grudge.nodes();
    let is_mutual = nodes.clone().all(|a| nodes.clone().all(|b| grudge.hears(a, b) == grudge.hears(b, a)));
    let is_division = nodes.clone().all(|node| grudge.sees(node).iter().all(|&other| grudge.sees(other) == grudge.sees(node)));
    (is_mutual && is_division).then(|| nodes.map(|node| grudge.sees(node)).collect::<BTreeSet<_>>().into_iter().collect())
}

fn sizes(grudge: &Grudge) -> Vec<usize> {
    let mut sizes: Vec<_> = groups(grudge).unwrap().iter().map(BTreeSet::len).collect();
    sizes.sort_unstable();
    sizes
}

fn cuts(grudge: &Grudge) -> BTreeSet<(usize, usize)> {
    let nodes = 0..grudge.nodes();
    nodes.clone().flat_map(|from| nodes.clone().map(move |to| (from, to))).filter(|&(from, to)| !grudge.hears(to, from)).collect()
}

#[test]
fn halves_are_cut_in_order_the_smaller_first() {
    let grudge = Partition::Halves.grudge(5, &[], &mut Dice::new(1));
    assert_eq!(groups(&grudge).unwrap(), [BTreeSet::from([0, 1]), BTreeSet::from([2, 3, 4])]);
    assert!(!grudge.sees_majority(0) && grudge.sees_majority(4));
    let even = Partition::Halves.grudge(4, &[], &mut Dice::new(1));
    assert!((0..4).all(|node| !even.sees_majority(node)), "half is no majority");
}

proptest! {
    #[test]
    fn each_partition_is_what_its_name_says(nodes in 1..12_usize, seed in any::<u64>(), leaders in prop::collection::btree_set(0..12_usize, 0..3)) {
        let leaders: Vec<usize> = leaders.into_iter().filter(|&leader| leader < nodes).collect();
        let make = |partition: Partition| partition.grudge(nodes, &leaders, &mut Dice::new(seed));
        let (few, many) = (nodes / 2, nodes - nodes / 2);
        let two = |few: usize| if few == 0 { vec![nodes] } else { vec![few.min(nodes - few), few.max(nodes - few)] };

        prop_assert_eq!(sizes(&make(Partition::RandomHalves)), two(few));
        prop_assert_eq!(sizes(&make(Partition::One)), if nodes == 1 { vec![1] } else { vec![1, nodes - 1] });
        let third = sizes(&make(Partition::MinorityThird));
        prop_assert!(third.len() == 1 && nodes <= 3 || third[0] * 3 < nodes && (third[0] + 1) * 3 >= nodes, "{:?} of {}", third, nodes);

        let by_leaders = make(Partition::Leaders);
        let alone: Vec<_> = (0..nodes).filter(|&node| nodes > 1 && by_leaders.sees(node).len() == 1).collect();
        prop_assert!(groups(&by_leaders).is_some());
        prop_assert!(alone.iter().all(|node| leaders.contains(node) || nodes - leaders.len() == 1));
        prop_assert_eq!(alone.is_empty(), leaders.is_empty() || nodes == 1);

        let bridge = make(Partition::Bridge);
        let over: Vec<_> = (0..nodes).filter(|&node| bridge.sees(node).len() == nodes).collect();
        if nodes > 2 {
            prop_assert_eq!(over.len(), 1);
            let mut without: Vec<_> = (0..nodes).filter(|node| !over.contains(node)).map(|node| bridge.sees(node).len() - 1).collect();
            without.sort_unstable();
            let mut expected = [vec![few; few], vec![many - 1; many - 1]].concat();
            expected.sort_unstable();
            prop_assert_eq!(without, expected);
        }
    }

    #[test]
    fn a_ring_of_majorities_leaves_each_node_one_and_no_two_the_same(nodes in 3..12_usize, seed in any::<u64>()) {
        let grudge = Partition::MajoritiesRing.grudge(nodes, &[], &mut Dice::new(seed));
        let heard = |node: usize| (0..nodes).filter(|&other| grudge.hears(node, other)).collect::<BTreeSet<_>>();
        let heard: Vec<_> = (0..nodes).map(heard).collect();
        prop_assert!(heard.iter().all(|heard| heard.len() > nodes / 2 && heard.len() < nodes), "{:?}", heard);
        if nodes <= 5 {
            prop_assert!(heard.iter().all(|heard| heard.len() == nodes / 2 + 1));
            prop_assert_eq!(heard.iter().collect::<BTreeSet<_>>().len(), nodes);
        }
        if nodes > 3 {
            prop_assert!((0..nodes).all(|node| grudge.sees_majority(node)));
            prop_assert!(cuts(&grudge).iter().all(|&(from, to)| !grudge.hears(from, to)), "cut one way");
        }
    }

    #[test]
    fn one_way_cuts_go_one_way_and_meet_a_leader(nodes in 2..9_usize, seed in any::<u64>(), leader in 0..9_usize) {
        let leader = leader % nodes;
        let deaf = Partition::Deaf.grudge(nodes, &[leader], &mut Dice::new(seed));
        prop_assert_eq!(cuts(&deaf), (0..nodes).filter(|&other| other != leader).map(|other| (other, leader)).collect::<BTreeSet<_>>());
        let mute = Partition::Mute.grudge(nodes, &[leader], &mut Dice::new(seed));
        prop_assert_eq!(cuts(&mute), (0..nodes).filter(|&other| other != leader).map(|other| (leader, other)).collect::<BTreeSet<_>>());
        prop_assert_eq!(cuts(&Partition::Mute.grudge(nodes, &[], &mut Dice::new(seed))).len(), nodes - 1);
    }

    #[test]
    fn a_seed_is_a_schedule_that_ends_healed(seed in any::<u64>(), nodes in 1..8_usize) {
        let plan = Plan::new(nodes, 60_000).with_mean_interval(500);
        let schedule = Schedule::new(seed, &plan);
        prop_assert_eq!(&schedule, &Schedule::new(seed, &plan));
        prop_assert!(schedule.faults.is_sorted_by_key(|(at, _)| *at));
        prop_assert_eq!(schedule.faults.last(), Some(&(60_000, Fault::Heal)));
        for (_, fault) in &schedule.faults {
            if let Fault::Clog { from, to, .. } = fault {
                prop_assert!(*from < nodes && *to < nodes && (nodes == 1 || from != to));
            }
        }
    }
}

#[test]
fn many_schedules_meet_every_partition_and_both_kinds_of_leader() {
    let mut met = BTreeSet::new();
    let mut complete = 0;
    for seed in 0..200 {
        let mut coverage = Coverage::default();
        for (_, fault) in Schedule::new(seed, &Plan::new(5, 60_000)).faults {
            if let Fault::Partition(partition) = fault {
                met.insert(format!("{partition:?}"));
                coverage.note(&partition.grudge(5, &[2], &mut Dice::new(seed)), 2);
            }
        }
        complete += usize::from(coverage.is_complete());
    }
    assert_eq!(met.len(), Partition::ALL.len());
    assert!(complete > 100, "{complete} of 200 runs met a leader in a minority and one in a majority");
    let mut whole = Coverage::default();
    whole.note(&Grudge::none(3), 0);
    assert_eq!(whole, Coverage::default(), "a whole network covers nothing");
}

#[test]
fn packets_are_lost_doubled_and_delayed_as_often_as_the_shape_says() {
    let shape = Shape { loss: 0.2, duplicates: 0.25, least_delay: 10, mean_delay: 40.0 };
    let network = Network::new(2, shape);
    let mut dice = Dice::new(5);
    let sent: Vec<_> = (0..20_000).map(|_| network.send(1_000, 0, 1, &mut dice)).collect();
    let part = |copies: usize| sent.iter().filter(|arrivals| arrivals.len() == copies).count() as f64 / 20_000.0;
    assert!((part(0) - 0.2).abs() < 0.02 && (part(2) - 0.8 * 0.25).abs() < 0.02 && (part(1) - 0.6).abs() < 0.02);
    let delays: Vec<_> = sent.iter().flatten().map(|at| at - 1_000).collect();
    let mean = delays.iter().sum::<u64>() as f64 / delays.len() as f64;
    assert!(delays.iter().all(|&delay| delay >= 10) && (mean - 50.0).abs() < 2.0, "mean {mean}");
    assert!(delays.iter().any(|&delay| delay > 150), "the tail is long");
}

#[test]
fn a_clog_holds_back_one_direction_and_lets_all_go_at_its_end() {
    let mut network = Network::new(3, Shape::PERFECT);
    let mut dice = Dice::new(5);
    network.clog(0, 1, 500);
    network.clog(0, 1, 400);
    assert_eq!(network.send(100, 0, 1, &mut dice), [500]);
    assert_eq!(network.send(600, 0, 1, &mut dice), [600]);
    assert_eq!((network.send(100, 1, 0, &mut dice), network.send(100, 0, 2, &mut dice)), (vec![100], vec![100]));
    network.grudge.cut(0, 1);
    assert!(network.send(100, 0, 1, &mut dice).is_empty() && !network.arrives(0, 1) && network.arrives(1, 0));
    assert_eq!(network.send(100, 0, 0, &mut dice), [100], "a node reaches itself");
    network.heal();
    assert_eq!(network.send(100, 0, 1, &mut dice), [100]);
}
