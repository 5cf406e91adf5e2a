use jarre_agent::memory::Lexical;
use jarre_core::{Embedder, testing::HashEmbedder};

use crate::failures::FAILURES;

/// How often the failure of the same sort comes first, and the mean of one through its rank, over all failures.
fn quality(scores: impl Fn(&str, &[&str]) -> Vec<f32>) -> (usize, f32) {
    let kept: Vec<&str> = FAILURES.iter().map(|(kept, _)| *kept).collect();
    let ranks = FAILURES.iter().enumerate().map(|(right, (_, later))| {
        let scores = scores(later, &kept);
        // A tie counts as a wrong one before it.
        1 + (0..kept.len()).filter(|&other| other != right && scores[other] >= scores[right]).count()
    });
    let ranks: Vec<usize> = ranks.collect();
    let first = ranks.iter().filter(|rank| **rank == 1).count();
    (first, ranks.iter().map(|rank| 1.0 / *rank as f32).sum::<f32>() / ranks.len() as f32)
}

fn hashed(query: &str, texts: &[&str]) -> Vec<f32> {
    let all: Vec<&str> = texts.iter().copied().chain([query]).collect();
    let vectors = HashEmbedder::default().embed(&all).unwrap();
    let query = vectors.row(texts.len());
    vectors.rows().take(texts.len()).map(|row| row.iter().zip(query).map(|(x, y)| x * y).sum()).collect()
}

/// `cargo test -p jarre-agent --test memory ranking -- --nocapture` shows the figures.
#[test]
fn the_failure_of_the_same_sort_comes_first() {
    let bm25 = quality(|query, texts| Lexical::Bm25.scores(query, texts));
    let jaccard = quality(|query, texts| Lexical::Jaccard.scores(query, texts));
    let hashed = quality(hashed);
    println!("of {}: BM25 {bm25:?}, Jaccard {jaccard:?}, hashed words and trigrams {hashed:?}", FAILURES.len());
    assert_eq!(Lexical::default(), Lexical::Jaccard);
    assert!(jaccard.0 >= 17 && jaccard.1 >= bm25.1, "the default is the better one: {bm25:?} {jaccard:?}");
    assert!(bm25.0 >= 16, "{bm25:?}");
}
