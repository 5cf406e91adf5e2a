use jarre_agent::{Budget, CodecKind, Outcome};
use jarre_core::{ChatResponse, FinishReason, Message, ToolCall, testing::ScriptedModel};
use serde_json::json;

use crate::kit::{Scene, call, calls, done, finish, plain, planned, read, scripted};

#[test]
fn an_answer_that_cannot_be_read_is_answered_with_what_is_wrong() {
    let scene = Scene::new(planned([plain("I would read the file"), read(), finish()]));
    let run = scene.run();
    assert_eq!((run.outcome(), run.malformed()), (Some(&done()), 1));
    assert!(scene.prompt(2).contains("the answer calls no tool"));
    assert!(run.steps()[0].malformed.as_ref().unwrap().contains("calls no tool"));
    assert_eq!(run.usage().total_tokens(), 55 + 110 + 110, "it is charged");
}

#[test]
fn a_model_that_is_always_malformed_is_given_up() {
    let scene = Scene::new(planned([plain("no"), plain("no"), plain("no")]));
    let run = scene.run();
    assert_eq!(run.outcome(), Some(&Outcome::OutOfBudget { budget: Budget::Malformed }));
    assert_eq!((run.malformed(), scene.model.replies_left()), (3, 0));
}

#[test]
fn only_failures_in_a_row_count() {
    let no = || plain("no");
    let scene = Scene::new(planned([no(), no(), read(), no(), no(), finish()]));
    assert_eq!(scene.run().outcome(), Some(&done()));
}

#[test]
fn a_tool_that_does_not_exist_is_told_with_those_that_do() {
    let scene = Scene::new(planned([call("shell", json!({"command": "ls"})), finish()]));
    scene.run();
    let told = scene.last_prompt();
    assert!(told.contains("there is no tool `shell`, the tools are `file_read`, `file_write`, `test_run`, `finish`"), "{told}");
}

#[test]
fn arguments_that_do_not_fit_are_told_and_nothing_of_the_answer_is_done() {
    let wrong = calls(&[("file_write", json!({"path": "lib.rs", "text": "x"})), ("file_read", json!({"file": "lib.rs"}))]);
    let scene = Scene::new(planned([wrong, finish()]));
    scene.run();
    assert_eq!(scene.file("lib.rs"), "wrong");
    let told = scene.last_prompt();
    assert!(told.contains("the arguments of `file_read` do not fit") && told.contains("another call of the same answer"), "{told}");
}

#[test]
fn arguments_that_are_nearly_json_are_mended() {
    let message = Message::assistant("").with_part(ToolCall::new("c", "file_read", "{path: 'lib.rs',}"));
    let scene = Scene::new(planned([ChatResponse::new(message, FinishReason::ToolCalls), finish()]));
    let run = scene.run();
    assert_eq!((run.malformed(), run.steps()[0].calls[0].call.arguments.as_str()), (0, r#"{"path":"lib.rs"}"#));
}

#[test]
fn half_a_file_is_not_written() {
    let message = Message::assistant("").with_part(ToolCall::new("c", "file_write", r#"{"path": "lib.rs", "text": "fn ma"#));
    let scene = Scene::new(planned([ChatResponse::new(message, FinishReason::Length), finish()]));
    let run = scene.run();
    assert_eq!((scene.file("lib.rs").as_str(), run.malformed()), ("wrong", 1));
    let last = scene.model.requests().pop().unwrap();
    let kept = last.messages.iter().flat_map(Message::tool_calls).next().unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&kept.arguments).is_ok(), "providers take no arguments back that are no JSON");
}

#[test]
fn several_actions_and_none_are_told_in_text_too() {
    let twice = "Action: file_read\nAction Input: {\"path\": \"a\"}\nAction: file_read\nAction Input: {\"path\": \"b\"}";
    let model = ScriptedModel::new().with_text("plan");
    let scene = Scene::new(scripted(model, [plain(twice), plain("hm"), plain("Final Answer: done")]))
        .with(|settings| settings.codec = CodecKind::React);
    let run = scene.run();
    assert_eq!((run.malformed(), run.outcome()), (2, Some(&done())));
    assert!(scene.prompt(2).contains("the answer has 2 actions") && scene.prompt(3).contains("the answer has no action"));
}

#[test]
fn a_plan_without_text_is_asked_for_again() {
    let scene = Scene::new(scripted(ScriptedModel::new(), [read(), finish()]));
    let run = scene.run();
    assert_eq!((run.plan(), run.malformed()), (Some("because"), 0), "what is said beside a call is a plan");
    let scene = Scene::new(scripted(ScriptedModel::new(), [plain(" "), plain("the plan"), finish()]));
    let run = scene.run();
    assert_eq!((run.plan(), run.malformed()), (Some("the plan"), 1));
    assert!(!scene.last_prompt().contains("the answer has no text"), "it is forgotten once it is mended");
}
