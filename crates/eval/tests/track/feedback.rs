use std::time::Duration;

use jarre_eval::{
    Error, Sample,
    track::{FeedbackTarget, PreferencePair, QueueItemId, QueueProgress, RunId, Tracker, Verdict},
};
use serde_json::{Value, json};

use crate::support::{new_run, sample, tracker};

const CLAIM: Duration = Duration::from_mins(1);

fn on(run: &RunId, item: &str) -> FeedbackTarget {
    FeedbackTarget::Sample { run: run.clone(), item: item.into(), repeat: 0 }
}

fn free(input: &str, output: &str) -> FeedbackTarget {
    FeedbackTarget::Free { input: input.into(), output: output.into() }
}

fn thumb(up: bool) -> Verdict {
    Verdict { thumb: Some(up), ..Verdict::default() }
}

fn correction(text: &str) -> Verdict {
    Verdict { correction: Some(text.into()), ..Verdict::default() }
}

fn run_with(tracker: &Tracker, items: &[&str]) -> RunId {
    let run = new_run(tracker);
    let samples: Vec<Sample> = items.iter().map(|item| sample(item, 0)).collect();
    tracker.insert_samples(&run, &samples).unwrap();
    run
}

#[test]
fn a_score_by_hand_counts_until_it_is_cleared() {
    let (tracker, clock) = tracker();
    let run = run_with(&tracker, &["a"]);
    let value = || tracker.sample(&run, "a", 0).unwrap().value("exact_match");
    let verdict = |value| Verdict { score: Some(("exact_match".into(), value)), text: Some("it is right".into()), ..thumb(true) };
    let first = tracker.give_feedback(&on(&run, "a"), "ann", &verdict(1.0)).unwrap();
    let second = tracker.give_feedback(&on(&run, "a"), "ben", &verdict(0.5)).unwrap();
    assert_eq!(value(), Some(0.5), "the last word of a person");
    tracker.clear_feedback(second).unwrap();
    assert_eq!(value(), Some(1.0));
    clock.advance(CLAIM);
    tracker.clear_feedback(first).unwrap();
    assert_eq!(value(), Some(0.0), "the automatic result is back");

    let all = tracker.feedback_on(&on(&run, "a")).unwrap();
    assert_eq!((all.len(), &all[0].verdict, all[0].author.as_str()), (2, &verdict(1.0), "ann"));
    assert_eq!(all[0].target, on(&run, "a"));
    let cleared = all[0].cleared;
    tracker.clear_feedback(first).unwrap();
    assert_eq!(tracker.feedback_on(&on(&run, "a")).unwrap()[0].cleared, cleared, "once is enough");
    let history = tracker.score_history(&run, "a", 0).unwrap();
    assert_eq!(history.iter().filter(|version| version.author.is_some()).count(), 2, "nothing is lost of what was said");
}

#[test]
fn feedback_that_says_nothing_is_refused() {
    let (tracker, _) = tracker();
    let run = run_with(&tracker, &["a"]);
    let score = |scorer: &str, value| Verdict { score: Some((scorer.to_owned(), value)), ..Verdict::default() };
    for (author, verdict) in [("", thumb(true)), ("ann", Verdict::default()), ("ann", score("", 1.0)), ("ann", score("f1", f64::NAN))] {
        assert!(matches!(tracker.give_feedback(&on(&run, "a"), author, &verdict), Err(Error::Refused(_))));
    }
    assert!(matches!(tracker.give_feedback(&on(&run, "none"), "ann", &thumb(true)), Err(Error::NotFound { .. })));
    assert_eq!(tracker.feedback_on(&on(&run, "a")).unwrap(), []);
}

#[test]
fn one_person_at_a_time_looks_at_an_answer() {
    let (tracker, clock) = tracker();
    let run = run_with(&tracker, &["a", "b"]);
    let targets = [on(&run, "a"), on(&run, "b"), free("q", "x"), free("q", "x")];
    assert_eq!(tracker.enqueue("review", &targets).unwrap(), 3);
    assert_eq!(tracker.enqueue("review", &targets).unwrap(), 0);
    let claim = |user: &str| tracker.claim("review", user, CLAIM).unwrap().unwrap();
    let (a, b) = (claim("ann"), claim("ben"));
    assert_eq!((&a.target, a.input.as_str(), a.output.as_str()), (&on(&run, "a"), "what is a?", "it is 41"));
    assert_eq!(b.target, on(&run, "b"));
    assert!(matches!(tracker.finish_item(a.id, "ben", &thumb(true)), Err(Error::Refused(_))));
    tracker.finish_item(a.id, "ann", &thumb(true)).unwrap();
    assert!(matches!(tracker.skip_item(a.id, "ann"), Err(Error::Refused(_))), "it is done");
    tracker.release_item(b.id, "ben").unwrap();
    let again = claim("ann");
    assert_eq!(again.id, b.id);

    clock.advance(CLAIM + Duration::from_micros(1));
    let progress = |open, claimed, done, skipped| QueueProgress { open, claimed, done, skipped };
    assert_eq!(tracker.queue_progress("review").unwrap(), progress(2, 0, 1, 0));
    let taken = claim("ben");
    assert_eq!(taken.id, b.id, "a claim that has run out is open to others");
    assert!(matches!(tracker.finish_item(b.id, "ann", &thumb(true)), Err(Error::Refused(_))));
    tracker.skip_item(taken.id, "ben").unwrap();
    let last = claim("ben");
    assert_eq!(last.target, free("q", "x"));
    assert_eq!(tracker.claim("review", "ann", CLAIM).unwrap(), None);
    assert_eq!(tracker.queue_progress("review").unwrap(), progress(0, 1, 1, 1));
    assert_eq!(tracker.queue_progress("none").unwrap(), QueueProgress::default());
    assert_eq!(tracker.queues().unwrap(), ["review"]);
    assert!(last.id.to_string().parse::<QueueItemId>().unwrap() == last.id && "x".parse::<QueueItemId>().is_err());
}

#[test]
fn clearing_a_verdict_opens_the_answer_again() {
    let (tracker, _) = tracker();
    tracker.enqueue("review", &[free("q", "x")]).unwrap();
    let item = tracker.claim("review", "ann", CLAIM).unwrap().unwrap();
    let feedback = tracker.finish_item(item.id, "ann", &thumb(false)).unwrap();
    tracker.clear_feedback(feedback).unwrap();
    assert_eq!(tracker.queue_progress("review").unwrap().open, 1);
    assert!(matches!(tracker.dataset_from_queue("review", "d"), Err(Error::Refused(_))));
    assert_eq!(tracker.feedback_on(&free("q", "x")).unwrap().len(), 1);
}

#[test]
fn verdicts_become_a_dataset_and_pairs() {
    let (tracker, _) = tracker();
    let run = run_with(&tracker, &["a", "b"]);
    let verdicts = [
        (on(&run, "a"), correction("it is 42")),
        (on(&run, "b"), thumb(false)),
        (free("q", "good"), Verdict { text: Some("ok\n".into()), score: Some(("help".into(), 0.5)), ..thumb(true) }),
        (free("q", "bad"), thumb(false)),
        (free("q", "worse"), thumb(false)),
    ];
    let targets: Vec<FeedbackTarget> = verdicts.iter().map(|(target, _)| target.clone()).collect();
    tracker.enqueue("review", &targets).unwrap();
    let mut ids = Vec::new();
    for (_, verdict) in &verdicts {
        let item = tracker.claim("review", "ann", CLAIM).unwrap().unwrap();
        ids.push(tracker.finish_item(item.id, "ann", verdict).unwrap());
    }
    let made = tracker.dataset_from_queue("review", "golden").unwrap();
    assert_eq!((made.version, made.items, made.source.as_str()), (1, 5, "queue `review`"));
    let rows: Vec<Value> = made.rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows[0]["target"], "it is 42");
    assert_eq!((&rows[0]["id"], &rows[0]["run"], &rows[0]["feedback"]), (&json!("a"), &json!(run), &json!(ids[0])));
    assert_eq!(rows[1]["target"], "42", "a bad answer leaves the target as it was");
    assert_eq!((&rows[2]["target"], &rows[2]["score"]["value"], &rows[2]["text"]), (&json!("good"), &json!(0.5), &json!("ok\n")));
    assert_eq!(rows[3].get("target"), None);
    assert_eq!(tracker.dataset_from_queue("review", "golden").unwrap(), made, "nothing new, no new version");
    assert_eq!(tracker.dataset("golden", Some(1)).unwrap(), made);

    let pairs = tracker.preference_pairs("review").unwrap();
    let pair = |prompt: &str, chosen: &str, rejected: &str, feedback: &[usize]| PreferencePair {
        prompt: prompt.into(),
        chosen: chosen.into(),
        rejected: rejected.into(),
        feedback: feedback.iter().map(|index| ids[*index]).collect(),
    };
    let expected =
        [pair("what is a?", "it is 42", "it is 41", &[0]), pair("q", "good", "bad", &[2, 3]), pair("q", "good", "worse", &[2, 4])];
    assert_eq!(pairs, expected);
    let lines = PreferencePair::to_jsonl(&pairs);
    assert_eq!(lines.lines().count(), 3);
    assert_eq!(serde_json::from_str::<Value>(lines.lines().next().unwrap()).unwrap()["rejected"], "it is 41");
}

#[test]
fn datasets_have_versions_by_content() {
    let (tracker, _) = tracker();
    let first = tracker.add_dataset("d", "{\"a\": 1}\r\n\n{\"a\": 2}", "by hand").unwrap();
    assert_eq!((first.rows.as_str(), first.items), ("{\"a\": 1}\n{\"a\": 2}\n", 2));
    assert_eq!(tracker.add_dataset("d", &first.rows, "another way").unwrap(), first);
    let second = tracker.add_dataset("d", "{}", "by hand").unwrap();
    assert_eq!((second.version, tracker.dataset("d", None).unwrap().version), (2, 2));
    let refused = tracker.add_dataset("d", "{}\n[1]", "").unwrap_err().to_string();
    assert!(refused.starts_with("row 2 is no JSON object"), "{refused}");
    assert_eq!(tracker.datasets().unwrap(), ["d"]);
    assert!(matches!(tracker.add_dataset("", "{}", ""), Err(Error::Refused(_))));
    assert!(matches!(tracker.dataset("d", Some(3)), Err(Error::NotFound { .. })));
}
