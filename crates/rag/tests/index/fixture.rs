//! Small documents whose lines are their chunks.

use std::{collections::BTreeMap, path::Path};

use jarre_core::{Embedder, testing::HashEmbedder};
use jarre_rag::{
    Chunk, ChunkId, Chunker, DocId, Document, Format, Result, Span,
    index::{Index, IndexConfig, IndexWriter, Snapshot},
};

pub(crate) const DIMS: usize = 24;

/// Every line that is not blank is a chunk.
pub(crate) struct Lines;

impl Chunker for Lines {
    fn fingerprint(&self) -> String {
        "lines".into()
    }

    fn max_tokens(&self) -> usize {
        usize::MAX
    }

    fn chunk(&self, document: &Document) -> Result<Vec<Chunk>> {
        Ok(lines(document))
    }
}

pub(crate) fn embedder() -> HashEmbedder {
    HashEmbedder::new(DIMS, 64)
}

pub(crate) fn config() -> IndexConfig {
    IndexConfig { encoder: embedder().info().clone(), chunker: Lines.fingerprint() }
}

pub(crate) fn open(dir: &Path) -> Index {
    Index::open_or_create(dir, config()).unwrap()
}

pub(crate) fn doc_id(id: &str) -> DocId {
    DocId(id.to_owned())
}

pub(crate) fn chunk_id(id: &str, ordinal: u32) -> ChunkId {
    ChunkId { doc: doc_id(id), ordinal }
}

pub(crate) fn document(id: &str, text: &str) -> Document {
    Document {
        id: doc_id(id),
        source: format!("docs/{id}"),
        title: None,
        language: Some("en".into()),
        format: Format::Text,
        content_hash: jarre_rag::ingest::content_hash(text.as_bytes()),
        text: text.to_owned(),
        blocks: Vec::new(),
        metadata: BTreeMap::from([("initial".to_owned(), id[..1].to_owned())]),
    }
}

pub(crate) fn lines(document: &Document) -> Vec<Chunk> {
    let mut start = 0;
    let mut spans = Vec::new();
    for line in document.text.split_inclusive('\n') {
        let span = Span::new(start, start + line.trim_end().len());
        start += line.len();
        if !line.trim().is_empty() {
            spans.push(span);
        }
    }
    let chunk = |(ordinal, span): (usize, Span)| Chunk {
        id: ChunkId { doc: document.id.clone(), ordinal: ordinal as u32 },
        span,
        headings: Vec::new(),
        page: None,
        tokens: span.len(),
    };
    spans.into_iter().enumerate().map(chunk).collect()
}

pub(crate) fn put(writer: &mut IndexWriter, id: &str, text: &str) {
    let document = document(id, text);
    let chunks = lines(&document);
    let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.span.of(text).unwrap()).collect();
    let vectors = embedder().embed(&texts).unwrap();
    writer.put(&document, &chunks, &vectors).unwrap();
}

/// An index of `documents`, committed at once.
pub(crate) fn fresh<'a>(dir: &Path, documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Snapshot {
    let mut writer = open(dir).writer().unwrap();
    for (id, text) in documents {
        put(&mut writer, id, text);
    }
    writer.commit().unwrap()
}

pub(crate) fn embed(text: &str) -> Vec<f32> {
    embedder().embed(&[text]).unwrap().into_vec()
}

/// Numbers that look random and are the same every time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    pub(crate) fn unit(&mut self) -> f32 {
        self.below(1 << 24) as f32 / (1 << 24) as f32 - 0.5
    }
}
