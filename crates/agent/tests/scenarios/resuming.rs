use std::sync::{Arc, Mutex};

use jarre_agent::{Driven, Error, Event, Journal, Record, Result};
use jarre_core::{BoxFuture, Permission, ToolOutput, ToolSpec, testing::FnTool};
use serde_json::json;

use crate::kit::{Scene, analysis, done, finish, plain, planned, read, test, write};

/// A journal that breaks after so many events, as a process that is killed does.
struct Breaks<'a>(&'a dyn Journal, Mutex<u64>);

impl Journal for Breaks<'_> {
    fn append(&self, event: Event) -> BoxFuture<'_, Result<Record>> {
        let mut left = self.1.lock().unwrap();
        if *left == 0 {
            return Box::pin(async { Err(Error::Invalid("killed".into())) });
        }
        *left -= 1;
        self.0.append(event)
    }
}

fn whole() -> Scene {
    Scene::new(planned([read(), write("almost"), test(), analysis(), plain("p"), write("right"), test(), finish()]))
}

#[test]
fn a_run_that_is_killed_at_any_event_goes_on_to_the_same_end() {
    let scene = whole();
    scene.run();
    let expected: Vec<Event> = scene.journal.records().into_iter().map(|record| record.event).collect();
    for at in 1..expected.len() as u64 {
        let answers = whole();
        let scene = whole();
        let breaking = Breaks(&*scene.journal, Mutex::new(at));
        let task = jarre_agent::Task { name: "t".into(), instructions: "make lib.rs right".into(), ..jarre_agent::Task::default() };
        let driver = scene.driver();
        let killed = pollster::block_on(driver.start(&breaking, "run", task, scene.settings.clone()));
        assert!(killed.is_err());
        // A model that is asked again gives what it gave: the answers that were not written down are given once more.
        let answered = scene.events().iter().filter(|&&name| name == "model_answered").count();
        for _ in 0..answered {
            pollster::block_on(jarre_core::ChatModel::chat(&*answers.model, jarre_core::ChatRequest::user("x"))).unwrap();
        }
        let resumed = Scene { model: answers.model, ..scene };
        let driver = resumed.driver().with_kept_keys(["file_write", "test_run"]);
        let Driven::Ended(run) = resumed.resume(&driver) else { panic!() };
        assert_eq!(run.outcome(), Some(&done()), "killed after the event {at}");
        let events: Vec<Event> = resumed.journal.records().into_iter().map(|record| without_time(record.event)).collect();
        assert_eq!(events, expected.iter().cloned().map(without_time).collect::<Vec<_>>(), "killed after the event {at}");
    }
}

/// Requests carry a deadline, and an answer that is given twice takes its second twice.
fn without_time(event: Event) -> Event {
    match event {
        Event::ModelCalled { call, purpose, .. } => Event::ModelCalled { call, purpose, digest: String::new() },
        other => other,
    }
}

/// A run that was killed while `tool` was at work, and the calls that the tool saw.
fn killed_in(permission: Permission) -> (Scene, Arc<Mutex<Vec<String>>>) {
    let mut scene = Scene::new(planned([write("right"), test(), finish()]));
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = keys.clone();
    let spec = ToolSpec::new("file_write", "writes", json!({"type": "object"}), permission);
    scene.tools = scene.tools.clone().with(FnTool::new(spec, move |_, context| {
        seen.lock().unwrap().push(context.idempotency_key.clone());
        Ok(ToolOutput::new("written"))
    }));
    scene.files.lock().unwrap().insert("lib.rs".into(), "right".into());
    // Started, asked and answered twice, and the tool begun.
    let breaking = Breaks(&*scene.journal, Mutex::new(6));
    let driver = scene.driver();
    let task = jarre_agent::Task::default();
    assert!(pollster::block_on(driver.start(&breaking, "run", task, scene.settings.clone())).is_err());
    assert_eq!(scene.events().last(), Some(&"tool_started"));
    (scene, keys)
}

#[test]
fn what_only_reads_is_called_again() {
    let (scene, keys) = killed_in(Permission::Read);
    assert_eq!(scene.resume(&scene.driver()).run().outcome(), Some(&done()));
    let prompt = scene.prompt(2);
    assert!(prompt.contains("written") && !prompt.contains("it is not known"), "{prompt}");
    assert_eq!(keys.lock().unwrap().len(), 1, "the double keeps keys");
}

#[test]
fn what_keeps_keys_is_called_again_with_the_same_one() {
    let (scene, keys) = killed_in(Permission::Write);
    scene.resume(&scene.driver().with_kept_keys(["file_write"]));
    let keys = keys.lock().unwrap();
    // The double of a tool keeps the output of a key and does not act again.
    assert_eq!(keys.len(), 1);
    let started = scene.journal.records().into_iter().find_map(|record| match record.event {
        Event::ToolStarted { key, .. } => Some(key),
        _ => None,
    });
    assert_eq!(started.as_ref(), keys.first());
}

#[test]
fn of_what_may_have_happened_the_model_is_told() {
    let (scene, keys) = killed_in(Permission::Write);
    let driven = scene.resume(&scene.driver());
    assert_eq!((keys.lock().unwrap().len(), driven.run().outcome()), (1, Some(&done())));
    assert!(scene.prompt(2).contains("it is not known whether this call was made"));
}
