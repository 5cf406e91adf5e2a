use super::*;
use crate::{
    client::Mix,
    deployment::{Deployment, Fault},
    request::{Input, Level, Value},
    unsafe_replication::{AsyncTerm, Naive},
};
use jarre_kv_store::testing::nemesis::Grudge;

fn busy(seed: u64) -> Box<Simulation<AsyncTerm>> {
    let mut simulation = Box::new(Simulation::new(AsyncTerm::cluster(3, seed), seed));
    let mix = Mix { keys: 2, writes: 0.5, level: Level::Linearizable, think: 5 * MILLI, until: 900 * MILLI };
    for id in 1..=3 {
        simulation.start(Client::mixed(id, vec![0, 1, 2], mix.clone(), 100 * MILLI, seed));
    }
    simulation
}

#[test]
fn a_seed_is_a_run() {
    let run = |seed| {
        let mut simulation = busy(seed);
        simulation.run_until(300 * MILLI);
        simulation.inject(&Fault::Kill(0)).unwrap();
        simulation.run_until(1_000 * MILLI);
        simulation.finish().unwrap()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn it_does_not_matter_in_how_many_steps_time_passes() {
    let run = |step: u64| {
        let mut simulation = busy(3);
        (0..=1_000 * MILLI).step_by(step as usize).for_each(|at| simulation.run_until(at));
        simulation.run_until(1_000 * MILLI);
        simulation.finish().unwrap()
    };
    assert_eq!(run(1_000 * MILLI), run(777));
}

fn ask(simulation: &mut Simulation<Naive>, client: u64, node: usize, input: Input) {
    let now = simulation.now();
    simulation.start(Client::scripted(client, vec![(now, node, 0, input)], 50 * MILLI));
}

#[test]
fn the_dead_refuse_and_what_they_were_about_to_say_is_never_heard() {
    let mut simulation = Simulation::new(Naive::cluster(3), 1);
    ask(&mut simulation, 1, 0, Input::Write(Value::new(1, 1)));
    // It has arrived and is being synced.
    simulation.run_until(3 * CLIENT_WAY);
    assert_eq!(simulation.hosts[0].node.values().len(), 1);
    simulation.inject(&Fault::Kill(0)).unwrap();
    ask(&mut simulation, 2, 0, Input::Read(Level::Linearizable));
    simulation.run_until(100 * MILLI);
    let answers: Vec<_> = simulation.record.operations.iter().map(|operation| operation.answer.clone()).collect();
    assert_eq!(answers, [Answer::Unknown, Answer::Refused { reason: Refusal::Down, hint: None }]);
    assert!(simulation.leaders().is_empty(), "the dead lead nobody");
}

#[test]
fn power_that_fails_takes_what_was_not_synced_and_nothing_acknowledged() {
    let mut simulation = Simulation::new(Naive::cluster(2), 1);
    ask(&mut simulation, 1, 0, Input::Write(Value::new(1, 1)));
    simulation.run_until(20 * MILLI);
    assert_eq!(simulation.record.operations[0].answer, Answer::Written);
    ask(&mut simulation, 2, 0, Input::Write(Value::new(2, 1)));
    simulation.run_until(20 * MILLI + 3 * CLIENT_WAY);
    let held = |simulation: &Simulation<Naive>, node: usize| simulation.hosts[node].node.values().into_values().collect::<Vec<_>>();
    assert_eq!(held(&simulation, 0), [Value::new(2, 1)]);
    simulation.inject(&Fault::PowerLoss).unwrap();
    for node in 0..2 {
        assert_eq!(held(&simulation, node), [Value::new(1, 1)], "what it replaced is there again");
        simulation.inject(&Fault::Start(node)).unwrap();
    }
    simulation.run_until(500 * MILLI);
    assert_eq!(simulation.leaders().len(), 1);
    assert_eq!(simulation.record.operations[1].answer, Answer::Unknown);
}

#[test]
fn a_fast_clock_makes_a_node_hasty() {
    let risen = |percent, ahead| {
        let mut simulation = Simulation::new(Naive::cluster(2), 1);
        simulation.inject(&Fault::Kill(0)).unwrap();
        simulation.inject(&Fault::Clock { node: 1, ahead, percent }).unwrap();
        let rises = (0..1_000).find(|ms| {
            simulation.run_until(ms * MILLI);
            !simulation.leaders().is_empty()
        });
        rises.unwrap()
    };
    let (even, fast, ahead) = (risen(100, 0), risen(200, 0), risen(100, 100 * MILLI));
    assert!(fast <= even / 2 + 5 && ahead + 100 <= even + 5, "{even} ms, {fast} ms, {ahead} ms");
}

#[test]
fn a_node_that_stands_still_answers_when_it_goes_on() {
    let mut simulation = Simulation::new(Naive::cluster(1), 1);
    simulation.inject(&Fault::Pause(0)).unwrap();
    ask(&mut simulation, 1, 0, Input::Write(Value::new(1, 1)));
    simulation.run_until(30 * MILLI);
    assert_eq!(simulation.record.operations[0].end, None);
    simulation.inject(&Fault::Resume(0)).unwrap();
    simulation.run_until(45 * MILLI);
    let operation = &simulation.record.operations[0];
    assert_eq!(operation.answer, Answer::Written);
    assert!(operation.end >= Some(30 * MILLI + SYNC * 7 / 10 + CLIENT_WAY));
}

#[test]
fn a_cut_swallows_what_is_under_way() {
    let mut simulation = Simulation::new(Naive::cluster(2), 1);
    ask(&mut simulation, 1, 0, Input::Write(Value::new(1, 1)));
    // It is acknowledged after a sync, and replicated at the next look at the time.
    simulation.run_until(TICK + 100);
    simulation.inject(&Fault::Cut(Grudge::between(2, &[&[0], &[1]]))).unwrap();
    simulation.run_until(20 * MILLI);
    let record = Box::new(simulation).finish().unwrap();
    assert_eq!(record.operations[0].answer, Answer::Written);
    assert_eq!(record.replicas[1].len(), 0, "the backup never heard of it");
}
