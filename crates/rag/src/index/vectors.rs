//! The vectors of a segment: a row a chunk, with the reciprocals of their lengths.

use std::{ops::Range, path::Path};

use super::storage::corrupt;
use crate::Result;

const MAGIC: &[u8; 8] = b"JarreVec";
const HEADER: usize = 24;

/// Lengths outside this range lose their direction to rounding, or overflow, when two of them are multiplied in `f32`.
const LENGTHS: Range<f64> = 1e-15..1e15;

/// A row-major matrix `[rows, dims]`; every row has a direction.
#[derive(Debug)]
pub(super) struct Vectors {
    dims: usize,
    values: Vec<f32>,
    inverse_lengths: Vec<f32>,
}

impl Vectors {
    /// `None` where `values` are not whole rows, or a row has no direction; see [`inverse_length`].
    pub(super) fn new(dims: usize, values: Vec<f32>) -> Option<Self> {
        let whole = if dims == 0 { values.is_empty() } else { values.len().is_multiple_of(dims) };
        let rows = whole.then(|| values.chunks_exact(dims.max(1)))?;
        let inverse_lengths = rows.map(inverse_length).collect::<Option<_>>()?;
        Some(Self { dims, values, inverse_lengths })
    }

    pub(super) fn len(&self) -> usize {
        self.inverse_lengths.len()
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dims..(row + 1) * self.dims]
    }

    /// The values of `rows`, row-major.
    pub(super) fn block(&self, rows: Range<usize>) -> &[f32] {
        &self.values[rows.start * self.dims..rows.end * self.dims]
    }

    pub(super) fn inverse_length(&self, row: usize) -> f32 {
        self.inverse_lengths[row]
    }

    /// Magic, `dims: u64`, `rows: u64`, then the values; all little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.values.len() * 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(self.dims as u64).to_le_bytes());
        bytes.extend_from_slice(&(self.len() as u64).to_le_bytes());
        bytes.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote, for vectors of length `dims`.
    pub(super) fn decode(bytes: &[u8], dims: usize, path: &Path) -> Result<Self> {
        let (stated, values) = split_header(bytes).ok_or_else(|| corrupt(path, "it does not start as a file of vectors"))?;
        let expected = (dims as u64, (values.len() / (4 * dims.max(1))) as u64);
        if stated != expected || !values.len().is_multiple_of(4) {
            return Err(corrupt(path, format!("its header states {stated:?} dimensions and rows, not {expected:?}")));
        }
        let values = values.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Self::new(dims, values).ok_or_else(|| corrupt(path, "a row is not a vector with a direction"))
    }
}

/// The reciprocal of the Euclidean length; `None` for a row that cosine cannot compare: not finite, zero, or so short or long that
/// products of its values leave the range of `f32`.
pub(super) fn inverse_length(row: &[f32]) -> Option<f32> {
    let length = row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    LENGTHS.contains(&length).then(|| length.recip() as f32)
}

fn split_header(bytes: &[u8]) -> Option<((u64, u64), &[u8])> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (dims, rest) = rest.split_first_chunk::<8>()?;
    let (rows, values) = rest.split_first_chunk::<8>()?;
    (magic == MAGIC).then(|| ((u64::from_le_bytes(*dims), u64::from_le_bytes(*rows)), values))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Vectors, inverse_length};

    #[test]
    fn rows_survive_the_file() {
        let vectors = Vectors::new(3, vec![1.0, -2.5, 3.0, 0.0, 0.0, 1e-3]).unwrap();
        let read = Vectors::decode(&vectors.encode(), 3, Path::new("v")).unwrap();
        assert_eq!((read.len(), read.row(0), read.row(1)), (2, vectors.row(0), vectors.row(1)));
        assert!((read.inverse_length(1) - 1e3).abs() < 0.01);
    }

    #[test]
    fn rows_without_a_direction_are_refused() {
        for row in [[0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0], [1e-30, 0.0], [1e30, 0.0]] {
            assert_eq!(inverse_length(&row), None, "{row:?}");
        }
    }

    #[test]
    fn hostile_bytes_are_errors() {
        let good = Vectors::new(2, vec![1.0, 2.0, 3.0, 4.0]).unwrap().encode();
        let decode = |bytes: &[u8]| Vectors::decode(bytes, 2, Path::new("v"));
        assert!((0..good.len()).all(|length| decode(&good[..length]).is_err()));
        let mut huge = good.clone();
        huge[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(decode(&huge).is_err() && Vectors::decode(&good, 4, Path::new("v")).is_err());
    }
}
