//! What is read, by which encoder and into which index.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, ensure};
use jarre_core::TokenCounter;
use jarre_rag::{
    Chunker, Rag, SentenceEncoder,
    chunk::{FixedChunker, SemanticChunker, StructureChunker},
    load_encoder,
    retrieve::{Fusion, Strategy},
};

use crate::args::{Args, ChunkerArg, FusionArg, StrategyArg};

/// Where this repository lies, relative to the current folder where that is inside.
fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the example lies two folders below the repository's root");
    match env::current_dir() {
        Ok(here) if here == root => PathBuf::new(),
        _ => root.to_owned(),
    }
}

/// What to read: `--docs`, or this repository's own documentation.
pub(crate) fn roots(args: &Args) -> Result<Vec<PathBuf>> {
    if args.docs.is_empty() {
        let own = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs"].map(|name| repository().join(name));
        let readmes = ["core", "eval", "rag", "transformer"].map(|name| repository().join("crates").join(name).join("README.md"));
        return Ok(own.into_iter().chain(readmes).filter(|path| path.exists()).collect());
    }
    for path in &args.docs {
        ensure!(path.exists(), "{} does not exist: give --docs a folder or a file", path.display());
    }
    Ok(args.docs.clone())
}

/// Opens the index that belongs to these choices.
pub(crate) fn open(args: &Args, roots: &[PathBuf]) -> Result<Rag> {
    let model = args.model.clone().unwrap_or_else(|| repository().join("examples/assets/all-minilm-l6-v2-int8"));
    let encoder = load_encoder(&model)?;
    let chunker = chunker(args.chunker, &encoder);
    let dir = args.index.clone().unwrap_or_else(|| own_index(roots, &*chunker, &model));
    let builder = Rag::builder(encoder).with_chunker(chunker).with_strategy(strategy(args)).with_k(args.k.into());
    Ok(if args.rebuild { builder.rebuild(&dir)? } else { builder.open(&dir)? })
}

/// One folder for each set of documents and each way to index them, so that none has to be rebuilt for another.
fn own_index(roots: &[PathBuf], chunker: &dyn Chunker, model: &Path) -> PathBuf {
    let absolute = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let key = format!("{:?} {} {}", roots.iter().map(absolute).collect::<Vec<_>>(), chunker.fingerprint(), model.display());
    let name = &jarre_rag::ingest::content_hash(key.as_bytes())[..16];
    repository().join(".jarre").join("phase5_rag").join(name)
}

fn chunker(choice: ChunkerArg, encoder: &Arc<SentenceEncoder>) -> Arc<dyn Chunker> {
    let counter = Arc::clone(encoder) as Arc<dyn TokenCounter>;
    match choice {
        ChunkerArg::Structure => Arc::new(StructureChunker::new(counter)),
        ChunkerArg::Fixed => Arc::new(FixedChunker::new(counter)),
        ChunkerArg::Semantic => Arc::new(SemanticChunker::new(counter, Arc::clone(encoder) as _)),
    }
}

fn strategy(args: &Args) -> Strategy {
    match args.strategy {
        StrategyArg::Dense => Strategy::Dense,
        StrategyArg::Sparse => Strategy::Sparse,
        StrategyArg::Hybrid => Strategy::Hybrid(match args.fusion {
            FusionArg::Dbsf => Fusion::dbsf(),
            FusionArg::Rrf => Fusion::rrf(),
            FusionArg::Convex => Fusion::convex(0.5).expect("0.5 lies between 0 and 1"),
        }),
    }
}
