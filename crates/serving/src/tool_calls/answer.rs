use jarre_core::FinishReason;

use super::{ToolCallParser, ToolEvent, ToolFormat, ToolUse};
use crate::draws::Draws;

/// Reads one answer, which comes in pieces: what of it is text, and what calls.
#[derive(Debug)]
pub(crate) struct AnswerReader {
    /// None where there are no tools, and everything is text.
    calls: Option<Calls>,
}

#[derive(Debug)]
struct Calls {
    parser: ToolCallParser,
    asked: ToolUse,
    draws: Draws,
}

/// What a piece of an answer says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) calls: Vec<SaidCall>,
    /// Why the answer ended, in its last piece.
    pub(crate) finish: Option<FinishReason>,
}

/// A whole call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SaidCall {
    /// Calls before it.
    pub(crate) index: usize,
    pub(crate) id: String,
    pub(crate) name: String,
    /// JSON as the model wrote it.
    pub(crate) arguments: String,
}

impl AnswerReader {
    /// A reader at the beginning of an answer. Calls that the model does not name are named by draws.
    pub(crate) fn new(asked: Option<&ToolUse>, draws: &Draws) -> Self {
        let calls = asked.map(|asked| Calls {
            parser: ToolCallParser::new(asked.format).with_tools(asked.names.iter().cloned()),
            asked: asked.clone(),
            draws: draws.clone(),
        });
        Self { calls }
    }

    /// Takes the next piece; nothing follows the one that has a reason to finish.
    pub(crate) fn read(&mut self, text: String, finish: Option<FinishReason>) -> Said {
        let Some(calls) = &mut self.calls else { return Said { text, finish, ..Said::default() } };
        let mut events = calls.parser.push(&text);
        if finish.is_some() {
            events.extend(calls.parser.clone().finish());
        }
        let has_called = calls.parser.calls() > 0;
        let finish = finish.map(|reason| if has_called && reason == FinishReason::Stop { FinishReason::ToolCalls } else { reason });
        let mut said = Said { finish, ..Said::default() };
        for event in events {
            calls.take(event, &mut said);
        }
        said
    }
}

impl Calls {
    fn take(&self, event: ToolEvent, said: &mut Said) {
        match event {
            ToolEvent::Text(text) => said.text.push_str(&text),
            ToolEvent::Call { index, id, name } if index == 0 || !self.asked.single => {
                let id = id.unwrap_or_else(|| self.id());
                said.calls.push(SaidCall { index, id, name, arguments: String::new() });
            }
            ToolEvent::ArgumentsDelta { index, text } => {
                if let Some(call) = said.calls.last_mut().filter(|call| call.index == index) {
                    call.arguments.push_str(&text);
                }
            }
            ToolEvent::Call { .. } => {}
        }
    }

    /// Templates of Mistral refuse other ids than nine letters and digits.
    fn id(&self) -> String {
        if self.asked.format == ToolFormat::Mistral {
            return format!("{:09x}", self.draws.draw() >> 28);
        }
        format!("call_{:016x}{:08x}", self.draws.draw(), self.draws.draw() >> 32)
    }
}

#[cfg(test)]
mod tests {
    use jarre_core::{Permission, ToolChoice, ToolSpec};
    use serde_json::json;

    use super::*;

    fn reader(format: ToolFormat, single: bool) -> AnswerReader {
        let tools = ["f", "g"].map(|name| ToolSpec::new(name, "", json!({"type": "object"}), Permission::Read));
        let asked = ToolUse::new(format, &tools, &ToolChoice::Auto, !single, |_| None).unwrap();
        AnswerReader::new(Some(&asked), &Draws::new(1))
    }

    fn call(index: usize, id: &str, name: &str, arguments: &str) -> SaidCall {
        SaidCall { index, id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
    }

    const TWO: &str = r#"Well. <tool_call>{"id": "a", "name": "f", "arguments": {"x": 1}}</tool_call><tool_call>{"id": "b", "name": "g", "arguments": {}}</tool_call>"#;

    #[test]
    fn text_and_calls_come_apart_and_the_end_says_so() {
        let said = reader(ToolFormat::Hermes, false).read(TWO.to_owned(), Some(FinishReason::Stop));
        assert_eq!(said.text, "Well. ");
        assert_eq!(said.calls, [call(0, "a", "f", r#"{"x": 1}"#), call(1, "b", "g", "{}")]);
        assert_eq!(said.finish, Some(FinishReason::ToolCalls));
    }

    #[test]
    fn one_call_is_read_where_one_is_wanted() {
        let said = reader(ToolFormat::Hermes, true).read(TWO.to_owned(), Some(FinishReason::Length));
        assert_eq!(said.calls, [call(0, "a", "f", r#"{"x": 1}"#)]);
        assert_eq!(said.finish, Some(FinishReason::Length));
    }

    #[test]
    fn what_is_held_back_comes_with_the_end() {
        let mut reader = reader(ToolFormat::Hermes, false);
        assert_eq!(reader.read("so <tool_".to_owned(), None), Said { text: "so ".to_owned(), ..Said::default() });
        let end = reader.read(String::new(), Some(FinishReason::Stop));
        assert_eq!(end, Said { text: "<tool_".to_owned(), finish: Some(FinishReason::Stop), ..Said::default() });
    }

    #[test]
    fn objects_that_name_no_tool_are_text_where_calls_have_no_marker() {
        let answer = r#"{"name": "Ada", "arguments": {}}"#;
        let said = reader(ToolFormat::Json, false).read(answer.to_owned(), Some(FinishReason::Stop));
        assert_eq!(said, Said { text: answer.to_owned(), finish: Some(FinishReason::Stop), ..Said::default() });
        let marked = format!("<tool_call>{answer}</tool_call>");
        assert_eq!(reader(ToolFormat::Hermes, false).read(marked, None).calls[0].name, "Ada");
    }

    #[test]
    fn ids_are_those_that_the_models_template_takes() {
        for (format, answer, length) in [
            (ToolFormat::Mistral, r#"[TOOL_CALLS] [{"name": "f", "arguments": {}}, {"name": "f", "arguments": {}}]"#, 9),
            (ToolFormat::Json, r#"[{"name": "f", "arguments": {}}, {"name": "f", "arguments": {}}]"#, 29),
        ] {
            let calls = reader(format, false).read(answer.to_owned(), Some(FinishReason::Stop)).calls;
            assert_eq!(calls.len(), 2, "{format}");
            assert!(calls.iter().all(|call| call.id.len() == length) && calls[0].id != calls[1].id, "{calls:?}");
        }
    }
}
