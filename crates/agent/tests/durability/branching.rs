use jarre_agent::{
    Error, Event, Outcome, Run,
    replay::{Replayed, branch, replay},
};
use jarre_core::Message;
use pollster::block_on;

use crate::script::{Bench, RUN, folder, nowhere};

fn bench() -> (tempfile::TempDir, Bench, usize) {
    let folder = folder();
    let bench = Bench::open(folder.path(), nowhere());
    bench.drive();
    let records = block_on(bench.log.read(RUN, 0)).unwrap().len();
    (folder, bench, records)
}

fn replays(bench: &Bench, run: &str) {
    let records = block_on(bench.log.read(run, 0)).unwrap();
    assert_eq!(block_on(replay(&records)).unwrap(), Replayed::Same { records: records.len() as u64 }, "{run}");
    assert!(block_on(bench.log.verify(run)).is_ok());
}

#[test]
fn each_beginning_of_a_run_is_one_of_its_branch_too() {
    let (_folder, bench, records) = bench();
    let before = bench.lines(RUN);
    for until in 1..=records {
        let name = format!("until-{until}");
        let (writer, run) = block_on(branch(&bench.log, RUN, until as u64, None, &name)).unwrap();
        assert_eq!((run.seq(), writer.summary().records), (until as u64, until as u64));
        let read = block_on(bench.log.read(&name, 0)).unwrap();
        assert_eq!(Run::replay(&read).unwrap().next(), run.next());
        replays(&bench, &name);
    }
    assert_eq!(bench.lines(RUN), before, "the first run stays as it is");
}

#[test]
fn an_edited_answer_leads_elsewhere() {
    let (_folder, bench, _) = bench();
    let records = block_on(bench.log.read(RUN, 0)).unwrap();
    let last = records.iter().rposition(|record| matches!(record.event, Event::ModelAnswered { .. })).unwrap();
    let Event::ModelAnswered { call, response, cost } = records[last].event.clone() else { unreachable!() };
    let mut edited = response;
    edited.message = Message::assistant("").with_part(jarre_core::ToolCall::new("x", "finish", r#"{"answer": "another answer"}"#));
    let edit = Event::ModelAnswered { call, response: edited, cost };
    let (writer, run) = block_on(branch(&bench.log, RUN, last as u64, Some(edit), "edited")).unwrap();
    let driven = block_on(bench.driver(0).resume(&writer, run)).unwrap();
    assert_eq!(driven.run().outcome(), Some(&Outcome::Done { answer: "another answer".into() }));
    replays(&bench, "edited");
}

#[test]
fn what_cannot_be_branched_leaves_nothing() {
    let (_folder, bench, records) = bench();
    let edit = Some(Event::Remembered);
    assert!(matches!(block_on(branch(&bench.log, RUN, 2, edit, "new")), Err(Error::Log { at: 2, .. })));
    assert!(matches!(block_on(branch(&bench.log, RUN, 0, None, "new")), Err(Error::Invalid(_))));
    assert!(matches!(block_on(branch(&bench.log, "none", 1, None, "new")), Err(Error::NoRun { .. })));
    assert!(matches!(block_on(branch(&bench.log, RUN, 1, None, RUN)), Err(Error::RunExists { .. })));
    assert!(matches!(block_on(branch(&bench.log, RUN, 1, None, "no/name")), Err(Error::Invalid(_))));
    assert!(matches!(block_on(bench.log.open("new")), Err(Error::NoRun { .. })));
    assert_eq!(block_on(bench.log.runs(None, 10)).unwrap().runs.len(), 1);
    assert_eq!(block_on(branch(&bench.log, RUN, u64::MAX, None, "whole")).unwrap().1.seq(), records as u64);
}
