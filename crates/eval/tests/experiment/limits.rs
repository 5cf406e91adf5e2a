use std::sync::Arc;

use jarre_core::{Error, ErrorKind};
use jarre_eval::{
    experiment::{Limits, Stop},
    track::RunStatus,
};

use crate::model::{Model, dataset, new_run, runner, tracker};

fn one_at_a_time(limits: Limits) -> Limits {
    Limits { concurrency: 1, ..limits }
}

#[tokio::test]
async fn limits_end_a_run_that_goes_on_under_higher_ones() {
    for limits in [Limits { tokens: Some(45), ..Limits::default() }, Limits { dollars: Some(0.000_06), ..Limits::default() }] {
        let (model, tracker) = (Arc::new(Model::echo()), tracker());
        let run = new_run(&tracker);
        let summary = runner(&model, &tracker).with_limits(one_at_a_time(limits)).run(&run, &dataset(10)).await.unwrap();
        assert_eq!((summary.answered, tracker.run(&run).unwrap().status), (3, RunStatus::Cancelled));
        assert!(summary.stopped.unwrap().contains("raise `limits."));
        let summary = runner(&model, &tracker).run(&run, &dataset(10)).await.unwrap();
        assert_eq!((summary.reused, summary.answered, summary.stopped, model.calls()), (3, 7, None, 10));
        assert_eq!(tracker.run(&run).unwrap().status, RunStatus::Done);
    }
}

#[tokio::test]
async fn a_limit_that_is_reached_with_the_last_answer_ends_nothing() {
    let (model, tracker) = (Arc::new(Model::echo()), tracker());
    let run = new_run(&tracker);
    let limits = one_at_a_time(Limits { tokens: Some(45), ..Limits::default() });
    let summary = runner(&model, &tracker).with_limits(limits).run(&run, &dataset(3)).await.unwrap();
    assert_eq!((summary.answered, summary.stopped, tracker.run(&run).unwrap().status), (3, None, RunStatus::Done));
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_tried_on_every_item() {
    let model = Arc::new(Model::new(|_, _| Err(Error::new(ErrorKind::Authentication, "no"))));
    let tracker = tracker();
    let limits = one_at_a_time(Limits { failures_in_a_row: 3, ..Limits::default() });
    let summary = runner(&model, &tracker).with_limits(limits).run(&new_run(&tracker), &dataset(100)).await.unwrap();
    assert_eq!((summary.failed, model.calls()), (3, 3));
    assert!(summary.stopped.unwrap().starts_with("3 answers in a row failed"));
}

#[tokio::test]
async fn failures_that_are_not_in_a_row_end_nothing() {
    let every_other = |question: &str, _| match question.len() % 2 {
        0 if question.ends_with(['0', '2', '4', '6', '8']) => Err(Error::new(ErrorKind::Refused, "no")),
        _ => Ok(question.to_owned()),
    };
    let (model, tracker) = (Arc::new(Model::new(every_other)), tracker());
    let limits = one_at_a_time(Limits { failures_in_a_row: 2, ..Limits::default() });
    let summary = runner(&model, &tracker).with_limits(limits).run(&new_run(&tracker), &dataset(10)).await.unwrap();
    assert_eq!((summary.failed, summary.stopped), (5, None));
}

#[tokio::test]
async fn who_asks_for_the_end_gets_it_and_can_go_on() {
    let (model, tracker) = (Arc::new(Model::echo()), tracker());
    let run = new_run(&tracker);
    let stop = Stop::new();
    let asked = stop.clone();
    let runner_that_stops =
        runner(&model, &tracker).with_limits(one_at_a_time(Limits::default())).with_stop(stop).with_observer(move |progress| {
            if progress.done == 4 {
                asked.request();
            }
        });
    let summary = runner_that_stops.run(&run, &dataset(10)).await.unwrap();
    assert_eq!((summary.answered, tracker.run(&run).unwrap().status), (4, RunStatus::Cancelled));
    let summary = runner(&model, &tracker).run(&run, &dataset(10)).await.unwrap();
    assert_eq!((summary.reused, summary.answered, model.calls()), (4, 6, 10));
}

#[tokio::test]
async fn progress_tells_the_mean_of_the_primary_metric() {
    let model = Arc::new(Model::new(|question, _| Ok(if question < "q2" { question.to_owned() } else { "no".into() })));
    let tracker = tracker();
    let last = Arc::new(std::sync::Mutex::new(None));
    let seen = last.clone();
    let watched = runner(&model, &tracker).with_observer(move |progress| *seen.lock().unwrap() = Some(progress.clone()));
    watched.run(&new_run(&tracker), &dataset(8)).await.unwrap();
    let last = last.lock().unwrap().clone().unwrap();
    assert_eq!((last.total, last.done, last.mean()), (8, 8, Some(0.25)));
}
