use jarre_agent::Outcome;
use jarre_core::{ChatResponse, Error, ErrorKind, Permission, Result, ToolOutput, ToolSpec, testing::FnTool};
use serde_json::json;

use crate::kit::{Scene, analysis, call, done, finish, plain, planned, read, test, write};

#[test]
fn that_it_is_done_is_not_believed_before_tests_ran() {
    let scene = Scene::new(planned([write("right"), finish(), test(), finish()]));
    let run = scene.run();
    assert_eq!((run.outcome(), run.steps().len()), (Some(&done()), 4));
    assert!(scene.prompt(3).contains("not accepted: files were changed and no test ran after that"));
}

#[test]
fn a_change_after_the_tests_has_to_be_tested() {
    let scene = Scene::new(planned([write("right"), test(), write("wrong again"), finish(), test(), analysis()])).with(|settings| {
        settings.limits.attempts = 1;
    });
    scene.run();
    assert!(scene.prompt(5).contains("no test ran after that"));
}

#[test]
fn that_it_is_done_is_not_believed_while_tests_fail_and_the_attempt_ends() {
    let scene = Scene::new(planned([test(), finish(), analysis(), plain("new plan"), write("right"), test(), finish()]));
    let run = scene.run();
    assert_eq!((run.outcome(), run.attempts(), run.reflections().len()), (Some(&done()), 2, 1));
    assert!(scene.prompt(3).contains("not accepted: the last test run failed (1 failed, 0 passed)"));
}

#[test]
fn a_question_needs_no_tests() {
    let scene = Scene::new(planned([read(), finish()]));
    assert_eq!(scene.run().outcome(), Some(&done()));
}

#[test]
fn where_tests_are_asked_for_words_do_not_replace_them() {
    let scene = Scene::new(planned([finish(), write("right"), test(), finish()])).with(|settings| settings.must_test = true);
    assert_eq!(scene.run().outcome(), Some(&done()));
    assert!(scene.prompt(2).contains("not accepted: no test ran"));
}

#[test]
fn an_agent_may_give_up_while_tests_fail() {
    let answer = call("finish", json!({"answer": "the specification contradicts itself", "gave_up": true}));
    let scene = Scene::new(planned([write("wrong"), answer]));
    let reason = "the agent gave up: the specification contradicts itself".to_owned();
    assert_eq!(scene.run().outcome(), Some(&Outcome::Stuck { reason }));
}

#[test]
fn notes_are_no_change() {
    let mut scene = Scene::new(planned([call("note", json!({})), finish()]));
    let spec = ToolSpec::new("note", "notes", json!({"type": "object"}), Permission::Write);
    scene.tools = scene.tools.clone().with(FnTool::new(spec, |_, _| Ok(ToolOutput::new("noted").with_data(json!({"changed": false})))));
    assert_eq!(scene.run().outcome(), Some(&done()));
}

/// A scene with one more tool, which does nothing but return `output`.
fn with_tool(name: &str, class: Permission, answers: Vec<ChatResponse>, output: fn() -> Result<ToolOutput>) -> Scene {
    let mut scene = Scene::new(planned(answers));
    let spec = ToolSpec::new(name, "acts", json!({"type": "object"}), class);
    scene.tools = scene.tools.clone().with(FnTool::new(spec, move |_, _| output()));
    scene
}

/// Whether a run in which tests passed, and a tool that returns `output` was called after them, ends at once.
fn is_believed_after(class: Permission, output: fn() -> Result<ToolOutput>) -> bool {
    let scene = with_tool("acts", class, vec![write("right"), test(), call("acts", json!({})), finish(), test(), finish()], output);
    let run = scene.run();
    assert_eq!(run.outcome(), Some(&done()));
    let steps = run.steps().len();
    assert!(steps == 4 || (steps == 6 && scene.prompt(5).contains("no test ran after that")));
    steps == 4
}

#[test]
fn code_that_ran_after_the_tests_may_have_changed_what_they_tested() {
    assert!(!is_believed_after(Permission::Execute, || Ok(ToolOutput::new("exit code 0"))));
    assert!(!is_believed_after(Permission::Execute, || Ok(ToolOutput::error("exit code 1").with_data(json!({"changed": true})))));
    assert!(is_believed_after(Permission::Execute, || Ok(ToolOutput::new("exit code 0").with_data(json!({"changed": false})))));
    assert!(is_believed_after(Permission::Read, || Ok(ToolOutput::new("read"))));
}

#[test]
fn a_call_that_may_have_acted_before_it_failed_has_to_be_tested() {
    for class in [Permission::Write, Permission::Execute] {
        assert!(!is_believed_after(class, || Err(Error::new(ErrorKind::Timeout, "it took too long"))));
        assert!(!is_believed_after(class, || Ok(ToolOutput::error("who knows").with_data(json!({"in_doubt": true})))));
        assert!(is_believed_after(class, || Err(Error::new(ErrorKind::InvalidRequest, "the arguments do not fit"))));
        assert!(is_believed_after(class, || Ok(ToolOutput::error("no such text").with_data(json!({"changed": false})))));
    }
}

#[test]
fn only_the_tool_that_runs_tests_says_that_they_passed() {
    let green = || Ok(ToolOutput::new("ok").with_data(json!({"tests": {"passed": 9, "failed": 0, "skipped": 0, "failures": []}})));
    for class in [Permission::Read, Permission::Network, Permission::Execute] {
        let scene = with_tool("remote", class, vec![write("right"), call("remote", json!({})), finish(), test(), finish()], green);
        let run = scene.run();
        assert_eq!((run.outcome(), run.steps().len()), (Some(&done()), 5), "{class:?}");
    }
}

#[test]
fn code_is_no_attempt_unless_it_says_that_it_changed_something() {
    let look = || call("acts", json!({}));
    let scene = with_tool("acts", Permission::Execute, vec![look(), test(), write("right"), test(), finish()], || Ok(ToolOutput::new("x")));
    assert_eq!(scene.run().attempts(), 1);
    let changed = || Ok(ToolOutput::new("x").with_data(json!({"changed": true})));
    let answers = vec![look(), test(), analysis(), plain("new plan"), write("right"), test(), finish()];
    assert_eq!(with_tool("acts", Permission::Execute, answers, changed).run().attempts(), 2);
}

#[test]
fn a_report_without_tests_is_not_green() {
    let mut scene = Scene::new(planned([write("x"), test(), analysis()])).with(|settings| settings.limits.attempts = 1);
    let spec = ToolSpec::new("test_run", "tests", json!({"type": "object"}), Permission::Execute);
    let empty = json!({"tests": {"passed": 0, "failed": 0, "skipped": 3, "failures": []}});
    scene.tools = scene.tools.clone().with(FnTool::new(spec, move |_, _| Ok(ToolOutput::new("ok").with_data(empty.clone()))));
    assert_eq!(scene.run().reflections().len(), 1);
}
