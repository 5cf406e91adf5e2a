use super::{outline::Piece, ruler::Ruler};
use crate::Span;

/// How many pieces a chunk may have; bounds the search where pieces have no tokens.
const MOST_PIECES: usize = 1024;

/// What it costs to end a chunk within a block, on the scale of the squared share of the limit that a chunk leaves free.
const SPLIT_COST: f64 = 1.0 / 16.0;

/// What a chunk under the wanted minimum costs.
const TINY_COST: f64 = 1.0;

/// Groups `pieces`, in order, into spans that keep the limit by the ruler's estimate; a piece above it stays alone.
///
/// Of all groupings the one with the least sum of squared free shares is taken, as a typesetter breaks lines (Knuth and Plass,
/// "Breaking Paragraphs into Lines", 1981): few chunks of even length, rather than full ones and a tiny remainder.
pub(super) fn pack(pieces: &[Piece], ruler: &Ruler<'_>, min_tokens: usize) -> Vec<Span> {
    let mut best: Vec<(f64, usize)> = vec![(0.0, 0)];
    for end in 1..=pieces.len() {
        best.push(best_start(pieces, end, &best, ruler, min_tokens));
    }
    let mut groups = Vec::new();
    let mut end = pieces.len();
    while end > 0 {
        let start = best[end].1;
        groups.push(Span::new(pieces[start].span.start, pieces[end - 1].span.end));
        end = start;
    }
    groups.reverse();
    groups
}

/// The least cost of grouping the pieces before `end`, and the piece that the last group starts with.
fn best_start(pieces: &[Piece], end: usize, best: &[(f64, usize)], ruler: &Ruler<'_>, min_tokens: usize) -> (f64, usize) {
    let last = pieces[end - 1].span.end;
    let mut found = (f64::INFINITY, end - 1);
    for start in (0..end).rev().take(MOST_PIECES) {
        let tokens = ruler.estimate(Span::new(pieces[start].span.start, last));
        if tokens > ruler.max() && start + 1 < end {
            break;
        }
        let free = 1.0 - (tokens.min(ruler.max()) as f64 / ruler.max() as f64);
        let tiny = if tokens < min_tokens { TINY_COST } else { 0.0 };
        let split = if pieces[start].begins_block { 0.0 } else { SPLIT_COST };
        let cost = best[start].0 + free * free + tiny + split;
        if cost < found.0 {
            found = (cost, start);
        }
    }
    found
}
