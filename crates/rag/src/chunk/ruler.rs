use jarre_core::TokenCounter;

use crate::Span;

/// The tokens of one text.
///
/// Lengths come in two kinds. The estimate counts the tokens of the whole text that begin in a span, and is what packing goes by; the
/// count asks the counter about the span alone, which can differ where a cut falls within a word, and is what the limit holds for.
pub(super) struct Ruler<'a> {
    text: &'a str,
    counter: &'a dyn TokenCounter,
    starts: Vec<usize>,
    max: usize,
}

impl<'a> Ruler<'a> {
    pub(super) fn new(text: &'a str, counter: &'a dyn TokenCounter, max: usize) -> Self {
        let starts = counter.token_spans(text).into_iter().map(|token| token.start).collect();
        Self { text, counter, starts, max }
    }

    /// The most tokens that a chunk may have.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// The tokens that begin in `span`.
    pub(super) fn estimate(&self, span: Span) -> usize {
        self.tokens_before(span.end) - self.tokens_before(span.start)
    }

    /// The tokens that begin before byte `at`.
    pub(super) fn tokens_before(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start < at)
    }

    /// Where token `index` begins: a place to cut.
    pub(super) fn start(&self, index: usize) -> Option<usize> {
        self.starts.get(index).copied()
    }

    /// Where token `index` begins, or the first after it that does not begin together with one before `index`: several tokens of one
    /// character share their place.
    pub(super) fn distinct_start(&self, index: usize) -> Option<usize> {
        let start = self.start(index)?;
        if self.tokens_before(start) == index { Some(start) } else { self.start(self.tokens_before(start + 1)) }
    }

    /// `span` cut at token starts into windows of at most the limit by the estimate, trimmed; windows of white space are left out.
    pub(super) fn windows(&self, span: Span) -> Vec<Span> {
        let mut cuts = vec![span.start];
        let first = self.tokens_before(span.start);
        let inner = self.starts[first..].iter().step_by(self.max).skip(1);
        cuts.extend(inner.take_while(|&&cut| cut < span.end));
        cuts.push(span.end);
        cuts.windows(2).filter_map(|pair| Span::new(pair[0], pair[1]).trimmed(self.text)).collect()
    }

    /// `span` cut further, where the counter gives it more than the limit, with the length of each part in tokens.
    pub(super) fn fit(&self, span: Span) -> Vec<(Span, usize)> {
        let mut parts = Vec::new();
        let mut rest = span.trimmed(self.text);
        while let Some(span) = rest {
            let part = self.prefix(span);
            rest = Span::new(part.0.end, span.end).trimmed(self.text);
            parts.push(part);
        }
        parts
    }

    /// The longest start of `span` found that keeps the limit, and its tokens; at least one character.
    pub(super) fn prefix(&self, span: Span) -> (Span, usize) {
        let text = &self.text[span.start..span.end];
        let tokens = self.counter.token_spans(text);
        let least = text.chars().next().map_or(0, char::len_utf8);
        let (mut kept, mut count) = (text, tokens.len());
        let mut keep = count;
        while count > self.max && kept.len() > least {
            keep = keep.saturating_sub(count - self.max);
            let cut = if keep == 0 { least } else { tokens[keep].start.max(least) };
            kept = text[..cut].trim_end();
            count = self.counter.count_tokens(kept);
        }
        (Span::new(span.start, span.start + kept.len()), count)
    }
}
