//! A run that pauses for a person, who answers from another process.

use jarre_agent::{Decision, Event};

use crate::program::{Place, has_sandbox};

/// A run that waits until a person has allowed its first edit.
pub(crate) fn place_with_a_question() -> Option<Place> {
    let place = has_sandbox().then(Place::new)?;
    let policy = place.write("policy.json", r#"{"rules": [{"verdict": "ask", "class": "write"}], "otherwise": "allow"}"#);
    let paused = place.run(["run", "--name", "careful", "--policy", &policy]);
    assert_eq!(paused.code, Some(1), "{paused:?}");
    assert!(paused.stdout.contains("paused: a person has to decide") && paused.stdout.contains("approve careful"), "{paused:?}");
    Some(place)
}

/// The token of the only call that waits.
pub(crate) fn token(place: &Place) -> String {
    let waiting = place.run(["approve", "careful"]);
    assert_eq!(waiting.code, Some(1), "somebody is waited for: {waiting:?}");
    assert!(waiting.stdout.contains("  file_edit ") && waiting.stdout.ends_with("1 waiting\n"), "{waiting:?}");
    waiting.stdout.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_person_answers_from_another_process_and_the_run_goes_on() {
    let Some(place) = place_with_a_question() else { return };
    let summary = place.summary("careful");
    let token = token(&place);
    assert_eq!((&summary["state"], &summary["tokens"][0]), (&"needs_approval".into(), &token.as_str().into()), "{summary}");
    let untouched = place.worked_on("careful", "intervals.rs");
    assert!(!untouched.contains("sort"), "nothing is written before it is allowed");
    let again = place.run(["run", "--resume", "careful"]);
    assert!(again.code == Some(1) && again.stdout.contains("paused"), "nobody has answered: {again:?}");

    place.run(["approve", "careful", "none", "yes"]).refused(2, "0 calls");
    place.run(["approve", "careful", &token, "edit"]).refused(2, "--arguments");
    place.run(["approve", "careful", &token, "edit", "--arguments", "[]"]).refused(2, "JSON object");
    let told = place.succeed(["approve", "careful", &token[..6], "yes", "--by", "ada"]).stdout;
    assert_eq!(told, "answered; `run --resume careful` goes on\n");
    place.run(["approve", "careful", &token, "no"]).refused(2, "0 calls");
    assert_eq!(place.succeed(["approve", "careful"]).stdout, "0 waiting\n");

    assert_eq!(place.run(["run", "--resume", "careful"]).code, Some(1), "the second edit is asked for");
    let second = self::token(&place);
    assert_ne!(second, token);
    let other = r#"{"path": "intervals.rs", "search": "before.1 = last", "replace": "before.1 = last.max(before.1)"}"#;
    place.succeed(["approve", "careful", &second, "edit", "--arguments", other]);
    let done = place.succeed(["run", "--resume", "careful"]).stdout;
    assert!(done.contains("\ndone: "), "{done}");
    let text = place.worked_on("careful", "intervals.rs");
    assert!(text.contains("last.max(before.1)") && !text.contains("before.1.max(last)"), "{text}");

    let answers = place.records("careful").into_iter().filter_map(|record| match record.event {
        Event::ApprovalAnswered { decision, by, .. } => Some((matches!(decision, Decision::Edited { .. }), by)),
        _ => None,
    });
    assert_eq!(answers.collect::<Vec<_>>(), [(false, "ada".to_owned()), (true, "command line".to_owned())]);
    place.succeed(["replay", "careful"]);
}

#[test]
fn what_is_denied_is_not_done_and_the_model_reads_why() {
    let Some(place) = place_with_a_question() else { return };
    place.succeed(["approve", "careful", &token(&place), "no", "--reason", "not on a Friday"]);
    // The script does not know what to do without its edit; whoever is asked next is denied at once.
    let ended = place.run(["run", "--resume", "careful", "--approve", "deny"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!place.worked_on("careful", "intervals.rs").contains("sort"));
    let reads = |record: &jarre_agent::Record| matches!(&record.event, Event::ApprovalAnswered { decision: Decision::Denied { reason }, .. } if reason == "not on a Friday");
    assert!(place.records("careful").iter().any(reads));
    place.succeed(["replay", "careful"]);
}
