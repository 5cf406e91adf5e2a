use std::collections::BTreeSet;

use jarre_core::{ChatResponse, FinishReason, Message, Part, Role, ToolCall, ToolOutput};

use super::{Catalogue, FINISH, MOST_CALLS, ReadCall, Reading, result};

pub(super) const INSTRUCTIONS: &str =
    "Act by calling tools. Say in a sentence or two why before you call one. Calls of one answer are made in their order.";

/// Reads an answer with the provider's tool calls.
pub(super) fn read(response: &ChatResponse, step: u64, tools: &Catalogue) -> Reading {
    let cut = response.finish_reason == FinishReason::Length;
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let chosen: BTreeSet<&str> = response.message.tool_calls().map(|asked| asked.id.as_str()).collect();
    let mut calls = Vec::new();
    for (at, asked) in response.message.tool_calls().enumerate().take(MOST_CALLS) {
        // An id that is empty or there twice would tie results to the wrong call.
        let fresh = !asked.id.is_empty() && ids.insert(asked.id.clone());
        let id = if fresh { asked.id.clone() } else { unused(format!("call-{step}-{at}"), &chosen) };
        calls.push(read_call(ToolCall { id, ..asked.clone() }, cut, tools));
    }
    let complaint = complaint(&calls, response, cut, tools);
    Reading { thought: response.message.text().trim().to_owned(), calls, complaint }
}

/// An id that the model gave to none of its calls.
fn unused(mut id: String, chosen: &BTreeSet<&str>) -> String {
    while chosen.contains(id.as_str()) {
        id.push('+');
    }
    id
}

/// Reads the arguments of a call, and writes them down as they were read.
pub(super) fn read_call(mut call: ToolCall, cut: bool, tools: &Catalogue) -> ReadCall {
    let arguments = tools.arguments(&call.name, &call.arguments, cut);
    if let Ok(value) = &arguments {
        call.arguments = value.to_string();
    }
    ReadCall { call, arguments }
}

fn complaint(calls: &[ReadCall], response: &ChatResponse, cut: bool, tools: &Catalogue) -> Option<String> {
    if calls.is_empty() && cut {
        return Some("the answer was cut off at the token limit before it called a tool, write less".to_owned());
    }
    if calls.is_empty() {
        return Some(format!("the answer calls no tool: call one of {}; `{FINISH}` ends the work", tools.names()));
    }
    if calls.len() > 1 && calls.iter().any(|read| read.call.name == FINISH) {
        return Some(format!("`{FINISH}` has to be the only call of its answer"));
    }
    let asked = response.message.tool_calls().count();
    (asked > MOST_CALLS).then(|| format!("the answer calls {asked} tools, at most {MOST_CALLS} can be called at once"))
}

/// A step with its calls and their results, in pairs.
pub(super) fn render(said: &str, calls: &[(ToolCall, ToolOutput)]) -> Vec<Message> {
    let text = (!said.is_empty()).then(|| Part::text(said));
    let asked = calls.iter().map(|(call, _)| Part::from(call.clone()));
    let results = calls.iter().map(|(call, output)| Part::from(result(call, output)));
    vec![Message::new(Role::Assistant, text.into_iter().chain(asked)), Message::new(Role::Tool, results)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::finish_spec;

    fn read_calls(calls: &[(&str, &str, &str)]) -> Reading {
        let message = calls
            .iter()
            .fold(Message::assistant("why"), |message, (id, name, arguments)| message.with_part(ToolCall::new(*id, *name, *arguments)));
        read(&ChatResponse::new(message, FinishReason::ToolCalls), 4, &Catalogue::new(vec![finish_spec()]).unwrap())
    }

    #[test]
    fn a_call_is_read_with_its_thought() {
        let reading = read_calls(&[("c", "finish", "{'answer': 'yes'}")]);
        assert_eq!((reading.thought.as_str(), reading.malformed()), ("why", None));
        assert_eq!(reading.calls[0].call, ToolCall::new("c", "finish", r#"{"answer":"yes"}"#));
    }

    #[test]
    fn ids_are_made_unique() {
        let reading = read_calls(&[("", "a", "{}"), ("x", "a", "{}"), ("x", "a", "{}")]);
        let ids: Vec<&str> = reading.calls.iter().map(|read| read.call.id.as_str()).collect();
        assert_eq!(ids, ["call-4-0", "x", "call-4-2"]);
        let reading = read_calls(&[("call-4-1", "a", "{}"), ("", "b", "{}"), ("call-4-1+", "a", "{}")]);
        let ids: Vec<&str> = reading.calls.iter().map(|read| read.call.id.as_str()).collect();
        assert_eq!(ids, ["call-4-1", "call-4-1++", "call-4-1+"]);
    }

    #[test]
    fn no_call_and_too_many_are_told() {
        assert!(read_calls(&[]).malformed().unwrap().contains("calls no tool: call one of `finish`"));
        let two = [("a", "finish", r#"{"answer": ""}"#), ("b", "finish", r#"{"answer": ""}"#)];
        assert!(read_calls(&two).malformed().unwrap().contains("the only call"));
        assert!(read_calls(&[("a", "x", "{}"); 40]).malformed().unwrap().contains("40 tools"));
    }
}
