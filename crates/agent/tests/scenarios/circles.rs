use jarre_agent::Outcome;

use crate::kit::{Scene, call, done, finish, plain, planned, read, scripted, test, write};

#[test]
fn a_circle_is_left_by_another_plan_or_not_at_all() {
    let scene = Scene::new(planned([read(), read(), read(), plain("another plan"), read(), read(), read()]));
    let run = scene.run();
    let Some(Outcome::Stuck { reason }) = run.outcome() else { panic!("{:?}", run.outcome()) };
    assert!(reason.contains("3 times"), "{reason}");
    assert_eq!((run.plan(), run.steps().len()), (Some("another plan"), 6));
    assert!(scene.prompt(4).contains("has had the same result 3 times"));
}

#[test]
fn another_plan_breaks_a_circle() {
    let scene = Scene::new(planned([read(), read(), read(), plain("write it"), write("right"), test(), finish()]));
    assert_eq!(scene.run().outcome(), Some(&done()));
}

#[test]
fn the_same_action_with_another_result_is_no_circle() {
    let scene = Scene::new(planned([read(), write("a"), read(), write("b"), read(), write("right"), read(), test(), finish()]));
    assert_eq!(scene.run().outcome(), Some(&done()));
}

#[test]
fn going_to_and_fro_is_a_circle() {
    let answers = (0..4).flat_map(|_| [write("a"), write("b")]).take(6).chain([plain("new plan")]);
    let scene = Scene::new(planned(answers.chain((0..6).map(|at| if at % 2 == 0 { write("a") } else { write("b") }))));
    let run = scene.run();
    assert!(matches!(run.outcome(), Some(Outcome::Stuck { .. })), "{:?}", run.outcome());
}

#[test]
fn the_threshold_is_a_setting() {
    let scene =
        Scene::new(scripted(planned([]), [read(), read(), plain("p"), read(), finish()])).with(|settings| settings.limits.repeats = 2);
    assert_eq!(scene.run().plan(), Some("p"));
    let other = |at: i32| call("file_read", serde_json::json!({"path": format!("{at}")}));
    let scene = Scene::new(planned((0..9).map(other).chain([finish()])));
    assert_eq!(scene.run().outcome(), Some(&done()), "different arguments are different actions");
}
