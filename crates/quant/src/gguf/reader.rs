use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::blocks::{self, Q4_0Blocks, Q8_0Blocks};
use super::error::{Error, Result};
use super::header::{self, Header};
use super::source::Source;
use super::{Metadata, TensorInfo, TensorType};

/// Blocks that are read at a time: between 128 KiB of `F32` and 6.5 MiB of `Q6_K`.
const BLOCKS_AT_A_TIME: u64 = 32 << 10;

/// A GGUF file. Opening reads and checks the header; tensors are read by position when they are asked for, from any number of threads.
///
/// ```no_run
/// # use jarre_quant::gguf::GgufFile;
/// let file = GgufFile::open("model-q4_k_m.gguf")?;
/// println!("{}", file.metadata().get_str("general.architecture")?);
/// for tensor in file.tensors() {
///     println!("{} {:?} {}", tensor.name(), tensor.dims(), tensor.tensor_type());
/// }
/// let embeddings: Vec<f32> = file.read_f32("token_embd.weight")?;
/// assert!(embeddings.iter().all(|value| value.is_finite()));
/// # Ok::<(), jarre_quant::gguf::Error>(())
/// ```
#[derive(Debug)]
pub struct GgufFile {
    path: PathBuf,
    source: Source,
    header: Header,
}

impl GgufFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Where the file cannot be read ([`Error::Io`]), is not a sound GGUF file ([`Error::Malformed`]), or is of a version, byte order or
    /// tensor type that is not read here ([`Error::Unsupported`]).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (source, length) = File::open(path).and_then(Source::file).map_err(Error::io(path))?;
        Self::parse(path, source, length)
    }

    /// Reads a file that lies in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open); the path of the error is `(memory)`.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let length = bytes.len() as u64;
        Self::parse(Path::new("(memory)"), Source::Memory(bytes), length)
    }

    /// Reads a file from anything that has positions. Threads that read tensors take turns.
    ///
    /// # Errors
    /// As [`open`](Self::open); the path of the error is `(reader)`.
    pub fn from_reader(reader: impl Read + Seek + Send + 'static) -> Result<Self> {
        let path = Path::new("(reader)");
        let (source, length) = Source::stream(reader).map_err(Error::io(path))?;
        Self::parse(path, source, length)
    }

    /// The version of the format, 2 or 3.
    pub fn version(&self) -> u32 {
        self.header.version
    }

    /// The alignment of the tensor data in bytes.
    pub fn alignment(&self) -> u32 {
        self.header.alignment
    }

    /// Where in the file the tensor data begin; [`TensorInfo::offset`] counts from there.
    pub fn data_offset(&self) -> u64 {
        self.header.data_at
    }

    /// What the file says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.header.metadata
    }

    /// All tensors, in the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.header.tensors
    }

    /// What the file says about one tensor.
    ///
    /// # Errors
    /// [`Error::UnknownTensor`].
    pub fn tensor(&self, name: &str) -> Result<&TensorInfo> {
        let Header { tensors, by_name, .. } = &self.header;
        let found = by_name.binary_search_by_key(&name, |&index| tensors[index].name());
        found.map(|place| &tensors[by_name[place]]).map_err(|_| Error::UnknownTensor { name: name.to_owned() })
    }

    /// The elements of a tensor, the first dimension running fastest; quantised ones are dequantised as ggml's reference does, bit by bit.
    ///
    /// Memory: 4 bytes for each element, and a few mebibytes while it reads.
    ///
    /// # Errors
    /// Where there is no such tensor, memory is too small ([`Error::TooLarge`]), or reading fails.
    pub fn read_f32(&self, name: &str) -> Result<Vec<f32>> {
        let info = self.tensor(name)?;
        let mut values = with_room(info, info.elements())?;
        self.for_each_part(info, |part| blocks::dequantize(info.tensor_type(), part, &mut values))?;
        Ok(values)
    }

    /// The bytes of a tensor as they are in the file.
    ///
    /// # Errors
    /// As [`read_f32`](Self::read_f32).
    pub fn read_raw(&self, name: &str) -> Result<Vec<u8>> {
        let info = self.tensor(name)?;
        let mut bytes = with_room(info, info.bytes())?;
        self.for_each_part(info, |part| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    /// Scales and integers of a [`TensorType::Q8_0`] tensor.
    ///
    /// # Errors
    /// As [`read_f32`](Self::read_f32), and [`Error::TensorType`] where it is of another type.
    pub fn read_q8_0(&self, name: &str) -> Result<Q8_0Blocks> {
        let info = self.typed(name, TensorType::Q8_0)?;
        let mut blocks = Q8_0Blocks { scales: with_room(info, info.elements() / 32)?, quants: with_room(info, info.elements())? };
        self.for_each_part(info, |part| blocks.extend(part))?;
        Ok(blocks)
    }

    /// Scales and packed integers of a [`TensorType::Q4_0`] tensor.
    ///
    /// # Errors
    /// As [`read_f32`](Self::read_f32), and [`Error::TensorType`] where it is of another type.
    pub fn read_q4_0(&self, name: &str) -> Result<Q4_0Blocks> {
        let info = self.typed(name, TensorType::Q4_0)?;
        let mut blocks = Q4_0Blocks { scales: with_room(info, info.elements() / 32)?, nibbles: with_room(info, info.elements() / 2)? };
        self.for_each_part(info, |part| blocks.extend(part))?;
        Ok(blocks)
    }

    fn parse(path: &Path, source: Source, length: u64) -> Result<Self> {
        let header = header::parse(&source, length, path)?;
        Ok(Self { path: path.to_owned(), source, header })
    }

    fn typed(&self, name: &str, expected: TensorType) -> Result<&TensorInfo> {
        let info = self.tensor(name)?;
        if info.tensor_type() != expected {
            return Err(Error::TensorType { name: name.to_owned(), found: info.tensor_type(), expected });
        }
        Ok(info)
    }

    /// Reads the data of a tensor in parts of whole blocks.
    fn for_each_part(&self, info: &TensorInfo, mut take: impl FnMut(&[u8])) -> Result<()> {
        let step = BLOCKS_AT_A_TIME * info.tensor_type().block_bytes() as u64;
        let mut part = vec![0; step.min(info.bytes()) as usize];
        let start = self.header.data_at + info.offset();
        let mut done = 0;
        while done < info.bytes() {
            part.truncate((info.bytes() - done).min(step) as usize);
            self.source.read_exact_at(start + done, &mut part).map_err(Error::io(&self.path))?;
            take(&part);
            done += part.len() as u64;
        }
        Ok(())
    }
}

/// An empty vector with room for the elements, or the error that there is none.
fn with_room<T>(info: &TensorInfo, elements: u64) -> Result<Vec<T>> {
    let too_large = || Error::TooLarge { name: info.name().to_owned(), elements: info.elements() };
    let mut room = Vec::new();
    let elements = usize::try_from(elements).map_err(|_| too_large())?;
    room.try_reserve_exact(elements).map_err(|_| too_large())?;
    Ok(room)
}
