use crate::{Block, BlockKind, Span};

/// Writes the canonical text of a document whose source is not text: its blocks with blank lines between them, the items of a list on
/// lines that follow each other.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    blocks: Vec<Block>,
}

impl Writer {
    /// Writes a block; nothing where `text` is only white space.
    pub(super) fn block(&mut self, kind: BlockKind, page: Option<u32>, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.text.push_str(self.separator(&kind));
        let start = self.text.len();
        self.text.push_str(text);
        self.blocks.push(Block { kind, span: Span::new(start, self.text.len()), page });
    }

    /// Whether nothing has been written.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The text and its blocks.
    pub(super) fn finish(mut self) -> (String, Vec<Block>) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        (self.text, self.blocks)
    }

    fn separator(&self, next: &BlockKind) -> &'static str {
        match self.blocks.last().map(|block| &block.kind) {
            None => "",
            Some(BlockKind::ListItem) if *next == BlockKind::ListItem => "\n",
            Some(_) => "\n\n",
        }
    }
}
