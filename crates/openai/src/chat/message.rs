use std::collections::BTreeSet;

use serde::Serialize;

use super::{ToolCall, tool};
use crate::{
    Result,
    decode::{Fields, Node},
};

/// One turn of a conversation, as requests hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum ChatMessage {
    /// Instructions that stand above the conversation.
    System {
        /// What is said: text.
        content: Content,
        /// Tells speakers of one role apart.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The same, as newer models call it.
    Developer {
        /// What is said: text.
        content: Content,
        /// Tells speakers of one role apart.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// What the person says.
    User {
        /// What is said: text and pictures.
        content: Content,
        /// Tells speakers of one role apart.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// What the model said. It has a content, a refusal or tool calls.
    Assistant {
        /// What is said: text and refusals.
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Content>,
        /// Why nothing else was said.
        #[serde(skip_serializing_if = "Option::is_none")]
        refusal: Option<String>,
        /// The tools that it asked for.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
        /// Tells speakers of one role apart.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// What a tool answered.
    Tool {
        /// What is said: text.
        content: Content,
        /// The call that is answered: one of an assistant's message before.
        tool_call_id: String,
    },
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// Text.
    Text(String),
    /// Several parts, in order; not empty.
    Parts(Vec<ContentPart>),
}

/// A part of what a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentPart {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    ImageUrl {
        /// Where it is.
        image_url: ImageUrl,
    },
    /// Why a model said nothing else.
    Refusal {
        /// The reason.
        refusal: String,
    },
}

/// Where a picture is: an address of `http` or `https`, or a `data:` URL (RFC 2397) in base64 that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageUrl {
    /// The address.
    pub url: String,
    /// How closely it is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<ImageDetail>,
}

/// How closely a picture is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageDetail {
    /// As the model sees fit.
    Auto,
    /// Small and cheap.
    Low,
    /// In its own size.
    High,
}

impl ChatMessage {
    /// Instructions that stand above the conversation.
    pub fn system(text: impl Into<String>) -> Self {
        Self::System { content: Content::Text(text.into()), name: None }
    }

    /// What the person says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { content: Content::Text(text.into()), name: None }
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::Assistant { content: Some(Content::Text(text.into())), refusal: None, tool_calls: Vec::new(), name: None }
    }
}

/// Reads a conversation, in which every answer of a tool has its call before it.
pub(crate) fn read_messages(node: Node) -> Result<Vec<ChatMessage>> {
    let mut asked = BTreeSet::new();
    node.non_empty_list(|node| {
        let role = node.tag("role").map(ToOwned::to_owned);
        let message = node.object(|fields| read_message(role.as_deref(), fields, &asked))?;
        if let ChatMessage::Assistant { tool_calls, .. } = &message {
            asked.extend(tool_calls.iter().map(|call| call.id.clone()));
        }
        Ok(message)
    })
}

fn read_message(role: Option<&str>, fields: &mut Fields, asked: &BTreeSet<String>) -> Result<ChatMessage> {
    let roles = [("system", ()), ("developer", ()), ("user", ()), ("assistant", ()), ("tool", ())];
    fields.required("role", |node| node.word(&roles))?;
    match role.expect("a role that was read is text") {
        "assistant" => read_assistant(fields),
        "tool" => {
            let content = fields.required("content", |node| content(node, &["text"]))?;
            Ok(ChatMessage::Tool { content, tool_call_id: fields.required("tool_call_id", |node| answered(node, asked))? })
        }
        role => {
            let parts: &[&str] = if role == "user" { &["text", "image_url"] } else { &["text"] };
            let content = fields.required("content", |node| content(node, parts))?;
            let name = fields.optional("name", Node::name)?;
            Ok(match role {
                "system" => ChatMessage::System { content, name },
                "developer" => ChatMessage::Developer { content, name },
                _ => ChatMessage::User { content, name },
            })
        }
    }
}

fn read_assistant(fields: &mut Fields) -> Result<ChatMessage> {
    let content = fields.optional("content", |node| content(node, &["text", "refusal"]))?;
    let refusal = fields.optional("refusal", Node::string)?;
    let tool_calls = fields.optional("tool_calls", |node| node.list(tool::read_call))?.unwrap_or_default();
    let name = fields.optional("name", Node::name)?;
    // Answers have these, and clients send answers back as they got them.
    for empty in ["annotations", "audio", "function_call"] {
        fields.only_empty(empty)?;
    }
    if content.is_none() && refusal.is_none() && tool_calls.is_empty() {
        return Err(fields.invalid("content", "is missing: an assistant's message has a content, a refusal or tool calls"));
    }
    Ok(ChatMessage::Assistant { content, refusal, tool_calls, name })
}

fn answered(node: Node, asked: &BTreeSet<String>) -> Result<String> {
    let unknown = node.invalid("answers no tool call of an assistant's message before it");
    let id = node.string()?;
    if asked.contains(&id) { Ok(id) } else { Err(unknown) }
}

/// What a message says, of the kinds of parts that its role may have.
fn content(node: Node, kinds: &[&'static str]) -> Result<Content> {
    if node.is_string() {
        return node.string().map(Content::Text);
    }
    if !node.is_list() {
        return Err(node.mistyped("a string or a list of parts"));
    }
    node.non_empty_list(|part| {
        let kind = part.tag("type").map(ToOwned::to_owned);
        part.object(|fields| read_part(kind.as_deref(), fields, kinds))
    })
    .map(Content::Parts)
}

fn read_part(kind: Option<&str>, fields: &mut Fields, kinds: &[&'static str]) -> Result<ContentPart> {
    let words: Vec<_> = kinds.iter().map(|&kind| (kind, ())).collect();
    fields.required("type", |node| node.word(&words))?;
    match kind.expect("a type that was read is text") {
        "text" => Ok(ContentPart::Text { text: fields.required("text", Node::string)? }),
        "refusal" => Ok(ContentPart::Refusal { refusal: fields.required("refusal", Node::string)? }),
        _ => Ok(ContentPart::ImageUrl { image_url: fields.required("image_url", |node| node.object(read_image))? }),
    }
}

fn read_image(fields: &mut Fields) -> Result<ImageUrl> {
    let details = [("auto", ImageDetail::Auto), ("low", ImageDetail::Low), ("high", ImageDetail::High)];
    let url = fields.required("url", |node| {
        let wrong = node.invalid("must be an http or https address, or a data URL of a picture in base64");
        let url = node.string()?;
        if crate::convert::is_image_url(&url) { Ok(url) } else { Err(wrong) }
    })?;
    Ok(ImageUrl { url, detail: fields.optional("detail", |node| node.word(&details))? })
}
