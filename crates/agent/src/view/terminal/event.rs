use super::paint::{self, BOLD, CYAN, GREEN, PLAIN, RED, YELLOW};
use crate::view::words::{self, grouped, lasting};
use crate::{Event, TestReport};
use jarre_core::ToolOutput;
use serde::Deserialize;

/// What a record tells, in a line, and its colour.
pub(super) fn told(event: &Event) -> (&'static str, String) {
    match event {
        Event::Started { task, model, .. } => (BOLD, format!("began: {}, with {}", task.name, model.name)),
        Event::ModelCalled { call, purpose, .. } => (CYAN, format!("asks the model to {}, call {call}", words::purpose(*purpose))),
        Event::ModelAnswered { response, cost, .. } => {
            let usage = response.usage;
            let head = format!("answered ({} + {} tokens, {cost})", grouped(usage.prompt_tokens), grouped(usage.completion_tokens));
            let calls: Vec<&str> = response.message.tool_calls().map(|call| call.name.as_str()).collect();
            let text = response.message.text();
            let said = if text.trim().is_empty() { calls.join(", ") } else { text };
            (PLAIN, if said.is_empty() { head } else { format!("{head}: {said}") })
        }
        Event::ModelFailed { kind, message, .. } => (RED, format!("the model failed ({kind:?}): {message}")),
        Event::ApprovalAsked { requests } => {
            let names: Vec<String> =
                requests.iter().map(|asked| format!("{} {}", asked.call.name, words::gist(&asked.call.arguments))).collect();
            (YELLOW, format!("needs approval: {}", names.join("; ")))
        }
        Event::ApprovalAnswered { decision, by, .. } => {
            let (said, words) = words::decided(decision);
            (YELLOW, if words.is_empty() { format!("{by} {said}") } else { format!("{by} {said}: {words}") })
        }
        Event::ToolStarted { call, .. } => (CYAN, format!("calls {} {}", call.name, words::gist(&call.arguments))),
        Event::ToolFinished { output, took, .. } => returned(output, &lasting(*took)),
        Event::Recalled { reflections } => (PLAIN, format!("recalled {} reflections of earlier tasks", reflections.len())),
        Event::Remembered => (PLAIN, "kept a reflection for later tasks".to_owned()),
        Event::Cancelled { reason } => (YELLOW, format!("asked to end: {reason}")),
        Event::Finished { outcome } => {
            let (told, words) = words::ending(outcome);
            let look = if matches!(outcome, crate::Outcome::Done { .. }) { GREEN } else { RED };
            (look, format!("{told} {words}").trim_end().to_owned())
        }
    }
}

fn returned(output: &ToolOutput, took: &str) -> (&'static str, String) {
    let tests = output.data.as_ref().and_then(|data| TestReport::deserialize(data.get("tests")?).ok());
    let (state, look) = match tests {
        Some(tests) => (
            format!("{} passed, {} failed", grouped(tests.passed), grouped(tests.failed)),
            paint::of(if tests.is_green() { "good" } else { "bad" }),
        ),
        None if output.is_error => ("error".to_owned(), RED),
        None => ("ok".to_owned(), GREEN),
    };
    let text = output.text.trim();
    (look, if text.is_empty() { format!("{state}, {took}") } else { format!("{state}, {took}: {text}") })
}
