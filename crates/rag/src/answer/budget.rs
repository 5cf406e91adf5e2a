use std::{collections::HashSet, sync::Arc};

use jarre_core::TokenCounter;
use serde::{Deserialize, Serialize};

use super::Passage;
use crate::Span;

/// How many tokens of passages a model is given.
#[derive(Clone)]
pub struct Budget {
    counter: Arc<dyn TokenCounter>,
    tokens: usize,
    overhead: usize,
}

/// The passages that fit a [`Budget`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The passages taken, as indices, in order.
    pub kept: Vec<usize>,
    /// What was left out, in order.
    pub dropped: Vec<Dropped>,
    /// Tokens of those taken, with what each costs beside its text.
    pub tokens: usize,
}

/// A passage that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The passage, as an index.
    pub passage: usize,
    /// Why.
    pub why: Omission,
}

/// Why a passage was left out of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Omission {
    /// The same words were taken before.
    Duplicate,
    /// At least half of it was taken before: windows of fixed size overlap.
    Overlap,
    /// It did not fit; a later, shorter one may have.
    OverBudget,
}

impl Budget {
    /// A budget of `tokens` as `counter` counts them.
    pub fn new(counter: Arc<dyn TokenCounter>, tokens: usize) -> Self {
        Self { counter, tokens, overhead: 0 }
    }

    /// Counts `tokens` more for each passage: the marks and headings around it.
    pub fn with_overhead(mut self, tokens: usize) -> Self {
        self.overhead = tokens;
        self
    }

    /// Takes passages in their order as long as they fit, whole or not at all, and none twice.
    pub fn fill(&self, passages: &[Passage<'_>]) -> Context {
        let mut context = Context::default();
        let mut texts = HashSet::new();
        for (index, passage) in passages.iter().enumerate() {
            if let Some(why) = self.omission(passage, &context, &texts, passages) {
                context.dropped.push(Dropped { passage: index, why });
                continue;
            }
            texts.insert(words(passage));
            context.tokens += self.cost(passage);
            context.kept.push(index);
        }
        context
    }

    fn omission(&self, passage: &Passage<'_>, context: &Context, texts: &HashSet<String>, all: &[Passage<'_>]) -> Option<Omission> {
        if texts.contains(&words(passage)) {
            return Some(Omission::Duplicate);
        }
        if 2 * taken(passage, context, all) >= passage.chunk.span.len() {
            return Some(Omission::Overlap);
        }
        (context.tokens + self.cost(passage) > self.tokens).then_some(Omission::OverBudget)
    }

    fn cost(&self, passage: &Passage<'_>) -> usize {
        self.overhead + self.counter.count_tokens(passage.text())
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("tokens", &self.tokens).field("overhead", &self.overhead).finish_non_exhaustive()
    }
}

fn words(passage: &Passage<'_>) -> String {
    passage.text().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How many bytes of `passage` the kept passages of its document hold.
fn taken(passage: &Passage<'_>, context: &Context, all: &[Passage<'_>]) -> usize {
    let kept = context.kept.iter().map(|&index| &all[index]).filter(|kept| kept.document.id == passage.document.id);
    let mut shared: Vec<Span> = kept.filter_map(|kept| intersection(kept.chunk.span, passage.chunk.span)).collect();
    shared.sort_unstable();
    let mut end = 0;
    let mut bytes = 0;
    for span in shared {
        bytes += span.end.saturating_sub(span.start.max(end));
        end = end.max(span.end);
    }
    bytes
}

fn intersection(a: Span, b: Span) -> Option<Span> {
    let (start, end) = (a.start.max(b.start), a.end.min(b.end));
    (start < end).then(|| Span::new(start, end))
}
