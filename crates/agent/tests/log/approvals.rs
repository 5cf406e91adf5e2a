use std::{sync::Arc, thread};

use jarre_agent::{
    ApprovalSource, ApprovalToken, Decision, Error, Event, Reply,
    log::{Approvals, EventLog, LogWriter},
};
use jarre_kv_store::Embedded;
use pollster::block_on;

use crate::sample::{every_event, finished, log, memory, note, request, started};

/// A run that asks for two calls.
fn asking(log: &EventLog, run: &str) {
    let writer = block_on(log.create(run)).unwrap();
    block_on(writer.append(started(run))).unwrap();
    block_on(writer.append(Event::ApprovalAsked { requests: vec![request(run, 0), request(run, 1)] })).unwrap();
}

fn refusal(answer: Result<jarre_agent::Record, Error>) -> String {
    match answer {
        Err(Error::Approval { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_process_answers_hours_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.kv");
    asking(&log(Arc::new(Embedded::open(&path).unwrap())), "run");

    let approvals = Approvals::new(log(Arc::new(Embedded::open(&path).unwrap())));
    let pending = block_on(approvals.pending("run")).unwrap();
    assert_eq!(pending.iter().map(|pending| &pending.request).collect::<Vec<_>>(), [&request("run", 0), &request("run", 1)]);
    let denied = Decision::Denied { reason: "not that file".into() };
    block_on(approvals.answer("run", &pending[1].request.token, denied.clone(), "maria")).unwrap();
    assert_eq!(block_on(approvals.pending("run")).unwrap(), pending[..1]);
    drop(approvals);

    let (_, records) = block_on(log(Arc::new(Embedded::open(&path).unwrap())).open("run")).unwrap();
    let answered = Event::ApprovalAnswered { token: request("run", 1).token, decision: denied, by: "maria".into() };
    assert_eq!(records.last().unwrap().event, answered);
}

#[test]
fn a_token_that_is_not_pending_is_refused() {
    let log = memory();
    asking(&log, "run");
    asking(&log, "other");
    let approvals = Approvals::new(log.clone());
    let answer = |run: &str, token: &ApprovalToken| block_on(approvals.answer(run, token, Decision::Approved, "maria"));
    let token = request("run", 0).token;

    assert!(refusal(answer("other", &token)).contains("does not ask"), "it is of another run");
    assert!(refusal(answer("run", &"nonsense".to_owned().into())).contains("does not ask"));
    answer("run", &token).unwrap();
    assert!(refusal(answer("run", &token)).contains("maria answered"));
    let (writer, _) = block_on(log.open("run")).unwrap();
    block_on(writer.append(Event::Cancelled { reason: "enough".into() })).unwrap();
    block_on(writer.append(finished())).unwrap();
    assert!(refusal(answer("run", &request("run", 1).token)).contains("over"));
    assert!(block_on(approvals.pending("run")).unwrap().is_empty());
    assert_eq!(block_on(log.verify("run")).unwrap().records, 5, "refusals leave nothing");
    assert!(matches!(answer("none", &token), Err(Error::NoRun { .. })));
}

#[test]
fn a_request_whose_call_is_not_that_of_its_token_is_refused() {
    let log = memory();
    let writer = block_on(log.create("run")).unwrap();
    block_on(writer.append(started("run"))).unwrap();
    let mut changed = request("run", 0);
    changed.call.arguments = r#"{"path":"/etc/passwd"}"#.into();
    block_on(writer.append(Event::ApprovalAsked { requests: vec![changed.clone()] })).unwrap();
    let answer = block_on(Approvals::new(log).answer("run", &changed.token, Decision::Approved, "maria"));
    assert!(refusal(answer).contains("not the one"));
}

#[test]
fn who_answers_is_named_and_edits_are_arguments() {
    let log = memory();
    asking(&log, "run");
    let approvals = Approvals::new(log);
    let token = request("run", 0).token;
    for by in ["", "  ", "a\nb", &"x".repeat(300)] {
        assert!(matches!(block_on(approvals.answer("run", &token, Decision::Approved, by)), Err(Error::Invalid(_))), "{by:?}");
    }
    for arguments in ["", "[]", "{", "{} {}"] {
        let edited = Decision::Edited { arguments: arguments.into() };
        assert!(matches!(block_on(approvals.answer("run", &token, edited, "maria")), Err(Error::Invalid(_))), "{arguments:?}");
    }
    let edited = Decision::Edited { arguments: r#"{"path":"other.txt"}"#.into() };
    block_on(approvals.answer("run", &token, edited, "maria")).unwrap();
}

#[test]
fn of_many_who_answer_at_once_one_does() {
    let log = memory();
    asking(&log, "run");
    let answered = thread::scope(|scope| {
        let answers: Vec<_> = (0..8)
            .map(|number| {
                let approvals = Approvals::new(log.clone());
                scope.spawn(move || {
                    let token = request("run", number % 2).token;
                    block_on(approvals.answer("run", &token, Decision::Approved, &format!("person {number}"))).is_ok()
                })
            })
            .collect();
        answers.into_iter().map(|answer| answer.join().unwrap()).filter(|answered| *answered).count()
    });
    assert_eq!(answered, 2, "one for each token");
    assert_eq!(block_on(log.verify("run")).unwrap().records, 4);
}

/// A driver that asked for two calls, and what it would write of an answer to the `index`th.
fn driver(log: &EventLog) -> (LogWriter, impl Fn(u64) -> Event) {
    let driver = block_on(log.create("run")).unwrap();
    block_on(driver.append(started("run"))).unwrap();
    block_on(driver.append(Event::ApprovalAsked { requests: vec![request("run", 0), request("run", 1)] })).unwrap();
    (driver, |index| Event::ApprovalAnswered { token: request("run", index).token, decision: Decision::Approved, by: "maria".into() })
}

#[test]
fn the_driver_takes_over_what_was_answered_elsewhere_in_any_order() {
    for order in [[0, 1], [1, 0]] {
        let log = memory();
        let (driver, answered) = driver(&log);
        let approvals = Approvals::new(log.clone());
        for index in order {
            block_on(approvals.answer("run", &request("run", index).token, Decision::Approved, "maria")).unwrap();
        }
        for (seq, index) in (2..).zip(order) {
            let record = block_on(driver.append(answered(seq - 2))).unwrap();
            assert_eq!((record.seq, record.event), (seq, answered(index)));
        }
        assert_eq!(block_on(driver.append(note("goes on"))).unwrap().seq, 4);
        assert_eq!(driver.summary(), block_on(log.summary("run")).unwrap());
        assert_eq!(block_on(log.verify("run")).unwrap().records, 5);
    }
}

#[test]
fn what_was_answered_first_stands() {
    let log = memory();
    let (driver, answered) = driver(&log);
    let denied = Decision::Denied { reason: "no".into() };
    block_on(Approvals::new(log.clone()).answer("run", &request("run", 0).token, denied.clone(), "jo")).unwrap();
    let stands = Event::ApprovalAnswered { token: request("run", 0).token, decision: denied, by: "jo".into() };
    assert_eq!(block_on(driver.append(answered(0))).unwrap().event, stands);
    block_on(block_on(log.open("run")).unwrap().0.append(note("another driver"))).unwrap();
    assert!(matches!(block_on(driver.append(answered(1))), Err(Error::Fenced { at: 3, .. })), "that is no answer");
}

#[test]
fn a_driver_waits_for_the_answer() {
    let log = memory();
    let _driver = driver(&log);
    let waiting = {
        let approvals = Approvals::new(log.clone()).waiting("run");
        thread::spawn(move || block_on(approvals.ask(&request("run", 1))).unwrap())
    };
    block_on(Approvals::new(log.clone()).answer("run", &request("run", 0).token, Decision::Approved, "jo")).unwrap();
    block_on(Approvals::new(log.clone()).answer("run", &request("run", 1).token, Decision::Approved, "maria")).unwrap();
    assert_eq!(waiting.join().unwrap(), Reply::Decided { decision: Decision::Approved, by: "maria".into() });
}

#[test]
fn what_all_runs_ask_for_is_listed() {
    let log = memory();
    asking(&log, "b");
    asking(&log, "a");
    block_on(block_on(log.create("idle")).unwrap().append(started("idle"))).unwrap();
    let writer = block_on(log.create("over")).unwrap();
    for event in every_event("over") {
        block_on(writer.append(event)).unwrap();
    }
    let pending = block_on(Approvals::new(log).pending_of_all()).unwrap();
    assert_eq!(
        pending.iter().map(|pending| (pending.run.as_str(), pending.record)).collect::<Vec<_>>(),
        [("a", 1), ("a", 1), ("b", 1), ("b", 1)]
    );
}
