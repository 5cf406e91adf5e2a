use jarre_agent::Outcome;
use jarre_core::{Permission, ToolOutput, ToolSpec, testing::FnTool};
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

#[test]
fn a_report_without_tests_is_not_green() {
    let mut scene = Scene::new(planned([write("x"), test(), analysis()])).with(|settings| settings.limits.attempts = 1);
    let spec = ToolSpec::new("test_run", "tests", json!({"type": "object"}), Permission::Execute);
    let empty = json!({"tests": {"passed": 0, "failed": 0, "skipped": 3, "failures": []}});
    scene.tools = scene.tools.clone().with(FnTool::new(spec, move |_, _| Ok(ToolOutput::new("ok").with_data(empty.clone()))));
    assert_eq!(scene.run().reflections().len(), 1);
}
