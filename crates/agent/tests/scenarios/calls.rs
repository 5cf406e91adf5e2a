use jarre_agent::{CallState, CodecKind, Rule, Verdict};
use jarre_core::{Role, ToolChoice, testing::ScriptedModel};
use serde_json::json;

use crate::kit::{Scene, call, calls, done, finish, plain, planned, read, scripted, test, write};

#[test]
fn the_tool_that_is_chosen_is_called_and_its_output_is_read() {
    let scene = Scene::new(planned([read(), write("right"), test(), finish()]));
    let run = scene.run();
    assert_eq!((run.outcome(), scene.file("lib.rs").as_str()), (Some(&done()), "right"));
    assert_eq!(run.plan(), Some("1. look 2. mend 3. test"));
    let outputs: Vec<&str> = run.steps().iter().filter_map(|step| Some(step.calls[0].output.as_ref()?.text.as_str())).collect();
    assert_eq!(outputs, ["wrong", "written", "1 passed"]);
    assert_eq!((run.usage().total_tokens(), run.attempts(), run.steps()[0].thought.as_str()), (440, 1, "because"));
    // The plan is made without tools being called, the steps with them.
    let requests = scene.model.requests();
    assert_eq!(requests[0].tool_choice, ToolChoice::None);
    assert_eq!((&requests[1].tool_choice, requests[1].tools.len()), (&ToolChoice::Auto, 4));
    // Each request begins with the one before it, so that a cache of prompts serves.
    assert!(requests[2].messages.starts_with(&requests[1].messages));
}

#[test]
fn calls_of_one_answer_are_made_in_their_order() {
    let scene = Scene::new(planned([
        calls(&[("file_write", json!({"path": "lib.rs", "text": "right"})), ("file_read", json!({"path": "lib.rs"}))]),
        test(),
        finish(),
    ]));
    let run = scene.run();
    assert_eq!(run.steps()[0].calls[1].output.as_ref().unwrap().text, "right");
    assert_eq!(run.outcome(), Some(&done()));
}

#[test]
fn what_the_rules_deny_is_not_done_and_the_model_is_told() {
    let deny = Rule { verdict: Verdict::Deny, tool: Some("file_write".into()), class: None, path: None, command: None };
    let scene = Scene::new(planned([write("right"), finish()])).with(|settings| {
        settings.rules.rules.push(deny);
        settings.rules.otherwise = Verdict::Deny;
    });
    let run = scene.run();
    assert_eq!((scene.file("lib.rs").as_str(), &run.steps()[0].calls[0].state), ("wrong", &CallState::Refused));
    assert!(scene.prompt(2).contains("not made, as it is not allowed"));
    assert!(!scene.events().contains(&"tool_started"));
}

#[test]
fn a_tool_that_fails_is_told_to_the_model_and_the_run_goes_on() {
    let scene = Scene::new(planned([call("file_read", json!({"path": "nothing.rs"})), finish()]));
    let run = scene.run();
    assert!(run.steps()[0].calls[0].output.as_ref().unwrap().is_error);
    assert!(scene.prompt(2).contains("no such file"));
    assert_eq!(run.outcome(), Some(&done()));
}

#[test]
fn react_is_the_same_loop_in_text() {
    let model = ScriptedModel::new().with_text("look, then write");
    let scene = Scene::new(scripted(
        model,
        [
            plain("Thought: look\nAction: file_read\nAction Input: {\"path\": \"lib.rs\"}"),
            plain("Thought: mend\nAction: file_write\nAction Input: {'path': 'lib.rs', 'text': 'right'}"),
            plain("Action: test_run"),
            plain("Thought: good\nFinal Answer: done"),
        ],
    ))
    .with(|settings| settings.codec = CodecKind::React);
    let run = scene.run();
    assert_eq!((run.outcome(), scene.file("lib.rs").as_str()), (Some(&done()), "right"));
    let last = scene.model.requests().pop().unwrap();
    assert!(last.tools.is_empty() && last.sampling.stop == ["\nObservation:"]);
    assert!(last.messages[0].text().contains("file_write: writes"));
    let observation = last.messages.iter().rfind(|message| message.role == Role::User).unwrap().text();
    assert!(observation.starts_with("Observation: <<") && observation.contains("1 passed"), "{observation}");
}

#[test]
fn side_information_reaches_no_model() {
    let scene = Scene::new(planned([finish()]));
    let mut task = jarre_agent::Task { instructions: "nothing".into(), ..jarre_agent::Task::default() };
    task.side.insert("tenant".into(), "acme-4711".into());
    pollster::block_on(scene.driver().start(&*scene.journal, "run", task, scene.settings.clone())).unwrap();
    assert!(scene.model.requests().iter().all(|request| !serde_json::to_string(request).unwrap().contains("acme-4711")));
}
