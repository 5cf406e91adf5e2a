//! What Hugging Face transformers computes with the folders of `families/`.

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

/// The largest difference from the reference, in float32.
pub(crate) const TOLERANCE: f32 = 2e-4;

pub(crate) fn folder(family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families").join(family)
}

pub(crate) struct Golden(Vec<u8>);

impl Golden {
    pub(crate) fn read(family: &str) -> Self {
        Self(std::fs::read(folder(family).join("golden.safetensors")).unwrap())
    }

    pub(crate) fn shape(&self, name: &str) -> Vec<usize> {
        self.with(name, |tensor| tensor.shape().to_vec()).unwrap()
    }

    /// Values of a tensor, where there is one of this name.
    pub(crate) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        self.with(name, |tensor| tensor.data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }

    /// Rows of an int32 tensor, without what `mask` hides.
    pub(crate) fn rows(&self, name: &str) -> Option<Vec<Vec<u32>>> {
        let ids = self.ids(name)?;
        let columns = *self.shape(name).last().unwrap();
        let mask = self.ids("mask").filter(|mask| mask.len() == ids.len()).unwrap_or_else(|| vec![1; ids.len()]);
        let rows = ids.chunks_exact(columns).zip(mask.chunks_exact(columns));
        Some(rows.map(|(ids, mask)| ids.iter().zip(mask).filter(|(_, mask)| **mask == 1).map(|(id, _)| *id).collect()).collect())
    }

    fn ids(&self, name: &str) -> Option<Vec<u32>> {
        self.with(name, |tensor| tensor.data().as_chunks().0.iter().map(|four| i32::from_le_bytes(*four).cast_unsigned()).collect())
    }

    fn with<T>(&self, name: &str, read: impl Fn(&TensorView<'_>) -> T) -> Option<T> {
        SafeTensors::deserialize(&self.0).unwrap().tensor(name).ok().map(|tensor| read(&tensor))
    }
}

/// The largest difference of two lists.
pub(crate) fn largest(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
