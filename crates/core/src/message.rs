use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Error, ErrorKind, Result, base64};

/// One turn of a conversation.
///
/// ```
/// use jarre_core::{Message, Part, Role};
///
/// let message = Message::user("what is on this picture?").with_part(Part::image_url("https://example.org/cat.png"));
/// assert_eq!(message.role, Role::User);
/// assert_eq!(message.text(), "what is on this picture?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

impl Message {
    /// A message of `role` made of `parts`.
    pub fn new(role: Role, parts: impl IntoIterator<Item = Part>) -> Self {
        Self { role, parts: parts.into_iter().collect() }
    }

    /// Instructions that stand above the conversation.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, [Part::text(text)])
    }

    /// What the person says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, [Part::text(text)])
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, [Part::text(text)])
    }

    /// What a tool answered; results of several calls of one turn may share a message ([`with_part`](Self::with_part)).
    pub fn tool(result: ToolResult) -> Self {
        Self::new(Role::Tool, [result.into()])
    }

    /// Adds a part at the end.
    pub fn with_part(mut self, part: impl Into<Part>) -> Self {
        self.parts.push(part.into());
        self
    }

    /// The text parts, joined without anything between them.
    pub fn text(&self) -> String {
        self.parts.iter().filter_map(Part::as_text).collect()
    }

    /// The tool calls, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The operator, whose instructions stand above the conversation.
    System,
    /// The person, or the program, that asks.
    User,
    /// The model.
    Assistant,
    /// A tool that the model called.
    Tool,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image(Image),
    /// The model asks for a tool to be called.
    ToolCall(ToolCall),
    /// What the tool answered.
    ToolResult(ToolResult),
}

impl Part {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A picture that the other side fetches.
    pub fn image_url(url: impl Into<String>) -> Self {
        Self::Image(Image::Url { url: url.into() })
    }

    /// A picture sent along; `mime` as in `image/png`.
    pub fn image_bytes(mime: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self::Image(Image::Bytes { mime: mime.into(), data: data.into() })
    }

    /// The text, where this is a text part.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            _ => None,
        }
    }
}

impl From<ToolCall> for Part {
    fn from(call: ToolCall) -> Self {
        Self::ToolCall(call)
    }
}

impl From<ToolResult> for Part {
    fn from(result: ToolResult) -> Self {
        Self::ToolResult(result)
    }
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Image {
    /// To be fetched by whoever reads the message.
    Url {
        /// Where it lies.
        url: String,
    },
    /// Sent along.
    Bytes {
        /// Media type, as `image/png`.
        mime: String,
        /// The encoded file; base64 (RFC 4648, padded) in serialised form.
        #[serde(with = "base64")]
        data: Vec<u8>,
    },
}

/// The model asks for a tool to be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Links the call to its [`ToolResult`].
    pub id: String,
    /// Which tool.
    pub name: String,
    /// The arguments as the model wrote them: JSON text, which may be malformed.
    pub arguments: String,
}

impl ToolCall {
    /// A call of `name` with `arguments` as JSON text.
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.into() }
    }

    /// Reads the arguments. Text that is empty or only white space reads as `{}`, because models leave it out for tools without
    /// parameters.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidResponse`] where they are not JSON or do not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        let text = match self.arguments.trim() {
            "" => "{}",
            text => text,
        };
        serde_json::from_str(text).map_err(|error| {
            let message = format!("the arguments of the call of {:?} cannot be read: {error}", self.name);
            Error::new(ErrorKind::InvalidResponse, message).with_source(error)
        })
    }
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The [`ToolCall::id`] that is answered.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// What the model reads.
    pub text: String,
    /// Whether `text` tells of a failure.
    #[serde(default)]
    pub is_error: bool,
}

impl ToolResult {
    /// The answer `text` to `call`.
    pub fn new(call: &ToolCall, text: impl Into<String>) -> Self {
        Self { call_id: call.id.clone(), name: call.name.clone(), text: text.into(), is_error: false }
    }

    /// A failure that the model is told of.
    pub fn error(call: &ToolCall, text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::new(call, text) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn wire_forms_are_tagged_and_read_back() {
        let call = ToolCall::new("c1", "add", r#"{"a":1}"#);
        let message = Message::new(Role::Assistant, [])
            .with_part(Part::text("hm"))
            .with_part(Part::image_url("https://example.org/a.png"))
            .with_part(Part::image_bytes("image/png", [0, 255, 16]))
            .with_part(ToolResult::error(&call, "no"))
            .with_part(call);
        let wire = json!({"role": "assistant", "parts": [
            {"type": "text", "text": "hm"},
            {"type": "image", "source": "url", "url": "https://example.org/a.png"},
            {"type": "image", "source": "bytes", "mime": "image/png", "data": "AP8Q"},
            {"type": "tool_result", "call_id": "c1", "name": "add", "text": "no", "is_error": true},
            {"type": "tool_call", "id": "c1", "name": "add", "arguments": "{\"a\":1}"},
        ]});
        assert_eq!(serde_json::to_value(&message).unwrap(), wire);
        assert_eq!(serde_json::from_value::<Message>(wire).unwrap(), message);
    }

    #[test]
    fn text_leaves_out_everything_else() {
        let message = Message::assistant("a").with_part(ToolCall::new("1", "t", "{}")).with_part(Part::text("b"));
        assert_eq!(message.text(), "ab");
        assert_eq!(message.tool_calls().count(), 1);
    }

    #[test]
    fn arguments_are_read_and_refused() {
        let parse = |text: &str| ToolCall::new("1", "t", text).parse::<BTreeMap<String, Value>>();
        assert_eq!(parse(r#"{"a": 1}"#).unwrap()["a"], 1);
        assert!(parse(" ").unwrap().is_empty());
        for malformed in [r#"{"a": "#, "[1]"] {
            assert_eq!(parse(malformed).unwrap_err().kind(), ErrorKind::InvalidResponse);
        }
    }
}
