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
