use std::io::{IsTerminal, Write};

use jarre_agent::{Event, Outcome, Record};
use serde_json::Value;

use super::plain;
use crate::log_file;

/// Shows a run as it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follow {
    pub(super) json: bool,
}

impl Follow {
    /// Writes what a record tells. That nobody reads it is no reason to end the run.
    pub(super) fn tell(self, record: &Record) {
        let mut out = std::io::stdout().lock();
        if self.json && !out.is_terminal() {
            // As the log has it: the next line holds its hash.
            let _ = out.write_all(log_file::line(record).unwrap_or_default().as_bytes());
            return;
        }
        let told = if self.json { log_file::line(record).ok() } else { told(&record.event) };
        if let Some(told) = told {
            let _ = writeln!(out, "{}", shown(told.trim_end_matches('\n')));
        }
    }
}

/// Without what could steer a terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

fn told(event: &Event) -> Option<String> {
    Some(match event {
        Event::Started { task, model, .. } => format!("task: {}\nmodel: {}", task.instructions, model.name),
        Event::ModelAnswered { response, .. } => format!("\n{}", response.message.text().trim()),
        Event::ModelFailed { message, .. } => format!("the model failed: {message}"),
        Event::ToolStarted { call, .. } => format!("> {} {}", call.name, arguments(&call.arguments)),
        Event::ToolFinished { output, .. } => indented(&output.text),
        Event::ApprovalAsked { requests } => {
            requests.iter().map(|request| format!("? {} {}", request.call.name, request.token.as_str())).collect::<Vec<_>>().join("\n")
        }
        Event::Remembered => "the analysis is kept for later tasks".into(),
        Event::Cancelled { reason } => format!("asked to end: {reason}"),
        _ => return None,
    })
}

pub(super) fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { answer } => format!("done: {answer}"),
        Outcome::Stuck { reason } => format!("stuck: {reason}"),
        Outcome::OutOfBudget { budget } => format!("a budget was used up: {budget:?}"),
        Outcome::Cancelled { reason } => format!("ended early: {reason}"),
        Outcome::Failed { reason } => format!("failed: {reason}"),
        other => format!("{other:?}"),
    }
}

/// Arguments in a line: long ones by their length.
fn arguments(text: &str) -> String {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else { return text.to_owned() };
    let short = |value: &Value| {
        let text = plain(value);
        if text.len() > 60 || text.contains('\n') { format!("({} bytes)", text.len()) } else { text }
    };
    object.iter().map(|(key, value)| format!("{key}={}", short(value))).collect::<Vec<_>>().join(" ")
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
