//! Answers from passages: quotes, refusals, what a model writes, and budgets.
#![expect(clippy::unwrap_used, reason = "tests")]

mod budget;
mod chat;
mod extractive;

use std::collections::HashSet;

use jarre_rag::{
    Block, BlockKind, Chunk, ChunkId, DocId, Document, Format, Result, Span,
    answer::{Passage, Passages, Vocabulary},
    index, sentences,
};

/// Documents, each one chunk, and the counts of their terms.
struct Library {
    documents: Vec<(Document, Chunk)>,
    cosines: Option<f32>,
}

impl Library {
    /// A document for each text, of one paragraph.
    fn of(texts: &[&str]) -> Self {
        let documents = texts.iter().enumerate().map(|(number, text)| whole(document(number, text, Format::Text)));
        Self { documents: documents.collect(), cosines: None }
    }

    /// Has vectors find every passage with this cosine.
    fn with_cosines(mut self, cosine: f32) -> Self {
        self.cosines = Some(cosine);
        self
    }

    fn passages(&self) -> Passages<'_> {
        let list =
            self.documents.iter().map(|(document, chunk)| Passage { document, chunk, score: 1.0, dense: self.cosines, sparse: None });
        Passages::new(list.collect(), self)
    }
}

impl Vocabulary for Library {
    fn terms(&self, text: &str) -> Vec<(String, Span)> {
        index::terms(text)
    }

    fn chunks(&self) -> u64 {
        self.documents.len() as u64
    }

    fn doc_freq(&self, term: &str) -> Result<u64> {
        let holds = |document: &&(Document, Chunk)| index::terms(&document.0.text).iter().any(|(other, _)| other == term);
        Ok(self.documents.iter().filter(holds).count() as u64)
    }
}

fn document(number: usize, text: &str, format: Format) -> Document {
    let block = (!text.trim().is_empty()).then(|| Block { kind: BlockKind::Paragraph, span: Span::new(0, text.len()), page: None });
    Document {
        id: DocId(format!("d{number}")),
        source: format!("library/d{number}"),
        title: None,
        language: None,
        format,
        content_hash: String::new(),
        text: text.to_owned(),
        blocks: block.into_iter().collect(),
        metadata: [].into(),
    }
}

fn whole(document: Document) -> (Document, Chunk) {
    let id = ChunkId { doc: document.id.clone(), ordinal: 0 };
    let chunk = Chunk { id, span: Span::new(0, document.text.len()), headings: Vec::new(), page: None, tokens: 1 };
    (document, chunk)
}

const HARBOUR: [&str; 4] = [
    "The ferry to Lindholm leaves from the eastern quay. It was built in 1964 by the Norrby shipyard. Bicycles travel free of charge.",
    "The tide in the harbour rises by four metres at new moon. Anders Bergman measured it first.",
    "The market on the square opens at dawn. Fish is sold until noon because it does not keep.",
    "A harbour pilot is a sailor who steers ships through difficult waters. Pilots need a licence.",
];

/// The sentences of the texts, for comparing answers with.
fn all_sentences(texts: &[&str]) -> HashSet<String> {
    texts.iter().flat_map(|text| sentences(text).into_iter().map(|span| text[span.start..span.end].to_owned())).collect()
}
