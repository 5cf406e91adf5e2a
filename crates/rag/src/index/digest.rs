//! What an index holds, as one number.

use blake3::Hasher;
use serde::Serialize;

use super::state::{Place, State};
use crate::Result;

/// BLAKE3 over the documents in the order of their ids: each with its metadata and text, its chunks, their vectors bit by bit, and their
/// terms as the term index has them. Segments, removed documents and the order of commits leave no trace.
pub(super) fn digest(state: &State) -> Result<String> {
    let sizes = state.views.iter().map(|view| view.segment.len());
    let mut terms = Vec::new();
    for (view, rows) in state.views.iter().zip(sizes) {
        terms.push(view.segment.terms.rows(rows)?);
    }
    let mut hasher = Hasher::new();
    for &Place { view, entry } in state.places() {
        let segment = &state.views[view as usize].segment;
        let content = &segment.entries()[entry as usize];
        add_json(&mut hasher, &(&content.document, &content.chunks));
        for row in segment.rows_of(entry as usize) {
            add_vector(&mut hasher, segment.vectors.row(row));
            add_json(&mut hasher, &terms[view as usize][row].iter().map(|(term, count)| (&**term, *count)).collect::<Vec<_>>());
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn add_json(hasher: &mut Hasher, value: &impl Serialize) {
    let json = serde_json::to_vec(value).expect("documents, chunks and terms have only string keys");
    hasher.update(&(json.len() as u64).to_le_bytes()).update(&json);
}

fn add_vector(hasher: &mut Hasher, row: &[f32]) {
    for value in row {
        hasher.update(&value.to_le_bytes());
    }
}
