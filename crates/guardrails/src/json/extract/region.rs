use std::ops::Range;

/// Where a document was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// It is the text.
    Whole,
    /// In a fence of Markdown.
    Fence,
    /// Between two tags, as `<json>` and `</json>`.
    Tag,
    /// In the midst of words.
    Prose,
}

impl Origin {
    /// What it costs to have taken it from there.
    pub const fn price(self) -> u32 {
        match self {
            Self::Whole => 0,
            Self::Fence | Self::Tag => 1,
            Self::Prose => 2,
        }
    }
}

/// A part of a text that may hold documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) span: Range<usize>,
    pub(super) origin: Origin,
    /// Whether the text calls it JSON.
    pub(super) named: bool,
}

impl Region {
    pub(super) fn prose(span: Range<usize>) -> Self {
        Self { span, origin: Origin::Prose, named: false }
    }
}

/// The parts of a text in order: fences, tags, and the words between them.
pub(super) fn regions(text: &str, limit: usize) -> Vec<Region> {
    let mut marked = super::fence::fences(text, limit);
    marked.extend(super::tag::tags(text, limit));
    marked.sort_by_key(|region| region.span.start);
    let mut regions = Vec::new();
    let mut done = 0;
    for region in marked {
        if region.span.start >= done {
            regions.push(Region::prose(done..region.span.start));
            done = region.span.end;
            regions.push(region);
        }
    }
    regions.push(Region::prose(done..text.len()));
    regions
}
