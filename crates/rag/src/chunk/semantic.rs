use std::{collections::BTreeSet, fmt, sync::Arc};

use jarre_core::{Embedder, Embeddings, Error, ErrorKind, TokenCounter};

use super::{
    Chunk, Chunker, counter_fingerprint,
    outline::{Gathered, Piece, sections},
    ruler::Ruler,
};
use crate::{Document, Result, Span};

/// Chunks that end where the subject changes, as a sentence encoder sees it.
///
/// Each sentence is embedded together with its neighbours on both sides, where the three fit the encoder. A chunk ends where the cosine
/// distance of adjacent sentences is above a percentile of all such distances in the document, and wherever the headings change. Chunks
/// under the minimum then join the nearer neighbour where both fit, and those above the limit are cut as
/// [`StructureChunker`](super::StructureChunker) cuts. Tables and code count as one sentence where they fit. Headings are treated as
/// there: they stand in [`Chunk::headings`], not in the span.
///
/// The sentences of a document are embedded in one call, so its cost is that of indexing the document at sentence level.
#[derive(Clone)]
pub struct SemanticChunker {
    counter: Arc<dyn TokenCounter>,
    embedder: Arc<dyn Embedder>,
    max_tokens: usize,
    min_tokens: usize,
    percentile: u8,
}

impl SemanticChunker {
    /// Chunks of at most 200 tokens and, where sections allow, at least 32, that end at the widest fifth of distances.
    pub fn new(counter: Arc<dyn TokenCounter>, embedder: Arc<dyn Embedder>) -> Self {
        Self { counter, embedder, max_tokens: 200, min_tokens: 32, percentile: 80 }
    }

    /// The limit in tokens; 0 counts as 1.
    pub fn with_max_tokens(mut self, max_tokens: usize) -> Self {
        self.max_tokens = max_tokens.max(1);
        self
    }

    /// The tokens under which a chunk joins another of its section.
    pub fn with_min_tokens(mut self, min_tokens: usize) -> Self {
        self.min_tokens = min_tokens;
        self
    }

    /// The percentile of distances above which a chunk ends, from 0 to 100; larger values count as 100, where only headings and the
    /// limit end chunks.
    pub fn with_percentile(mut self, percentile: u8) -> Self {
        self.percentile = percentile.min(100);
        self
    }
}

impl Chunker for SemanticChunker {
    fn fingerprint(&self) -> String {
        let Self { max_tokens, min_tokens, percentile, .. } = self;
        let (counter, embedder) = (counter_fingerprint(&*self.counter), &self.embedder.info().fingerprint);
        format!("semantic-1(max_tokens={max_tokens},min_tokens={min_tokens},percentile={percentile},counter={counter},embedder={embedder})")
    }

    fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn chunk(&self, document: &Document) -> Result<Vec<Chunk>> {
        let ruler = Ruler::new(&document.text, &*self.counter, self.max_tokens);
        let sections = sections(document);
        let sentences: Vec<Vec<Piece>> = sections
            .iter()
            .map(|section| section.bodies.iter().flat_map(|body| body.sentences(&ruler, &document.text)).collect())
            .collect();
        let distances = self.distances(&document.text, &sentences, &ruler)?;
        let threshold = percentile(distances.concat(), self.percentile);
        let mut chunks = Gathered::new(document);
        for ((section, sentences), distances) in sections.iter().zip(&sentences).zip(&distances) {
            for run in self.runs(sentences, distances, threshold, &ruler) {
                chunks.pack(run, &ruler, self.min_tokens, &section.headings);
            }
        }
        Ok(chunks.into_chunks())
    }
}

impl SemanticChunker {
    /// For each section, the distances of its sentences to the ones after them: one fewer than there are sentences.
    fn distances(&self, text: &str, sections: &[Vec<Piece>], ruler: &Ruler<'_>) -> Result<Vec<Vec<f32>>> {
        let windows: Vec<&str> = sections.iter().flat_map(|pieces| self.windows(text, pieces, ruler)).collect();
        let vectors = self.embed(&windows)?;
        let mut first = 0;
        let section_distances = sections.iter().map(|pieces| {
            let rows = first..first + pieces.len();
            first = rows.end;
            rows.clone().zip(rows.skip(1)).map(|(a, b)| cosine_distance(vectors.row(a), vectors.row(b))).collect()
        });
        Ok(section_distances.collect())
    }

    /// The text around each sentence that is embedded for it.
    fn windows<'t>(&self, text: &'t str, pieces: &[Piece], ruler: &Ruler<'_>) -> Vec<&'t str> {
        let limit = self.embedder.info().max_tokens;
        let around = |index: usize| {
            let (first, last) = (index.saturating_sub(1), (index + 1).min(pieces.len() - 1));
            let window = Span::new(pieces[first].span.start, pieces[last].span.end);
            let chosen = if ruler.estimate(window) <= limit { window } else { pieces[index].span };
            &text[chosen.start..chosen.end]
        };
        (0..pieces.len()).map(around).collect()
    }

    fn embed(&self, texts: &[&str]) -> Result<Embeddings> {
        let vectors = self.embedder.embed(texts)?;
        if vectors.len() != texts.len() {
            let message = format!("the embedder gave {} vectors for {} texts", vectors.len(), texts.len());
            return Err(Error::new(ErrorKind::InvalidResponse, message).into());
        }
        Ok(vectors)
    }

    /// `sentences` cut where the distance to the next is above `threshold`; runs under the minimum are joined to the nearer neighbour.
    fn runs<'p>(&self, sentences: &'p [Piece], distances: &[f32], threshold: f32, ruler: &Ruler<'_>) -> Vec<&'p [Piece]> {
        let wide = (1..sentences.len()).filter(|&cut| distances[cut - 1] > threshold);
        let mut cuts: BTreeSet<usize> = wide.chain([0, sentences.len()]).collect();
        let mut nearest_first: Vec<usize> = cuts.iter().copied().filter(|cut| (1..sentences.len()).contains(cut)).collect();
        nearest_first.sort_by(|&a, &b| distances[a - 1].total_cmp(&distances[b - 1]));
        for cut in nearest_first {
            let (before, after) = (cuts.range(..cut).next_back(), cuts.range(cut + 1..).next());
            let is_joined =
                before.zip(after).is_some_and(|(&from, &to)| self.should_join(&sentences[from..cut], &sentences[cut..to], ruler));
            if is_joined {
                cuts.remove(&cut);
            }
        }
        let ends = cuts.iter().skip(1);
        cuts.iter().zip(ends).map(|(&from, &to)| &sentences[from..to]).collect()
    }

    fn should_join(&self, before: &[Piece], after: &[Piece], ruler: &Ruler<'_>) -> bool {
        let (Some(before), Some(after)) = (span_of(before), span_of(after)) else { return false };
        let is_tiny = |span| ruler.estimate(span) < self.min_tokens;
        (is_tiny(before) || is_tiny(after)) && ruler.estimate(Span::new(before.start, after.end)) <= self.max_tokens
    }
}

impl fmt::Debug for SemanticChunker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SemanticChunker")
            .field("max_tokens", &self.max_tokens)
            .field("min_tokens", &self.min_tokens)
            .field("percentile", &self.percentile)
            .field("embedder", self.embedder.info())
            .finish_non_exhaustive()
    }
}

fn span_of(run: &[Piece]) -> Option<Span> {
    Some(Span::new(run.first()?.span.start, run.last()?.span.end))
}

/// The `percent`-th percentile by linear interpolation between closest ranks; infinity where there are no values.
fn percentile(mut values: Vec<f32>, percent: u8) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    let rank = values.len().saturating_sub(1) as f32 * f32::from(percent) / 100.0;
    let (below, above) = (values.get(rank.floor() as usize), values.get(rank.ceil() as usize));
    below.zip(above).map_or(f32::INFINITY, |(below, above)| below + (above - below) * rank.fract())
}

/// 1 minus the cosine; 1 where a vector is zero or not finite.
fn cosine_distance(a: &[f32], b: &[f32]) -> f32 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    let distance = 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    if distance.is_finite() { distance } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate() {
        assert!((percentile(vec![4.0, 1.0, 3.0, 2.0, 5.0], 80) - 4.2).abs() < 1e-6);
        assert!((percentile(vec![2.0], 80) - 2.0).abs() < 1e-6);
        assert!(percentile(Vec::new(), 80).is_infinite());
    }

    #[test]
    fn a_zero_vector_is_far_from_all() {
        assert!((cosine_distance(&[0.0, 0.0], &[1.0, 0.0]) - 1.0).abs() < 1e-6);
        assert!(cosine_distance(&[2.0, 0.0], &[1.0, 0.0]).abs() < 1e-6);
    }
}
