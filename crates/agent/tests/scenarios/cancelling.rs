use std::sync::Arc;

use jarre_agent::{ApprovalRequest, ApprovalSource, Cancel, Driven, Driver, Outcome, Record, Reply, Result, Run, ThreadTimer, Verdict};
use jarre_core::{BoxFuture, ChatModel, ChatRequest, ChatResponse, ModelInfo, Permission, Tool, ToolContext, ToolOutput, ToolSpec};
use serde_json::{Value, json};

use crate::kit::{Scene, analysis, done, finish, planned, read, test, write};

fn cancelled() -> Outcome {
    Outcome::Cancelled { reason: "enough".into() }
}

fn ended(reached: &Driven) -> &Run {
    let Driven::Ended(run) = reached else { panic!("it ended") };
    run
}

/// Never answers.
struct Silent(ModelInfo);

impl ChatModel for Silent {
    fn info(&self) -> &ModelInfo {
        &self.0
    }

    fn chat(&self, _: ChatRequest) -> BoxFuture<'_, jarre_core::Result<ChatResponse>> {
        Box::pin(std::future::pending())
    }
}

/// Never returns.
struct Hangs(ToolSpec);

impl Tool for Hangs {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn call<'a>(&'a self, _: Value, _: &'a ToolContext) -> BoxFuture<'a, jarre_core::Result<ToolOutput>> {
        Box::pin(std::future::pending())
    }
}

/// Never says what it thinks.
struct Never;

impl ApprovalSource for Never {
    fn ask<'a>(&'a self, _: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(std::future::pending())
    }
}

/// Moves the clock of the test, which stands still, once a wait is over.
struct Moves(Arc<jarre_core::testing::ManualClock>);

impl jarre_agent::Timer for Moves {
    fn sleep(&self, duration: std::time::Duration) -> BoxFuture<'static, ()> {
        let clock = self.0.clone();
        let sleep = ThreadTimer.sleep(std::time::Duration::from_millis(1));
        Box::pin(async move {
            sleep.await;
            clock.advance(duration);
        })
    }
}

/// Asks for the end as soon as an event of this name was written.
fn cancel_at(driver: Driver, name: &'static str) -> Driver {
    let cancel = Cancel::new();
    let handle = cancel.clone();
    driver.with_cancel(cancel).with_observer(move |record: &Record| {
        if record.event.name() == name {
            handle.cancel("enough");
        }
    })
}

#[test]
fn at_every_point_of_a_run() {
    let whole = || Scene::new(planned([read(), write("x"), test(), analysis(), read(), write("right"), test(), finish()]));
    let scene = whole();
    scene.run();
    // The last answer is the end; what is decided stays so.
    for at in 0..scene.events().len() as u64 - 3 {
        let scene = whole();
        let cancel = Cancel::new();
        let handle = cancel.clone();
        let stop = move |record: &Record| {
            if record.seq == at {
                handle.cancel("enough");
            }
        };
        let reached = scene.drive(&scene.driver().with_cancel(cancel).with_observer(stop));
        let run = ended(&reached);
        assert_eq!(run.outcome(), Some(&cancelled()), "after the event {at}");
        // What was begun is seen through where it is at its end already; nothing is begun.
        assert!(scene.events().len() as u64 <= at + 4, "{:?}", scene.events());
        assert!(scene.events().ends_with(&["cancelled", "finished"]));
    }
}

#[test]
fn while_a_model_is_silent() {
    let scene = Scene::new(planned([]));
    let model = Silent(ModelInfo::new("p", "silent").with_capability(jarre_core::Capability::Tools));
    let driver = Driver::new(Arc::new(model), scene.tools.clone(), scene.clock.clone());
    let reached = scene.drive(&cancel_at(driver, "model_called"));
    assert_eq!(ended(&reached).outcome(), Some(&cancelled()));
}

#[test]
fn from_another_thread_while_a_tool_hangs() {
    let mut scene = Scene::new(planned([read()]));
    scene.tools = scene.tools.clone().with(Hangs(ToolSpec::new("file_read", "hangs", json!({"type": "object"}), Permission::Read)));
    let cancel = Cancel::new();
    let (handle, (send, begun)) = (cancel.clone(), std::sync::mpsc::channel());
    let driver = scene.driver().with_cancel(cancel).with_observer(move |record: &Record| {
        if record.event.name() == "tool_started" {
            send.send(()).unwrap();
        }
    });
    let other = std::thread::spawn(move || {
        begun.recv().unwrap();
        handle.cancel("enough");
    });
    let reached = scene.drive(&driver);
    other.join().unwrap();
    let run = ended(&reached);
    assert_eq!(
        (run.outcome(), run.plan(), run.steps().len()),
        (Some(&cancelled()), Some("1. look 2. mend 3. test"), 1),
        "what it had stays"
    );
}

#[test]
fn what_outlasts_the_time_of_the_run_is_given_up() {
    let mut scene = Scene::new(planned([read()])).with(|settings| settings.limits.wall = std::time::Duration::from_millis(3_005));
    scene.tools = scene.tools.clone().with(Hangs(ToolSpec::new("file_read", "hangs", json!({"type": "object"}), Permission::Read)));
    let clock = scene.clock.clone();
    let reached = scene.drive(&scene.driver().with_timer(Moves(clock)));
    let run = ended(&reached);
    assert_eq!(run.outcome(), Some(&Outcome::OutOfBudget { budget: jarre_agent::Budget::Wall }));
    assert!(run.steps()[0].calls[0].output.as_ref().unwrap().text.contains("did not return within the time of the run"));
}

#[test]
fn while_people_are_asked() {
    let scene = Scene::new(planned([write("x")])).with(|settings| settings.rules.otherwise = Verdict::Ask);
    let reached = scene.drive(&cancel_at(scene.driver().with_approvals(Never), "approval_asked"));
    assert_eq!((ended(&reached).outcome(), scene.file("lib.rs").as_str()), (Some(&cancelled()), "wrong"));
}

#[test]
fn what_is_decided_stays_so() {
    let scene = Scene::new(planned([finish()]));
    let cancel = Cancel::new();
    let handle = cancel.clone();
    let late = move |record: &Record| {
        if record.seq == 4 {
            handle.cancel("too late");
        }
    };
    let reached = scene.drive(&scene.driver().with_cancel(cancel).with_observer(late));
    assert_eq!(ended(&reached).outcome(), Some(&done()));
}
