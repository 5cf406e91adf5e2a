//! The graph finds nearly what a scan finds, and never what it must not.

use std::collections::BTreeSet;

use jarre_core::Embeddings;
use jarre_rag::{
    Chunk, ChunkId, Document,
    index::{AnnConfig, Hit, IndexWriter, Snapshot},
};

use crate::{
    fixture::{DIMS, Numbers, doc_id, document, lines, open},
    processes::{part_dir, start},
};

const DOCUMENTS: usize = 40;
const CHUNKS: usize = 100;
const CLUSTERS: usize = 50;

/// Points around centres, as the passages of a set of texts are.
struct Clusters {
    centres: Vec<Vec<f32>>,
    numbers: Numbers,
}

impl Clusters {
    fn new() -> Self {
        let mut numbers = Numbers(5);
        let centres = (0..CLUSTERS).map(|_| (0..DIMS).map(|_| numbers.unit()).collect()).collect();
        Self { centres, numbers }
    }

    fn point(&mut self) -> Vec<f32> {
        let centre = &self.centres[self.numbers.below(CLUSTERS as u64) as usize];
        centre.iter().map(|value| value + 0.4 * self.numbers.unit()).collect()
    }
}

fn put(writer: &mut IndexWriter, id: usize, clusters: &mut Clusters) {
    let document = document(&format!("{id:02}"), &"x\n".repeat(CHUNKS));
    let values = (0..CHUNKS).flat_map(|_| clusters.point()).collect();
    writer.put(&document, &lines(&document), &Embeddings::new(DIMS, values).unwrap()).unwrap();
}

fn recall(exact: &[Hit], found: &[Hit]) -> f64 {
    let wanted: BTreeSet<&ChunkId> = exact.iter().map(|hit| &hit.chunk).collect();
    found.iter().filter(|hit| wanted.contains(&hit.chunk)).count() as f64 / exact.len() as f64
}

fn mean_recall(exact: &Snapshot, approximate: &Snapshot, clusters: &mut Clusters) -> f64 {
    let queries: Vec<Vec<f32>> = (0..100).map(|_| clusters.point()).collect();
    let one = |query: &Vec<f32>| recall(&exact.dense(query, 10, None).unwrap(), &approximate.dense(query, 10, None).unwrap());
    queries.iter().map(one).sum::<f64>() / queries.len() as f64
}

#[test]
fn recall_at_10_is_high_with_removed_documents_and_filters() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let mut clusters = Clusters::new();
    (0..DOCUMENTS).for_each(|id| put(&mut writer, id, &mut clusters));
    let exact = writer.commit().unwrap();
    let config = AnnConfig::default().with_threshold(1000);
    let recall = mean_recall(&exact, &exact.clone().with_ann(config), &mut clusters);
    assert!(recall >= 0.95, "recall@10 {recall}");

    for id in [3, 14, 15] {
        writer.remove(&doc_id(&format!("{id:02}")));
    }
    (DOCUMENTS..DOCUMENTS + 2).for_each(|id| put(&mut writer, id, &mut clusters));
    let exact = writer.commit().unwrap();
    let approximate = exact.clone().with_ann(config);
    let recall = mean_recall(&exact, &approximate, &mut clusters);
    assert!(recall >= 0.95, "recall@10 {recall} beside a second segment");
    let gone = [doc_id("03"), doc_id("14"), doc_id("15")];
    for _ in 0..50 {
        let hits = approximate.dense(&clusters.point(), 30, None).unwrap();
        assert!(hits.len() == 30 && hits.iter().all(|hit| !gone.contains(&hit.chunk.doc)));
    }

    let selective = |document: &Document, _: &Chunk| document.id == doc_id("07");
    for _ in 0..20 {
        let query = clusters.point();
        let found = approximate.dense(&query, 10, Some(&selective)).unwrap();
        assert_eq!(found, exact.dense(&query, 10, Some(&selective)).unwrap(), "a selective filter is answered by a scan");
    }
}

#[test]
fn every_chunk_finds_itself_and_scores_are_exact() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let mut clusters = Clusters::new();
    (0..DOCUMENTS).for_each(|id| put(&mut writer, id, &mut clusters));
    let exact = writer.commit().unwrap();
    let approximate = exact.clone().with_ann(AnnConfig::default().with_threshold(1000));
    for (_, chunk) in exact.chunks() {
        let best = &approximate.dense(exact.vector(&chunk.id).unwrap(), 1, None).unwrap()[0];
        assert_eq!(best, &exact.dense(exact.vector(&chunk.id).unwrap(), 1, None).unwrap()[0]);
        assert_eq!(best.chunk, chunk.id);
    }
}

#[test]
#[ignore = "a part of another test"]
fn build_a_graph() {
    let Some(dir) = part_dir() else { return };
    let snapshot = Snapshot::open(&dir).unwrap();
    println!("building");
    let approximate = snapshot.with_ann(AnnConfig::default().with_threshold(1000));
    println!("built over {}", approximate.len());
}

/// A program's standard output may be read by another: one line of JSON a question.
#[test]
fn a_build_writes_nothing_to_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let mut clusters = Clusters::new();
    (0..12).for_each(|id| put(&mut writer, id, &mut clusters));
    writer.commit().unwrap();
    drop(writer);
    let output = start("ann::build_a_graph", dir.path()).wait_with_output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("building\nbuilt over 1200\n"), "{printed}");
}

#[test]
fn small_segments_are_scanned() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    let mut clusters = Clusters::new();
    put(&mut writer, 0, &mut clusters);
    let exact = writer.commit().unwrap();
    let query = clusters.point();
    assert_eq!(exact.clone().with_ann(AnnConfig::default()).dense(&query, 100, None).unwrap(), exact.dense(&query, 100, None).unwrap());
}
