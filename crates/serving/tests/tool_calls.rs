//! Calls come out of any text the same however it is cut, and nothing is lost.

use jarre_serving::{ToolCallParser, ToolEvent, ToolFormat};
use proptest::prelude::*;

const FORMATS: [ToolFormat; 4] = [ToolFormat::Hermes, ToolFormat::Llama3, ToolFormat::Mistral, ToolFormat::Json];

/// The events of a text that comes in pieces, neighbouring texts put together.
fn read<'a>(format: ToolFormat, pieces: impl IntoIterator<Item = &'a str>) -> Vec<ToolEvent> {
    let mut parser = ToolCallParser::new(format);
    let mut events: Vec<ToolEvent> = pieces.into_iter().flat_map(|piece| parser.push(piece)).collect();
    events.extend(parser.finish());
    let mut joined: Vec<ToolEvent> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(ToolEvent::Text(before)), ToolEvent::Text(text)) => before.push_str(&text),
            (_, event) => joined.push(event),
        }
    }
    joined
}

fn text(text: &str) -> ToolEvent {
    ToolEvent::Text(text.to_owned())
}

fn call(index: usize, name: &str, arguments: &str) -> [ToolEvent; 2] {
    [ToolEvent::Call { index, id: None, name: name.to_owned() }, ToolEvent::ArgumentsDelta { index, text: arguments.to_owned() }]
}

#[test]
fn each_format_is_read() {
    let (f, g) = (call(0, "f", "{\"a\": 1.0}"), call(1, "g", "{}"));
    let both = [f, g].concat();
    let hermes = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1.0}}\n</tool_call>\n<tool_call>{\"name\": \"g\", \"arguments\": {}}</tool_call>\n";
    assert_eq!(read(ToolFormat::Hermes, [hermes]), both);
    assert_eq!(read(ToolFormat::Hermes, ["I look. ", hermes, "So."]), [&[text("I look. ")][..], &both, &[text("\nSo.")]].concat());
    let llama = "{\"name\": \"f\", \"parameters\": {\"a\": 1.0}}; {\"name\": \"g\", \"parameters\": {}}";
    assert_eq!(read(ToolFormat::Llama3, [llama]), both);
    assert_eq!(read(ToolFormat::Llama3, ["<|python_tag|>", llama]), both);
    let list = "[{\"name\": \"f\", \"arguments\": {\"a\": 1.0}}, {\"name\": \"g\", \"arguments\": {}}]";
    assert_eq!(read(ToolFormat::Mistral, ["[TOOL_CALLS] ", list]), both);
    assert_eq!(read(ToolFormat::Mistral, [list]), both);
    assert_eq!(read(ToolFormat::Json, [" ", list, "\n"]), both);
}

#[test]
fn what_is_no_call_is_text() {
    for format in FORMATS {
        for source in [
            "",
            "plain text, {\"name\": \"f\"} and [1, 2]",
            "{\"name\": \"f\"}",
            "{\"name\": \"f\", \"arguments\": {\"a\": tru}} x",
            "[] [TOOL_CALLS] <tool_call> <|python_tag|>print(1)",
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}",
            "[TOOL_CALLS][{\"name\": 1, \"arguments\": {}}]",
            "{ code }",
            " \n ",
            "<tool_call",
        ] {
            let expected = if source.is_empty() { vec![] } else { vec![text(source)] };
            assert_eq!(read(format, [source]), expected, "{format}: {source}");
        }
    }
}

#[test]
fn text_is_held_back_only_where_a_call_could_begin() {
    let mut parser = ToolCallParser::new(ToolFormat::Hermes);
    assert_eq!(parser.push("a < b <t"), [text("a < b ")]);
    assert_eq!(parser.push("ag> {"), [text("<tag> {")]);
    assert_eq!(parser.push("<tool_call>{"), []);
    assert_eq!(parser.push("x"), [text("<tool_call>{"), text("x")]);
    let mut parser = ToolCallParser::new(ToolFormat::Mistral);
    assert_eq!(parser.push("[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}}"), call(0, "f", "{}"));
    assert_eq!(parser.calls(), 1);
}

#[test]
fn long_texts_of_half_calls_take_linear_time() {
    for piece in ["<tool_call>{", "<tool_call>{\"", "[TOOL_CALLS][", "{\"a\":[", "<|python_tag|>{\"", "<tool_call>{}", "<"] {
        for format in FORMATS {
            let source = piece.repeat(40_000);
            let events = read(format, source.as_bytes().chunks(997).map(|chunk| std::str::from_utf8(chunk).unwrap()));
            assert_eq!(events, [text(&source)], "{format}: {piece}");
        }
    }
}

/// Pieces of calls, whole and broken.
fn source() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<tool_call>".to_owned()),
        Just("</tool_call>".to_owned()),
        Just("<|python_tag|>".to_owned()),
        Just("[TOOL_CALLS]".to_owned()),
        Just("{\"name\": \"f\", \"arguments\": {\"q\": \"}{é\\\"\"}}".to_owned()),
        Just("{\"name\": \"g\", \"parameters\": {}}".to_owned()),
        Just("{\"name\": \"g\"".to_owned()),
        "[\\[\\]{},; \\n\"\\\\:<a-c語]{1,4}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_cut_gives_the_same(source in source(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut at: Vec<usize> = cuts.iter().map(|cut| source.floor_char_boundary(cut.index(source.len() + 1))).collect();
        at.extend([0, source.len()]);
        at.sort_unstable();
        for format in FORMATS {
            let whole = read(format, [source.as_str()]);
            prop_assert_eq!(&read(format, at.windows(2).map(|pair| &source[pair[0]..pair[1]])), &whole);
            let letters: Vec<String> = source.chars().map(String::from).collect();
            prop_assert_eq!(&read(format, letters.iter().map(String::as_str)), &whole);
        }
    }

    /// Texts come out in order and as they stand in the source; without a call, all of it does.
    #[test]
    fn nothing_is_lost(source in source()) {
        for format in FORMATS {
            let events = read(format, [source.as_str()]);
            let mut rest = source.as_str();
            for event in &events {
                let (ToolEvent::Text(part) | ToolEvent::ArgumentsDelta { text: part, .. }) = event else { continue };
                let at = rest.find(part.as_str());
                prop_assert!(at.is_some(), "{}: {:?} is not in {:?}", format, part, rest);
                rest = &rest[at.unwrap() + part.len()..];
            }
            if !events.iter().any(|event| matches!(event, ToolEvent::Call { .. })) {
                prop_assert_eq!(events, if source.is_empty() { vec![] } else { vec![text(&source)] });
            }
        }
    }
}
