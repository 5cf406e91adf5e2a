use jarre_core::{Permission, ToolChoice, ToolSpec};
use jarre_serving::{ToolCallParser, ToolEvent, ToolFormat};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde_json::{Value, json};

use crate::judge::Judge;
use crate::model::{Answer, RandomModel};

fn tools() -> Vec<ToolSpec> {
    let weather = json!({"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"], "additionalProperties": false});
    let tree = json!({"type": "object", "properties": {"root": {"$ref": "#/$defs/node"}}, "required": ["root"], "additionalProperties": false,
        "$defs": {"node": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 1}}, "required": ["kids"], "additionalProperties": false}}});
    vec![
        ToolSpec::new("weather", "the weather", weather, Permission::Network),
        ToolSpec::new("grow", "grows a tree", tree, Permission::Read),
    ]
}

/// The calls of an answer, which is nothing else.
fn calls(format: ToolFormat, answer: &str) -> Vec<(String, Value)> {
    let mut parser = ToolCallParser::new(format);
    let mut events = parser.push(answer);
    events.extend(parser.finish());
    let mut calls: Vec<(String, Value)> = Vec::new();
    for event in events {
        match event {
            ToolEvent::Call { name, .. } => calls.push((name, Value::Null)),
            ToolEvent::ArgumentsDelta { index, text } => calls[index].1 = serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} in {answer}"),
        }
    }
    calls
}

#[test]
fn a_model_that_knows_nothing_calls_the_tools_that_it_must() {
    let model = RandomModel::shipped();
    let tools = tools();
    let named = ToolChoice::Tool { name: "grow".to_owned() };
    for format in [ToolFormat::Hermes, ToolFormat::Llama3, ToolFormat::Mistral, ToolFormat::Json] {
        for choice in [&ToolChoice::Required, &named] {
            let grammar = format.grammar(&tools, choice, true).unwrap().unwrap();
            let mut complete = 0;
            for seed in 0..20 {
                let Answer::Complete(answer) = model.answer(&grammar, &mut Pcg64::seed_from_u64(seed)).unwrap() else { continue };
                complete += 1;
                let calls = calls(format, &answer);
                assert!(!calls.is_empty() && (*choice == ToolChoice::Required || calls.len() == 1 && calls[0].0 == "grow"), "{answer}");
                for (name, arguments) in calls {
                    let tool = tools.iter().find(|tool| tool.name == name).unwrap();
                    assert!(Judge::new(&tool.parameters).is_valid(&arguments), "{format}: {answer}");
                }
            }
            assert!(complete >= 8, "{format}, {choice:?}: {complete}");
        }
        assert_eq!(format.grammar(&tools, &ToolChoice::Auto, true).unwrap(), None);
        assert!(format.grammar(&[], &ToolChoice::Required, true).is_err());
        assert!(format.grammar(&tools, &ToolChoice::Tool { name: "shrink".to_owned() }, true).is_err());
    }
}
