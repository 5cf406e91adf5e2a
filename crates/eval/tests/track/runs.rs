use std::{sync::Arc, time::Duration};

use jarre_core::{MetricSink, Timestamp, testing::contract};
use jarre_eval::{
    DatasetRef, Error, PromptRef, Provenance,
    track::{NewRun, RunStatus, Tracker},
};
use serde_json::json;

use crate::support::{new_run, tracker};

const LEASE: Duration = Duration::from_secs(30);

fn provenance() -> Provenance {
    Provenance {
        git: Some("abc+dirty".into()),
        dataset: Some(DatasetRef { name: "gsm8k".into(), digest: "d1".into(), items: 5, seed: Some(3) }),
        prompt: Some(PromptRef { name: "cot".into(), version: 2, digest: "p1".into() }),
        method: "zero_shot_cot".into(),
        model: "jarre-tiny".into(),
        scorers: [("exact_match".to_owned(), "1".to_owned())].into(),
        environment: [("cores".to_owned(), json!(2))].into(),
        ..Provenance::default()
    }
}

#[test]
fn a_run_is_kept_as_it_was_made() {
    let (tracker, clock) = tracker();
    let parent = new_run(&tracker);
    let new = NewRun::new("gsm8k").with_name("a").with_parent(parent.clone()).with_seed(u64::MAX).with_provenance(provenance());
    let id = tracker.create_run(&new).unwrap();
    clock.advance(Duration::from_secs(1));
    let lease = tracker.start_run(&id, LEASE).unwrap();
    clock.advance(Duration::from_secs(2));
    tracker.set_note(&id, "looks \0 good").unwrap();
    tracker.finish_run(&lease, RunStatus::Done).unwrap();

    let run = tracker.run(&id).unwrap();
    assert_eq!((run.experiment.as_str(), run.name.as_str(), run.parent.as_ref()), ("gsm8k", "a", Some(&parent)));
    assert_eq!((run.seed, run.provenance, run.note.as_str()), (Some(u64::MAX), provenance(), "looks \0 good"));
    let after = |seconds: i64| Timestamp::from_unix_micros(1_700_000_000_000_000 + seconds * 1_000_000);
    assert_eq!((run.created, run.started, run.ended), (after(0), Some(after(1)), Some(after(3))));
    assert_eq!((run.status, run.attempt, run.failure), (RunStatus::Done, 1, None));
    assert_eq!(tracker.children(&parent).unwrap().len(), 1);
    assert!(matches!(tracker.start_run(&id, LEASE), Err(Error::Refused(_))), "what is done is not done again");
}

#[test]
fn ids_follow_one_another_while_the_clock_stands_still() {
    let (tracker, clock) = tracker();
    let mut ids: Vec<_> = (0..100).map(|_| new_run(&tracker)).collect();
    clock.advance(Duration::from_micros(20));
    ids.extend((0..100).map(|index| tracker.create_run(&NewRun::new(format!("{}", index % 3))).unwrap()));
    assert!(ids.is_sorted_by(|a, b| a < b));
}

#[test]
fn a_run_whose_process_died_is_seen_and_taken_over() {
    let (tracker, clock) = tracker();
    let id = new_run(&tracker);
    let first = tracker.start_run(&id, LEASE).unwrap();
    clock.advance(LEASE);
    assert_eq!(tracker.run(&id).unwrap().status, RunStatus::Running);
    assert!(matches!(tracker.start_run(&id, LEASE), Err(Error::Refused(_))), "another process carries it out");
    tracker.renew_run(&first, LEASE).unwrap();
    clock.advance(LEASE + Duration::from_micros(1));
    assert_eq!(tracker.run(&id).unwrap().status, RunStatus::Interrupted);

    let second = tracker.start_run(&id, LEASE).unwrap();
    assert_eq!((second.attempt, tracker.run(&id).unwrap().status), (2, RunStatus::Running));
    assert!(matches!(tracker.renew_run(&first, LEASE), Err(Error::Refused(_))), "the process that came back is told");
    assert!(matches!(tracker.finish_run(&first, RunStatus::Done), Err(Error::Refused(_))));
    assert!(matches!(tracker.finish_run(&second, RunStatus::Running), Err(Error::Refused(_))));
    tracker.fail_run(&second, "out of money").unwrap();
    assert_eq!(tracker.run(&id).unwrap().failure.as_deref(), Some("out of money"));
    assert!(tracker.start_run(&id, LEASE).is_ok(), "what failed is tried again");
}

#[test]
fn a_cancelled_run_stops_at_its_next_sign_of_life() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let lease = tracker.start_run(&id, LEASE).unwrap();
    tracker.cancel_run(&id).unwrap();
    let refused = tracker.renew_run(&lease, LEASE).unwrap_err().to_string();
    assert!(refused.contains("cancelled"), "{refused}");
    assert!(matches!(tracker.cancel_run(&id), Err(Error::Refused(_))));
}

#[test]
fn experiments_are_put_away_and_brought_back() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let name = tracker.run(&id).unwrap().experiment;
    tracker.delete_experiment(&name).unwrap();
    assert!(tracker.experiment(&name).unwrap().deleted.is_some());
    assert!(tracker.run(&id).unwrap().deleted.is_some(), "its runs go with it");
    assert!(matches!(tracker.create_run(&NewRun::new(&name)), Err(Error::Refused(_))));
    tracker.restore_experiment(&name).unwrap();
    let experiment = tracker.experiment(&name).unwrap();
    assert_eq!((experiment.deleted, experiment.runs), (None, 1));
    assert!(matches!(tracker.delete_experiment("none"), Err(Error::NotFound { what: "experiment", .. })));
    assert!(matches!(tracker.create_experiment(" "), Err(Error::Refused(_))));
    assert_eq!(tracker.experiments().unwrap(), [experiment]);
}

#[test]
fn settings_and_tags_replace_and_keep_their_kinds() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    for value in [json!(1), json!("1"), json!({"a": [null, 1e-7]}), json!(null)] {
        tracker.set_param(&id, "lr", &value).unwrap();
        assert_eq!(tracker.params(&id).unwrap()["lr"], value);
    }
    tracker.set_tag(&id, "who", "a").unwrap();
    tracker.set_tag(&id, "who", "b\0c").unwrap();
    assert_eq!(tracker.tags(&id).unwrap()["who"], "b\0c");
    assert!(tracker.remove_tag(&id, "who").unwrap());
    assert!(!tracker.remove_tag(&id, "who").unwrap());
    assert!(matches!(tracker.set_param(&id, "", &json!(1)), Err(Error::Refused(_))));
}

#[test]
fn the_sink_keeps_its_contract() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let sink = tracker.sink(&id).unwrap();
    let scalars = |name: &str| {
        sink.flush().unwrap();
        tracker.metric_history(&id, name).unwrap().into_iter().map(|point| (point.step, point.value)).collect()
    };
    contract::metric_sink(&sink, scalars, |name| {
        sink.flush().unwrap();
        tracker.params(&id).unwrap().remove(name)
    });
}

#[test]
fn a_sink_writes_in_batches_after_a_second_and_when_it_is_dropped() {
    let (tracker, clock) = tracker();
    let id = new_run(&tracker);
    let sink = tracker.sink(&id).unwrap();
    let written = || tracker.metric_history(&id, "loss").unwrap().len();
    for step in 0..255 {
        sink.scalar("loss", step, 1.0).unwrap();
    }
    assert_eq!(written(), 0);
    sink.scalar("loss", 255, 1.0).unwrap();
    assert_eq!(written(), 256);
    clock.advance(Duration::from_secs(1));
    sink.scalar("loss", 256, 1.0).unwrap();
    assert_eq!(written(), 257);
    sink.scalar("loss", 257, 1.0).unwrap();
    assert!(sink.scalar("", 0, 1.0).is_err() && sink.scalar("loss", u64::MAX, 1.0).is_err() && sink.param("", &json!(1)).is_err());
    drop(sink);
    assert_eq!(written(), 258);
}

#[test]
fn what_is_not_there_is_named() {
    let (tracker, _) = tracker();
    let id = Tracker::open_in_memory(Arc::new(jarre_core::SystemClock::new())).map(|other| new_run(&other)).unwrap();
    let missing = tracker.run(&id).unwrap_err();
    assert_eq!(missing.to_string(), format!("there is no run `{id}`"));
    assert!(tracker.sink(&id).is_err() && tracker.log_metric(&id, "a", 0, 1.0).is_err() && tracker.finished(&id).is_err());
    assert!(matches!(tracker.create_run(&NewRun::new("a").with_parent(id)), Err(Error::NotFound { what: "run", .. })));
    assert_eq!(tracker.experiments().unwrap(), [], "a run that fails to be made leaves no experiment behind");
}
