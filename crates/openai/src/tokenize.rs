use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Result,
    chat::{ChatMessage, Tool, read_messages, read_tools},
    decode::{Fields, Node, requests},
    lenient::or_default,
};

/// Text to be cut into tokens: the body of vLLM's `POST /tokenize`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TokenizeRequest {
    /// The model; the server's only one where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The text.
    #[serde(flatten)]
    pub input: TokenizeInput,
    /// Whether the tokenizer's own tokens are added: by default to texts, which have none, and not to conversations, which have them from
    /// their template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_special_tokens: Option<bool>,
    /// Whether the texts of the tokens are wanted as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_token_strs: Option<bool>,
}

/// What is cut into tokens.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TokenizeInput {
    /// A text.
    Text {
        /// The text.
        prompt: String,
    },
    /// A conversation, as the chat template writes it.
    Chat {
        /// The conversation, oldest first; not empty.
        messages: Vec<ChatMessage>,
        /// Tools that the template tells of.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tools: Vec<Tool>,
        /// Whether the prompt ends with the opening of an answer; so it does by default.
        #[serde(skip_serializing_if = "Option::is_none")]
        add_generation_prompt: Option<bool>,
        /// Further variables of the chat template.
        #[serde(skip_serializing_if = "Option::is_none")]
        chat_template_kwargs: Option<Map<String, Value>>,
    },
}

/// Tokens to be put together: the body of vLLM's `POST /detokenize`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DetokenizeRequest {
    /// The model; the server's only one where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The tokens.
    pub tokens: Vec<u32>,
}

requests! {
    TokenizeRequest: read_tokenize;
    DetokenizeRequest: read_detokenize;
}

fn read_tokenize(fields: &mut Fields) -> Result<TokenizeRequest> {
    let prompt = fields.optional("prompt", Node::string)?;
    let messages = fields.optional("messages", read_messages)?;
    let input = match (prompt, messages) {
        (Some(prompt), None) => TokenizeInput::Text { prompt },
        (None, Some(messages)) => TokenizeInput::Chat {
            messages,
            tools: fields.optional("tools", read_tools)?.unwrap_or_default(),
            add_generation_prompt: fields.optional("add_generation_prompt", Node::boolean)?,
            chat_template_kwargs: fields.optional("chat_template_kwargs", Node::any_object)?,
        },
        (None, None) => return Err(fields.invalid("prompt", "or 'messages' has to be given")),
        (Some(_), Some(_)) => return Err(fields.invalid("messages", "cannot stand together with 'prompt'")),
    };
    Ok(TokenizeRequest {
        model: fields.optional("model", Node::non_empty_string)?,
        input,
        add_special_tokens: fields.optional("add_special_tokens", Node::boolean)?,
        return_token_strs: fields.optional("return_token_strs", Node::boolean)?,
    })
}

fn read_detokenize(fields: &mut Fields) -> Result<DetokenizeRequest> {
    Ok(DetokenizeRequest {
        model: fields.optional("model", Node::non_empty_string)?,
        tokens: fields.required("tokens", |node| node.list(Node::token_id))?,
    })
}

/// The tokens of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenizeResponse {
    /// How many there are.
    #[serde(deserialize_with = "or_default")]
    pub count: usize,
    /// How many fit into the model.
    #[serde(deserialize_with = "or_default")]
    pub max_model_len: usize,
    /// Their ids.
    #[serde(deserialize_with = "or_default")]
    pub tokens: Vec<u32>,
    /// Their texts, where they were asked for.
    pub token_strs: Option<Vec<String>>,
}

/// The text of tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DetokenizeResponse {
    /// The text.
    #[serde(deserialize_with = "or_default")]
    pub prompt: String,
}
