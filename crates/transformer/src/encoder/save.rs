use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::bert_classifier::BertClassifier;
use super::folder_config::FolderConfig;
use crate::error::{Error, Result};
use crate::weights::{Stored, TOKENIZER, collect, copy_if_there, read_json, read_json_if_there, write_json, write_safetensors};

impl BertClassifier {
    /// Writes a Hugging Face folder of a `...ForSequenceClassification` in float32 of which any number of `labels` fits a text:
    /// [`SequenceClassifier`](crate::SequenceClassifier) and transformers load it with the same logits. What is not in the model, above all
    /// the tokenizer, comes from `encoder`, the folder that the encoder was loaded from. Readers cut texts to `max_tokens`.
    ///
    /// # Errors
    /// Where a label is missing or twice there, the folders are one, or a file cannot be read or written.
    pub fn save_multi_label(&self, encoder: &Path, labels: &[&str], max_tokens: usize, folder: &Path) -> Result<()> {
        let distinct: BTreeMap<&str, usize> = labels.iter().enumerate().map(|(index, label)| (*label, index)).collect();
        let [_, n_labels] = self.head().output.weight.dims();
        if labels.len() != n_labels || distinct.len() != n_labels {
            return Err(Error::setting("the list of labels", format!("{labels:?}"), format!("{n_labels} distinct names")));
        }
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let same = encoder.canonicalize().ok().is_some_and(|encoder| folder.canonicalize().is_ok_and(|folder| folder == encoder));
        if same {
            return Err(Error::setting("the folder to write to", folder.display(), "another one than the encoder's"));
        }
        let config = FolderConfig::read(encoder)?;
        write_safetensors(self.tensors(&config), folder)?;
        write_json(&described(encoder, labels, &distinct)?, &folder.join("config.json"))?;
        let mut tokenizer: Map<String, Value> = read_json_if_there(&encoder.join("tokenizer_config.json"))?.unwrap_or_default();
        tokenizer.insert("model_max_length".to_owned(), max_tokens.into());
        write_json(&tokenizer, &folder.join("tokenizer_config.json"))?;
        TOKENIZER.iter().try_for_each(|name| copy_if_there(&encoder.join(name), &folder.join(name)))
    }

    /// Under the names of Hugging Face.
    fn tensors(&self, config: &FolderConfig) -> Vec<(String, Stored)> {
        let names = config.names();
        let parts = collect(self, &names).into_iter().flat_map(|(name, tensor)| names.parts(name, tensor));
        parts.map(|(name, tensor)| (names.with_prefix(&name), Stored::f32(tensor.shape, &tensor.values))).collect()
    }
}

/// The encoder's `config.json` with what a classifier has besides.
fn described(encoder: &Path, labels: &[&str], numbers: &BTreeMap<&str, usize>) -> Result<Map<String, Value>> {
    let path = encoder.join("config.json");
    let mut file: Map<String, Value> = read_json(&path)?;
    let family = match file.get("model_type").and_then(Value::as_str) {
        Some("roberta") => "Roberta",
        Some("xlm-roberta") => "XLMRoberta",
        Some("camembert") => "Camembert",
        Some("distilbert") => "DistilBert",
        _ => "Bert",
    };
    for gone in ["_name_or_path", "num_labels", "quantization_config", "sentence_transformers", "torch_dtype"] {
        file.remove(gone);
    }
    let names: BTreeMap<String, &str> = labels.iter().enumerate().map(|(index, label)| (index.to_string(), *label)).collect();
    file.insert("architectures".to_owned(), json!([format!("{family}ForSequenceClassification")]));
    file.insert("dtype".to_owned(), "float32".into());
    file.insert("id2label".to_owned(), json!(names));
    file.insert("label2id".to_owned(), json!(numbers));
    file.insert("problem_type".to_owned(), "multi_label_classification".into());
    Ok(file)
}
