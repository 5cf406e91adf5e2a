use std::{sync::Arc, time::Duration};

use jarre_core::{Cost, Timestamp, Usage, testing::ManualClock};
use jarre_eval::{
    Outcome, Sample, Score,
    track::{NewRun, RunId, Tracker},
};

/// A database in memory, and the clock that it goes by.
pub(crate) fn tracker() -> (Tracker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::starting_at(Timestamp::from_unix_micros(1_700_000_000_000_000)));
    (Tracker::open_in_memory(clock.clone()).unwrap(), clock)
}

pub(crate) fn new_run(tracker: &Tracker) -> RunId {
    tracker.create_run(&NewRun::new("an experiment")).unwrap()
}

pub(crate) fn score(scorer: &str, value: f64) -> Score {
    Score { scorer: scorer.into(), version: "1".into(), outcome: Outcome::Scored(value), explanation: Some(format!("{scorer} says so")) }
}

/// A sample with something in every field.
pub(crate) fn sample(item: &str, repeat: u32) -> Sample {
    Sample {
        item: item.into(),
        repeat,
        input: format!("what is {item}?"),
        target: Some("42".into()),
        cluster: Some("document 7".into()),
        stratum: Some("algebra".into()),
        input_hash: "i".into(),
        request_hash: "r".into(),
        target_hash: "t".into(),
        output: "it is 41".into(),
        extracted: Some("41".into()),
        finish_reason: Some("stop".into()),
        usage: Usage::new(100, 20).with_cached(64),
        cost: Cost::from_micros(7),
        time_to_first_token: Some(Duration::from_micros(1234)),
        latency: Duration::from_micros(56_789),
        attempts: 2,
        error: None,
        scores: vec![
            score("exact_match", 0.0),
            Score { scorer: "judge".into(), version: "a".into(), outcome: Outcome::Unscored("no verdict".into()), explanation: None },
        ],
    }
}
