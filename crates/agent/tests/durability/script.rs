//! A run of a script, with effects in a folder: a plan, a call that a person allows, a wrong and a right attempt, and a reflection between them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jarre_agent::{
    Driven, Driver, Event, Journal, Outcome, Record, Rule, Run, Settings, Task, Toolbox, Verdict,
    log::{Approvals, Effects, EventLog, InDoubt, LogWriter, Once},
    memory::ReflectionMemory,
};
use jarre_core::{
    BoxFuture, ChatResponse, Error, ErrorKind, FinishReason, Message, Permission, Result, Timestamp, Tool, ToolCall, ToolContext,
    ToolOutput, ToolSpec, Usage,
    testing::{ManualClock, ScriptedModel},
};
use jarre_kv_store::{Embedded, Store};
use pollster::block_on;
use serde_json::{Value, json};

pub(crate) const RUN: &str = "run";

/// Where a run is stopped, for ever.
pub(crate) type Stop = Arc<dyn Fn(Place) + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The record of this number is to be appended, and what led to it is done.
    Before(u64),
    /// It was appended.
    After(u64),
    /// A tool has done what it does, and did not return.
    Inside(&'static str),
}

/// A store on disk with a log, and the folder that the tools act on.
pub(crate) struct Bench {
    pub(crate) log: EventLog,
    folder: PathBuf,
    clock: Arc<ManualClock>,
    stop: Stop,
}

pub(crate) fn nowhere() -> Stop {
    Arc::new(|_| {})
}

/// A folder that is quick to sync: a process that is killed leaves what the system has.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

impl Bench {
    pub(crate) fn open(folder: &Path, stop: Stop) -> Self {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(folder.join("log.kv")).unwrap());
        let clock = Arc::new(ManualClock::new());
        Self { log: EventLog::new(store, clock.clone()), folder: folder.to_owned(), clock, stop }
    }

    /// Drives the run from wherever its log is to its end.
    pub(crate) fn drive(&self) -> Run {
        let mut started = block_on(self.log.open(RUN)).ok();
        loop {
            let driven = match started.take() {
                None => {
                    let writer = Stamped::new(self, block_on(self.log.create(RUN)).unwrap());
                    let task = Task { name: "sum".into(), instructions: "make the sum right".into(), ..Task::default() };
                    block_on(self.driver(0).start(&writer, RUN, task, settings())).unwrap()
                }
                Some((writer, records)) => {
                    let run = Run::replay(&records).unwrap();
                    block_on(self.driver(answers_in(&records)).resume(&Stamped::new(self, writer), run)).unwrap()
                }
            };
            match driven {
                Driven::Ended(run) => return run,
                Driven::Paused(_) => self.answer(),
            }
            started = Some(block_on(self.log.open(RUN)).unwrap());
        }
    }

    fn answer(&self) {
        let approvals = Approvals::new(self.log.clone());
        let pending = block_on(approvals.pending(RUN)).unwrap();
        let seq = block_on(self.log.summary(RUN)).unwrap().records;
        (self.stop)(Place::Before(seq));
        self.clock.set_timestamp(at(seq));
        block_on(approvals.answer(RUN, &pending[0].request.token, jarre_agent::Decision::Approved, "maria")).unwrap();
        (self.stop)(Place::After(seq));
    }

    pub(crate) fn driver(&self, answered: usize) -> Driver {
        let model = script().into_iter().skip(answered).fold(ScriptedModel::new(), ScriptedModel::with_response);
        let effects = Effects::new(self.log.store().clone());
        let tools = Toolbox::new()
            .with(Once::new(self.tool("note"), effects.clone(), InDoubt::Refuse))
            .with(Once::new(self.tool("file_write"), effects, InDoubt::Repeat))
            .with(self.tool("test_run"));
        Driver::new(Arc::new(model), tools, self.clock.clone()).with_lessons(self.memory()).with_kept_keys([
            "note",
            "file_write",
            "test_run",
        ])
    }

    pub(crate) fn memory(&self) -> ReflectionMemory {
        ReflectionMemory::new(self.log.store().clone(), self.clock.clone())
    }

    pub(crate) fn lines(&self, run: &str) -> String {
        let mut lines = Vec::new();
        block_on(self.log.export(run, &mut lines)).unwrap();
        String::from_utf8(lines).unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    fn tool(&self, name: &'static str) -> FileTool {
        let text = json!({"type": "object", "properties": {"text": {"type": "string"}}});
        let permission = if name == "test_run" { Permission::Execute } else { Permission::Write };
        FileTool {
            spec: ToolSpec::new(name, "acts on a file", text, permission),
            folder: self.folder.clone(),
            stop: self.stop.clone(),
            name,
        }
    }
}

/// That the run went as the script has it.
pub(crate) fn assert_done(bench: &Bench, run: &Run) {
    assert_eq!(run.outcome(), Some(&Outcome::Done { answer: "the sum is right".into() }));
    assert_eq!((run.attempts(), run.reflections().len()), (2, 1));
    assert_eq!((bench.file("notes").as_str(), bench.file("sum").as_str()), ("first\n", "right"), "each effect once");
    let kept = block_on(bench.memory().all()).unwrap();
    assert_eq!(kept.iter().map(|kept| kept.seen).collect::<Vec<_>>(), [1], "one reflection, kept once");
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.rules.otherwise = Verdict::Allow;
    settings.rules.rules.push(Rule { verdict: Verdict::Ask, tool: Some("note".into()), class: None, path: None, command: None });
    settings
}

/// What the model says, answer after answer.
fn script() -> Vec<ChatResponse> {
    let text = |text: &str| ChatResponse::new(Message::assistant(text), FinishReason::Stop).with_usage(Usage::new(50, 5));
    let calls = |id: &str, calls: &[(&str, Value)]| {
        let call = |(n, (name, arguments)): (usize, &(&str, Value))| ToolCall::new(format!("{id}{n}"), *name, arguments.to_string());
        let message = calls.iter().enumerate().map(call).fold(Message::assistant("so:"), Message::with_part);
        ChatResponse::new(message, FinishReason::ToolCalls).with_usage(Usage::new(100, 10))
    };
    vec![
        text("1. note 2. write 3. test"),
        calls("a", &[("note", json!({"text": "first"})), ("file_write", json!({"text": "wrong"}))]),
        calls("b", &[("test_run", json!({}))]),
        text(r#"{"what": "the sum is wrong", "why": "I wrote it wrong", "instead": "write it right"}"#),
        text("1. write it right"),
        calls("c", &[("file_write", json!({"text": "right"}))]),
        calls("d", &[("test_run", json!({}))]),
        calls("e", &[("finish", json!({"answer": "the sum is right"}))]),
    ]
}

fn answers_in(records: &[Record]) -> usize {
    records.iter().filter(|record| matches!(record.event, Event::ModelAnswered { .. })).count()
}

fn at(seq: u64) -> Timestamp {
    Timestamp::from_unix_micros(1000 * seq as i64)
}

/// A journal whose time follows from the number of the record, and that can be stopped around each.
struct Stamped {
    writer: LogWriter,
    clock: Arc<ManualClock>,
    stop: Stop,
}

impl Stamped {
    fn new(bench: &Bench, writer: LogWriter) -> Self {
        Self { writer, clock: bench.clock.clone(), stop: bench.stop.clone() }
    }
}

impl Journal for Stamped {
    fn append(&self, event: Event) -> BoxFuture<'_, jarre_agent::Result<Record>> {
        Box::pin(async move {
            let seq = self.writer.summary().records;
            (self.stop)(Place::Before(seq));
            self.clock.set_timestamp(at(seq));
            let record = self.writer.append(event).await?;
            (self.stop)(Place::After(seq));
            Ok(record)
        })
    }
}

/// `note` adds a line, which must not happen twice; `file_write` writes a file whole and renames it; `test_run` reads that.
struct FileTool {
    spec: ToolSpec,
    name: &'static str,
    folder: PathBuf,
    stop: Stop,
}

impl FileTool {
    fn act(&self, text: &str) -> std::io::Result<ToolOutput> {
        match self.name {
            "note" => {
                let notes = fs::read_to_string(self.folder.join("notes")).unwrap_or_default();
                fs::write(self.folder.join("notes"), format!("{notes}{text}\n"))?;
                Ok(ToolOutput::new("noted").with_data(json!({"changed": false})))
            }
            "file_write" => {
                fs::write(self.folder.join("sum.new"), text)?;
                fs::rename(self.folder.join("sum.new"), self.folder.join("sum"))?;
                Ok(ToolOutput::new("written"))
            }
            _ if fs::read_to_string(self.folder.join("sum"))? == "right" => {
                Ok(ToolOutput::new("1 passed").with_data(json!({"tests": {"passed": 1, "failed": 0, "skipped": 0, "failures": []}})))
            }
            _ => {
                let failures = json!([{"name": "sum", "message": "left: wrong, right: right"}]);
                let report = json!({"tests": {"passed": 0, "failed": 1, "skipped": 0, "failures": failures}});
                Ok(ToolOutput::error("1 failed").with_data(report))
            }
        }
    }
}

impl Tool for FileTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, arguments: Value, _: &'a ToolContext) -> BoxFuture<'a, Result<ToolOutput>> {
        Box::pin(async move {
            let text = arguments["text"].as_str().unwrap_or_default();
            let output = self.act(text).map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
            (self.stop)(Place::Inside(self.name));
            Ok(output)
        })
    }
}
