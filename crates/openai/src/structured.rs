use serde::Serialize;
use serde_json::Value;

use crate::{
    Result,
    decode::{self, Fields, Node},
};

/// What the text of an answer has to keep to: vLLM's `structured_outputs`, an object with exactly one of these fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutputs {
    /// JSON that a JSON Schema allows: an object, or the text of one on the wire.
    Json(Value),
    /// Text that the regular expression matches as a whole.
    Regex(String),
    /// One of these texts; not empty.
    Choice(Vec<String>),
    /// Text of a grammar, in Lark's notation.
    Grammar(String),
    /// Any JSON object; `true` on the wire.
    #[serde(serialize_with = "truth")]
    JsonObject,
}

impl StructuredOutputs {
    /// Takes the field, or one of its older spellings, which may not stand together.
    pub(crate) fn take(fields: &mut Fields) -> Result<Option<Self>> {
        let given = [
            ("structured_outputs", fields.optional("structured_outputs", |node| node.object(one))?),
            ("guided_json", fields.optional("guided_json", schema)?.map(Self::Json)),
            ("guided_regex", fields.optional("guided_regex", Node::non_empty_string)?.map(Self::Regex)),
            ("guided_choice", fields.optional("guided_choice", choice)?.map(Self::Choice)),
            ("guided_grammar", fields.optional("guided_grammar", Node::non_empty_string)?.map(Self::Grammar)),
        ];
        only_one(fields, given)
    }
}

fn one(fields: &mut Fields) -> Result<StructuredOutputs> {
    let object = fields.optional("json_object", |node| if node.is(true) { Ok(()) } else { Err(node.invalid("must be true or absent")) })?;
    let given = [
        ("json", fields.optional("json", schema)?.map(StructuredOutputs::Json)),
        ("regex", fields.optional("regex", Node::non_empty_string)?.map(StructuredOutputs::Regex)),
        ("choice", fields.optional("choice", choice)?.map(StructuredOutputs::Choice)),
        ("grammar", fields.optional("grammar", Node::non_empty_string)?.map(StructuredOutputs::Grammar)),
        ("json_object", object.map(|()| StructuredOutputs::JsonObject)),
    ];
    only_one(fields, given)?
        .ok_or_else(|| fields.invalid("json", "or another of 'regex', 'choice', 'grammar' and 'json_object' has to be given"))
}

fn only_one<T, const N: usize>(fields: &Fields, given: [(&str, Option<T>); N]) -> Result<Option<T>> {
    let mut found = given.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    let Some((name, value)) = found.next() else { return Ok(None) };
    match found.next() {
        None => Ok(Some(value)),
        Some((other, _)) => Err(fields.invalid(other, &format!("cannot stand together with '{name}'"))),
    }
}

/// A JSON Schema: an object, or the text of one.
fn schema(node: Node) -> Result<Value> {
    if !node.is_string() {
        return node.any_object().map(Value::Object);
    }
    let wrong = node.invalid("must be a JSON Schema: an object, or the text of one");
    decode::value(node.string()?.as_bytes()).ok().filter(Value::is_object).ok_or(wrong)
}

fn choice(node: Node) -> Result<Vec<String>> {
    node.non_empty_list(Node::string)
}

fn truth<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(true)
}
