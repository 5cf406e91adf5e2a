//! Where tokenizers keep their chat templates, and the special tokens that those name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::SPECIAL_TOKENS;
use crate::error::{Error, Result};
use crate::weights::read_json_if_there;

const CONFIG: &str = "tokenizer_config.json";

/// What a folder holds.
pub(super) struct Saved {
    /// By name; none, where the model is not for chats.
    pub(super) templates: BTreeMap<String, String>,
    /// As `bos_token` and `<s>`.
    pub(super) special_tokens: BTreeMap<String, String>,
}

impl Saved {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        fs::metadata(folder).map_err(Error::io(folder))?;
        let path = folder.join(CONFIG);
        let config: Map<String, Value> = read_json_if_there(&path)?.unwrap_or_default();
        let malformed = |reason: String| Error::malformed(&path, reason);
        let mut templates = template_files(folder)?;
        if templates.is_empty() {
            templates = templates_of(&config).map_err(malformed)?;
        }
        Ok(Self { templates, special_tokens: special_tokens_of(&config).map_err(malformed)? })
    }
}

/// `chat_template.jinja`, and `NAME.jinja` of `additional_chat_templates`.
fn template_files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut templates = BTreeMap::new();
    let default = folder.join("chat_template.jinja");
    if default.exists() {
        templates.insert("default".to_owned(), fs::read_to_string(&default).map_err(Error::io(&default))?);
    }
    let others = folder.join("additional_chat_templates");
    if others.is_dir() {
        for entry in fs::read_dir(&others).map_err(Error::io(&others))? {
            let path = entry.map_err(Error::io(&others))?.path();
            let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jinja"));
            if let Some(name) = name {
                templates.insert(name.to_owned(), fs::read_to_string(&path).map_err(Error::io(&path))?);
            }
        }
    }
    Ok(templates)
}

fn templates_of(config: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    match config.get("chat_template") {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::String(source)) => Ok(BTreeMap::from([("default".to_owned(), source.clone())])),
        Some(list) => {
            let named =
                Vec::<Named>::deserialize(list).map_err(|error| format!("`chat_template` is no template and no list of them: {error}"))?;
            Ok(named.into_iter().map(|named| (named.name, named.template)).collect())
        }
    }
}

fn special_tokens_of(config: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let mut tokens = BTreeMap::new();
    for name in SPECIAL_TOKENS {
        let token = match config.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(token)) => token,
            Some(Value::Object(token)) if let Some(Value::String(content)) = token.get("content") => content,
            Some(_) => return Err(format!("`{name}` is no text and has no `content` that is one")),
        };
        tokens.insert(name.to_owned(), token.clone());
    }
    Ok(tokens)
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}
