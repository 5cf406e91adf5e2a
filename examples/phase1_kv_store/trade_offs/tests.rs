use super::*;
use crate::{
    mode::Mode,
    record::Operation,
    request::{Answer, Input, Value},
};

fn row(mode: Mode, level: Level, condition: Condition) -> Row {
    measure(mode, level, condition, 3).unwrap()
}

#[test]
fn health_costs_nothing_and_loses_nothing() {
    for mode in [Mode::Naive, Mode::AsyncTerm] {
        let row = row(mode, LEVELS[0], Condition::Healthy);
        assert_eq!((row.lost, row.staleness.stale), (0, 0));
        assert_eq!(row.verdict, Verdict::Linearizable);
        // A write waits for a sync of a millisecond and two ways between client and node.
        assert!((1_000..1_600).contains(&row.write_p50.unwrap()), "{:?}", row.write_p50);
        assert!((200..400).contains(&row.read_p50.unwrap()), "{:?}", row.read_p50);
    }
}

#[test]
fn each_condition_shows_where_it_must() {
    let (linearizable, stale) = (LEVELS[0], LEVELS[1]);
    let crash = row(Mode::AsyncTerm, linearizable, Condition::LeaderCrash);
    assert!(crash.write_gap > 150 * MILLI && crash.read_gap > 150 * MILLI, "nobody serves until there is a new leader");
    let disk = row(Mode::AsyncTerm, linearizable, Condition::SlowLeaderDisk);
    assert!((35_000..60_000).contains(&disk.write_p50.unwrap()), "{:?}", disk.write_p50);
    assert!(disk.read_p50 < Some(400), "reads need no disk");
    let cut = row(Mode::Naive, linearizable, Condition::LeaderInMinority);
    assert!(cut.write_gap < 50 * MILLI, "a primary that is cut off goes on");
    assert!(cut.lost > 100 && matches!(cut.verdict, Verdict::Illegal { .. }), "and so does another");
    let wan = row(Mode::AsyncTerm, stale, Condition::Wan);
    assert!(wan.staleness.stale > 0 && (8 * MILLI..60 * MILLI).contains(&wan.staleness.oldest), "{:?}", wan.staleness);
    assert!(wan.write_p50 < Some(1_600), "who waits for nobody does not notice the distance");
}

#[test]
fn a_power_loss_takes_what_nobody_that_leads_later_had_synced() {
    let linearizable = LEVELS[0];
    let unsynced = row(Mode::QuorumUnsynced, linearizable, Condition::PowerLoss);
    assert!(unsynced.write_gap > 500 * MILLI, "nobody serves without power");
    assert!(unsynced.lost > 200 && matches!(unsynced.verdict, Verdict::Illegal { .. }), "all that was written: {}", unsynced.lost);
    let lost = |mode| (0..6).map(|seed| measure(mode, linearizable, Condition::PowerLoss, seed).unwrap().lost).sum::<usize>();
    assert_eq!(lost(Mode::Naive), 0, "the first to rise again is the one that had synced");
    assert!((1..60).contains(&lost(Mode::AsyncTerm)), "another may be elected, which was a few milliseconds behind");
}

#[test]
fn a_quorum_that_syncs_nothing_is_one_until_the_power_fails() {
    for condition in Condition::ALL.into_iter().filter(|condition| *condition != Condition::PowerLoss) {
        let row = row(Mode::QuorumUnsynced, LEVELS[0], condition);
        assert_eq!((row.lost, row.staleness.stale, row.verdict), (0, 0, Verdict::Linearizable), "{condition:?}");
    }
}

#[test]
fn clocks_matter_to_those_who_order_by_them() {
    let linearizable = LEVELS[0];
    for mode in [Mode::Naive, Mode::AsyncTerm] {
        let fast = row(mode, linearizable, Condition::FastClock);
        assert_eq!((fast.lost, fast.verdict), (0, Verdict::Linearizable), "who times out later than three heartbeats bears it");
    }
    let jump = row(Mode::Naive, linearizable, Condition::ClockJump);
    assert!(jump.lost > 100, "what is written after the death of a leader that was ahead is older than what it wrote: {}", jump.lost);
    let terms = row(Mode::AsyncTerm, linearizable, Condition::ClockJump);
    assert!(terms.lost < 30, "terms are no time: {}", terms.lost);
}

#[test]
fn gaps_reach_from_end_to_end() {
    let ends = |ends: &[u64]| {
        let write = |end: &u64| Operation {
            client: 1,
            node: 0,
            key: 0,
            input: Input::Write(Value::new(1, 1)),
            call: 0,
            end: Some(*end),
            answer: Answer::Written,
        };
        let operations: Vec<_> = ends.iter().map(write).collect();
        measure::longest_gap(&operations.iter().collect::<Vec<_>>(), (100, 200))
    };
    assert_eq!(ends(&[]), 100);
    assert_eq!(ends(&[110, 130]), 70);
    assert_eq!(ends(&[5, 190, 150, 900]), 50);
}
