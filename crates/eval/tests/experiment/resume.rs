use std::sync::Arc;

use jarre_core::{Error, ErrorKind};
use jarre_eval::track::RunStatus;

use crate::model::{Model, dataset, new_run, runner, tracker};

#[tokio::test]
async fn answers_that_failed_are_asked_for_again_and_others_are_not() {
    let once = |question: &str, before| match (question, before) {
        ("q3", 0) => Err(Error::new(ErrorKind::Internal, "broken")),
        _ => Ok(question.to_owned()),
    };
    let (model, tracker) = (Arc::new(Model::new(once)), tracker());
    let run = new_run(&tracker);
    let stop = jarre_eval::experiment::Stop::new();
    let asked = stop.clone();
    let first = runner(&model, &tracker).with_stop(stop).with_observer(move |progress| {
        if progress.done == 6 {
            asked.request();
        }
    });
    let summary = first.run(&run, &dataset(12)).await.unwrap();
    assert_eq!(summary.failed, 1);
    let summary = runner(&model, &tracker).run(&run, &dataset(12)).await.unwrap();
    assert_eq!((summary.failed, tracker.finished(&run).unwrap().len()), (0, 12));
    let asked = model.asked.lock().unwrap();
    assert!(asked.iter().all(|(question, count)| *count == if question == "q3" { 2 } else { 1 }), "{asked:?}");
}

#[tokio::test]
async fn a_run_that_is_done_is_not_started_again() {
    let (model, tracker) = (Arc::new(Model::echo()), tracker());
    let run = new_run(&tracker);
    runner(&model, &tracker).run(&run, &dataset(2)).await.unwrap();
    let error = runner(&model, &tracker).run(&run, &dataset(2)).await.unwrap_err();
    assert!(error.to_string().contains("is done"), "{error}");
    assert_eq!((tracker.run(&run).unwrap().status, model.calls()), (RunStatus::Done, 2));
}
