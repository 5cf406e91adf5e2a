use jarre_core::{ChatResponse, FinishReason, Message, ToolCall, ToolOutput};
use serde::de::IgnoredAny;
use serde_json::json;

use super::{Catalogue, FINISH, Reading, native::read_call};

/// Where the model is stopped: what follows would be invented.
pub(super) const STOP: &str = "\nObservation:";

/// The format, and the tools.
pub(super) fn instructions(tools: &Catalogue) -> String {
    let lines: Vec<String> = tools
        .specs()
        .iter()
        .map(|spec| format!("- {}: {} Arguments by the JSON Schema {}", spec.name, spec.description, spec.parameters))
        .collect();
    format!(
        "Act by writing text of this form, one action an answer, and nothing after it:\n\
         Thought: why the action is the next one\n\
         Action: the name of one tool\n\
         Action Input: its arguments, one JSON object\n\
         The answer to it begins with \"Observation:\" and is not yours to write. The tools:\n{}",
        lines.join("\n")
    )
}

/// Reads an answer of the form above, or one that ends with `Final Answer:`.
pub(super) fn read(response: &ChatResponse, step: u64, tools: &Catalogue) -> Reading {
    let text = response.message.text();
    let sections = Sections::of(&text);
    let cut = response.finish_reason == FinishReason::Length;
    let thought = sections.thought.trim().to_owned();
    let mut actions = sections.actions;
    actions.extend(sections.answer.map(|answer| (FINISH.to_owned(), json!({"answer": answer.trim()}).to_string())));
    let complaint = match actions.len() {
        1 => None,
        0 if cut => Some("the answer was cut off at the token limit before its action, write less".to_owned()),
        0 => Some(
            "the answer has no action: write `Action:` with the name of a tool and `Action Input:` with its arguments as JSON".to_owned(),
        ),
        count => Some(format!("the answer has {count} actions, write one and wait for its observation")),
    };
    if complaint.is_some() {
        return Reading { thought, calls: Vec::new(), complaint };
    }
    let calls = actions.into_iter().map(|(name, input)| read_call(ToolCall::new(format!("call-{step}-0"), name, input), cut, tools));
    Reading { thought, calls: calls.collect(), complaint }
}

/// A step as text. The action is written out as it was read, so that the model sees its own form even where it was mended.
pub(super) fn render(said: &str, calls: &[(ToolCall, ToolOutput)]) -> Vec<Message> {
    let actions: Vec<String> = calls.iter().map(|(call, _)| format!("\nAction: {}\nAction Input: {}", call.name, call.arguments)).collect();
    let observations: Vec<String> = calls.iter().map(|(_, output)| format!("Observation: {}", output.text)).collect();
    vec![Message::assistant(format!("Thought: {said}{}", actions.concat())), Message::user(observations.join("\n"))]
}

/// The labelled parts of an answer.
#[derive(Debug, Default)]
struct Sections {
    thought: String,
    /// Names and inputs.
    actions: Vec<(String, String)>,
    answer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Thought,
    Action,
    Input,
    Answer,
    Observation,
}

impl Sections {
    fn of(text: &str) -> Self {
        let mut sections = Self::default();
        let (mut label, mut at) = (Label::Thought, 0);
        loop {
            let end = if label == Label::Input { input_end(text, at) } else { section_end(text, at) };
            sections.put(label, &text[at..end]);
            match next_label(text, end) {
                Some((found, start)) if found != Label::Observation => (label, at) = (found, start),
                _ => return sections,
            }
        }
    }

    fn put(&mut self, label: Label, content: &str) {
        match label {
            Label::Thought => self.thought.push_str(content),
            Label::Action => self.actions.push((tool_name(content).to_owned(), String::new())),
            Label::Input => match self.actions.last_mut() {
                Some((_, input)) if input.is_empty() => content.trim().clone_into(input),
                // An input without an action is an action without a name.
                _ => self.actions.push((String::new(), content.trim().to_owned())),
            },
            Label::Answer => self.answer = Some(content.to_owned()),
            Label::Observation => {}
        }
    }
}

/// The name in what follows `Action:`, without the marks that models put around it.
fn tool_name(content: &str) -> &str {
    let line = content.trim().lines().next().unwrap_or_default().trim();
    line.trim_end_matches("()").trim_matches(|char| matches!(char, '`' | '"' | '\'' | '*' | '[' | ']' | ' '))
}

/// Where a JSON text that begins at `at` ends, so that labels within its strings are none; else where the next label stands.
fn input_end(text: &str, at: usize) -> usize {
    let mut documents = serde_json::Deserializer::from_str(&text[at..]).into_iter::<IgnoredAny>();
    match documents.next() {
        Some(Ok(IgnoredAny)) => at + documents.byte_offset(),
        _ => section_end(text, at),
    }
}

/// Where the line of the next label begins, or the text ends.
fn section_end(text: &str, at: usize) -> usize {
    lines(text, at).find(|(_, line)| label(line).is_some()).map_or(text.len(), |(start, _)| start)
}

/// The next label from `at` on, and where its content begins.
fn next_label(text: &str, at: usize) -> Option<(Label, usize)> {
    lines(text, at).find_map(|(start, line)| label(line).map(|(label, length)| (label, start + length)))
}

/// The lines from `at` on, with where they begin.
fn lines(text: &str, at: usize) -> impl Iterator<Item = (usize, &str)> {
    text[at..].split_inclusive('\n').scan(at, |next, line| {
        let start = *next;
        *next += line.len();
        Some((start, line))
    })
}

/// The label that a line begins with, and how long it is with the marks around it.
fn label(line: &str) -> Option<(Label, usize)> {
    const LABELS: [(&str, Label); 5] = [
        ("thought:", Label::Thought),
        ("action:", Label::Action),
        ("action input:", Label::Input),
        ("final answer:", Label::Answer),
        ("observation:", Label::Observation),
    ];
    let is_mark = |char: char| matches!(char, ' ' | '\t' | '*' | '#');
    let bare = line.trim_start_matches(is_mark);
    let (name, label) =
        LABELS.into_iter().find(|(name, _)| bare.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))?;
    let rest = &bare[name.len()..];
    Some((label, line.len() - rest.trim_start_matches(is_mark).len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::finish_spec;

    fn read_text(text: &str) -> Reading {
        let response = ChatResponse::new(Message::assistant(text), FinishReason::Stop);
        read(&response, 2, &Catalogue::new(vec![finish_spec()]).unwrap())
    }

    #[test]
    fn thought_action_and_input_are_read() {
        let reading =
            read_text("Thought: it works\nso I end\nAction: `finish`\nAction Input: {\"answer\": \"ok\"}\nObservation: fine\nAction: x");
        assert_eq!((reading.thought.as_str(), reading.malformed()), ("it works\nso I end", None));
        assert_eq!(reading.calls[0].call, ToolCall::new("call-2-0", "finish", r#"{"answer":"ok"}"#));
    }

    #[test]
    fn labels_inside_an_argument_are_none() {
        let reading = read_text("**Action:** finish\n**Action Input:** {\"answer\":\n\"a\\nAction: rm\"}\nThought: later");
        assert_eq!(reading.calls[0].arguments.as_ref().unwrap()["answer"], "a\nAction: rm");
    }

    #[test]
    fn a_final_answer_is_a_finish() {
        let reading = read_text("I know it.\nFinal Answer: 42\nfor sure\n");
        assert_eq!(reading.thought, "I know it.");
        assert_eq!(reading.calls[0].arguments.as_ref().unwrap()["answer"], "42\nfor sure");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let wrong = |text| read_text(text).malformed().unwrap();
        assert!(wrong("hello").contains("no action"));
        assert!(wrong("Action: a\nAction Input: {}\nAction: b\nAction Input: {}").contains("2 actions"));
        assert!(wrong("Action: rm\nAction Input: {}").contains("there is no tool `rm`"));
        assert!(wrong("Action: finish").contains("answer"));
        assert!(wrong("Action Input: {}").contains("there is no tool ``"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(Action:|Action Input:|Thought:|Final Answer:|Observation:|finish|\\{|\\}|\"|\n| |é|\\*){0,40}") {
            let _ = read_text(&text);
        }
    }
}
