use std::{sync::Arc, time::Duration};

use jarre_agent::{
    Cancel, Driver, Event, Outcome, Record, Settings, Task, Toolbox,
    log::EventLog,
    replay::{Divergence, Replayed, replay},
};
use jarre_core::{
    BoxFuture, ChatModel, ChatRequest, ChatResponse, Cost, Error, ErrorKind, ModelInfo, Price, SystemClock,
    testing::{ManualClock, ScriptedModel},
};
use jarre_kv_store::Memory;
use pollster::block_on;

use crate::script::{Bench, RUN, folder, nowhere};

fn records() -> Vec<Record> {
    let folder = folder();
    let bench = Bench::open(folder.path(), nowhere());
    bench.drive();
    block_on(bench.log.read(RUN, 0)).unwrap()
}

fn diverged(records: &[Record]) -> Divergence {
    match block_on(replay(records)).unwrap() {
        Replayed::Diverged(divergence) => *divergence,
        same => panic!("{same:?}"),
    }
}

#[test]
fn a_run_replays_to_the_same_bytes_and_so_does_each_beginning_of_it() {
    let records = records();
    for until in 1..=records.len() {
        assert_eq!(block_on(replay(&records[..until])).unwrap(), Replayed::Same { records: until as u64 }, "up to {until}");
    }
}

#[test]
fn a_changed_answer_is_seen_where_something_else_follows_from_it() {
    let records = records();
    let answers: Vec<usize> = (0..records.len()).filter(|&at| matches!(records[at].event, Event::ModelAnswered { .. })).collect();
    for at in answers {
        let mut changed = records.clone();
        let Event::ModelAnswered { response, .. } = &mut changed[at].event else { unreachable!() };
        response.message = jarre_core::Message::assistant("something else");
        let divergence = diverged(&changed);
        assert!(divergence.at > at as u64, "an answer is taken as it is: {divergence:?}");
        assert_eq!(divergence.expected.as_ref(), records.get(divergence.at as usize));
        assert_ne!(divergence.got, divergence.expected.map(|record| record.event));
    }
}

#[test]
fn a_changed_record_of_the_run_itself_is_seen_at_it() {
    let records = records();
    let mut seen = 0;
    for at in 1..records.len() {
        let mut changed = records.clone();
        match &mut changed[at].event {
            Event::ModelCalled { digest, .. } => digest.push('0'),
            Event::ToolStarted { key, .. } => key.push('0'),
            Event::ApprovalAsked { requests } => requests[0].why.push('!'),
            Event::Finished { outcome } => *outcome = Outcome::Stuck { reason: "no".into() },
            _ => continue,
        }
        assert_eq!(diverged(&changed).at, at as u64);
        seen += 1;
    }
    assert!(seen > 10);
}

#[test]
fn a_log_that_goes_on_behind_its_end_or_begins_elsewhere_is_no_run() {
    let mut records = records();
    let end = records.last().unwrap().clone();
    let divergence = diverged(&[&*records, &[end]].concat());
    assert_eq!((divergence.at, divergence.got), (records.len() as u64, None));
    records.remove(0);
    assert!(block_on(replay(&records)).is_err());
    assert!(block_on(replay(&[])).is_err());
}

fn log() -> EventLog {
    EventLog::new(Arc::new(Memory::new()), Arc::new(SystemClock::new()))
}

#[test]
fn times_failures_and_costs_are_those_of_the_log() {
    let log = log();
    let price = Price::per_million(Cost::from_micros(1_000_000), Cost::from_micros(2_000_000));
    let info = ScriptedModel::new().info().clone().with_price(price);
    let model = ScriptedModel::new()
        .with_info(info)
        .with_error(Error::new(ErrorKind::RateLimited, "slow down").with_retry_after(Duration::from_secs(1)))
        .with_text("a plan")
        .with_text("no call")
        .with_error(Error::new(ErrorKind::Authentication, "no key"));
    let driver = Driver::new(Arc::new(model), Toolbox::new(), Arc::new(SystemClock::new()));
    block_on(async {
        let writer = log.create("failing").await.unwrap();
        let failed = driver.start(&writer, "failing", Task::default(), Settings::default()).await.unwrap();
        assert!(matches!(failed.run().outcome(), Some(Outcome::Failed { .. })), "{:?}", failed.run().outcome());
        let records = log.read("failing", 0).await.unwrap();
        assert_eq!(replay(&records).await.unwrap(), Replayed::Same { records: records.len() as u64 });
    });
}

/// Answers once, and then never again.
struct OneAnswer(ScriptedModel);

impl ChatModel for OneAnswer {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, jarre_core::Result<ChatResponse>> {
        if self.0.replies_left() == 0 { Box::pin(std::future::pending()) } else { self.0.chat(request) }
    }
}

#[test]
fn a_run_that_someone_ended_ends_there_again() {
    // Between two calls, and within one.
    for seq in [2, 3] {
        let (log, cancel) = (log(), Cancel::new());
        let stop = cancel.clone();
        let model = OneAnswer(ScriptedModel::new().with_text("a plan"));
        let driver = Driver::new(Arc::new(model), Toolbox::new(), Arc::new(ManualClock::new())).with_cancel(cancel);
        let driver = driver.with_observer(move |record: &Record| {
            if record.seq == seq {
                stop.cancel("enough");
            }
        });
        block_on(async {
            let writer = log.create("ended").await.unwrap();
            driver.start(&writer, "ended", Task::default(), Settings::default()).await.unwrap();
            let records = log.read("ended", 0).await.unwrap();
            assert!(matches!(records[seq as usize + 1].event, Event::Cancelled { .. }), "{records:?}");
            assert_eq!(replay(&records).await.unwrap(), Replayed::Same { records: records.len() as u64 });
        });
    }
}
