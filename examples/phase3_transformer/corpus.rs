//! Text to tokens, in the folder of a run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jarre_transformer::corpus::{BpeConfig, CharacterConfig, Corpus, CorpusConfig, DocumentSource, Split, TextTokenizer};

use crate::args::{CorpusArgs, TokenizerArg};
use crate::progress::CorpusBar;

/// What ends a document.
pub(crate) const END: &str = "<|endoftext|>";

/// The corpus of these arguments under `folder`: made, or taken as it is where nothing has changed.
pub(crate) fn prepare(args: &CorpusArgs, folder: &Path) -> Result<Corpus> {
    let source = DocumentSource::new(texts(args)?);
    let bar = CorpusBar::new();
    let path = folder.join(format!("{}-{}.json", name(args.tokenizer), args.vocab_size));
    let tokenizer = if path.exists() { TextTokenizer::from_file(&path)? } else { learn(args, &source, &bar)? };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    tokenizer.save(&path)?;
    let one_text = args.text.len() == 1 && args.text[0].is_file() && !is_lines(&args.text[0]);
    let split = if one_text { Split::by_position(args.validation)? } else { Split::by_document(args.validation)? };
    let config = CorpusConfig::new(split);
    let config = if args.tokenizer == TokenizerArg::Bpe { config.with_end_of_document(END) } else { config };
    Ok(Corpus::build(&source, &tokenizer, &config, folder.join("corpus"), &mut |progress| bar.show(progress))?)
}

fn learn(args: &CorpusArgs, source: &DocumentSource, bar: &CorpusBar) -> Result<TextTokenizer> {
    let documents = source.documents()?.map(|document| document.map(|document| document.text));
    Ok(match args.tokenizer {
        TokenizerArg::Chars => CharacterConfig::new().build(documents)?,
        TokenizerArg::Bpe => {
            let config = BpeConfig::new(args.vocab_size as usize).with_special_tokens([END]);
            config.train(documents, &mut |progress| bar.show(progress))?
        }
    })
}

/// What was named, or this repository's documentation and code.
fn texts(args: &CorpusArgs) -> Result<Vec<PathBuf>> {
    if !args.text.is_empty() {
        return Ok(args.text.clone());
    }
    repository(&["README.md", "CONTRIBUTING.md", "docs", "crates"])
}

/// Files and folders of this repository.
pub(crate) fn repository(names: &[&str]) -> Result<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found: Vec<PathBuf> = names.iter().map(|name| root.join(name)).collect();
    match found.iter().find(|path| !path.exists()) {
        Some(path) => bail!("{} is not there: name a text with --text", path.display()),
        None => Ok(found),
    }
}

fn is_lines(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".jsonl") || name.ends_with(".jsonl.gz")
}

fn name(tokenizer: TokenizerArg) -> &'static str {
    match tokenizer {
        TokenizerArg::Bpe => "bpe",
        TokenizerArg::Chars => "chars",
    }
}
