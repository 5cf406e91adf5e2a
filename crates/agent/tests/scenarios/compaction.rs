use std::sync::{Arc, Mutex};

use jarre_agent::{CodecKind, Driver, Event, Purpose, Run};
use jarre_core::{BoxFuture, ChatModel, ChatRequest, ChatResponse, ModelInfo, Result, Role, testing::ScriptedModel};
use serde_json::json;

use crate::kit::{Scene, analysis, call, done, finish, plain, planned, scripted, test, text, write};

/// Sums up whenever it is asked to, and else answers by its script.
struct SumsUp(Arc<ScriptedModel>, Arc<Mutex<Vec<ChatRequest>>>);

impl ChatModel for SumsUp {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        self.1.lock().unwrap().push(request.clone());
        if sums_up(&request) {
            return Box::pin(async { Ok(plain("SUMMARY: some files were read")) });
        }
        self.0.chat(request)
    }
}

fn sums_up(request: &ChatRequest) -> bool {
    request.messages[0].text().starts_with("You sum up")
}

fn reads(at: usize) -> ChatResponse {
    call("file_read", json!({"path": format!("{at}.rs")}))
}

fn scene(model: ScriptedModel, window: usize) -> Scene {
    let scene = Scene::new(model).with(|settings| settings.limits.context_tokens = Some(window));
    for at in 0..40 {
        scene.files.lock().unwrap().insert(format!("{at}.rs"), format!("head of {at} {} tail of {at}.", "x".repeat(1_500)));
    }
    scene
}

/// Drives it to its end, and gives every request.
fn drive(scene: &Scene) -> (Run, Vec<ChatRequest>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let driver = Driver::new(Arc::new(SumsUp(scene.model.clone(), requests.clone())), scene.tools.clone(), scene.clock.clone());
    let run = scene.drive(&driver).run().clone();
    let requests = requests.lock().unwrap().clone();
    (run, requests)
}

#[test]
fn a_long_conversation_is_summed_up_and_keeps_plan_failures_and_last_results() {
    let mut answers = vec![write("almost"), test(), analysis(), plain("the second plan")];
    answers.extend((0..14).map(reads));
    answers.extend([write("right"), test(), finish()]);
    let scene = scene(planned(answers), 4_000);
    let (run, requests) = drive(&scene);
    assert_eq!((run.outcome(), run.malformed(), scene.model.replies_left()), (Some(&done()), 0, 0));

    let summed = requests.iter().rposition(sums_up).expect("it is summed up");
    let after = text(&requests[summed + 1]);
    for kept in ["SUMMARY: some files", "make lib.rs right", "the second plan", "expected right, found almost", "lib.rs says wrong"] {
        assert!(after.contains(kept), "{kept}: {after}");
    }
    assert!(!after.contains("tail of 0."), "what was summed up is gone");
    let last = requests[summed + 1].messages.last().unwrap();
    assert!(text(&ChatRequest::new([last.clone()])).contains("tail of "), "the last result is whole");
    assert!(text(&requests[summed]).contains("agent: "), "it is told what to sum up");
    let longest = requests.iter().map(|request| text(request).len()).max().unwrap();
    assert!(longest < 4_000 * 4, "{longest}");
    // Everything that was there before is still in the run.
    assert_eq!(run.steps().iter().filter(|step| step.calls[0].call.name == "file_read").count(), 14);
}

#[test]
fn older_results_are_shortened_first_without_a_model() {
    let scene = scene(planned((0..6).map(reads).chain([finish()])), 3_500);
    assert_eq!(scene.run().outcome(), Some(&done()));
    let last = scene.last_prompt();
    assert!(last.contains("bytes are left out here") && last.contains("tail of 5.") && last.contains("head of 0"), "{last}");
}

#[test]
fn it_is_the_same_in_text() {
    let action = |at: usize| plain(&format!("Thought: {}\nAction: file_read\nAction Input: {{\"path\": \"{at}.rs\"}}", "why ".repeat(120)));
    let answers = (0..14).map(action).chain([plain("Final Answer: done")]);
    let scene = scene(scripted(ScriptedModel::new().with_text("plan"), answers), 4_000).with(|settings| settings.codec = CodecKind::React);
    let (run, requests) = drive(&scene);
    assert_eq!(run.outcome(), Some(&done()));
    assert!(requests.iter().any(sums_up));
    let alternates = |request: &ChatRequest| request.messages.windows(2).all(|pair| pair[0].role != pair[1].role);
    assert!(requests.iter().all(alternates));
    assert!(requests.iter().all(|request| request.messages.last().unwrap().role == Role::User));
}

#[test]
fn a_log_with_a_summary_is_folded_like_any_other() {
    let scene = scene(planned((0..14).map(reads).chain([finish()])), 4_000);
    let (run, _) = drive(&scene);
    let records = scene.journal.records();
    let compacts = |event: &Event| matches!(event, Event::ModelCalled { purpose: Purpose::Compact, .. });
    assert!(records.iter().any(|record| compacts(&record.event)));
    let folded = Run::replay(&records).unwrap();
    assert_eq!((folded.next(), folded.steps()), (run.next(), run.steps()));
}
