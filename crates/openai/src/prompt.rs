use serde::Serialize;

use crate::{Result, decode::Node};

/// One or several texts, as text or as tokens: the prompt of a completion, the input of an embedding. On the wire a string, a list of
/// strings, a list of token ids, or a list of lists of token ids; no list is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Prompt {
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// A text as tokens.
    Tokens(Vec<u32>),
    /// Several texts as tokens.
    TokenLists(Vec<Vec<u32>>),
}

/// One text of a [`Prompt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptItem<'a> {
    /// As text.
    Text(&'a str),
    /// As tokens.
    Tokens(&'a [u32]),
}

impl Prompt {
    /// How many texts there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(_) | Self::Tokens(_) => 1,
            Self::Texts(texts) => texts.len(),
            Self::TokenLists(lists) => lists.len(),
        }
    }

    /// Whether there are no texts, which no prompt off the wire is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts, in order.
    pub fn items(&self) -> Vec<PromptItem<'_>> {
        match self {
            Self::Text(text) => vec![PromptItem::Text(text)],
            Self::Texts(texts) => texts.iter().map(|text| PromptItem::Text(text)).collect(),
            Self::Tokens(tokens) => vec![PromptItem::Tokens(tokens)],
            Self::TokenLists(lists) => lists.iter().map(|tokens| PromptItem::Tokens(tokens)).collect(),
        }
    }

    pub(crate) fn read(node: Node) -> Result<Self> {
        if node.is_string() {
            return node.string().map(Self::Text);
        }
        if !node.is_list() {
            return Err(node.mistyped("a string, a list of strings, a list of token ids, or a list of such lists"));
        }
        if node.begins_with(serde_json::Value::is_string) {
            node.list(Node::string).map(Self::Texts)
        } else if node.begins_with(serde_json::Value::is_array) {
            node.list(|node| node.non_empty_list(Node::token_id)).map(Self::TokenLists)
        } else {
            node.non_empty_list(Node::token_id).map(Self::Tokens)
        }
    }
}
