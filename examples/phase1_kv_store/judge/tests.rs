use super::*;
use crate::{
    record::{Operation, Record, Reign},
    request::{Answer, Input, Level, Value},
};

fn write(client: u64, number: u64, (call, end): (u64, u64), answer: Answer) -> Operation {
    let input = Input::Write(Value::new(client, number));
    Operation { client, node: 0, key: 0, input, call, end: Some(end), answer }
}

fn read(client: u64, (call, end): (u64, u64), value: Option<Value>) -> Operation {
    let answer = Answer::Value { value, age: None };
    Operation { client, node: 0, key: 0, input: Input::Read(Level::Linearizable), call, end: Some(end), answer }
}

fn record(operations: Vec<Operation>, surviving: &[Value]) -> Record {
    Record { operations, surviving: surviving.iter().copied().collect(), ..Record::default() }
}

#[test]
fn an_acknowledged_write_that_did_not_survive_is_lost() {
    let refused = Answer::Refused { reason: crate::request::Refusal::NoLeader, hint: None };
    let operations = vec![
        write(1, 1, (0, 1), Answer::Written),
        write(1, 2, (2, 3), Answer::Written),
        write(2, 1, (4, 5), Answer::Unknown),
        write(2, 2, (6, 7), Answer::Unknown),
        write(2, 3, (8, 9), refused),
        read(3, (10, 11), None),
    ];
    let found = tally(&record(operations, &[Value::new(1, 1), Value::new(2, 1)]));
    assert_eq!(found.lost, [1]);
    assert_eq!((found.writes_acknowledged, found.writes_unknown, found.unknown_but_done), (2, 2, 1));
    assert_eq!((found.writes_refused, found.reads_answered, found.reads_refused), (1, 1, 0));
}

#[test]
fn a_contradiction_is_shown_without_what_it_does_not_need() {
    let (old, new) = (Value::new(1, 1), Value::new(2, 1));
    let mut operations = vec![write(1, 1, (0, 5), Answer::Written), write(2, 1, (10, 15), Answer::Written)];
    operations.extend((0..40).map(|n| read(3, (20 + 2 * n, 21 + 2 * n), Some(new))));
    operations.push(read(4, (200, 210), Some(old)));
    operations.extend((0..40).map(|n| read(3, (220 + 2 * n, 221 + 2 * n), Some(new))));
    let Verdict::Illegal { minimal } = verdict(&record(operations, &[]), 100_000) else { panic!("the old value came back") };
    assert_eq!(minimal, [0, 1, 42], "two writes in order and the read that puts them the other way round");
}

#[test]
fn stale_reads_claim_nothing_and_unknown_writes_may_have_happened() {
    let mut old = read(2, (20, 21), None);
    let first = write(1, 1, (0, 5), Answer::Written);
    assert!(matches!(verdict(&record(vec![first.clone(), old.clone()], &[]), 1_000), Verdict::Illegal { .. }));
    old.input = Input::Read(Level::Stale { max_age: 1 });
    assert_eq!(verdict(&record(vec![first.clone(), old], &[]), 1_000), Verdict::Linearizable);
    let unknown = write(1, 2, (6, 9), Answer::Unknown);
    let late = read(2, (30, 31), Some(Value::new(1, 2)));
    let early = read(3, (20, 21), Some(Value::new(1, 1)));
    assert_eq!(verdict(&record(vec![first, unknown, early, late], &[]), 1_000), Verdict::Linearizable);
}

#[test]
fn age_counts_from_the_acknowledgement_of_the_first_write_that_was_missed() {
    let (one, two) = (Value::new(1, 1), Value::new(1, 2));
    let writes = [write(1, 1, (0, 10), Answer::Written), write(1, 2, (20, 30), Answer::Written), write(1, 3, (40, 50), Answer::Written)];
    let with = |reads: Vec<Operation>| staleness(&record(writes.iter().cloned().chain(reads).collect(), &[]));
    assert_eq!(with(vec![read(2, (100, 101), Some(one))]), Staleness { stale: 1, oldest: 70 });
    assert_eq!(with(vec![read(2, (100, 101), Some(two)), read(2, (110, 111), None)]), Staleness { stale: 2, oldest: 100 });
    assert_eq!(with(vec![read(2, (25, 26), Some(one))]), Staleness::default(), "the second write is not acknowledged yet");
    let unknown = Value::new(7, 7);
    assert_eq!(with(vec![read(2, (100, 101), Some(unknown))]), Staleness::default(), "nobody knows when it was written");
}

#[test]
fn leaders_that_overlap_are_timed_and_terms_compared() {
    let reign = |node, term, from, until| Reign { node, term, from, until };
    let reigns =
        [reign(0, Some(1), 0, Some(100)), reign(1, Some(2), 60, Some(150)), reign(2, Some(3), 150, None), reign(0, Some(4), 180, None)];
    assert_eq!(both_lead(&reigns, 200), 40 + 20);
    assert!(!two_of_one_term(&reigns));
    assert!(two_of_one_term(&[reign(0, Some(1), 0, Some(1)), reign(1, Some(1), 5, None)]));
    assert!(!two_of_one_term(&[reign(0, Some(1), 0, Some(1)), reign(0, Some(1), 5, None)]), "one node, twice");
    assert!(!two_of_one_term(&[reign(0, None, 0, None), reign(1, None, 5, None)]), "without terms there is nothing to compare");
}
