use std::time::Duration;

use jarre_agent::{Budget, Outcome, Run, Settings};
use jarre_core::{Cost, ModelInfo, Price, testing::ScriptedModel};
use serde_json::json;

use crate::kit::{Scene, call, done, finish, planned, read, test, write};

fn ended(scene: &Scene, budget: Budget) -> Run {
    let run = scene.run();
    assert_eq!(run.outcome(), Some(&Outcome::OutOfBudget { budget }));
    run
}

fn many() -> ScriptedModel {
    planned((0..20).map(|at| call("file_read", json!({"path": format!("{at}")}))))
}

fn limited(limit: impl FnOnce(&mut Settings)) -> Scene {
    Scene::new(many()).with(limit)
}

#[test]
fn steps() {
    let scene = limited(|settings| settings.limits.steps = 3);
    let run = ended(&scene, Budget::Steps);
    assert_eq!(run.steps().len(), 3);
    assert!(run.steps()[2].calls[0].output.is_some(), "what the last step asked for is done");
}

#[test]
fn the_last_step_may_be_the_end() {
    let scene = Scene::new(planned([read(), finish()])).with(|settings| settings.limits.steps = 2);
    assert_eq!(scene.run().outcome(), Some(&done()));
}

#[test]
fn tokens() {
    let scene = limited(|settings| settings.limits.tokens = 250);
    let run = ended(&scene, Budget::Tokens);
    assert_eq!(run.usage().total_tokens(), 330);
    assert!(run.steps()[2].calls[0].output.is_none(), "nothing is done any more");
}

#[test]
fn cost() {
    let price = Price::per_million(Cost::from_micros(1_000_000), Cost::from_micros(2_000_000));
    let info = ModelInfo::new("p", "m").with_capability(jarre_core::Capability::Tools).with_price(price);
    let scene = Scene::new(many().with_info(info)).with(|settings| settings.limits.cost = Some(Cost::from_micros(300)));
    let run = ended(&scene, Budget::Cost);
    assert_eq!(run.cost(), Cost::from_micros(360));
}

#[test]
fn wall_time() {
    let scene = limited(|settings| settings.limits.wall = Duration::from_secs(5));
    let run = ended(&scene, Budget::Wall);
    assert_eq!(run.steps().len(), 4, "an answer takes a second, and the plan is one");
    assert_eq!(scene.model.requests()[0].deadline, Some(run.deadline()));
}

#[test]
fn calls_of_one_tool() {
    let scene = Scene::new(planned([test(), test(), read(), test()])).with(|settings| {
        settings.limits.tool_calls.insert("test_run".into(), 1);
    });
    let run = ended(&scene, Budget::Tool { name: "test_run".into() });
    assert!(scene.prompt(3).contains("the 1 calls of `test_run` that this run has are used up"), "it is told once");
    assert_eq!(run.steps().len(), 4);
}

#[test]
fn nothing_at_all() {
    for limit in [|settings: &mut Settings| settings.limits.tokens = 0, |settings: &mut Settings| settings.limits.steps = 0] {
        let scene = limited(limit);
        assert!(matches!(scene.run().outcome(), Some(Outcome::OutOfBudget { .. })));
        assert_eq!(scene.model.requests().len(), 0);
    }
    let scene = limited(|settings| settings.limits.wall = Duration::MAX);
    assert!(matches!(scene.run().outcome(), Some(Outcome::Failed { .. })), "the script ends first");
    let scene = Scene::new(planned([write("x"), test()])).with(|settings| settings.limits.attempts = 0);
    assert!(matches!(scene.run().outcome(), Some(Outcome::Failed { .. })), "no attempts are one attempt, whose analysis the script lacks");
}
