use crate::{Classification, ClassifierInfo, Embedder, Embeddings, Reranker, TextClassifier, TokenCounter};

/// Texts that break what was only tried on plain sentences.
const TEXTS: [&str; 9] = [
    "The cat sat on the mat.",
    "Interest rates rose by half a point in March.",
    "",
    " \n\t ",
    "naïve Zürich e\u{301}",
    "我们在北京吃饭",
    "👩\u{200d}👩\u{200d}👧 🇫🇷",
    "\u{0}\u{7}\u{1b}[0m\u{feff}",
    "fn main() { println!(\"{}\", 1 << 3); }",
];

/// Checks what every [`Embedder`] keeps.
///
/// # Panics
/// Where it does not.
#[track_caller]
pub fn embedder(embedder: &dyn Embedder) {
    let info = embedder.info();
    assert!(!info.name.is_empty() && !info.fingerprint.is_empty(), "the embedder says who it is");
    assert!(info.dims > 0 && info.max_tokens > 0, "vectors and texts have a length");
    assert!(embed(embedder, &[]).is_empty(), "an empty batch gives an empty matrix");

    let batch = embed(embedder, &TEXTS);
    assert!(batch.as_slice().iter().all(|value| value.is_finite()), "every value is a finite number");
    for (text, row) in TEXTS.iter().zip(batch.rows()) {
        assert_close(row, embed(embedder, &[text]).row(0), "a text's vector does not depend on the batch");
    }
    let reversed: Vec<&str> = TEXTS.into_iter().rev().collect();
    for (row, same) in batch.rows().zip(embed(embedder, &reversed).rows().rev()) {
        assert_close(row, same, "rows come in the order of the texts");
    }
    let apart = distance(batch.row(0), batch.row(1));
    assert!(apart > 0.01, "texts of different meaning get different vectors, not {apart} apart");
    long_texts_are_cut_off(embedder);
}

/// Every word is a token at least, so of a text of `max_tokens` words nothing after them is read.
fn long_texts_are_cut_off(embedder: &dyn Embedder) {
    // A model that reads more than this would make the suite slow, and is not checked.
    const MOST: usize = 8192;
    let words = embedder.info().max_tokens;
    if words <= MOST {
        let long = "word ".repeat(words);
        let longer = format!("{long}interest rates rose in March");
        let rows = embed(embedder, &[&long, &longer]);
        assert_close(rows.row(0), rows.row(1), "what follows `max_tokens` is cut off");
    }
}

fn embed(embedder: &dyn Embedder, texts: &[&str]) -> Embeddings {
    let matrix = embedder.embed(texts).expect("texts are embedded");
    assert_eq!(matrix.len(), texts.len(), "every text gets one row");
    assert!(texts.is_empty() || matrix.dims() == embedder.info().dims, "rows have the length that `info` states");
    matrix
}

/// Checks what every [`TokenCounter`] keeps.
///
/// # Panics
/// Where it does not.
#[track_caller]
pub fn token_counter(counter: &dyn TokenCounter) {
    assert_eq!(counter.count_tokens(""), 0, "an empty text has no tokens");
    for text in TEXTS {
        let spans = counter.token_spans(text);
        assert_eq!(counter.count_tokens(text), spans.len(), "as many tokens are counted as are placed in {text:?}");
        assert!(spans.iter().all(|span| text.get(span.clone()).is_some()), "spans lie on character boundaries of {text:?}");
        assert!(spans.is_sorted_by_key(|span| span.start) && spans.is_sorted_by_key(|span| span.end), "spans are in order in {text:?}");
        let covered = |at: usize| spans.iter().any(|span| span.contains(&at));
        let lost = text.char_indices().find(|&(at, character)| character.is_ascii_alphanumeric() && !covered(at));
        // The sequence of control characters is code, not words, and normalisers take it out.
        assert!(text.contains('\u{1b}') || lost.is_none(), "letters and digits belong to tokens: {lost:?} of {text:?}");
    }
    let (one, two) = (counter.count_tokens(TEXTS[0]), counter.count_tokens(&TEXTS[0].repeat(2)));
    assert!(one >= 6 && two > one, "six words are six tokens or more, and more words more tokens");
}

/// Checks what every [`Reranker`] keeps, and that it tells an answer from what has nothing to do with the question.
///
/// # Panics
/// Where it does not.
#[track_caller]
pub fn reranker(reranker: &dyn Reranker) {
    const QUERY: &str = "What is the capital of France?";
    const CANDIDATES: [&str; 4] = ["Bananas are rich in potassium.", "Paris is the capital of France.", "", "我们在北京吃饭"];
    let score = |candidates: &[&str]| reranker.score(QUERY, candidates).expect("candidates are scored");
    assert!(!reranker.name().is_empty(), "the reranker says who it is");
    assert!(score(&[]).is_empty(), "no candidates, no scores");

    let scores = score(&CANDIDATES);
    assert_eq!(scores.len(), CANDIDATES.len(), "every candidate gets one score");
    assert!(scores.iter().all(|score| score.is_finite()), "every score is a finite number");
    assert!(scores[1] > scores[0], "higher is more relevant");
    for (candidate, score_in_batch) in CANDIDATES.iter().zip(&scores) {
        assert_close(&[*score_in_batch], &score(&[candidate]), "a candidate's score does not depend on the others");
    }
    let reversed = score(&CANDIDATES.iter().rev().copied().collect::<Vec<_>>());
    assert_close(&scores, &reversed.into_iter().rev().collect::<Vec<_>>(), "scores come in the order of the candidates");
}

/// Checks what every [`TextClassifier`] keeps.
///
/// # Panics
/// Where it does not.
#[track_caller]
pub fn text_classifier(classifier: &dyn TextClassifier) {
    let info = classifier.info();
    let classify = |texts: &[&str]| classifier.classify(texts).expect("texts are classified");
    assert!(!info.name.is_empty() && !info.labels.is_empty(), "the classifier says who it is and what it tells apart");
    let mut labels = info.labels.clone();
    labels.sort();
    assert!(labels.is_sorted_by(|a, b| a < b), "every label is listed once");
    assert!(classify(&[]).is_empty(), "an empty batch gives no scores");

    let batch = classify(&TEXTS);
    assert_eq!(batch.len(), TEXTS.len(), "every text is classified");
    for (text, in_batch) in TEXTS.iter().zip(&batch) {
        check_scores(info, in_batch);
        assert_close(&values(in_batch), &values(&classify(&[text])[0]), "a text's scores do not depend on the batch");
    }
}

fn check_scores(info: &ClassifierInfo, scores: &Classification) {
    assert!(scores.scores.iter().map(|score| &score.label).eq(&info.labels), "every label is scored, in the order of `info`");
    let values = values(scores);
    assert!(values.iter().all(|score| (0.0..=1.0).contains(score)), "scores are probabilities");
    let sum: f32 = values.iter().sum();
    assert!(info.multi_label || (sum - 1.0).abs() < 1e-3, "the scores of exclusive labels sum to 1, not {sum}");
}

fn values(scores: &Classification) -> Vec<f32> {
    scores.scores.iter().map(|score| score.score).collect()
}

/// Batching changes the order of float sums, and int8 activations their scale: a thousandth of the vector's length is allowed.
fn assert_close(a: &[f32], b: &[f32], what: &str) {
    let apart = distance(a, b);
    assert!(apart <= 1e-3, "{what}; relative distance {apart}");
}

/// The distance of two vectors over the length of the longer; infinite where one has more dimensions.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let length = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
    if a.len() != b.len() {
        return f32::INFINITY;
    }
    let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    length(&difference) / length(a).max(length(b)).max(f32::MIN_POSITIVE)
}
