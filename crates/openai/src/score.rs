use serde::{Deserialize, Serialize};

use crate::{
    Result, Usage,
    decode::{Fields, Node, requests},
    embedding::ListTag,
    lenient::{constants, or_default},
};

constants! {
    /// The text `score`.
    ScoreTag = "score";
}

/// Pairs of texts to be scored: the body of vLLM's `POST /score`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScoreRequest {
    /// The model; not empty.
    pub model: String,
    /// The first texts: one, or as many as there are second ones.
    pub text_1: OneOrMany,
    /// The second texts.
    pub text_2: OneOrMany,
}

/// One text, or a list of them that is not empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The texts, in order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }

    fn read(node: Node) -> Result<Self> {
        if node.is_string() { node.string().map(Self::One) } else { node.non_empty_list(Node::string).map(Self::Many) }
    }
}

impl ScoreRequest {
    /// The pairs: a single first text stands before each of the second.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let (first, second) = (self.text_1.as_slice(), self.text_2.as_slice());
        let first = first.iter().cycle().take(second.len());
        first.zip(second).map(|(first, second)| (first.as_str(), second.as_str()))
    }
}

/// Documents to be ordered by how well they answer: the body of `POST /rerank`, as vLLM, Jina and Cohere have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RerankRequest {
    /// The model; not empty.
    pub model: String,
    /// The question.
    pub query: String,
    /// The documents, not empty; on the wire each is text or `{"text": ..}`.
    pub documents: Vec<String>,
    /// How many of the best are wanted; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_n: Option<u32>,
    /// Whether their texts are wanted as well; so they are by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_documents: Option<bool>,
}

requests! {
    ScoreRequest: read_score;
    RerankRequest: read_rerank;
}

fn read_score(fields: &mut Fields) -> Result<ScoreRequest> {
    let request = ScoreRequest {
        model: fields.required("model", Node::non_empty_string)?,
        text_1: fields.required("text_1", OneOrMany::read)?,
        text_2: fields.required("text_2", OneOrMany::read)?,
    };
    let (first, second) = (request.text_1.as_slice().len(), request.text_2.as_slice().len());
    if first != 1 && first != second {
        return Err(fields.invalid("text_1", &format!("has {first} texts: it must have one, or as many as 'text_2', {second}")));
    }
    Ok(request)
}

fn read_rerank(fields: &mut Fields) -> Result<RerankRequest> {
    Ok(RerankRequest {
        model: fields.required("model", Node::non_empty_string)?,
        query: fields.required("query", Node::string)?,
        documents: fields.required("documents", |node| node.non_empty_list(document))?,
        top_n: fields.optional("top_n", |node| node.unsigned(1..=u32::MAX))?,
        return_documents: fields.optional("return_documents", Node::boolean)?,
    })
}

fn document(node: Node) -> Result<String> {
    if node.is_object() { node.object(|fields| fields.required("text", Node::string)) } else { node.string() }
}

/// The scores of a [`ScoreRequest`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoreResponse {
    /// The server's name for the answer.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// `list`.
    pub object: ListTag,
    /// When it was made, in seconds since the start of 1970 in UTC.
    #[serde(deserialize_with = "or_default")]
    pub created: u64,
    /// The model that answered.
    #[serde(deserialize_with = "or_default")]
    pub model: String,
    /// One a pair.
    #[serde(deserialize_with = "or_default")]
    pub data: Vec<Score>,
    /// The tokens used.
    pub usage: Option<Usage>,
}

/// The score of one pair.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Score {
    /// Which of the pairs, from 0.
    #[serde(deserialize_with = "or_default")]
    pub index: u32,
    /// `score`.
    pub object: ScoreTag,
    /// Higher is nearer.
    #[serde(deserialize_with = "or_default")]
    pub score: f32,
}

/// The order of a [`RerankRequest`]'s documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RerankResponse {
    /// The server's name for the answer.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The model that answered.
    #[serde(deserialize_with = "or_default")]
    pub model: String,
    /// The tokens used.
    pub usage: Option<Usage>,
    /// The best documents, best first.
    #[serde(deserialize_with = "or_default")]
    pub results: Vec<RerankResult>,
}

/// A document's place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RerankResult {
    /// Which of the documents, from 0.
    #[serde(deserialize_with = "or_default")]
    pub index: u32,
    /// The document, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<RerankDocument>,
    /// Higher is more relevant.
    #[serde(deserialize_with = "or_default")]
    pub relevance_score: f32,
}

/// A document in an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RerankDocument {
    /// Its text.
    #[serde(deserialize_with = "or_default")]
    pub text: String,
}
