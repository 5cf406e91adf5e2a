//! A scripted model, a few files in memory, and tests that look at them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_agent::{Driven, Driver, Event, MemoryJournal, Outcome, Record, Run, Settings, Task, Toolbox, Verdict};
use jarre_core::{
    ChatModel, ChatRequest, ChatResponse, FinishReason, Message, ModelInfo, Permission, Result, ToolCall, ToolOutput, ToolSpec, Usage,
    future::BoxFuture,
    testing::{FnTool, ManualClock, ScriptedModel},
};
use serde_json::{Value, json};

/// The files of a run, shared with its tools.
pub(crate) type Files = Arc<Mutex<BTreeMap<String, String>>>;

/// Everything that a scenario needs.
pub(crate) struct Scene {
    pub(crate) model: Arc<ScriptedModel>,
    pub(crate) files: Files,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) settings: Settings,
    pub(crate) tools: Toolbox,
}

/// The scripted model with a clock that moves: every answer takes a second.
struct Slow(Arc<ScriptedModel>, Arc<ManualClock>);

impl ChatModel for Slow {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        self.1.advance(Duration::from_secs(1));
        self.0.chat(request)
    }
}

impl Scene {
    /// A scene in which everything is allowed.
    pub(crate) fn new(model: ScriptedModel) -> Self {
        let clock = Arc::new(ManualClock::new());
        let files = Files::default();
        files.lock().unwrap().insert("lib.rs".into(), "wrong".into());
        let mut settings = Settings::default();
        settings.rules.otherwise = Verdict::Allow;
        let journal = Arc::new(MemoryJournal::new("run", clock.clone()));
        Self { model: Arc::new(model), tools: tools(&files), files, clock, journal, settings }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    pub(crate) fn driver(&self) -> Driver {
        Driver::new(Arc::new(Slow(self.model.clone(), self.clock.clone())), self.tools.clone(), self.clock.clone())
    }

    /// Drives the run from its beginning.
    pub(crate) fn drive(&self, driver: &Driver) -> Driven {
        let task = Task { name: "t".into(), instructions: "make lib.rs right".into(), ..Task::default() };
        let reached = pollster::block_on(driver.start(&*self.journal, "run", task, self.settings.clone())).unwrap();
        self.check();
        reached
    }

    /// Drives it to its end.
    pub(crate) fn run(&self) -> Run {
        match self.drive(&self.driver()) {
            Driven::Ended(run) => run,
            Driven::Paused(run) => panic!("nobody was to be asked: {:?}", run.next()),
        }
    }

    pub(crate) fn resume(&self, driver: &Driver) -> Driven {
        let run = Run::replay(&self.journal.records()).unwrap();
        let reached = pollster::block_on(driver.resume(&*self.journal, run)).unwrap();
        self.check();
        reached
    }

    /// What holds in every scenario: the log alone gives the run, and each request keeps calls and results together.
    fn check(&self) {
        let records = self.journal.records();
        Run::replay(&records).unwrap();
        for request in self.model.requests() {
            check_pairs(&request);
        }
    }

    pub(crate) fn events(&self) -> Vec<&'static str> {
        self.journal.records().iter().map(|record| record.event.name()).collect()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.files.lock().unwrap().get(name).cloned().unwrap_or_default()
    }

    /// The text of the `at`th request, every part of it.
    pub(crate) fn prompt(&self, at: usize) -> String {
        text(&self.model.requests()[at])
    }

    pub(crate) fn last_prompt(&self) -> String {
        text(self.model.requests().last().unwrap())
    }
}

pub(crate) fn text(request: &ChatRequest) -> String {
    serde_json::to_value(&request.messages).unwrap().to_string().replace("\\n", "\n").replace("\\\"", "\"")
}

fn check_pairs(request: &ChatRequest) {
    use jarre_core::{Part, Role};
    for pair in request.messages.windows(2) {
        let asked: Vec<&str> = pair[0].tool_calls().map(|call| call.id.as_str()).collect();
        let answered: Vec<&str> = pair[1]
            .parts
            .iter()
            .filter_map(|part| if let Part::ToolResult(result) = part { Some(result.call_id.as_str()) } else { None })
            .collect();
        assert_eq!(asked, answered, "each call is followed by its result");
        assert!(pair[0].role != Role::User || pair[1].role != Role::User, "turns alternate");
    }
}

/// An answer that calls one tool.
pub(crate) fn call(name: &str, arguments: Value) -> ChatResponse {
    calls(&[(name, arguments)])
}

pub(crate) fn calls(list: &[(&str, Value)]) -> ChatResponse {
    let message = list.iter().enumerate().fold(Message::assistant("because"), |message, (at, (name, arguments))| {
        message.with_part(ToolCall::new(format!("c{at}"), *name, arguments.to_string()))
    });
    ChatResponse::new(message, FinishReason::ToolCalls).with_usage(Usage::new(100, 10))
}

pub(crate) fn write(text: &str) -> ChatResponse {
    call("file_write", json!({"path": "lib.rs", "text": text}))
}

pub(crate) fn read() -> ChatResponse {
    call("file_read", json!({"path": "lib.rs"}))
}

pub(crate) fn test() -> ChatResponse {
    call("test_run", json!({}))
}

pub(crate) fn finish() -> ChatResponse {
    call("finish", json!({"answer": "done"}))
}

pub(crate) fn done() -> Outcome {
    Outcome::Done { answer: "done".into() }
}

/// A model with a plan and these answers after it.
pub(crate) fn planned(answers: impl IntoIterator<Item = ChatResponse>) -> ScriptedModel {
    scripted(ScriptedModel::new().with_text("1. look 2. mend 3. test"), answers)
}

pub(crate) fn scripted(model: ScriptedModel, answers: impl IntoIterator<Item = ChatResponse>) -> ScriptedModel {
    answers.into_iter().fold(model, ScriptedModel::with_response)
}

fn tools(files: &Files) -> Toolbox {
    let text = json!({"type": "string"});
    let path = json!({"type": "object", "properties": {"path": text}, "required": ["path"], "additionalProperties": false});
    let both = json!({"type": "object", "properties": {"path": text, "text": text}, "required": ["path", "text"]});
    let none = json!({"type": "object", "properties": {}});
    let (reads, writes, tests) = (files.clone(), files.clone(), files.clone());
    Toolbox::new()
        .with(FnTool::new(ToolSpec::new("file_read", "reads", path, Permission::Read), move |arguments, _| {
            let files = reads.lock().unwrap();
            let found = files.get(arguments["path"].as_str().unwrap_or_default());
            Ok(found.map_or_else(|| ToolOutput::error("no such file"), ToolOutput::new))
        }))
        .with(FnTool::new(ToolSpec::new("file_write", "writes", both, Permission::Write), move |arguments, _| {
            let field = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
            writes.lock().unwrap().insert(field("path"), field("text"));
            Ok(ToolOutput::new("written"))
        }))
        .with(FnTool::new(ToolSpec::new("test_run", "tests", none, Permission::Execute), move |_, _| {
            Ok(report(&tests.lock().unwrap()["lib.rs"]))
        }))
}

/// The tests pass where the file says so.
fn report(text: &str) -> ToolOutput {
    if text == "right" {
        return ToolOutput::new("1 passed").with_data(json!({"tests": {"passed": 1, "failed": 0, "skipped": 0, "failures": []}}));
    }
    let failures = json!([{"name": "is_right", "message": format!("expected right, found {text}")}]);
    ToolOutput::new("1 failed").with_data(json!({"tests": {"passed": 0, "failed": 1, "skipped": 0, "failures": failures}}))
}

/// The analysis of a failure.
pub(crate) fn analysis() -> ChatResponse {
    let text = json!({"what": "is_right fails", "why": "lib.rs says wrong", "instead": "write right"}).to_string();
    ChatResponse::new(Message::assistant(text), FinishReason::Stop).with_usage(Usage::new(50, 20))
}

pub(crate) fn plain(text: &str) -> ChatResponse {
    ChatResponse::new(Message::assistant(text), FinishReason::Stop).with_usage(Usage::new(50, 5))
}

pub(crate) fn finished(records: &[Record]) -> usize {
    records.iter().filter(|record| matches!(record.event, Event::ToolFinished { .. })).count()
}
