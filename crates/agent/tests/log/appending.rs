use std::sync::Arc;

use jarre_agent::{Error, Event, Outcome, log::RunState};
use jarre_kv_store::{Embedded, Memory};
use pollster::block_on;

use crate::sample::{at, every_event, finished, log, memory, note, started};

#[test]
fn what_is_appended_is_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(folder.path().join("log.kv")).unwrap();
    for log in [log(Arc::new(Memory::new())), log(Arc::new(embedded))] {
        let writer = block_on(log.create("run")).unwrap();
        let appended: Vec<_> =
            every_event("run").into_iter().enumerate().map(|(n, event)| block_on(writer.append_at(event, at(n as i64))).unwrap()).collect();
        let (_, records) = block_on(log.open("run")).unwrap();
        assert_eq!(records, appended);
        assert_eq!(records.iter().map(|record| record.event.clone()).collect::<Vec<_>>(), every_event("run"));
        for from in 0..records.len() + 2 {
            assert_eq!(block_on(log.read("run", from as u64)).unwrap(), records[from.min(records.len())..]);
        }
        assert_eq!(block_on(log.verify("run")).unwrap().records, 14);
    }
}

#[test]
fn a_file_that_is_opened_again_has_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.kv");
    for round in 0..3 {
        let log = log(Arc::new(Embedded::open(&path).unwrap()));
        let writer = if round == 0 { block_on(log.create("run")).unwrap() } else { block_on(log.open("run")).unwrap().0 };
        block_on(writer.append(note(round.to_string()))).unwrap();
    }
    let log = log(Arc::new(Embedded::open(&path).unwrap()));
    assert_eq!(block_on(log.read("run", 0)).unwrap().iter().map(|record| record.seq).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn of_two_writers_one_is_fenced_off() {
    let log = memory();
    let (first, second) = (block_on(log.create("run")).unwrap(), block_on(log.create("run")).unwrap());
    block_on(first.append(started("run"))).unwrap();
    let fenced = block_on(second.append(started("run"))).unwrap_err();
    assert!(matches!(&fenced, Error::Fenced { run, at: 0 } if run == "run"), "{fenced}");
    assert!(matches!(block_on(log.create("run")), Err(Error::RunExists { .. })));

    let (third, _) = block_on(log.open("run")).unwrap();
    block_on(third.append(note("third"))).unwrap();
    for _ in 0..2 {
        assert!(matches!(block_on(first.append(note("first"))), Err(Error::Fenced { at: 1, .. })), "it stays fenced off");
    }
    assert_eq!(block_on(first.catch_up()).unwrap()[0].event, note("third"));
    assert_eq!(block_on(first.append(note("first"))).unwrap().seq, 2);
    assert_eq!(block_on(log.verify("run")).unwrap().records, 3);
}

#[test]
fn many_writers_at_once_make_one_chain() {
    let log = memory();
    block_on(block_on(log.create("run")).unwrap().append(started("run"))).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || {
                let mut appended = 0;
                while appended < 10 {
                    let (writer, _) = block_on(log.open("run")).unwrap();
                    match block_on(writer.append(note(format!("{thread} {appended}")))) {
                        Ok(_) => appended += 1,
                        Err(Error::Fenced { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(block_on(log.verify("run")).unwrap().records, 41);
}

#[test]
fn a_record_over_the_stores_values_is_split_and_one_over_its_transactions_refused() {
    let log = memory();
    let writer = block_on(log.create("run")).unwrap();
    let events = [note("ä".repeat(300_000)), note("x"), note("y".repeat(3_000_000)), note("")];
    for event in &events {
        block_on(writer.append(event.clone())).unwrap();
    }
    let refused = block_on(writer.append(note("z".repeat(3 << 20)))).unwrap_err();
    assert!(matches!(&refused, Error::Invalid(why) if why.contains("cap")), "{refused}");
    block_on(writer.append(finished())).unwrap();
    let records = block_on(log.read("run", 0)).unwrap();
    assert_eq!(records.len(), 5);
    assert!(records.iter().zip(&events).all(|(record, event)| record.event == *event));
    assert_eq!(block_on(log.read("run", 3)).unwrap(), records[3..]);
}

#[test]
fn a_run_is_summed_up_as_it_goes() {
    let log = memory();
    let writer = block_on(log.create("run")).unwrap();
    let mut states = Vec::new();
    for (n, event) in every_event("run").into_iter().enumerate() {
        block_on(writer.append_at(event, at(10 + n as i64))).unwrap();
        states.push(match block_on(log.summary("run")).unwrap().state {
            RunState::Running => 'r',
            RunState::NeedsApproval { tokens } => char::from_digit(tokens.len() as u32, 10).unwrap(),
            RunState::Ended(Outcome::OutOfBudget { .. }) => 'e',
            state => panic!("{state:?}"),
        });
    }
    assert_eq!(String::from_iter(states), "rrrrrr21rrrrre");
    let summary = block_on(log.summary("run")).unwrap();
    assert_eq!((summary.task.as_str(), summary.model.as_str(), summary.records), ("fix the sum", "scripted", 14));
    assert_eq!((summary.model_calls, summary.tool_calls, summary.usage.total_tokens(), summary.cost.micros()), (1, 1, 120, 7));
    assert_eq!((summary.started, summary.updated), (at(10), at(23)));
    assert_eq!(summary, writer.summary());
    assert_eq!(summary.head, block_on(log.verify("run")).unwrap().head);
}

#[test]
fn runs_are_listed_page_by_page() {
    let log = memory();
    for run in ["b", "a", "a-1", "c", "B"] {
        block_on(block_on(log.create(run)).unwrap().append(Event::Remembered)).unwrap();
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = block_on(log.runs(after.as_deref(), 2)).unwrap();
        assert!(page.runs.len() <= 2);
        names.extend(page.runs.into_iter().map(|run| run.run));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(names, ["B", "a", "a-1", "b", "c"]);
    assert_eq!(block_on(log.runs(None, 100)).unwrap().next, None);
    let (writer, newest) = (block_on(log.create("later")).unwrap(), |after, limit| block_on(log.newest(after, limit)).unwrap());
    block_on(writer.append_at(Event::Remembered, at(5))).unwrap();
    let page = newest(None, 2);
    assert_eq!(page.runs.iter().map(|run| run.run.as_str()).collect::<Vec<_>>(), ["later", "B"]);
    let rest = newest(page.next.as_deref(), 4);
    assert_eq!((rest.runs.len(), rest.next), (4, None));
    assert!(newest(Some("gone"), 4).runs.is_empty() && newest(None, 0).runs.is_empty());
    assert!(block_on(log.runs(None, 0)).unwrap().runs.is_empty());
}

#[test]
fn a_run_of_one_name_is_not_read_with_that_of_another() {
    let log = memory();
    for run in ["a", "a.b", "a-b", "ab"] {
        block_on(block_on(log.create(run)).unwrap().append(note(run))).unwrap();
    }
    for run in ["a", "a.b", "a-b", "ab"] {
        assert_eq!(block_on(log.open(run)).unwrap().1.iter().map(|record| record.event.clone()).collect::<Vec<_>>(), [note(run)]);
    }
}

#[test]
fn names_that_cannot_stand_in_a_file_or_an_address_are_refused() {
    let log = memory();
    for name in ["", ".", "..", "-x", "a/b", "a b", "ä", "a\0", &"x".repeat(129)] {
        assert!(matches!(block_on(log.create(name)), Err(Error::Invalid(_))), "{name:?}");
        assert!(matches!(block_on(log.open(name)), Err(Error::Invalid(_))), "{name:?}");
    }
    assert!(block_on(log.create(&"x".repeat(128))).is_ok());
    assert!(matches!(block_on(log.open("none")), Err(Error::NoRun { .. })));
    assert!(matches!(block_on(log.verify("none")), Err(Error::NoRun { .. })));
}
