//! An index with one damaged file. Where a checksum covers the damage, opening it gives an error or exactly what was committed. Where the
//! checksum was forged too, anything but a panic will do: whatever opens must also be searched and written to without one.
#![no_main]

use std::{path::Path, sync::LazyLock};

use jarre_core::{Embedder, testing::HashEmbedder};
use jarre_fuzz::damage::{Damage, Specimen};
use jarre_rag::{
    Chunk, ChunkId, DocId, Document, Format, Result, Span,
    index::{Index, IndexConfig, Snapshot},
    ingest::{self, Limits},
};
use libfuzzer_sys::fuzz_target;

struct Fixture {
    specimen: Specimen,
    embedder: HashEmbedder,
    digest: String,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("there is a folder for temporary files").keep();
    let embedder = HashEmbedder::new(8, 64);
    let digest = build(&dir, &embedder).expect("an index is built from sound documents");
    Fixture { specimen: Specimen::take(&dir).expect("an index is readable"), embedder, digest }
});

fuzz_target!(init: LazyLock::force(&FIXTURE), |damage: Damage| {
    let seen = FIXTURE.specimen.damaged(&damage, look).expect("the temporary folder is writable");
    if let Some(Ok(digest)) = seen
        && !FIXTURE.specimen.is_resealed(&damage)
    {
        assert_eq!(digest, FIXTURE.digest, "damaged content was taken for sound: {damage:?}");
    }
});

/// Opens the index, uses all that a reader can use, and says its digest.
fn look(dir: &Path) -> Result<String> {
    let snapshot = Snapshot::open(dir)?;
    let query = FIXTURE.embedder.embed(&["the ferry leaves"]).expect("hashing does not fail");
    let hits = [snapshot.dense(query.row(0), 3, None), snapshot.sparse("the ferry leaves from the quay", 3, None)];
    for hit in hits.into_iter().flatten().flatten() {
        let (document, chunk) = snapshot.chunk(&hit.chunk).expect("a hit is in the index that gave it");
        assert!(chunk.indexed_text(document).ends_with(chunk.span.of(&document.text).expect("a chunk lies in its document")));
    }
    for (document, chunk) in snapshot.chunks() {
        chunk.indexed_text(document);
        snapshot.vector(&chunk.id).expect("every chunk has a vector");
    }
    snapshot.doc_freq("ferri")?;
    snapshot.digest()
}

/// Three documents in two segments, one of which has a document that was replaced.
fn build(dir: &Path, embedder: &HashEmbedder) -> Result<String> {
    let config = IndexConfig { encoder: embedder.info().clone(), chunker: "lines".to_owned() };
    let index = Index::open_or_create(dir, config)?;
    let rounds = [
        [("quay.txt", "The ferry leaves from the quay.\nIt is blue."), ("tide.txt", "High water is at noon.")],
        [("quay.txt", "The ferry leaves from the eastern quay.\nIt is green."), ("crew.txt", "Seven people work aboard.")],
    ];
    for round in rounds {
        let mut writer = index.writer()?;
        for (name, text) in round {
            let (document, chunks) = by_lines(name, text);
            let texts: Vec<String> = chunks.iter().map(|chunk| chunk.indexed_text(&document)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            writer.put(&document, &chunks, &embedder.embed(&texts)?)?;
        }
        writer.commit()?;
    }
    Snapshot::open(dir)?.digest()
}

fn by_lines(name: &str, text: &str) -> (Document, Vec<Chunk>) {
    let id = DocId(name.to_owned());
    let document = ingest::read_bytes(id.clone(), name, Format::Text, text.as_bytes(), &Limits::default()).expect("plain text is readable");
    let mut start = 0;
    let chunks = text.split_inclusive('\n').zip(0..).map(|(line, ordinal)| {
        let span = Span::new(start, start + line.trim_end().len());
        start += line.len();
        Chunk { id: ChunkId { doc: id.clone(), ordinal }, span, headings: Vec::new(), page: None, tokens: line.split_whitespace().count() }
    });
    (document, chunks.collect())
}
