//! `embed`: vectors of texts by a sentence encoder.

use std::{io::Write, path::PathBuf};

use anyhow::Result;
use clap::Args;
use jarre_core::Embedder;
use jarre_transformer::{Device, SentenceEncoder};
use serde_json::json;

use crate::input;

/// Texts that are encoded together.
const BATCH: usize = 32;

#[derive(Debug, Args)]
pub(crate) struct EmbedArgs {
    /// The texts: a JSON object a line, or a JSON string; standard input where it is not given.
    pub(crate) file: Option<PathBuf>,
    /// The field of an object that holds the text.
    #[arg(long, default_value = "text")]
    pub(crate) field: String,
    /// The encoder: a folder of the Hugging Face layout; the small one of this repository where it is not given.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/all-minilm-l6-v2-int8"))]
    pub(crate) encoder: PathBuf,
}

/// Writes `{"text", "vector"}` a line; what of a text is beyond the encoder's greatest length is not read.
pub(crate) fn embed(args: &EmbedArgs) -> Result<bool> {
    let encoder = SentenceEncoder::from_folder(&args.encoder, &Device::flex())?;
    let mut texts = Vec::new();
    input::lines(args.file.as_deref(), |_, line| {
        texts.push(input::text_of(line, &args.field)?);
        Ok(())
    })?;
    let mut out = std::io::stdout().lock();
    for batch in texts.chunks(BATCH) {
        let refs: Vec<&str> = batch.iter().map(String::as_str).collect();
        let vectors = encoder.embed(&refs)?;
        for (text, vector) in batch.iter().zip(vectors.rows()) {
            writeln!(out, "{}", json!({"text": text, "vector": vector}))?;
        }
    }
    Ok(true)
}
