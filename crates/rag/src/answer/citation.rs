use serde::{Deserialize, Serialize};

use super::Passage;
use crate::{DocId, Document, Error, Result, Span};

/// Where a statement of an answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The document.
    pub doc: DocId,
    /// Its path or URL.
    pub source: String,
    /// Its title, where it states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The headings that the quote stands under, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headings: Vec<String>,
    /// The page, from 1, for paged formats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The place in [`Document::text`].
    pub span: Span,
    /// The text there, byte for byte, with its markup.
    pub quote: String,
}

impl Citation {
    /// Cites `span` of the document that `passage` is part of.
    ///
    /// # Errors
    /// [`Error::Citation`] where the document has no such place.
    pub fn new(passage: &Passage<'_>, span: Span) -> Result<Self> {
        let document = passage.document;
        let quote = span.of(&document.text).filter(|quote| !quote.trim().is_empty());
        let Some(quote) = quote else {
            return Err(Error::Citation { document: document.id.clone(), span });
        };
        let page = document.blocks.iter().find(|block| block.span.start < span.end && span.start < block.span.end);
        Ok(Self {
            doc: document.id.clone(),
            source: document.source.clone(),
            title: document.title.clone(),
            headings: passage.chunk.headings.clone(),
            page: page.and_then(|block| block.page).or(passage.chunk.page),
            span,
            quote: quote.to_owned(),
        })
    }

    /// Checks that the quote stands at its place in `document`.
    ///
    /// # Errors
    /// [`Error::Citation`] where it does not, or where the citation is of another document.
    pub fn verify(&self, document: &Document) -> Result<()> {
        let stands = self.doc == document.id && self.span.of(&document.text) == Some(self.quote.as_str());
        if stands { Ok(()) } else { Err(Error::Citation { document: self.doc.clone(), span: self.span }) }
    }
}
