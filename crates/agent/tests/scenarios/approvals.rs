use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_agent::{
    Action, ApprovalRequest, ApprovalSource, Decision, DenyAll, Driven, Event, Journal, MemoryJournal, Phase, Record, Reply, Result, Run,
    Task, Verdict,
};
use jarre_core::BoxFuture;
use serde_json::json;

use crate::kit::{Scene, calls, done, finish, finished, planned, read, test, write};

/// Answers with what it was given, and keeps what it was asked.
#[derive(Default)]
struct Says(Mutex<Vec<Decision>>, Mutex<Vec<ApprovalRequest>>);

impl ApprovalSource for Says {
    fn ask<'a>(&'a self, request: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>> {
        self.1.lock().unwrap().push(request.clone());
        let decision = self.0.lock().unwrap().remove(0);
        Box::pin(async { Ok(Reply::Decided { decision, by: "ada".into() }) })
    }
}

struct Shared(Arc<Says>);

impl ApprovalSource for Shared {
    fn ask<'a>(&'a self, request: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>> {
        self.0.ask(request)
    }
}

fn asking(answers: impl IntoIterator<Item = jarre_core::ChatResponse>) -> Scene {
    Scene::new(planned(answers)).with(|settings| settings.rules.otherwise = Verdict::Ask)
}

fn says(decisions: impl IntoIterator<Item = Decision>) -> Says {
    Says(Mutex::new(decisions.into_iter().collect()), Mutex::default())
}

#[test]
fn what_is_approved_is_done() {
    let scene = asking([write("right"), test(), finish()]);
    let driver = scene.driver().with_approvals(says([Decision::Approved, Decision::Approved]));
    let Driven::Ended(run) = scene.drive(&driver) else { panic!() };
    assert_eq!((run.outcome(), scene.file("lib.rs").as_str()), (Some(&done()), "right"));
    assert_eq!(run.steps()[0].calls[0].decided_by.as_deref(), Some("ada"));
    let first = ["model_answered", "approval_asked", "approval_answered", "tool_started", "tool_finished"];
    assert!(scene.events().windows(5).any(|events| events == first));
}

#[test]
fn what_is_denied_is_not_done_and_the_model_reads_why() {
    let scene = asking([write("right"), finish()]);
    let driver = scene.driver().with_approvals(says([Decision::Denied { reason: "not on a Friday".into() }]));
    let Driven::Ended(run) = scene.drive(&driver) else { panic!() };
    assert_eq!((scene.file("lib.rs").as_str(), run.outcome()), ("wrong", Some(&done())));
    assert!(scene.last_prompt().contains("as ada did not allow it: not on a Friday"));
    assert!(!scene.events().contains(&"tool_started"));
}

#[test]
fn what_is_edited_is_done_as_it_was_edited() {
    let scene = asking([write("rm -rf"), test(), finish()]);
    let edited = Decision::Edited { arguments: json!({"path": "lib.rs", "text": "right"}).to_string() };
    let driver = scene.driver().with_approvals(says([edited, Decision::Approved]));
    assert_eq!(scene.drive(&driver).run().outcome(), Some(&done()));
    assert_eq!(scene.file("lib.rs"), "right");
}

#[test]
fn an_edit_that_does_not_fit_is_not_done() {
    let scene = asking([write("right"), finish()]);
    let driver = scene.driver().with_approvals(says([Decision::Edited { arguments: json!({"path": 3}).to_string() }]));
    scene.drive(&driver);
    assert_eq!(scene.file("lib.rs"), "wrong");
    assert!(scene.last_prompt().contains("allowed with other arguments"));
}

#[test]
fn each_call_of_an_answer_is_asked_for_by_its_own_token() {
    let write = |text: &str| ("file_write", json!({"path": "lib.rs", "text": text}));
    let scene = asking([calls(&[write("a"), write("a"), write("right")]), test(), finish()]);
    let decisions = [Decision::Approved, Decision::Denied { reason: "no".into() }, Decision::Approved, Decision::Approved];
    let source = Arc::new(says(decisions));
    let driver = scene.driver().with_approvals(Shared(source.clone()));
    let run = scene.drive(&driver).run().clone();
    let tokens: BTreeSet<String> = source.1.lock().unwrap().iter().map(|request| request.token.as_str().to_owned()).collect();
    assert_eq!((tokens.len(), finished(&scene.journal.records())), (4, 3));
    assert!(run.steps()[0].calls[1].output.as_ref().unwrap().text.contains("ada did not allow it: no"));
}

#[test]
fn a_run_pauses_and_goes_on_once_another_has_answered() {
    let scene = asking([write("right"), test(), finish()]);
    let Driven::Paused(run) = scene.drive(&scene.driver()) else { panic!("it pauses") };
    assert_eq!((run.phase(), scene.file("lib.rs").as_str()), (Phase::NeedsApproval, "wrong"));
    let Action::AskHuman(requests) = run.next() else { panic!() };
    // A driver that looks again finds it as it was, and writes nothing.
    let before = scene.journal.records();
    assert!(matches!(scene.resume(&scene.driver()), Driven::Paused(_)));
    assert_eq!(scene.journal.records(), before);

    // Nine hours later, somewhere else.
    scene.clock.advance(Duration::from_hours(9));
    let answer = Event::ApprovalAnswered { token: requests[0].token.clone(), decision: Decision::Approved, by: "bob".into() };
    pollster::block_on(scene.journal.append(answer)).unwrap();
    // And nobody goes on before the next day.
    scene.clock.advance(Duration::from_hours(12));
    let driver = scene.driver().with_approvals(says([Decision::Approved]));
    let Driven::Ended(run) = scene.resume(&driver) else { panic!() };
    assert_eq!((run.outcome(), scene.file("lib.rs").as_str()), (Some(&done()), "right"), "waiting for people costs no time of the run");
}

/// A log in which someone else answers the second of two calls just before the first answer is written.
struct Overtaken(Arc<MemoryJournal>, Mutex<Option<Event>>);

impl Journal for Overtaken {
    fn append(&self, event: Event) -> BoxFuture<'_, Result<Record>> {
        let mut other = self.1.lock().unwrap();
        let event = match &event {
            Event::ApprovalAsked { requests } if requests.len() > 1 => {
                let (token, decision) = (requests[1].token.clone(), Decision::Denied { reason: "not twice".into() });
                *other = Some(Event::ApprovalAnswered { token, decision, by: "bob".into() });
                event
            }
            Event::ApprovalAnswered { .. } => other.take().unwrap_or(event),
            _ => event,
        };
        self.0.append(event)
    }
}

#[test]
fn an_answer_that_another_got_ahead_of_is_not_lost() {
    let write = |text: &str| ("file_write", json!({"path": "lib.rs", "text": text}));
    let scene = asking([calls(&[write("right"), write("wrong again")]), test(), finish()]);
    let source = Arc::new(says([Decision::Approved, Decision::Approved]));
    let driver = scene.driver().with_approvals(Shared(source.clone()));
    let journal = Overtaken(scene.journal.clone(), Mutex::default());
    let reached = pollster::block_on(driver.start(&journal, "run", Task::default(), scene.settings.clone())).unwrap();
    assert_eq!((reached.run().outcome(), scene.file("lib.rs").as_str()), (Some(&done()), "right"));
    assert_eq!(source.1.lock().unwrap().len(), 2, "what was answered is not asked again");
    let run = Run::replay(&scene.journal.records()).unwrap();
    let decided: Vec<_> = run.steps()[0].calls.iter().map(|call| call.decided_by.as_deref()).collect();
    assert_eq!(decided, [Some("ada"), Some("bob")]);
}

#[test]
fn an_approval_of_another_call_is_refused() {
    let scene = asking([write("right")]);
    let Driven::Paused(mut run) = scene.drive(&scene.driver()) else { panic!("it pauses") };
    let token = jarre_agent::ApprovalToken::of("run", 7, &jarre_core::ToolCall::new("c0", "file_write", "{}"));
    let event = Event::ApprovalAnswered { token, decision: Decision::Approved, by: "eve".into() };
    let record = pollster::block_on(scene.journal.append(event)).unwrap();
    let refused = run.apply(&record).unwrap_err().to_string();
    assert!(refused.contains("approval_answered") && refused.contains("no call waits"), "{refused}");
    assert!(Run::replay(&scene.journal.records()).is_err());
}

#[test]
fn where_nobody_can_be_asked_nothing_that_has_to_be_is_done() {
    let scene = asking([read(), write("right"), finish()]);
    scene.drive(&scene.driver().with_approvals(DenyAll));
    assert_eq!(scene.file("lib.rs"), "wrong");
}
