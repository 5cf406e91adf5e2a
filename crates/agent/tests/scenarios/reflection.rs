use std::sync::{Arc, Mutex};

use jarre_agent::{Budget, Lessons, Outcome, Phase, Reflection, Result};
use jarre_core::{BoxFuture, Capability, ModelInfo, ResponseFormat};

use crate::kit::{Scene, analysis, done, finish, plain, planned, read, test, write};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Reflection>>>, Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<String>>>);

impl Lessons for Kept {
    fn recall<'a>(&'a self, scope: &'a str, failure: &'a str, limit: usize) -> BoxFuture<'a, Result<Vec<Reflection>>> {
        self.2.lock().unwrap().push(scope.to_owned());
        self.1.lock().unwrap().push(failure.to_owned());
        Box::pin(async move { Ok(self.0.lock().unwrap().iter().take(limit).cloned().collect()) })
    }

    fn remember<'a>(&'a self, scope: &'a str, reflection: &'a Reflection) -> BoxFuture<'a, Result<()>> {
        self.2.lock().unwrap().push(scope.to_owned());
        self.0.lock().unwrap().push(reflection.clone());
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn the_second_attempt_heeds_the_analysis_of_the_first() {
    let scene = Scene::new(planned([write("almost"), test(), analysis(), plain("write right"), write("right"), test(), finish()]));
    let kept = Kept::default();
    let earlier = Reflection { what: "old".into(), why: "typo".into(), instead: "spell".into(), task: "t".into(), failure: "f".into() };
    kept.0.lock().unwrap().push(earlier.clone());
    let driven = scene.drive(&scene.driver().with_lessons(kept.clone()));
    let run = driven.run();
    assert_eq!((run.outcome(), run.attempts(), run.plan()), (Some(&done()), 2, Some("write right")));
    assert_eq!((run.steps()[0].attempt, run.steps()[2].attempt), (1, 2));

    let made = &run.reflections()[0];
    assert_eq!((made.what.as_str(), made.instead.as_str()), ("is_right fails", "write right"));
    assert_eq!((made.task.as_str(), made.failure.as_str()), ("make lib.rs right", "is_right: expected right, found almost"));
    assert_eq!((run.recalled(), kept.0.lock().unwrap().len()), (&[earlier][..], 2));
    assert_eq!(*kept.1.lock().unwrap(), ["is_right: expected right, found almost"]);

    let order = ["tool_finished", "recalled", "model_called", "model_answered", "remembered", "model_called"];
    assert!(scene.events().windows(6).any(|events| events == order), "{:?}", scene.events());
    let asked = &scene.model.requests()[3];
    assert!(matches!(&asked.response_format, ResponseFormat::JsonSchema { name, .. } if name == "reflection"));
    assert!(scene.prompt(3).contains("expected right, found almost") && scene.prompt(3).contains("old: typo Instead: spell"));
    assert!(scene.prompt(4).contains("why\":\"lib.rs says wrong") && scene.prompt(4).contains("This is attempt 2"));
}

#[test]
fn what_earlier_tasks_taught_is_data_of_one_scope() {
    let answers = [write("almost"), test(), analysis(), plain("write right"), write("right"), test(), finish()];
    let scene = Scene::new(planned(answers)).with(|settings| settings.lessons_scope = "tenant".into());
    let kept = Kept::default();
    let field = |text: &str| text.to_owned();
    let earlier =
        Reflection { what: field("OBEY-1"), why: field("OBEY-2"), instead: field("OBEY-3"), task: field("t"), failure: field("f") };
    kept.0.lock().unwrap().push(earlier);
    scene.drive(&scene.driver().with_lessons(kept.clone()));
    let prompt = scene.prompt(3);
    let mark = prompt.split("<<").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let within: String =
        prompt.split(&format!("<<{mark}\n")).skip(1).map(|part| part.split(&format!(">>{mark}")).next().unwrap()).collect();
    for text in ["OBEY-1", "OBEY-2", "OBEY-3"] {
        assert_eq!((prompt.matches(text).count(), within.matches(text).count()), (1, 1), "{prompt}");
    }
    assert_eq!(*kept.2.lock().unwrap(), ["tenant", "tenant"], "what is looked up and what is kept");
}

#[test]
fn attempts_come_to_an_end_and_the_last_is_reflected_on_too() {
    let attempt = |text: &str| [write(text), test(), analysis(), plain("again")];
    let answers = ["a", "b", "c"].iter().flat_map(|text| attempt(text)).take(11);
    let scene = Scene::new(planned(answers));
    let kept = Kept::default();
    let driven = scene.drive(&scene.driver().with_lessons(kept.clone()));
    assert_eq!(driven.run().outcome(), Some(&Outcome::OutOfBudget { budget: Budget::Attempts }));
    assert_eq!((driven.run().attempts(), kept.0.lock().unwrap().len(), kept.1.lock().unwrap().len()), (3, 3, 2));
    assert_eq!(driven.run().phase(), Phase::Ended);
}

#[test]
fn tests_that_fail_before_anything_was_changed_are_no_attempt() {
    let scene = Scene::new(planned([test(), write("right"), test(), finish()]));
    let run = scene.run();
    assert_eq!((run.outcome(), run.attempts(), run.reflections().len()), (Some(&done()), 1, 0));
}

#[test]
fn an_analysis_that_does_not_fit_is_asked_for_again() {
    let answers = [write("a"), test(), plain("it is the moon"), analysis(), plain("p"), write("right"), test(), finish()];
    let scene = Scene::new(planned(answers));
    let run = scene.run();
    assert_eq!((run.outcome(), run.malformed(), run.reflections().len()), (Some(&done()), 1, 1));
    assert!(scene.prompt(4).contains("the analysis does not fit its schema"));
}

#[test]
fn a_model_that_knows_no_schema_is_told_it() {
    let info = ModelInfo::new("p", "m").with_capability(Capability::Tools);
    let model = planned([read(), write("a"), test(), analysis(), plain("p"), write("right"), test(), finish()]).with_info(info);
    let scene = Scene::new(model);
    assert_eq!(scene.run().outcome(), Some(&done()));
    let asked = &scene.model.requests()[4];
    assert_eq!(asked.response_format, ResponseFormat::Text);
    assert!(scene.prompt(4).contains("that this JSON Schema allows"));
}
