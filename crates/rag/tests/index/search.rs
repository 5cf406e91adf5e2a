//! What the legs find, beside naive reckonings of the same.

use std::collections::BTreeMap;

use jarre_core::Embeddings;
use jarre_rag::{
    Error,
    index::{Hit, Snapshot, terms},
};

use crate::fixture::{DIMS, Numbers, chunk_id, config, doc_id, document, embed, fresh, lines, open, put};

const TEXT: [(&str, &str); 4] = [
    ("a", "the ferries leave from the eastern harbour\nan engine needs oil\n"),
    ("b", "the harbour master sleeps\nthe harbour, the harbour and the sea\nborrowed engines\n"),
    ("c", "a compiler checks borrows\nit is not in the harbour\n"),
    ("d", "oil\n"),
];

fn naive_bm25(query: &str) -> BTreeMap<String, f64> {
    let chunks: Vec<(String, Vec<String>)> =
        TEXT.iter().flat_map(|(id, text)| text.lines().enumerate().map(move |(at, line)| (format!("{id}#{at}"), words(line)))).collect();
    let count = chunks.len() as f64;
    let mean = chunks.iter().map(|(_, words)| words.len()).sum::<usize>() as f64 / count;
    let mut scores = BTreeMap::new();
    for term in words(query) {
        let holding = chunks.iter().filter(|(_, words)| words.contains(&term)).count() as f64;
        let idf = (1.0 + (count - holding + 0.5) / (holding + 0.5)).ln();
        for (id, words) in &chunks {
            let frequency = words.iter().filter(|word| **word == term).count() as f64;
            if frequency > 0.0 {
                let norm = 1.2 * (1.0 - 0.75 + 0.75 * words.len() as f64 / mean);
                *scores.entry(id.clone()).or_default() += idf * 2.2 * frequency / (frequency + norm);
            }
        }
    }
    scores
}

fn words(text: &str) -> Vec<String> {
    terms(text).into_iter().map(|(term, _)| term).collect()
}

#[test]
fn bm25_is_the_formula() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = fresh(dir.path(), TEXT);
    for query in ["harbour", "the engine of a ferry", "borrowing harbours with oil", "oil oil engine"] {
        let expected = naive_bm25(query);
        let hits = snapshot.sparse(query, 100, None).unwrap();
        assert_eq!(hits.len(), expected.len(), "{query}");
        for Hit { chunk, score } in &hits {
            let expected = expected[&chunk.to_string()];
            assert!((f64::from(*score) - expected).abs() < 1e-5, "{query}: {chunk} {score} {expected}");
        }
        assert!(hits.is_sorted_by(|a, b| a.score.total_cmp(&b.score).reverse().then_with(|| a.chunk.cmp(&b.chunk)).is_lt()));
    }
    assert_eq!(snapshot.doc_freq("harbour").unwrap(), 4);
}

#[test]
fn any_text_is_a_query_and_stop_words_find_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = fresh(dir.path(), TEXT);
    for query in ["", "the and of", "?!", "zeppelin", "\u{0}", "a:b \"c AND (d OR", "+-*~^[x TO y]"] {
        let hits = snapshot.sparse(query, 5, None).unwrap();
        assert!(hits.is_empty(), "{query:?} finds {hits:?}");
    }
    assert!(snapshot.sparse("harbour", 0, None).unwrap().is_empty());
    assert!(snapshot.dense(&embed("harbour"), 0, None).unwrap().is_empty());
}

#[test]
fn an_empty_index_finds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = fresh(dir.path(), []);
    assert!(snapshot.is_empty() && snapshot.sparse("harbour", 5, None).unwrap().is_empty());
    assert!(snapshot.dense(&embed("harbour"), 5, None).unwrap().is_empty());
    assert_eq!((snapshot.doc_freq("harbour").unwrap(), snapshot.documents().len()), (0, 0));
}

#[test]
fn dense_hits_are_those_of_a_naive_cosine() {
    let mut numbers = Numbers(7);
    let document = document("a", &"x\n".repeat(1500));
    let chunks = lines(&document);
    let values: Vec<f32> = (0..chunks.len() * DIMS).map(|_| numbers.unit() * 3.0).collect();
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    writer.put(&document, &chunks, &Embeddings::new(DIMS, values.clone()).unwrap()).unwrap();
    let snapshot = writer.commit().unwrap();
    let query: Vec<f32> = (0..DIMS).map(|_| numbers.unit()).collect();
    let mut expected: Vec<(f64, u32)> = values.chunks_exact(DIMS).zip(0..).map(|(row, at)| (naive_cosine(row, &query), at)).collect();
    expected.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let hits = snapshot.dense(&query, 40, None).unwrap();
    assert_eq!(hits.len(), 40);
    for (hit, (score, row)) in hits.iter().zip(expected) {
        assert!(hit.chunk == chunk_id("a", row) && (f64::from(hit.score) - score).abs() < 1e-5, "{hit:?} {row} {score}");
    }
    assert_eq!(snapshot.vector(&chunk_id("a", 3)), Some(&values[3 * DIMS..4 * DIMS]), "vectors are kept as they were put");
}

fn naive_cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn filters_keep_the_best_of_what_they_accept() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = fresh(dir.path(), TEXT);
    let only_b = |document: &jarre_rag::Document, _: &jarre_rag::Chunk| document.metadata["initial"] == "b";
    let all: Vec<Hit> = snapshot.sparse("harbour engine", 100, None).unwrap();
    let wanted: Vec<Hit> = all.into_iter().filter(|hit| hit.chunk.doc == doc_id("b")).collect();
    assert_eq!(snapshot.sparse("harbour engine", 2, Some(&only_b)).unwrap(), wanted[..2]);
    let dense = snapshot.dense(&embed("oil"), 100, Some(&only_b)).unwrap();
    assert!(dense.len() == 3 && dense.iter().all(|hit| hit.chunk.doc == doc_id("b")));
}

#[test]
fn ties_go_to_the_smaller_chunk_id_however_the_index_came_to_be() {
    let ids = ["k", "c", "m", "a", "z", "b", "q", "e", "d", "x", "f", "y"];
    let search = |snapshot: &Snapshot| {
        let sparse = snapshot.sparse("ferries", 5, None).unwrap();
        let dense = snapshot.dense(&embed("ferries"), 5, None).unwrap();
        assert!(sparse.windows(2).all(|pair| pair[0].score.total_cmp(&pair[1].score).is_eq()), "all are alike");
        (sparse, dense)
    };
    let dir = tempfile::tempdir().unwrap();
    let together = search(&fresh(dir.path(), ids.map(|id| (id, "ferries leave\n"))));
    let found: Vec<String> = together.0.iter().map(|hit| hit.chunk.to_string()).collect();
    assert_eq!(found, ["a#0", "b#0", "c#0", "d#0", "e#0"]);
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    put(&mut writer, "aa", "ferries ferries ferries\n");
    for id in ids {
        put(&mut writer, id, "ferries leave\n");
        writer.commit().unwrap();
    }
    writer.remove(&doc_id("aa"));
    assert_eq!(search(&writer.commit().unwrap()), together);
}

#[test]
fn a_query_vector_must_have_the_right_length_and_a_direction() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = fresh(dir.path(), TEXT);
    let dims = config().encoder.dims;
    for query in [vec![1.0; dims - 1], vec![0.0; dims], vec![f32::NAN; dims], vec![f32::INFINITY; dims], Vec::new()] {
        assert!(matches!(snapshot.dense(&query, 5, None), Err(Error::Query(_))), "{query:?}");
    }
}

#[test]
fn lookups_by_id_know_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = fresh(dir.path(), TEXT);
    let (document, chunk) = snapshot.chunk(&chunk_id("b", 2)).unwrap();
    assert_eq!(chunk.span.of(&document.text), Some("borrowed engines"));
    assert!(snapshot.chunk(&chunk_id("b", 3)).is_none() && snapshot.vector(&chunk_id("b", 3)).is_none());
    assert!(snapshot.document(&doc_id("zz")).is_none() && snapshot.chunks_of(&doc_id("zz")).is_empty());
    let ids: Vec<String> = snapshot.chunks().map(|(_, chunk)| chunk.id.to_string()).collect();
    assert_eq!(ids, ["a#0", "a#1", "b#0", "b#1", "b#2", "c#0", "c#1", "d#0"]);
}
