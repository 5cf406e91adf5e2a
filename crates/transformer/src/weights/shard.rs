use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use safetensors::SafeTensors;
use safetensors::tensor::Metadata;

use crate::error::{Error, Result};

/// The longest header that is read; safetensors' own bound.
const LONGEST_HEADER: u64 = 100_000_000;
const LENGTH: usize = size_of::<u64>();

/// A file of tensors: its bytes, or where they lie.
#[derive(Debug)]
pub(super) enum Shard {
    Memory(Vec<u8>),
    Disk(Mutex<File>),
}

/// What a file says of itself, checked against its size.
pub(super) struct Header {
    /// Where the tensors begin.
    pub(super) start: usize,
    pub(super) metadata: Metadata,
}

impl Shard {
    /// A file that was read from `path`.
    pub(super) fn in_memory(path: &Path, bytes: Vec<u8>) -> Result<(Self, Header)> {
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| Error::malformed(path, error))?;
        Ok((Self::Memory(bytes), Header { start: header + LENGTH, metadata }))
    }

    /// A file of which the header is read, and the rest when it is asked for.
    pub(super) fn on_disk(path: &Path) -> Result<(Self, Header)> {
        let malformed = |reason: &str| Error::malformed(path, reason);
        let mut file = File::open(path).map_err(Error::io(path))?;
        let size = file.metadata().map_err(Error::io(path))?.len();
        if size < LENGTH as u64 {
            return Err(malformed("it is shorter than its header; fetch it again"));
        }
        let mut length = [0; LENGTH];
        file.read_exact(&mut length).map_err(Error::io(path))?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST_HEADER || length > size - LENGTH as u64 {
            return Err(malformed("its header is longer than the file, or than any is; fetch it again"));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(Error::io(path))?;
        let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| Error::malformed(path, error))?;
        let start = LENGTH + header.len();
        if (start as u64).checked_add(metadata.data_len() as u64) != Some(size) {
            return Err(malformed("it is shorter or longer than its header says; fetch it again"));
        }
        Ok((Self::Disk(Mutex::new(file)), Header { start, metadata }))
    }

    /// Some of its bytes.
    pub(super) fn bytes(&self, range: Range<usize>) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Memory(bytes) => Ok(Cow::Borrowed(&bytes[range])),
            Self::Disk(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(range.start as u64))?;
                let mut bytes = vec![0; range.len()];
                file.read_exact(&mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    use super::*;
    use crate::weights::{TensorSource, Weights};

    /// A file of one tensor of four numbers.
    fn file() -> Vec<u8> {
        let header = br#"{"x":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
        let numbers = [1.0_f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat();
        [&(header.len() as u64).to_le_bytes()[..], header, &numbers].concat()
    }

    #[test]
    fn files_are_read_when_they_are_asked_for_as_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("model.safetensors"), file()).unwrap();
        for weights in [Weights::open(folder.path()).unwrap(), Weights::read(folder.path()).unwrap()] {
            assert_eq!(weights.values("x"), [1.0, 2.0, 3.0, 4.0]);
            weights.finish().unwrap();
        }
    }

    #[test]
    fn rows_and_columns_are_read_as_those_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (rows, columns) = (5, 6);
        let numbers: Vec<f32> = (0..rows * columns).map(|i| i as f32 - 11.0).collect();
        let halves = |convert: fn(f32) -> [u8; 2]| numbers.iter().copied().flat_map(convert).collect::<Vec<u8>>();
        let eighths: Vec<u8> = numbers.iter().map(|&x| (x as i8).cast_unsigned()).collect();
        let scales: Vec<u8> = [0.5_f32, 1.0, 2.0, 0.25, 3.0].into_iter().flat_map(f32::to_le_bytes).collect();
        let tensors = [
            ("f32", Dtype::F32, [rows, columns], numbers.iter().copied().flat_map(f32::to_le_bytes).collect()),
            ("f16", Dtype::F16, [rows, columns], halves(|x| burn::tensor::f16::from_f32(x).to_le_bytes())),
            ("bf16", Dtype::BF16, [rows, columns], halves(|x| burn::tensor::bf16::from_f32(x).to_le_bytes())),
            ("i8", Dtype::I8, [rows, columns], eighths),
            ("i8_scale", Dtype::F32, [rows, 1], scales),
        ];
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| (*name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap()));
        std::fs::write(folder.path().join("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
        let weights = Weights::open(folder.path()).unwrap();
        for name in ["f32", "f16", "bf16", "i8"] {
            let whole = weights.values(name);
            assert_eq!(weights.rows(name, 1..4).unwrap(), whole[columns..4 * columns], "{name}");
            let cut: Vec<f32> = whole.chunks_exact(columns).flat_map(|row| &row[2..5]).copied().collect();
            assert_eq!(weights.columns(name, 2..5).unwrap(), cut, "{name}");
        }
        assert_eq!(weights.rows("i8", 3..4).unwrap(), [7.0, 8.0, 9.0, 10.0, 11.0, 12.0].map(|x| x * 0.25));
        weights.finish().unwrap();
    }

    #[test]
    fn a_file_that_shrinks_meanwhile_is_an_error_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, file()).unwrap();
        let weights = Weights::open(folder.path()).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(70).unwrap();
        assert_eq!(weights.values("x").len(), 4);
        let error = weights.finish().unwrap_err().to_string();
        assert!(error.contains("model.safetensors"), "{error}");
    }

    #[test]
    fn cut_and_swollen_files_are_refused_however_they_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let whole = file();
        let swollen = [&whole[..], &[0]].concat();
        let mut endless = whole.clone();
        endless[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        let cut = (0..whole.len()).map(|len| whole[..len].to_vec());
        for bytes in cut.chain([swollen, endless]) {
            std::fs::write(&path, &bytes).unwrap();
            assert!(Weights::read(folder.path()).is_err() && Weights::open(folder.path()).is_err(), "{} bytes", bytes.len());
        }
    }
}
