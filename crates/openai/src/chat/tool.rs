use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Result,
    decode::Node,
    lenient::{constants, or_default},
};

constants! {
    /// The text `function`: the one type of tools that there is.
    FunctionTag = "function";
}

/// A tool that the model may ask to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// `function`.
    #[serde(rename = "type")]
    pub kind: FunctionTag,
    /// What the model is told.
    pub function: FunctionSpec,
}

/// What a model is told about a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FunctionSpec {
    /// 1 to 64 of `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// What it does and when to use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema of the arguments; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    /// Whether the arguments keep to the schema for certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// Whether the model may, must or must not call tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ToolChoice {
    /// One of the words.
    Mode(ToolChoiceMode),
    /// It must call this one.
    Function {
        /// `function`.
        #[serde(rename = "type")]
        kind: FunctionTag,
        /// Which.
        function: FunctionName,
    },
}

/// The words for a tool choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolChoiceMode {
    /// The model decides.
    Auto,
    /// It must not.
    None,
    /// It must call at least one.
    Required,
}

/// Which function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FunctionName {
    /// Its name.
    pub name: String,
}

/// The model asks for a tool to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolCall {
    /// Links the call to its answer.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// `function`.
    #[serde(rename = "type")]
    pub kind: FunctionTag,
    /// What is called.
    pub function: FunctionCall,
}

/// A function and its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionCall {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The arguments as the model wrote them: JSON text, which may be malformed.
    #[serde(deserialize_with = "or_default")]
    pub arguments: String,
}

pub(crate) fn read_tools(node: Node) -> Result<Vec<Tool>> {
    let mut names = Vec::new();
    node.list(|node| {
        node.object(|fields| {
            fields.required("type", |node| node.word(&[("function", ())]))?;
            let function = fields.required("function", read_function)?;
            if names.contains(&function.name) {
                return Err(fields.invalid("function", &format!("names a second tool '{}'", function.name)));
            }
            names.push(function.name.clone());
            Ok(Tool { kind: FunctionTag, function })
        })
    })
}

fn read_function(node: Node) -> Result<FunctionSpec> {
    node.object(|fields| {
        Ok(FunctionSpec {
            name: fields.required("name", Node::name)?,
            description: fields.optional("description", Node::string)?,
            parameters: fields.optional("parameters", Node::any_object)?,
            strict: fields.optional("strict", Node::boolean)?,
        })
    })
}

pub(super) fn read_choice(node: Node, tools: &[Tool]) -> Result<ToolChoice> {
    if tools.is_empty() {
        return Err(node.invalid("needs 'tools'"));
    }
    if node.is_object() {
        return node.object(|fields| {
            fields.required("type", |node| node.word(&[("function", ())]))?;
            let function =
                fields.required("function", |node| node.object(|fields| fields.required("name", |node| offered(node, tools))))?;
            Ok(ToolChoice::Function { kind: FunctionTag, function: FunctionName { name: function } })
        });
    }
    let modes = [("auto", ToolChoiceMode::Auto), ("none", ToolChoiceMode::None), ("required", ToolChoiceMode::Required)];
    node.word(&modes).map(ToolChoice::Mode)
}

fn offered(node: Node, tools: &[Tool]) -> Result<String> {
    let absent = node.invalid("names none of the tools");
    let name = node.string()?;
    if tools.iter().any(|tool| tool.function.name == name) { Ok(name) } else { Err(absent) }
}

pub(super) fn read_call(node: Node) -> Result<ToolCall> {
    node.object(|fields| {
        fields.required("type", |node| node.word(&[("function", ())]))?;
        let id = fields.required("id", Node::non_empty_string)?;
        let function = fields.required("function", |node| {
            node.object(|fields| {
                Ok(FunctionCall { name: fields.required("name", Node::name)?, arguments: fields.required("arguments", Node::string)? })
            })
        })?;
        Ok(ToolCall { id, kind: FunctionTag, function })
    })
}
