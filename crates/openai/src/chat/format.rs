use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Result,
    decode::{Fields, Node},
};

/// What the text of an answer has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Anything.
    Text,
    /// One JSON object.
    JsonObject,
    /// JSON that a schema allows.
    JsonSchema {
        /// Which.
        json_schema: JsonSchemaFormat,
    },
}

/// A schema that answers keep to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JsonSchemaFormat {
    /// Names the schema to the model: 1 to 64 of `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// Tells the model what it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema.
    pub schema: Map<String, Value>,
    /// Whether the answer keeps to the schema for certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

pub(super) fn read_format(node: Node) -> Result<ResponseFormat> {
    let kind = node.tag("type").map(ToOwned::to_owned);
    node.object(|fields| {
        fields.required("type", |node| node.word(&[("text", ()), ("json_object", ()), ("json_schema", ())]))?;
        match kind.as_deref().expect("a type that was read is text") {
            "text" => Ok(ResponseFormat::Text),
            "json_object" => Ok(ResponseFormat::JsonObject),
            _ => fields
                .required("json_schema", |node| node.object(read_schema))
                .map(|json_schema| ResponseFormat::JsonSchema { json_schema }),
        }
    })
}

fn read_schema(fields: &mut Fields) -> Result<JsonSchemaFormat> {
    Ok(JsonSchemaFormat {
        name: fields.required("name", Node::name)?,
        description: fields.optional("description", Node::string)?,
        schema: fields.required("schema", Node::any_object)?,
        strict: fields.optional("strict", Node::boolean)?,
    })
}
