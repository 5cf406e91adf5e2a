use std::path::Path;

use super::cursor::Cursor;
use super::error::Result;
use super::source::Source;
use super::tensor_info::{MAX_DIMS, TensorInfo};
use super::{ALIGNMENT_KEY, MAGIC, MAX_KEY_BYTES, Metadata, TensorType, Value, tensor_type, value_codec};

/// The alignment of tensor data where a file does not say it.
pub const DEFAULT_ALIGNMENT: u32 = 32;

/// A key of one byte and a value of one byte, with their lengths and types.
const LEAST_ENTRY: u64 = 8 + 1 + 4 + 1;
/// A name of one byte and one dimension.
const LEAST_TENSOR: u64 = 8 + 1 + 4 + 8 + 4 + 8;

/// All of a file but the tensor data.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) metadata: Metadata,
    pub(super) alignment: u32,
    /// In the order of the file.
    pub(super) tensors: Vec<TensorInfo>,
    /// Positions in `tensors`, in the order of the names.
    pub(super) by_name: Vec<usize>,
    /// Where the tensor data begin.
    pub(super) data_at: u64,
}

/// Reads and checks the header of a file that has `length` bytes.
pub(super) fn parse(source: &Source, length: u64, path: &Path) -> Result<Header> {
    let mut cursor = Cursor::new(source, length, path);
    let version = read_version(&mut cursor)?;
    let tensor_count = cursor.count(LEAST_TENSOR, &"tensor count")?;
    let entries = cursor.count(LEAST_ENTRY, &"metadata count")?;
    let metadata = read_metadata(&mut cursor, entries)?;
    let alignment = read_alignment(&cursor, &metadata)?;
    let (tensors, places) = read_tensors(&mut cursor, tensor_count)?;
    let by_name = sort_by_name(&cursor, &tensors, &places)?;
    let data_at = cursor.position().next_multiple_of(alignment.into());
    check_layout(&cursor, &Layout { tensors: &tensors, places: &places, alignment, room: length.saturating_sub(data_at) })?;
    Ok(Header { version, metadata, alignment, tensors, by_name, data_at })
}

fn read_version(cursor: &mut Cursor<'_>) -> Result<u32> {
    let magic: [u8; 4] = cursor.take(&"magic number")?;
    if magic != MAGIC {
        return Err(cursor.malformed_at(0, &"magic number", format!("it is {} and not GGUF", magic.escape_ascii())));
    }
    match cursor.u32(&"version")? {
        version @ 2..=3 => Ok(version),
        // Versions are small, so that the bytes of one in the other order are at the other end.
        other if other != 0 && other.trailing_zeros() >= 16 => {
            Err(cursor.unsupported(&"byte order", "big-endian", "little-endian, with `gguf-convert-endian` of llama.cpp"))
        }
        other => Err(cursor.unsupported(&"version", other.to_string(), "version 3, with a converter of today's llama.cpp")),
    }
}

fn read_metadata(cursor: &mut Cursor<'_>, entries: usize) -> Result<Metadata> {
    let mut metadata = Metadata::new();
    for entry in 0..entries {
        let at = cursor.position();
        let field = format_args!("metadata key {entry}");
        let key = cursor.string(MAX_KEY_BYTES, &field)?;
        if key.is_empty() {
            return Err(cursor.malformed_at(at, &field, "it is empty"));
        }
        let value = value_codec::read(cursor, &key)?;
        if metadata.get(&key).is_some() {
            return Err(cursor.malformed_at(at, &field, format!("`{key}` is there a second time")));
        }
        metadata.insert(key, value);
    }
    Ok(metadata)
}

fn read_alignment(cursor: &Cursor<'_>, metadata: &Metadata) -> Result<u32> {
    let field = format_args!("`{ALIGNMENT_KEY}`");
    match metadata.get(ALIGNMENT_KEY) {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(Value::U32(alignment)) if alignment.is_power_of_two() => Ok(*alignment),
        Some(Value::U32(alignment)) => {
            Err(cursor.malformed_at(cursor.position(), &field, format!("it is {alignment} and has to be a power of two")))
        }
        Some(other) => {
            Err(cursor.malformed_at(cursor.position(), &field, format!("it is of type {} and has to be u32", other.value_type())))
        }
    }
}

/// The tensors, and where in the file each is described.
fn read_tensors(cursor: &mut Cursor<'_>, count: usize) -> Result<(Vec<TensorInfo>, Vec<u64>)> {
    let (mut tensors, mut places) = (Vec::new(), Vec::new());
    for number in 0..count {
        places.push(cursor.position());
        tensors.push(read_tensor(cursor, number)?);
    }
    Ok((tensors, places))
}

fn read_tensor(cursor: &mut Cursor<'_>, number: usize) -> Result<TensorInfo> {
    let at = cursor.position();
    let name = cursor.string(MAX_KEY_BYTES, &format_args!("name of tensor {number}"))?;
    if name.is_empty() {
        return Err(cursor.malformed_at(at, &format_args!("name of tensor {number}"), "it is empty"));
    }
    let dims = read_dims(cursor, &name)?;
    let id = cursor.u32(&format_args!("type of tensor `{name}`"))?;
    let Some(one) = TensorType::from_id(id) else {
        let supported = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K";
        return Err(cursor.unsupported(&format_args!("type of tensor `{name}`"), tensor_type::describe(id), supported));
    };
    let offset = cursor.u64(&format_args!("offset of tensor `{name}`"))?;
    match TensorInfo::new(name.clone(), dims, one) {
        Ok(info) => Ok(TensorInfo { offset, ..info }),
        Err(reason) => Err(cursor.malformed_at(at, &format_args!("shape of tensor `{name}`"), reason)),
    }
}

fn read_dims(cursor: &mut Cursor<'_>, name: &str) -> Result<Vec<u64>> {
    let at = cursor.position();
    let field = format_args!("dimensions of tensor `{name}`");
    let dims = cursor.u32(&field)?;
    if dims == 0 || dims as usize > MAX_DIMS {
        return Err(cursor.malformed_at(at, &field, format!("there are {dims}, and between 1 and {MAX_DIMS} are allowed")));
    }
    cursor.numbers(dims as usize, &field, u64::from_le_bytes)
}

fn sort_by_name(cursor: &Cursor<'_>, tensors: &[TensorInfo], places: &[u64]) -> Result<Vec<usize>> {
    let mut by_name: Vec<usize> = (0..tensors.len()).collect();
    by_name.sort_by_key(|&index| &tensors[index].name);
    for pair in by_name.windows(2) {
        let (first, second) = (&tensors[pair[0]], &tensors[pair[1]]);
        if first.name == second.name {
            let field = format_args!("name of tensor {}", pair[1]);
            return Err(cursor.malformed_at(places[pair[1]], &field, format!("`{}` is there a second time", second.name)));
        }
    }
    Ok(by_name)
}

struct Layout<'a> {
    tensors: &'a [TensorInfo],
    places: &'a [u64],
    alignment: u32,
    /// Bytes of tensor data that the file has.
    room: u64,
}

/// Tensors lie at multiples of the alignment, inside the file, and apart.
fn check_layout(cursor: &Cursor<'_>, layout: &Layout<'_>) -> Result<()> {
    let mut order: Vec<usize> = (0..layout.tensors.len()).collect();
    order.sort_by_key(|&index| layout.tensors[index].offset);
    let mut before: Option<&TensorInfo> = None;
    for index in order {
        let tensor = &layout.tensors[index];
        if let Some(reason) = misplaced(tensor, before, layout) {
            return Err(cursor.malformed_at(layout.places[index], &format_args!("offset of tensor `{}`", tensor.name), reason));
        }
        before = Some(tensor);
    }
    Ok(())
}

fn misplaced(tensor: &TensorInfo, before: Option<&TensorInfo>, layout: &Layout<'_>) -> Option<String> {
    let TensorInfo { offset, bytes, .. } = tensor;
    let Layout { alignment, room, .. } = layout;
    if !offset.is_multiple_of((*alignment).into()) {
        return Some(format!("{offset} is not a multiple of the alignment {alignment}"));
    }
    if offset.checked_add(*bytes).is_none_or(|end| end > *room) {
        return Some(format!("{bytes} bytes from {offset} on are not inside the {room} bytes of tensor data that the file has"));
    }
    // Both ends were checked, so that the sum does not overflow.
    let before = before.filter(|before| before.offset + before.bytes > *offset)?;
    Some(format!("the data overlap those of `{}`", before.name))
}
