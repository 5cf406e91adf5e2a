//! Models that people name on the command line: a folder of Hugging Face, a GGUF file, a checkpoint of llama2.c, or nothing for the one that ships.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jarre_kernels::Inputs;
use jarre_quant::gguf::GgufFile;
use jarre_transformer::{CausalModel, Device, Tokenizer};

use crate::args::ModelArgs;

/// A model and the tokenizer of its folder.
pub(crate) struct Opened {
    pub(crate) model: CausalModel,
    /// Absent where the folder has none: `logits` works on ids alone.
    pub(crate) tokenizer: Option<Tokenizer>,
}

impl Opened {
    /// The model that was named, or the one that ships.
    pub(crate) fn open(args: &ModelArgs) -> Result<Self> {
        let named = args.path();
        let (path, vocabulary) = (named.as_path(), args.vocabulary.as_deref());
        let device = Device::default();
        if path.is_dir() {
            let model = if args.packed {
                CausalModel::from_packed_folder(path, Inputs::Int8, &device)?
            } else {
                CausalModel::from_folder(path, &device)?
            };
            let tokenizer = if path.join("tokenizer.json").exists() { Some(Tokenizer::from_folder(path)?) } else { None };
            return Ok(Self { model, tokenizer });
        }
        if args.packed {
            bail!("--packed is for folders whose layers lie in four or eight bits: {} is none", path.display());
        }
        if path.extension().is_some_and(|extension| extension == "bin") {
            let model = CausalModel::from_llama2c(path, &device)?;
            return Ok(Self { model, tokenizer: llama2c_vocabulary(path, vocabulary)? });
        }
        if path.extension().is_some_and(|extension| extension == "gguf") {
            let tokenizer = gguf_vocabulary(path)?;
            return Ok(Self { model: CausalModel::from_gguf(path, &device)?, tokenizer });
        }
        bail!("{} is neither a folder, nor a .gguf file, nor a .bin file of llama2.c", path.display())
    }

    /// The ids of a prompt, with the token that begins a text before it where the model has one; never empty.
    pub(crate) fn prompt(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids: Vec<u32> = self.model.bos().into_iter().collect();
        ids.extend(self.tokenizer()?.encode_plain(text)?);
        if ids.is_empty() {
            bail!("the model has no token that begins a text: give it a --prompt");
        }
        Ok(ids)
    }

    /// The tokenizer, which everything that reads text needs.
    pub(crate) fn tokenizer(&self) -> Result<&Tokenizer> {
        self.tokenizer
            .as_ref()
            .context("the model has no tokenizer: put tokenizer.json into its folder, or name a vocabulary with --vocabulary")
    }
}

/// The vocabulary of a GGUF file, where it has one.
fn gguf_vocabulary(path: &Path) -> Result<Option<Tokenizer>> {
    let file = GgufFile::open(path)?;
    if file.metadata().get("tokenizer.ggml.tokens").is_none() { Ok(None) } else { Ok(Some(Tokenizer::from_gguf(path)?)) }
}

/// The vocabulary that was named, or the only `tok*.bin` beside the checkpoint.
fn llama2c_vocabulary(checkpoint: &Path, named: Option<&Path>) -> Result<Option<Tokenizer>> {
    if let Some(path) = named {
        return Ok(Some(Tokenizer::from_llama2c(path)?));
    }
    let folder = checkpoint.parent().unwrap_or(Path::new("."));
    let is_vocabulary = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("tok") && path.extension().is_some_and(|extension| extension == "bin")
    };
    let entries = std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let mut found: Vec<PathBuf> = entries.into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_vocabulary).collect();
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(Some(Tokenizer::from_llama2c(path)?)),
        _ => Ok(None),
    }
}
