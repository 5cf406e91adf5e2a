use std::sync::Arc;

use jarre_core::{Error, ErrorKind, Sampling};
use jarre_eval::{
    Outcome,
    experiment::{Dataset, Item, Limits, MetricSpec, Recorded, Runner, Scoring},
    text::Extraction,
    track::{RunStatus, SampleTexts},
};

use crate::model::{Model, dataset, new_run, runner, scoring, tracker};

#[tokio::test]
async fn every_item_is_asked_once_and_scored() {
    let model = Arc::new(Model::new(|question, _| Ok(if question == "q1" { "wrong".into() } else { question.to_owned() })));
    let (tracker, dataset) = (tracker(), dataset(5));
    let run = new_run(&tracker);
    let summary = runner(&model, &tracker).run(&run, &dataset).await.unwrap();
    assert_eq!((summary.total, summary.answered, summary.reused, summary.failed), (5, 5, 0, 0));
    assert_eq!((summary.usage.total_tokens(), summary.cost.micros()), (75, 100));
    assert_eq!(model.calls(), 5);
    let samples = tracker.samples(&run, SampleTexts::Whole).unwrap();
    let scores: Vec<Option<f64>> = samples.iter().map(|sample| sample.value("exact_match")).collect();
    assert_eq!(scores, [Some(1.0), Some(0.0), Some(1.0), Some(1.0), Some(1.0)]);
    let first = &samples[0];
    assert_eq!((first.input.as_str(), first.output.as_str(), first.extracted.as_deref()), ("q0", "q0", Some("q0")));
    assert_eq!((first.finish_reason.as_deref(), first.attempts, first.cost.micros()), (Some("stop"), 1, 20));
    assert_eq!((first.latency.as_millis(), first.time_to_first_token.unwrap().as_millis()), (10, 3));
    assert_eq!(tracker.run(&run).unwrap().status, RunStatus::Done);
}

#[tokio::test]
async fn another_run_takes_answers_out_of_the_cache_and_other_settings_do_not() {
    let model = Arc::new(Model::echo());
    let (tracker, dataset) = (tracker(), dataset(4));
    runner(&model, &tracker).run(&new_run(&tracker), &dataset).await.unwrap();
    let again = new_run(&tracker);
    let summary = runner(&model, &tracker).run(&again, &dataset).await.unwrap();
    assert_eq!((model.calls(), summary.answered, summary.cost.micros()), (4, 4, 0));
    let cached = tracker.samples(&again, SampleTexts::Whole).unwrap();
    assert!(cached.iter().all(|sample| sample.attempts == 0 && sample.cost.micros() == 20), "what it cost when it was made stands there");

    let warmer = runner(&model, &tracker).with_sampling(Sampling::default().with_temperature(0.5));
    warmer.run(&new_run(&tracker), &dataset).await.unwrap();
    assert_eq!(model.calls(), 8);
    runner(&model, &tracker).with_endpoint("elsewhere").run(&new_run(&tracker), &dataset).await.unwrap();
    assert_eq!(model.calls(), 12);
    runner(&model, &tracker).without_cache().run(&new_run(&tracker), &dataset).await.unwrap();
    assert_eq!(model.calls(), 16);
}

#[tokio::test]
async fn repeats_have_seeds_of_their_own() {
    let model = Arc::new(Model::echo());
    let tracker = tracker();
    let run = new_run(&tracker);
    runner(&model, &tracker).with_repeats(3, 40).run(&run, &dataset(2)).await.unwrap();
    assert_eq!((model.calls(), tracker.finished(&run).unwrap().len()), (6, 6));
    let mut seeds: Vec<u64> = model.requests.lock().unwrap().iter().filter_map(|request| request.sampling.seed).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, [40, 40, 41, 41, 42, 42]);
}

#[tokio::test(start_paused = true)]
async fn errors_that_can_pass_are_tried_again() {
    let busy = |_: &str, before| match before {
        0 | 1 => Err(Error::new(ErrorKind::Unavailable, "busy")),
        _ => Ok("q0".into()),
    };
    let model = Arc::new(Model::new(busy));
    let tracker = tracker();
    let run = new_run(&tracker);
    let summary = runner(&model, &tracker).run(&run, &dataset(1)).await.unwrap();
    assert_eq!((summary.failed, model.calls()), (0, 3));
    assert_eq!(tracker.sample(&run, "q0", 0).unwrap().attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn errors_that_stay_are_told_and_are_no_wrong_answers() {
    let refuse = |question: &str, _| match question {
        "q0" => Err(Error::new(ErrorKind::InvalidRequest, "no")),
        "q1" => Err(Error::new(ErrorKind::RateLimited, "slow down")),
        _ => Ok(question.to_owned()),
    };
    let model = Arc::new(Model::new(refuse));
    let tracker = tracker();
    let run = new_run(&tracker);
    let summary = runner(&model, &tracker).run(&run, &dataset(3)).await.unwrap();
    assert_eq!((summary.answered, summary.failed, model.calls()), (3, 2, 1 + 5 + 1));
    let refused = tracker.sample(&run, "q0", 0).unwrap();
    assert_eq!((refused.error.as_deref(), refused.scores.len(), refused.attempts), (Some("no"), 0, 1));
    assert_eq!(tracker.sample(&run, "q1", 0).unwrap().attempts, 5);
    assert_eq!(tracker.run(&run).unwrap().status, RunStatus::Done);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_given_up() {
    let mut model = Model::echo();
    model.delay = std::time::Duration::from_secs(1000);
    let tracker = tracker();
    let run = new_run(&tracker);
    let limits = Limits {
        timeout_seconds: Some(2.0),
        retries: jarre_eval::experiment::Retries { most: 1, ..Default::default() },
        ..Limits::default()
    };
    runner(&Arc::new(model), &tracker).with_limits(limits).run(&run, &dataset(1)).await.unwrap();
    let sample = tracker.sample(&run, "q0", 0).unwrap();
    assert_eq!((sample.error.as_deref(), sample.attempts), (Some("no answer within 2s; raise `limits.timeout_seconds`"), 2));
}

#[tokio::test]
async fn recorded_answers_and_scores_are_taken_as_they_stand() {
    let item = |id: &str, right: &str| {
        let fields = [("question", id), ("reply", "said"), ("ok", right)].map(|(name, value)| (name.to_owned(), value.into()));
        Item { id: id.into(), fields: fields.into_iter().collect(), ..Item::default() }
    };
    let dataset = Dataset {
        name: "recorded".into(),
        items: vec![item("a", "True"), item("b", "False"), item("c", "nan"), item("d", "")],
        seed: None,
    };
    let metric: MetricSpec = serde_json::from_str(r#"{"name": "correct", "recorded": {"old": "ok"}}"#).unwrap();
    let scoring = |name: &str| (Scoring::new(Extraction::default(), std::slice::from_ref(&metric)), name.to_owned());
    let tracker = tracker();
    for (scoring, variant) in [scoring("old"), scoring("new")] {
        let task = Arc::new(Recorded { input: "{{question}}".into(), field: "reply".into() });
        let run = new_run(&tracker);
        Runner::new(Arc::new(Model::echo()), task, scoring, tracker.clone()).with_variant(&variant).run(&run, &dataset).await.unwrap();
        let samples = tracker.samples(&run, SampleTexts::Whole).unwrap();
        let outcomes: Vec<Option<Outcome>> =
            samples.iter().map(|sample| sample.score("correct").map(|score| score.outcome.clone())).collect();
        if variant == "new" {
            assert!(outcomes.iter().all(Option::is_none));
        } else {
            assert_eq!(outcomes[..2], [Some(Outcome::Scored(1.0)), Some(Outcome::Scored(0.0))]);
            assert!(matches!(&outcomes[2..], [Some(Outcome::Unscored(_)), Some(Outcome::Unscored(_))]));
        }
        assert!(samples.iter().all(|sample| sample.output == "said"));
    }
}

#[tokio::test]
async fn outputs_of_ten_megabytes_and_with_anything_in_them_are_kept() {
    let huge = "\u{0}\u{202e}</script>=cmd()\n".repeat(400_000);
    let answer = huge.clone();
    let model = Arc::new(Model::new(move |_, _| Ok(answer.clone())));
    let tracker = tracker();
    let run = new_run(&tracker);
    runner(&model, &tracker).run(&run, &dataset(1)).await.unwrap();
    let sample = tracker.sample(&run, "q0", 0).unwrap();
    assert!(sample.output == huge && sample.value("exact_match") == Some(0.0));
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_before_anything_is() {
    let model = Arc::new(Model::echo());
    let tracker = tracker();
    let mut items = dataset(3);
    items.items[2].fields.clear();
    let error = runner(&model, &tracker).run(&new_run(&tracker), &items).await.unwrap_err();
    assert!(error.to_string().ends_with("question; the item `q2` has only: "), "{error}");
    let error = runner(&model, &tracker).run(&new_run(&tracker), &dataset(0)).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), model.calls()), ("the dataset questions has no items", 0));
}

#[test]
fn provenance_says_what_a_figure_depends_on() {
    let (model, tracker) = (Arc::new(Model::echo()), tracker());
    let dataset = dataset(2);
    let said = runner(&model, &tracker).with_endpoint("here").provenance(&dataset);
    assert_eq!((said.model.as_str(), said.method.as_str(), said.environment["endpoint"].as_str()), ("model", "zero_shot", Some("here")));
    assert_eq!(said.dataset, Some(dataset.reference()));
    assert_eq!(said.scorers.into_iter().collect::<Vec<_>>(), scoring().versions());
    let mut other = dataset.clone();
    other.items[1].fields.insert("more".into(), 1.into());
    assert_ne!(other.reference().digest, dataset.reference().digest);
}
