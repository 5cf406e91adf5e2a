use std::time::Duration;

use jarre_core::{ChatResponse, FinishReason, Message, Timestamp, Usage};
use jarre_eval::{
    Error, Outcome, Sample,
    track::SampleTexts::{Lean, Whole},
};

use crate::support::{new_run, sample, score, tracker};

#[test]
fn a_sample_is_kept_whole_and_read_lean() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let written = sample("a\0\u{10ffff}", 3);
    assert!(tracker.insert_sample(&id, &written).unwrap());
    assert_eq!(tracker.samples(&id, Whole).unwrap(), std::slice::from_ref(&written));
    assert_eq!(tracker.sample(&id, &written.item, 3).unwrap(), written);
    let mut lean = Sample { input: String::new(), target: None, output: String::new(), extracted: None, ..written };
    lean.scores[0].explanation = None;
    assert_eq!(tracker.samples(&id, Lean).unwrap(), [lean]);
}

#[test]
fn the_first_sample_of_an_item_and_repeat_stays() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    assert!(tracker.insert_sample(&id, &sample("a", 0)).unwrap());
    assert!(!tracker.insert_sample(&id, &Sample { output: "another".into(), ..sample("a", 0) }).unwrap());
    assert_eq!(tracker.sample(&id, "a", 0).unwrap().output, "it is 41");
    assert_eq!(tracker.insert_samples(&id, &[sample("a", 0), sample("a", 1), sample("b", 0), sample("b", 0)]).unwrap(), 2);
    let expected = [("a", 0), ("a", 1), ("b", 0)].map(|(item, repeat)| (item.to_owned(), repeat));
    assert_eq!(tracker.finished(&id).unwrap(), expected.into());
}

#[test]
fn a_sample_that_makes_no_sense_is_refused_with_its_batch() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let twice = Sample { scores: vec![score("f1", 0.1), score("f1", 0.2)], ..sample("b", 0) };
    for wrong in [Sample { item: String::new(), ..sample("", 0) }, twice, Sample { scores: vec![score("", 1.0)], ..sample("b", 0) }] {
        assert!(matches!(tracker.insert_samples(&id, &[sample("a", 0), wrong]), Err(Error::Refused(_))));
        assert!(tracker.finished(&id).unwrap().is_empty());
    }
}

#[test]
fn failed_samples_are_forgotten_on_demand() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let failed = Sample { error: Some("the endpoint is down".into()), output: String::new(), scores: vec![], ..sample("b", 0) };
    tracker.insert_samples(&id, &[sample("a", 0), failed.clone()]).unwrap();
    assert_eq!(tracker.sample(&id, "b", 0).unwrap(), failed);
    assert_eq!(tracker.finished(&id).unwrap().len(), 2);
    assert_eq!(tracker.forget_failed_samples(&id).unwrap(), 1);
    assert!(tracker.insert_sample(&id, &sample("b", 0)).unwrap());
    tracker.verify().unwrap();
}

#[test]
fn pages_go_through_all_samples_once() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let samples: Vec<Sample> = (0..25).rev().map(|index| sample(&format!("{index:02}"), 0)).collect();
    tracker.insert_samples(&id, &samples).unwrap();
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = tracker.sample_page(&id, after, 10).unwrap();
        read.extend(page.samples);
        if read.len() == 10 {
            // What comes while one reads comes at the end.
            tracker.insert_sample(&id, &sample("late", 0)).unwrap();
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(read[..25], samples);
    assert_eq!((read.len(), read[25].item.as_str()), (26, "late"));
    assert!(matches!(tracker.sample_page(&id, None, 0), Err(Error::Refused(_))));
    let all = tracker.samples(&id, Whole).unwrap();
    assert!(all.is_sorted_by_key(|sample| sample.item.clone()), "all at once come by item");
}

#[test]
fn scores_supersede_one_another_and_a_person_comes_first() {
    let (tracker, clock) = tracker();
    let id = new_run(&tracker);
    tracker.insert_sample(&id, &sample("a", 0)).unwrap();
    let current = || tracker.sample(&id, "a", 0).unwrap().value("exact_match");
    tracker.rescore(&id, "a", 0, &[score("exact_match", 0.5), score("new", 1.0)], "the extraction was mended").unwrap();
    assert_eq!(current(), Some(0.5));
    tracker.override_score(&id, "a", 0, &score("exact_match", 1.0), "ann", "it is right").unwrap();
    assert_eq!(current(), Some(1.0));
    tracker.rescore(&id, "a", 0, &[score("exact_match", 0.25)], "again").unwrap();
    assert_eq!(current(), Some(1.0), "a scorer does not overrule a person");
    clock.advance(Duration::from_secs(1));
    assert_eq!(tracker.withdraw_scores(&id, "a", 0, "exact_match").unwrap(), 1);
    assert_eq!(current(), Some(0.25), "the scorer's last score is back");

    let history = tracker.score_history(&id, "a", 0).unwrap();
    let history: Vec<_> = history.iter().filter(|version| version.score.scorer == "exact_match").collect();
    let values: Vec<_> = history.iter().map(|version| (version.score.outcome.value().unwrap(), version.current)).collect();
    assert_eq!(values, [(0.0, false), (0.5, false), (1.0, false), (0.25, true)]);
    assert_eq!(history[0].reason, None);
    assert_eq!((history[2].author.as_deref(), history[2].reason.as_deref()), (Some("ann"), Some("it is right")));
    assert_eq!(history[2].withdrawn, Some(Timestamp::from_unix_micros(1_700_000_001_000_000)));
    assert!(matches!(tracker.override_score(&id, "a", 0, &score("a", 1.0), "", ""), Err(Error::Refused(_))));
    assert!(matches!(tracker.rescore(&id, "none", 0, &[], ""), Err(Error::NotFound { what: "sample", .. })));
}

#[test]
fn figures_that_no_scale_has_and_long_answers_survive() {
    let (tracker, _) = tracker();
    let id = new_run(&tracker);
    let output = "x\0é".repeat(10 << 18);
    assert!(output.len() >= 10 << 20);
    let scores = vec![score("nan", f64::NAN), score("infinite", f64::INFINITY), score("minus", f64::NEG_INFINITY)];
    let written = Sample { output, scores, latency: Duration::MAX, usage: Usage::new(u64::MAX, 0), ..sample("a", u32::MAX) };
    tracker.insert_sample(&id, &written).unwrap();
    let read = tracker.sample(&id, "a", u32::MAX).unwrap();
    assert!(read.output == written.output);
    assert!(matches!(read.score("nan").unwrap().outcome, Outcome::Scored(value) if value.is_nan()));
    assert_eq!((read.value("infinite"), read.value("minus")), (Some(f64::INFINITY), Some(f64::NEG_INFINITY)));
    assert_eq!(
        (read.latency, read.usage.prompt_tokens),
        (Duration::from_micros(i64::MAX as u64), i64::MAX as u64),
        "counts stop at the end"
    );
}

#[test]
fn a_response_is_kept_until_it_expires_or_is_pruned() {
    let (tracker, clock) = tracker();
    let response = ChatResponse::new(Message::assistant("42"), FinishReason::Stop).with_usage(Usage::new(3, 1));
    assert_eq!(tracker.cached_response("a").unwrap(), None);
    tracker.cache_response("a", &response, None).unwrap();
    tracker.cache_response("b", &response, Some(Duration::from_secs(10))).unwrap();
    assert_eq!(tracker.cached_response("b").unwrap(), Some(response.clone()));
    clock.advance(Duration::from_secs(10));
    assert_eq!(tracker.cached_response("b").unwrap(), None);
    assert_eq!(tracker.cached_response("a").unwrap(), Some(response.clone()));
    let stats = tracker.cache_stats().unwrap();
    assert_eq!((stats.entries, stats.hits, stats.bytes), (2, 2, 2 * serde_json::to_string(&response).unwrap().len() as u64));

    assert_eq!(tracker.prune_cache(None).unwrap(), 1);
    let asked = Timestamp::from_unix_micros(1_700_000_010_000_000);
    assert_eq!(tracker.prune_cache(Some(asked)).unwrap(), 0, "it was asked for since");
    assert_eq!(tracker.prune_cache(Some(asked.saturating_add(Duration::from_micros(1)))).unwrap(), 1);
    assert_eq!(tracker.cache_stats().unwrap().entries, 0);
}
