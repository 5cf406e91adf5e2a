use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use super::durable::{self, Put};
use super::error::{Error, Result};
use super::value_codec::{self, write_string};
use super::{ALIGNMENT_KEY, DEFAULT_ALIGNMENT, MAGIC, MAX_KEY_BYTES, Metadata, TensorInfo, TensorType, Value, blocks};

const VERSION: u32 = 3;
/// The longest name that ggml reads.
const MAX_NAME_BYTES: usize = 63;
/// Elements that are quantised at a time: a multiple of every block.
const ELEMENTS_AT_A_TIME: usize = 64 << 10;

/// Metadata and tensors on their way into a file of version 3. Tensors may be borrowed; they are quantised while they are written.
///
/// ```
/// # use jarre_quant::gguf::{GgufFile, GgufWriter, TensorType};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("tiny.gguf");
/// let weights = vec![0.5_f32; 64];
/// let mut writer = GgufWriter::new();
/// writer.insert("general.architecture", "llama");
/// writer.add_tensor("output.weight", &[32, 2], TensorType::Q4_0, &weights)?;
/// writer.write(&path)?;
/// assert_eq!(GgufFile::open(&path)?.read_f32("output.weight")?, weights);
///
/// // Rows have to be whole blocks.
/// let error = writer.add_tensor("odd", &[16, 4], TensorType::Q4_0, &weights).unwrap_err();
/// assert_eq!(error.to_string(), "tensor `odd` cannot be written: its first dimension 16 is not a multiple of 32, the block of Q4_0");
/// # Ok::<(), jarre_quant::gguf::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct GgufWriter<'a> {
    metadata: Metadata,
    tensors: Vec<Pending<'a>>,
    names: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Pending<'a> {
    info: TensorInfo,
    data: Data<'a>,
}

#[derive(Clone, Debug)]
enum Data<'a> {
    Values(Cow<'a, [f32]>),
    Raw(Cow<'a, [u8]>),
}

impl<'a> GgufWriter<'a> {
    /// Nothing to write yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a metadata key. `general.alignment`, a power of two of at least 8 as `u32`, aligns the tensor data.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.metadata.insert(key, value);
    }

    /// Takes over all of `metadata`, in place of what was set so far.
    pub fn set_metadata(&mut self, metadata: Metadata) {
        self.metadata = metadata;
    }

    /// Adds a tensor of `dims`, the contiguous one first, that will be written as `F32`, `F16`, `BF16`, `Q8_0` or `Q4_0`.
    ///
    /// # Errors
    /// [`Error::Unwritable`] where name, dimensions or type are not allowed or the values are not as many as the dimensions say.
    pub fn add_tensor(
        &mut self,
        name: impl Into<String>,
        dims: &[u64],
        tensor_type: TensorType,
        values: impl Into<Cow<'a, [f32]>>,
    ) -> Result<()> {
        let (info, values) = (self.describe(name.into(), dims, tensor_type)?, values.into());
        if blocks::quantize(tensor_type, &[], &mut Vec::new()).is_none() {
            let reason = format!("{tensor_type} is only read; choose F32, F16, BF16, Q8_0 or Q4_0");
            return Err(Error::unwritable(title(&info), reason));
        }
        if values.len() as u64 != info.elements {
            let reason = format!("its dimensions {dims:?} take {} values and it has {}", info.elements, values.len());
            return Err(Error::unwritable(title(&info), reason));
        }
        self.add(info, Data::Values(values));
        Ok(())
    }

    /// Adds a tensor of any type whose blocks are there already, for example from [`GgufFile::read_raw`](super::GgufFile::read_raw).
    ///
    /// # Errors
    /// As [`add_tensor`](Self::add_tensor).
    pub fn add_raw_tensor(
        &mut self,
        name: impl Into<String>,
        dims: &[u64],
        tensor_type: TensorType,
        bytes: impl Into<Cow<'a, [u8]>>,
    ) -> Result<()> {
        let (info, bytes) = (self.describe(name.into(), dims, tensor_type)?, bytes.into());
        if bytes.len() as u64 != info.bytes {
            let reason = format!("its dimensions {dims:?} take {} bytes of {tensor_type} and it has {}", info.bytes, bytes.len());
            return Err(Error::unwritable(title(&info), reason));
        }
        self.add(info, Data::Raw(bytes));
        Ok(())
    }

    /// Writes the file beside `path`, syncs it and renames it: after a crash at any instant `path` is what it was before, or whole.
    ///
    /// # Errors
    /// Where the file cannot be written, or a key or a value is not allowed ([`Error::Unwritable`]); then nothing is left behind.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        durable::replace(path.as_ref(), |put| self.write_parts(put))
    }

    /// Writes the file to `out`.
    ///
    /// # Errors
    /// As [`write`](Self::write); the path of the error is `(writer)`. What was written until then stays written.
    pub fn write_to(&self, out: &mut impl Write) -> Result<()> {
        self.write_parts(&mut |bytes| out.write_all(bytes).map_err(Error::io("(writer)")))
    }

    fn describe(&self, name: String, dims: &[u64], tensor_type: TensorType) -> Result<TensorInfo> {
        let problem = match name.len() {
            0 => Some("its name is empty".to_owned()),
            1..=MAX_NAME_BYTES if self.names.contains(&name) => Some("there is another of that name".to_owned()),
            1..=MAX_NAME_BYTES => None,
            long => Some(format!("its name has {long} bytes, and ggml reads at most {MAX_NAME_BYTES}")),
        };
        let field = format!("tensor `{name}`");
        let info = problem.map_or_else(|| TensorInfo::new(name, dims.to_vec(), tensor_type), Err);
        info.map_err(|reason| Error::unwritable(field, reason))
    }

    fn add(&mut self, info: TensorInfo, data: Data<'a>) {
        self.names.insert(info.name.clone());
        self.tensors.push(Pending { info, data });
    }

    fn write_parts(&self, put: &mut Put<'_>) -> Result<()> {
        let alignment = self.alignment()?;
        let header = self.header(alignment)?;
        put(&header)?;
        put(&padding(header.len() as u64, alignment))?;
        for Pending { info, data } in &self.tensors {
            match data {
                Data::Raw(bytes) => put(bytes)?,
                Data::Values(values) => write_values(info, values, put)?,
            }
            put(&padding(info.bytes, alignment))?;
        }
        Ok(())
    }

    fn alignment(&self) -> Result<u64> {
        let reason = match self.metadata.get(ALIGNMENT_KEY) {
            None => return Ok(DEFAULT_ALIGNMENT.into()),
            Some(Value::U32(alignment)) if alignment.is_power_of_two() && *alignment >= 8 => return Ok((*alignment).into()),
            Some(Value::U32(alignment)) => format!("it is {alignment} and has to be a power of two of at least 8"),
            Some(other) => format!("it is of type {} and has to be u32", other.value_type()),
        };
        Err(Error::unwritable(format_args!("`{ALIGNMENT_KEY}`"), reason))
    }

    fn header(&self, alignment: u64) -> Result<Vec<u8>> {
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in self.metadata.iter() {
            if key.is_empty() || key.len() > MAX_KEY_BYTES {
                let reason = format!("it has {} bytes, and between 1 and {MAX_KEY_BYTES} are allowed", key.len());
                return Err(Error::unwritable("a metadata key", reason));
            }
            write_string(&mut out, key);
            value_codec::write(&mut out, key, value)?;
        }
        let mut offset = 0;
        for Pending { info, .. } in &self.tensors {
            write_info(&mut out, info, offset);
            offset += info.bytes.next_multiple_of(alignment);
        }
        Ok(out)
    }
}

fn title(info: &TensorInfo) -> String {
    format!("tensor `{}`", info.name)
}

fn write_info(out: &mut Vec<u8>, info: &TensorInfo, offset: u64) {
    write_string(out, &info.name);
    out.extend((info.dims.len() as u32).to_le_bytes());
    out.extend(info.dims.iter().flat_map(|dim| dim.to_le_bytes()));
    out.extend(info.tensor_type.id().to_le_bytes());
    out.extend(offset.to_le_bytes());
}

fn write_values(info: &TensorInfo, values: &[f32], put: &mut Put<'_>) -> Result<()> {
    let mut bytes = Vec::new();
    for (part, values) in values.chunks(ELEMENTS_AT_A_TIME).enumerate() {
        bytes.clear();
        let fit = blocks::quantize(info.tensor_type, values, &mut bytes).expect("add_tensor() refused types that are only read");
        fit.map_err(|unfit| {
            let index = part * ELEMENTS_AT_A_TIME + unfit.index;
            Error::unwritable(format_args!("element {index} of tensor `{}`", info.name), unfit.reason)
        })?;
        put(&bytes)?;
    }
    Ok(())
}

fn padding(bytes: u64, alignment: u64) -> Vec<u8> {
    vec![0; (bytes.next_multiple_of(alignment) - bytes) as usize]
}
