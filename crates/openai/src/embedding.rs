use jarre_core::base64;
use serde::{Deserialize, Serialize};

use crate::{
    Prompt, Result, Usage,
    decode::{Fields, Node, requests},
    lenient::{constants, or_default},
};

constants! {
    /// The text `list`.
    ListTag = "list";
    /// The text `embedding`.
    EmbeddingTag = "embedding";
}

/// Texts to be turned into vectors: the body of `POST /v1/embeddings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbeddingRequest {
    /// The model; not empty.
    pub model: String,
    /// The texts.
    pub input: Prompt,
    /// How vectors are written; as floats where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding_format: Option<EncodingFormat>,
    /// How many of a vector's values are wanted, from the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// Names the person who asks, for limits and logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// How vectors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EncodingFormat {
    /// As a list of numbers.
    Float,
    /// As base64 of floats of 32 bits, little-endian.
    Base64,
}

requests! { EmbeddingRequest: EmbeddingRequest::read; }

impl EmbeddingRequest {
    /// A request for the vectors of `input`.
    pub fn new(model: impl Into<String>, input: Prompt) -> Self {
        Self { model: model.into(), input, encoding_format: None, dimensions: None, user: None }
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        let formats = [("float", EncodingFormat::Float), ("base64", EncodingFormat::Base64)];
        Ok(Self {
            model: fields.required("model", Node::non_empty_string)?,
            input: fields.required("input", Prompt::read)?,
            encoding_format: fields.optional("encoding_format", |node| node.word(&formats))?,
            dimensions: fields.optional("dimensions", |node| node.unsigned(1..=u32::MAX))?,
            user: fields.optional("user", Node::string)?,
        })
    }
}

/// The vectors of an [`EmbeddingRequest`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmbeddingResponse {
    /// `list`.
    pub object: ListTag,
    /// One a text.
    #[serde(deserialize_with = "or_default")]
    pub data: Vec<Embedding>,
    /// The model that answered.
    #[serde(deserialize_with = "or_default")]
    pub model: String,
    /// The tokens used.
    pub usage: Option<Usage>,
}

/// The vector of one text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Embedding {
    /// `embedding`.
    pub object: EmbeddingTag,
    /// Which of the texts, from 0.
    #[serde(deserialize_with = "or_default")]
    pub index: u32,
    /// The vector.
    pub embedding: Vector,
}

/// A vector in one of the [`EncodingFormat`]s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Vector {
    /// As numbers.
    Floats(Vec<f32>),
    /// As base64.
    Base64(String),
}

impl Default for Vector {
    fn default() -> Self {
        Self::Floats(Vec::new())
    }
}

impl Vector {
    /// `values` in `format`.
    pub fn encode(values: &[f32], format: EncodingFormat) -> Self {
        match format {
            EncodingFormat::Float => Self::Floats(values.to_vec()),
            EncodingFormat::Base64 => {
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                Self::Base64(base64::encode(&bytes))
            }
        }
    }

    /// The values; `None` where the text is not base64 of whole floats.
    pub fn into_values(self) -> Option<Vec<f32>> {
        match self {
            Self::Floats(values) => Some(values),
            Self::Base64(text) => {
                let bytes = base64::decode(text.as_bytes())?;
                let (values, rest) = bytes.as_chunks::<4>();
                rest.is_empty().then(|| values.iter().copied().map(f32::from_le_bytes).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base64_is_little_endian() {
        assert_eq!(Vector::encode(&[1.0, -2.0], EncodingFormat::Base64), Vector::Base64("AACAPwAAAMA=".into()));
        for broken in ["AACAPwA=", "!", "AACAPw"] {
            assert_eq!(Vector::Base64(broken.into()).into_values(), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn vectors_come_back_bit_by_bit(values: Vec<f32>) {
            for format in [EncodingFormat::Float, EncodingFormat::Base64] {
                let wire = serde_json::to_string(&Vector::encode(&values, format)).unwrap();
                if format == EncodingFormat::Float && values.iter().any(|value| !value.is_finite()) {
                    continue; // JSON has no name for them.
                }
                let back = serde_json::from_str::<Vector>(&wire).unwrap().into_values().unwrap();
                prop_assert!(back.iter().map(|value| value.to_bits()).eq(values.iter().map(|value| value.to_bits())));
            }
        }
    }
}
