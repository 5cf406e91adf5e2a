//! Tensors of a file as Hugging Face's files would hold them.

use std::cell::RefCell;
use std::collections::HashSet;

use jarre_quant::gguf::{self, GgufFile};

use super::names::{Arch, ROPE_FREQS, ROPE_LONG, ROPE_SHORT, Stored};
use crate::decoder::DecoderConfig;
use crate::error::{Error, Result};
use crate::weights::{TensorSource, transpose};

pub(crate) struct Tensors {
    file: GgufFile,
    arch: Arch,
    heads: usize,
    kv_heads: usize,
    /// The first error of reading: values cannot be refused one by one.
    failed: RefCell<Option<gguf::Error>>,
}

impl Tensors {
    pub(super) fn new(file: GgufFile, arch: Arch, config: &DecoderConfig) -> Self {
        Self { file, arch, heads: config.n_heads, kv_heads: config.kv_heads(), failed: RefCell::new(None) }
    }

    /// Checks that exactly the tensors of `expected`, by Hugging Face's names and shapes, are there.
    pub(super) fn check(&self, expected: &[(String, Vec<usize>)]) -> Result<()> {
        let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
        let mut wanted = HashSet::from([ROPE_FREQS, ROPE_LONG, ROPE_SHORT].map(str::to_owned));
        for (name, shape) in expected {
            let (own, stored) = self.arch.tensor(name);
            let mut dims: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
            // A file's first dimension is the one whose values lie side by side.
            if stored != Stored::Turned {
                dims.reverse();
            }
            match self.file.tensor(&own) {
                Err(_) => missing.push(own.clone()),
                Ok(info) if info.dims() != dims => misshapen.push(format!("{own} {:?} instead of {dims:?}", info.dims())),
                Ok(_) => {}
            }
            wanted.insert(own);
        }
        let unexpected: Vec<String> =
            self.file.tensors().iter().map(|info| info.name().to_owned()).filter(|name| !wanted.contains(name)).collect();
        if missing.is_empty() && unexpected.is_empty() && misshapen.is_empty() {
            return Ok(());
        }
        Err(Error::Weights { missing, unexpected, misshapen })
    }

    /// What went wrong while values were read.
    pub(crate) fn finish(self) -> gguf::Result<()> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }
}

impl TensorSource for Tensors {
    fn values(&self, name: &str) -> Vec<f32> {
        let (own, stored) = self.arch.tensor(name);
        let values = self.file.read_f32(&own).unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            vec![0.0; self.file.tensor(&own).map_or(0, |info| info.elements() as usize)]
        });
        match stored {
            Stored::Same => values,
            Stored::Shifted => values.into_iter().map(|value| value - 1.0).collect(),
            Stored::Paired { of_keys } => halves(&values, if of_keys { self.kv_heads } else { self.heads }, self.columns(&own)),
            Stored::Turned => {
                let columns = self.columns(&own);
                transpose(&values, values.len() / columns, columns)
            }
        }
    }
}

impl Tensors {
    /// Values that lie side by side; of a vector, one.
    fn columns(&self, name: &str) -> usize {
        let dims = self.file.tensor(name).map_or(&[][..], |info| info.dims());
        if dims.len() < 2 { 1 } else { dims[0] as usize }
    }
}

/// Rows of `heads` heads, in which neighbours rotate together, with the first of each pair before all the second ones.
fn halves(values: &[f32], heads: usize, columns: usize) -> Vec<f32> {
    let rows = values.len() / columns / heads;
    let from = |row: usize| {
        let (head, place) = (row / rows, row % rows);
        head * rows + place % (rows / 2) * 2 + place / (rows / 2)
    };
    (0..rows * heads).flat_map(|row| &values[from(row) * columns..(from(row) + 1) * columns]).copied().collect()
}
