use serde::{Deserialize, Serialize};

use crate::{
    Result,
    decode::{Fields, Node, requests},
    embedding::ListTag,
    lenient::{constants, or_default},
};

constants! {
    /// The text `model`.
    ModelTag = "model";
}

/// What `GET /v1/models` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelList {
    /// `list`.
    pub object: ListTag,
    /// The models that can be asked for, adapters among them.
    #[serde(deserialize_with = "or_default")]
    pub data: Vec<Model>,
}

/// A model that can be asked for; what `GET /v1/models/{id}` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Model {
    /// The name to ask for.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// `model`.
    pub object: ModelTag,
    /// Since when it is there, in seconds since the start of 1970 in UTC.
    #[serde(deserialize_with = "or_default")]
    pub created: u64,
    /// Whose it is.
    #[serde(deserialize_with = "or_default")]
    pub owned_by: String,
    /// Where it was loaded from (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The model that this is an adapter of (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Tokens of prompt and answer together that fit (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_model_len: Option<u32>,
}

/// An adapter to be loaded: the body of vLLM's `POST /v1/load_lora_adapter`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LoadLoraAdapterRequest {
    /// The name that it is asked for by from then on; not empty.
    pub lora_name: String,
    /// Where the server finds it; not empty.
    pub lora_path: String,
    /// Whether it takes the place of a loaded one of its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_inplace: Option<bool>,
}

/// An adapter to be forgotten: the body of vLLM's `POST /v1/unload_lora_adapter`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UnloadLoraAdapterRequest {
    /// Its name; not empty.
    pub lora_name: String,
}

requests! {
    LoadLoraAdapterRequest: read_load;
    UnloadLoraAdapterRequest: read_unload;
}

fn read_load(fields: &mut Fields) -> Result<LoadLoraAdapterRequest> {
    Ok(LoadLoraAdapterRequest {
        lora_name: fields.required("lora_name", Node::non_empty_string)?,
        lora_path: fields.required("lora_path", Node::non_empty_string)?,
        load_inplace: fields.optional("load_inplace", Node::boolean)?,
    })
}

fn read_unload(fields: &mut Fields) -> Result<UnloadLoraAdapterRequest> {
    let request = UnloadLoraAdapterRequest { lora_name: fields.required("lora_name", Node::non_empty_string)? };
    fields.refused("lora_int_id", "adapters are known by their names")?;
    Ok(request)
}
