use std::{io::Cursor, time::Duration};

use jarre_eval::{
    DatasetRef, Error, Outcome, Provenance, Sample, Score,
    track::{NewRun, OnConflict, RunId, RunQuery, RunStatus, SampleTexts, Tracker},
};
use serde_json::json;

use crate::support::{sample, score, tracker};

/// An experiment with something of all that runs have.
fn filled(tracker: &Tracker) -> Vec<RunId> {
    let dataset = DatasetRef { name: "d".into(), digest: "x".into(), items: 1, seed: Some(u64::MAX) };
    let provenance = Provenance { model: "m".into(), dataset: Some(dataset), ..Provenance::default() };
    let parent = tracker.create_run(&NewRun::new("e").with_name("parent").with_seed(u64::MAX).with_provenance(provenance)).unwrap();
    let child = tracker.create_run(&NewRun::new("e").with_parent(parent.clone())).unwrap();
    tracker.set_note(&parent, "a\nb\0").unwrap();
    tracker.set_param(&parent, "p", &json!({"a": [1e-300, null]})).unwrap();
    tracker.set_tag(&parent, "t", "ü").unwrap();
    for step in 0..2500 {
        tracker.log_metric(&parent, "loss", step, 0.1 + step as f64).unwrap();
    }
    for (step, value) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE].into_iter().enumerate() {
        tracker.log_metric(&child, "odd", step as u64, value).unwrap();
    }
    tracker.add_artifact(&parent, "inside", "application/octet-stream", b"\0\xff").unwrap();
    tracker.insert_samples(&parent, &[sample("a", 0), Sample { scores: vec![score("nan", f64::NAN)], ..sample("a", 1) }]).unwrap();
    let failed = Score { outcome: Outcome::Failed("no answer".into()), ..score("judge", 0.0) };
    tracker.rescore(&parent, "a", 0, &[failed], "again").unwrap();
    tracker.override_score(&parent, "a", 0, &score("exact_match", 1.0), "ann", "it is right").unwrap();
    tracker.override_score(&parent, "a", 0, &score("judge", 1.0), "ann", "no").unwrap();
    tracker.withdraw_scores(&parent, "a", 0, "judge").unwrap();
    let lease = tracker.start_run(&parent, Duration::from_mins(1)).unwrap();
    tracker.fail_run(&lease, "why").unwrap();
    tracker.start_run(&child, Duration::from_mins(1)).unwrap();
    vec![parent, child]
}

fn exported(tracker: &Tracker) -> Vec<u8> {
    let mut bundle = Vec::new();
    tracker.export_experiment("e", &mut bundle).unwrap();
    bundle
}

fn import(tracker: &Tracker, bundle: &[u8], on_conflict: OnConflict) -> Result<Vec<RunId>, Error> {
    let imported = tracker.import_runs(Cursor::new(bundle), on_conflict)?;
    Ok(imported.into_iter().map(|imported| imported.id).collect())
}

#[test]
fn what_goes_through_a_bundle_comes_back() {
    let ((from, _), (to, _)) = (tracker(), tracker());
    let runs = filled(&from);
    let bundle = exported(&from);
    assert_eq!(import(&to, &bundle, OnConflict::Refuse).unwrap(), runs, "ids are kept");
    to.verify().unwrap();

    let parent = &runs[0];
    assert_eq!(to.run(parent).unwrap(), from.run(parent).unwrap());
    assert_eq!((to.params(parent).unwrap(), to.tags(parent).unwrap()), (from.params(parent).unwrap(), from.tags(parent).unwrap()));
    assert_eq!(to.metric_history(parent, "loss").unwrap(), from.metric_history(parent, "loss").unwrap());
    assert_eq!(to.latest_metrics(parent).unwrap(), from.latest_metrics(parent).unwrap());
    assert_eq!(to.artifacts(parent).unwrap(), from.artifacts(parent).unwrap());
    assert_eq!(to.artifact_bytes(parent, "inside").unwrap(), b"\0\xff");
    assert_eq!(to.score_history(parent, "a", 0).unwrap(), from.score_history(parent, "a", 0).unwrap());
    assert_eq!(to.samples(parent, SampleTexts::Whole).unwrap()[0], from.samples(parent, SampleTexts::Whole).unwrap()[0]);
    let nan = &to.sample(parent, "a", 1).unwrap().scores[0].outcome;
    assert!(matches!(nan, Outcome::Scored(value) if value.is_nan()), "{nan:?}");

    let child = to.run(&runs[1]).unwrap();
    assert_eq!((child.parent.as_ref(), child.status), (Some(parent), RunStatus::Interrupted), "whoever ran it does not run it here");
    let odd = to.metric_history(&runs[1], "odd").unwrap();
    assert!(
        odd[0].value.is_nan()
            && odd[1].value > f64::MAX
            && odd[2].value < f64::MIN
            && odd[3].value.to_bits() == f64::MIN_POSITIVE.to_bits()
    );

    // What is exported again differs in the state of the run that was going on alone.
    let (first, second) = (String::from_utf8(bundle).unwrap(), String::from_utf8(exported(&to)).unwrap());
    assert_eq!(first.replace("\"running\"", "\"interrupted\""), second);
}

#[test]
fn an_id_that_is_taken_is_refused_or_renamed() {
    let (tracker, _) = tracker();
    let runs = filled(&tracker);
    let bundle = exported(&tracker);
    assert!(matches!(import(&tracker, &bundle, OnConflict::Refuse), Err(Error::Refused(_))));
    assert_eq!(tracker.list_runs(&RunQuery::default()).unwrap().rows.len(), 2);

    let renamed = import(&tracker, &bundle, OnConflict::Rename).unwrap();
    assert!(renamed.iter().all(|id| !runs.contains(id)));
    assert_eq!(tracker.tags(&renamed[0]).unwrap()["imported_from"], runs[0].as_str());
    assert_eq!(tracker.run(&renamed[1]).unwrap().parent.as_ref(), Some(&renamed[0]), "the child follows its parent");
    assert_eq!(tracker.latest_metrics(&renamed[0]).unwrap(), tracker.latest_metrics(&runs[0]).unwrap());
}

#[test]
fn a_bundle_that_was_cut_off_or_tampered_with_leaves_nothing() {
    let ((from, _), (to, _)) = (tracker(), tracker());
    filled(&from);
    let bundle = exported(&from);
    let text = String::from_utf8(bundle.clone()).unwrap();
    let lines = text.lines().count();
    let mut bad: Vec<Vec<u8>> = (0..bundle.len()).step_by(997).map(|length| bundle[..length].to_vec()).collect();
    bad.extend([bundle[..bundle.len() - 1].to_vec(), [&bundle[..], b"\n"].concat(), [&bundle[..], &bundle[..]].concat()]);
    bad.extend((0..lines).map(|skipped| {
        text.split_inclusive('\n').enumerate().filter(|(at, _)| *at != skipped).map(|(_, line)| line).collect::<String>().into_bytes()
    }));
    bad.push(text.replace("AP8=", "AP7=").into_bytes());
    bad.push(text.replace("\"status\":\"scored\"", "\"status\":\"odd\"").into_bytes());
    bad.push(text.replace("\"repeat\":1", "\"repeat\":0").into_bytes());
    bad.push([b"\xff\n", &bundle[..]].concat());
    for bad in bad {
        let error = import(&to, &bad, OnConflict::Refuse).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. } | Error::Refused(_)), "{error}");
        assert!(to.experiments().unwrap().is_empty(), "{error}");
    }
    assert!(import(&to, &bundle, OnConflict::Refuse).is_ok());
    let newer = text.replace("\"version\":1}", "\"version\":2}").into_bytes();
    let refused = import(&to, &newer, OnConflict::Rename).unwrap_err().to_string();
    assert!(refused.contains("version 2"), "{refused}");
}
