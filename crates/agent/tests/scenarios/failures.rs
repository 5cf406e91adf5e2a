use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_agent::{Outcome, Timer};
use jarre_core::{BoxFuture, Error, ErrorKind, ModelInfo, testing::ScriptedModel};

use crate::kit::{Scene, done, finish, plain, planned, read, scripted};

/// Waits for nothing, and keeps how long it should have.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Duration>>>);

impl Timer for Notes {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // The time that is left is never up.
        if duration > Duration::from_mins(5) {
            return Box::pin(std::future::pending());
        }
        self.0.lock().unwrap().push(duration);
        Box::pin(async {})
    }
}

fn failing(kinds: &[ErrorKind]) -> ScriptedModel {
    kinds.iter().fold(planned([read()]), |model, &kind| model.with_error(Error::new(kind, "no")))
}

#[test]
fn a_model_that_is_down_for_a_while_is_asked_again() {
    let scene = Scene::new(scripted(failing(&[ErrorKind::Unavailable, ErrorKind::RateLimited, ErrorKind::Timeout]), [finish()]));
    assert_eq!(scene.run().outcome(), Some(&done()));
    assert_eq!(scene.events().iter().filter(|&&name| name == "model_failed").count(), 3);
}

#[test]
fn a_model_that_stays_down_ends_the_run() {
    let scene = Scene::new(failing(&[ErrorKind::Unavailable; 5]));
    assert_eq!(scene.run().outcome(), Some(&Outcome::Failed { reason: "no".into() }));
    assert_eq!(scene.model.replies_left(), 1, "four tries, three of them again");
}

#[test]
fn what_another_try_cannot_mend_is_not_tried_again() {
    let scene = Scene::new(failing(&[ErrorKind::Authentication; 2]));
    assert_eq!(scene.run().outcome(), Some(&Outcome::Failed { reason: "no".into() }));
    assert_eq!(scene.model.replies_left(), 1);
}

#[test]
fn tries_are_spaced_as_the_other_side_asks() {
    let slow = Error::new(ErrorKind::RateLimited, "slow").with_retry_after(Duration::from_secs(7));
    let model = failing(&[ErrorKind::Unavailable, ErrorKind::Unavailable]).with_error(slow);
    let scene = Scene::new(scripted(model, [finish()]));
    let notes = Notes::default();
    scene.drive(&scene.driver().with_timer(notes.clone()));
    assert_eq!(*notes.0.lock().unwrap(), [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(7)]);
}

#[test]
fn a_conversation_that_is_longer_than_was_thought_is_shortened() {
    let model = scripted(planned([read(), read()]).with_error(Error::new(ErrorKind::ContextLength, "too long")), [finish()]);
    let scene = Scene::new(model);
    scene.files.lock().unwrap().insert("lib.rs".into(), "long ".repeat(3_000));
    assert_eq!(scene.run().outcome(), Some(&done()));
    let requests = scene.model.requests();
    let size = |at: usize| serde_json::to_string(&requests[at]).unwrap().len();
    assert!(size(4) < size(3) * 3 / 4, "{} after {}", size(4), size(3));
}

#[test]
fn a_model_without_tools_needs_the_codec_of_text() {
    let scene = Scene::new(ScriptedModel::new().with_info(ModelInfo::new("p", "plain")).with_response(plain("x")));
    let task = jarre_agent::Task::default();
    let refused = pollster::block_on(scene.driver().start(&*scene.journal, "run", task, scene.settings.clone())).unwrap_err();
    assert!(refused.to_string().contains("set the codec `react`"));
    assert!(scene.events().is_empty());
}
