use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::pooling::Pooling;
use crate::error::{Error, Result};
use crate::weights::{OneOrMany, file_inside, read_json, read_json_if_there};

/// What a folder of sentence-transformers says about the steps around the encoder. A folder without `modules.json` is a plain
/// encoder, for which sentence-transformers takes the mean and does not normalise.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SentenceFolder {
    /// Where `config.json`, `tokenizer.json` and the weights are.
    pub(crate) encoder: PathBuf,
    pub(crate) pooling: Pooling,
    pub(crate) normalize: bool,
    /// Tokens of a text that are read, where a file says so.
    pub(crate) max_tokens: Option<usize>,
    pub(crate) lowercase: bool,
    /// Put before every text.
    pub(crate) prompt: String,
}

impl SentenceFolder {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut this = Self {
            encoder: folder.to_owned(),
            pooling: Pooling::Mean,
            normalize: false,
            max_tokens: None,
            lowercase: false,
            prompt: read_prompt(folder)?,
        };
        for module in read_json_if_there::<Vec<ModuleEntry>>(&folder.join("modules.json"))?.unwrap_or_default() {
            this.apply(folder, &module)?;
        }
        this.read_limits()?;
        Ok(this)
    }

    /// What of these settings changes vectors; the path does not.
    pub(crate) fn key(&self) -> (Pooling, bool, bool, &str) {
        (self.pooling, self.normalize, self.lowercase, &self.prompt)
    }

    fn apply(&mut self, folder: &Path, module: &ModuleEntry) -> Result<()> {
        let path = match module.path.as_str() {
            "" => folder.to_owned(),
            name => file_inside(folder, name)
                .ok_or_else(|| Error::malformed(folder.join("modules.json"), format!("`{name}` is not a folder name")))?,
        };
        match module.kind.rsplit('.').next().unwrap_or_default() {
            "Transformer" => self.encoder = path,
            "Pooling" => self.pooling = read_json::<PoolingFile>(&path.join("config.json"))?.pooling(&self.prompt)?,
            "Normalize" => self.normalize = true,
            _ => {
                let found = module.kind.clone();
                return Err(Error::Unsupported {
                    what: "sentence-transformers module",
                    found,
                    supported: "Transformer, Pooling, Normalize",
                });
            }
        }
        Ok(())
    }

    fn read_limits(&mut self) -> Result<()> {
        let sentence: SentenceFile = read_json_if_there(&self.encoder.join("sentence_bert_config.json"))?.unwrap_or_default();
        let tokenizer: TokenizerFile = read_json_if_there(&self.encoder.join("tokenizer_config.json"))?.unwrap_or_default();
        self.lowercase = sentence.do_lower_case;
        // Tokenizers without a limit write 1e30 here.
        let fallback = tokenizer.model_max_length.filter(|&max| max < 1e9).map(|max| max as usize);
        self.max_tokens = sentence.max_seq_length.or(fallback);
        Ok(())
    }
}

fn read_prompt(folder: &Path) -> Result<String> {
    let file: PromptFile = read_json_if_there(&folder.join("config_sentence_transformers.json"))?.unwrap_or_default();
    let prompt = file.default_prompt_name.and_then(|name| file.prompts?.remove(&name));
    Ok(prompt.unwrap_or_default())
}

#[derive(Deserialize)]
struct ModuleEntry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
struct SentenceFile {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Default, Deserialize)]
struct TokenizerFile {
    model_max_length: Option<f64>,
}

#[derive(Default, Deserialize)]
struct PromptFile {
    prompts: Option<std::collections::HashMap<String, String>>,
    default_prompt_name: Option<String>,
}

/// `1_Pooling/config.json`: a name (or list of names) in new files, one flag for each kind in old ones.
#[derive(Deserialize)]
struct PoolingFile {
    pooling_mode: Option<OneOrMany<String>>,
    include_prompt: Option<bool>,
    #[serde(flatten)]
    flags: serde_json::Map<String, serde_json::Value>,
}

impl PoolingFile {
    fn pooling(self, prompt: &str) -> Result<Pooling> {
        if self.include_prompt == Some(false) && !prompt.is_empty() {
            return Err(unsupported_pooling("include_prompt = false"));
        }
        let modes = self.modes();
        match modes.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["mean"] | [] => Ok(Pooling::Mean),
            ["cls"] => Ok(Pooling::Cls),
            ["max"] => Ok(Pooling::Max),
            _ => Err(unsupported_pooling(&modes.join(" + "))),
        }
    }

    fn modes(&self) -> Vec<String> {
        match &self.pooling_mode {
            Some(OneOrMany::One(mode)) => vec![mode.clone()],
            Some(OneOrMany::Many(modes)) => modes.clone(),
            None => self.flags.iter().filter(|(_, on)| **on == true).filter_map(|(flag, _)| mode_of_flag(flag)).collect(),
        }
    }
}

fn mode_of_flag(flag: &str) -> Option<String> {
    let mode = flag.strip_prefix("pooling_mode_")?;
    Some(match mode {
        "cls_token" => "cls".to_owned(),
        "max_tokens" => "max".to_owned(),
        "mean_tokens" => "mean".to_owned(),
        other => other.to_owned(),
    })
}

fn unsupported_pooling(found: &str) -> Error {
    Error::Unsupported { what: "pooling", found: found.to_owned(), supported: "mean, cls, max" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooling(json: &str) -> Result<Pooling> {
        serde_json::from_str::<PoolingFile>(json).unwrap().pooling("")
    }

    #[test]
    fn pooling_is_read_from_flags_and_from_names() {
        assert_eq!(pooling(r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#).unwrap(), Pooling::Cls);
        assert_eq!(pooling(r#"{"pooling_mode_mean_tokens": true, "word_embedding_dimension": 8}"#).unwrap(), Pooling::Mean);
        assert_eq!(pooling(r#"{"pooling_mode": "max"}"#).unwrap(), Pooling::Max);
        assert_eq!(pooling(r#"{"pooling_mode": ["cls"]}"#).unwrap(), Pooling::Cls);
    }

    #[test]
    fn pooling_that_is_not_computed_is_refused_by_name() {
        let error = pooling(r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#).unwrap_err();
        assert!(error.to_string().contains("cls + mean"), "{error}");
        assert!(pooling(r#"{"pooling_mode_lasttoken": true}"#).is_err());
    }
}
