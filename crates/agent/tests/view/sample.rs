//! A made-up run that fails once: records as a program would write them.

use std::time::Duration;

use jarre_agent::{
    ApprovalRequest, ApprovalToken, Decision, Event, Outcome, Purpose, Record, Reflection, SCHEMA, Settings, Task, TestFailure, TestReport,
};
use jarre_core::{
    ChatResponse, Cost, FinishReason, Message, ModelInfo, Part, Permission, Timestamp, ToolCall, ToolOutput, ToolSpec, Usage,
};
use serde_json::{Value, json};

/// Writes records, each bound to the one before it.
#[derive(Debug)]
pub(crate) struct Log {
    run: String,
    at: Timestamp,
    pub(crate) records: Vec<Record>,
    calls: u64,
}

/// When runs begin.
#[allow(dead_code, reason = "the example's begin when it does")]
pub(crate) const START: Timestamp = Timestamp::from_unix_micros(1_790_000_000_000_000);

const FILE: &str = "src/lib.rs";

impl Log {
    pub(crate) fn new(run: &str, start: Timestamp) -> Self {
        Self { run: run.to_owned(), at: start, records: Vec::new(), calls: 0 }
    }

    pub(crate) fn push(&mut self, after: Duration, event: Event) {
        self.at = self.at.saturating_add(after);
        let previous = self.records.last().map_or_else(|| Record::root(&self.run), Record::digest);
        self.records.push(Record { schema: SCHEMA, seq: self.records.len() as u64, at: self.at, previous, event });
    }

    pub(crate) fn start(&mut self, name: &str, instructions: &str) {
        let task = Task { name: name.to_owned(), instructions: instructions.to_owned(), ..Task::default() };
        let schema = json!({"type": "object"});
        let tools = vec![
            ToolSpec::new("file_edit", "edits a file", schema.clone(), Permission::Write),
            ToolSpec::new("test_run", "runs the tests", schema, Permission::Execute),
        ];
        let model = ModelInfo::new("openai", "qwen2.5-coder-7b");
        self.push(Duration::ZERO, Event::Started { run: self.run.clone(), task, settings: Settings::default(), tools, model });
    }

    /// Asks the model, which says `text` and wants `calls`.
    pub(crate) fn model(&mut self, purpose: Purpose, text: &str, calls: Vec<ToolCall>, usage: Usage) {
        let call = self.calls;
        self.calls += 1;
        self.push(Duration::from_millis(3), Event::ModelCalled { call, purpose, digest: "0".repeat(64) });
        let reason = if calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
        let message = calls.into_iter().fold(Message::assistant(text), |message, call| message.with_part(Part::from(call)));
        let response = ChatResponse::new(message, reason).with_usage(usage);
        let cost = Cost::from_micros(usage.prompt_tokens / 5 + usage.completion_tokens * 4 / 5);
        self.push(Duration::from_millis(900 + 11 * usage.completion_tokens), Event::ModelAnswered { call, response, cost });
    }

    pub(crate) fn tool(&mut self, call: &ToolCall, output: ToolOutput, took: Duration) {
        let key = format!("{}-{}", self.run, call.id);
        self.push(Duration::from_millis(2), Event::ToolStarted { call: call.clone(), key: key.clone() });
        self.push(took, Event::ToolFinished { key, output, took });
    }

    pub(crate) fn ask(&mut self, call: &ToolCall, why: &str) -> ApprovalToken {
        let token = ApprovalToken::of(&self.run, self.calls, call);
        let requests = vec![ApprovalRequest { call: call.clone(), why: why.to_owned(), token: token.clone() }];
        self.push(Duration::from_millis(1), Event::ApprovalAsked { requests });
        token
    }

    pub(crate) fn answer(&mut self, after: Duration, token: ApprovalToken, decision: Decision) {
        self.push(after, Event::ApprovalAnswered { token, decision, by: "ada".to_owned() });
    }
}

fn call(id: &str, name: &str, arguments: &Value) -> ToolCall {
    ToolCall::new(id, name, serde_json::to_string(arguments).unwrap())
}

fn edit(id: &str, old: &str, new: &str) -> ToolCall {
    call(id, "file_edit", &json!({"path": FILE, "old": old, "new": new}))
}

fn edited(old: &str, new: &str) -> ToolOutput {
    let signed = |sign: &str, text: &str| text.lines().flat_map(|line| [sign, line, "\n"]).collect::<String>();
    let diff = format!(
        "--- a/{FILE}\n+++ b/{FILE}\n@@ -14,6 +14,6 @@\n /// The day after `day`, in its month or the next.\n pub fn next_day(day: Date) -> Date {{\n{}{}     }}\n }}\n",
        signed("-", old),
        signed("+", new)
    );
    ToolOutput::new(format!("edited {FILE}")).with_data(json!({"diff": diff}))
}

fn tested(report: &TestReport) -> ToolOutput {
    let text = format!("test result: {} passed; {} failed", report.passed, report.failed);
    ToolOutput::new(text).with_data(json!({"tests": report}))
}

pub(crate) const OLD: &str = "    if day.day == 31 {\n        return Date { day: 1, month: day.month + 1, ..day };";
pub(crate) const WRONG: &str = "    if day.day == days_in(day.month) {\n        return Date { day: 1, month: day.month + 1, ..day };";
pub(crate) const RIGHT: &str = "    if day.day == days_in(day.month, day.year) {\n        return first_of_next_month(day);";

/// The run up to the question whether a file may be edited.
pub(crate) fn until_approval(run: &str, start: Timestamp) -> (Log, ToolCall, ApprovalToken) {
    let mut log = Log::new(run, start);
    let instructions = "next_day is wrong at the end of months. Mend it; the tests in tests/calendar.rs say what is right.";
    log.start("Mend the calendar", instructions);
    let plan = "1. Read `next_day` and its tests.\n2. Take the length of the month instead of 31.\n3. Run the tests, and mend what they still show.";
    log.model(Purpose::Plan, plan, Vec::new(), Usage::new(1_240, 62));
    let (read, list) = (call("c1", "file_read", &json!({"path": FILE})), call("c2", "list_files", &json!({"path": "tests"})));
    log.model(Purpose::Act, "I read the function and look which tests there are.", vec![read.clone(), list.clone()], Usage::new(1_410, 48));
    let source =
        format!("14 /// The day after `day`, in its month or the next.\n15 pub fn next_day(day: Date) -> Date {{\n{OLD}\n    }}\n}}");
    log.tool(&read, ToolOutput::new(source), Duration::from_millis(4));
    log.tool(&list, ToolOutput::new("tests/calendar.rs"), Duration::from_millis(3));
    let first = edit("c3", OLD, WRONG);
    log.model(
        Purpose::Act,
        "Only months of 31 days are right. I compare with the month's own length.",
        vec![first.clone()],
        Usage::new(1_980, 131),
    );
    let token = log.ask(&first, "a rule asks before `src/**` is written");
    (log, first, token)
}

/// The whole run: an approval, a failing attempt, a reflection, and tests that pass.
pub(crate) fn run(run: &str, start: Timestamp) -> Vec<Record> {
    let (mut log, first, token) = until_approval(run, start);
    log.answer(Duration::from_secs(41), token, Decision::Approved);
    log.tool(&first, edited(OLD, WRONG), Duration::from_millis(6));
    finish(&mut log);
    log.records
}

/// What comes after the first edit.
pub(crate) fn finish(log: &mut Log) {
    let tests = call("c4", "test_run", &json!({"command": ["cargo", "test", "--offline"]}));
    log.model(Purpose::Act, "Now the tests.", vec![tests.clone()], Usage::new(2_260, 29));
    let failure =
        |name: &str, message: &str, at: &str| TestFailure { name: name.to_owned(), message: message.to_owned(), at: Some(at.to_owned()) };
    let failures = vec![
        failure(
            "a_year_ends",
            "assertion `left == right` failed\n  left: Date { year: 2025, month: 13, day: 1 }\n right: Date { year: 2026, month: 1, day: 1 }",
            "tests/calendar.rs:31",
        ),
        failure(
            "february_has_29_days_in_leap_years",
            "assertion `left == right` failed\n  left: Date { year: 2024, month: 3, day: 1 }\n right: Date { year: 2024, month: 2, day: 29 }",
            "tests/calendar.rs:44",
        ),
    ];
    log.tool(&tests, tested(&TestReport { passed: 6, failed: 2, skipped: 1, failures }), Duration::from_millis(2_870));
    let recalled = Reflection {
        task: "Mend the parser of dates".to_owned(),
        failure: "month 13".to_owned(),
        what: "A month after December was made.".to_owned(),
        why: "The month was counted up without a look at the year.".to_owned(),
        instead: "Carry over into the year where a month is counted up.".to_owned(),
    };
    log.push(Duration::from_millis(5), Event::Recalled { reflections: vec![recalled] });
    let lesson = json!({
        "what": "December has no month 13, and February's length ignores leap years.",
        "why": "I only replaced the constant: the length of a month depends on the year, and the month is still counted up without a carry.",
        "instead": "Ask `days_in` with the year, and leave the step to the next month to `first_of_next_month`, which carries into the year."
    });
    log.model(Purpose::Reflect, &lesson.to_string(), Vec::new(), Usage::new(2_690, 118));
    log.push(Duration::from_millis(4), Event::Remembered);
    log.model(
        Purpose::Plan,
        "1. Give `days_in` the year.\n2. Step into the next month by `first_of_next_month`.\n3. Run all tests again.",
        Vec::new(),
        Usage::new(2_900, 49),
    );
    let second = edit("c5", WRONG, RIGHT);
    log.model(
        Purpose::Act,
        "The year decides, and the step over the end is one function's business.",
        vec![second.clone()],
        Usage::new(3_150, 146),
    );
    let token = log.ask(&second, "a rule asks before `src/**` is written");
    log.answer(Duration::from_secs(12), token, Decision::Approved);
    log.tool(&second, edited(WRONG, RIGHT), Duration::from_millis(5));
    let again = call("c6", "test_run", &json!({"command": ["cargo", "test", "--offline"]}));
    log.model(Purpose::Act, "All tests again.", vec![again.clone()], Usage::new(3_420, 27));
    log.tool(&again, tested(&TestReport { passed: 9, ..TestReport::default() }), Duration::from_millis(2_410));
    let done =
        call("c7", "finish", &json!({"answer": "next_day asks for the length of the month in its year and carries into the next year."}));
    log.model(Purpose::Act, "", vec![done.clone()], Usage::new(3_560, 35));
    log.tool(&done, ToolOutput::new("accepted: the last tests passed"), Duration::from_millis(1));
    let answer = "next_day asks for the length of the month in its year and carries into the next year.".to_owned();
    log.push(Duration::from_millis(2), Event::Finished { outcome: Outcome::Done { answer } });
}

/// A run with `text` wherever a record can hold one.
#[allow(dead_code, reason = "not every program that has samples asks for hostile ones")]
pub(crate) fn hostile(text: &str) -> Vec<Record> {
    let own = || text.to_owned();
    let mut log = Log::new(text, Timestamp::UNIX_EPOCH);
    log.start(text, text);
    log.model(Purpose::Plan, text, Vec::new(), Usage::new(1, 1));
    let asked = ToolCall::new(text, text, text);
    let object = ToolCall::new("c", text, json!({text: text, "path": text}).to_string());
    log.model(Purpose::Act, text, vec![asked.clone(), object.clone()], Usage::new(1, 1));
    let tests =
        TestReport { failed: 1, failures: vec![TestFailure { name: own(), message: own(), at: Some(own()) }], ..TestReport::default() };
    let output = ToolOutput::error(text).with_data(json!({"diff": format!("--- {text}\n+{text}\n@@ {text}"), "tests": tests}));
    for (call, decision) in [(&asked, Decision::Edited { arguments: own() }), (&object, Decision::Approved)] {
        let token = log.ask(call, text);
        log.answer(Duration::ZERO, token, decision);
        log.tool(call, output.clone(), Duration::ZERO);
    }
    let learnt = || Reflection { task: own(), failure: own(), what: own(), why: own(), instead: own() };
    log.push(Duration::ZERO, Event::Recalled { reflections: vec![learnt()] });
    log.model(Purpose::Reflect, &json!({"what": text, "why": text, "instead": text}).to_string(), Vec::new(), Usage::new(1, 1));
    let call = 90;
    log.push(Duration::ZERO, Event::ModelCalled { call, purpose: Purpose::Act, digest: own() });
    log.push(Duration::ZERO, Event::ModelFailed { call, kind: jarre_core::ErrorKind::Internal, message: own() });
    let denied = ToolCall::new("d", text, json!({text: [text]}).to_string());
    let token = log.ask(&denied, text);
    log.answer(Duration::ZERO, token, Decision::Denied { reason: own() });
    let open = ToolCall::new("e", text, json!({text: text}).to_string());
    log.ask(&open, text);
    log.push(Duration::ZERO, Event::Cancelled { reason: own() });
    log.records
}
