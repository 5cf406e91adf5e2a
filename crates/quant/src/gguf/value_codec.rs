use std::fmt::Display;

use super::cursor::Cursor;
use super::error::{Error, Result};
use super::{Array, Value, ValueType};

/// How deep arrays may lie in arrays; 1 is an array of numbers or strings. llama.cpp itself reads only that.
pub const MAX_ARRAY_DEPTH: usize = 4;

/// Reads the type and the value of a key.
pub(super) fn read(cursor: &mut Cursor<'_>, key: &str) -> Result<Value> {
    let value = &format_args!("value of `{key}`");
    Ok(match read_type(cursor, &format_args!("type of `{key}`"))? {
        ValueType::U8 => cursor.take(value).map(u8::from_le_bytes)?.into(),
        ValueType::I8 => cursor.take(value).map(i8::from_le_bytes)?.into(),
        ValueType::U16 => cursor.take(value).map(u16::from_le_bytes)?.into(),
        ValueType::I16 => cursor.take(value).map(i16::from_le_bytes)?.into(),
        ValueType::U32 => cursor.take(value).map(u32::from_le_bytes)?.into(),
        ValueType::I32 => cursor.take(value).map(i32::from_le_bytes)?.into(),
        ValueType::F32 => cursor.take(value).map(f32::from_le_bytes)?.into(),
        ValueType::U64 => cursor.take(value).map(u64::from_le_bytes)?.into(),
        ValueType::I64 => cursor.take(value).map(i64::from_le_bytes)?.into(),
        ValueType::F64 => cursor.take(value).map(f64::from_le_bytes)?.into(),
        ValueType::Bool => read_bool(cursor, value)?.into(),
        ValueType::String => cursor.string(usize::MAX, value)?.into(),
        ValueType::Array => read_array(cursor, key, 1)?.into(),
    })
}

fn read_array(cursor: &mut Cursor<'_>, key: &str, depth: usize) -> Result<Array> {
    let at = cursor.position();
    let element_type = read_type(cursor, &format_args!("type of the elements of `{key}`"))?;
    if element_type == ValueType::Array && depth == MAX_ARRAY_DEPTH {
        let reason = format!("arrays lie in arrays more than {MAX_ARRAY_DEPTH} deep");
        return Err(cursor.malformed_at(at, &format_args!("value of `{key}`"), reason));
    }
    let count = cursor.count(element_type.least_bytes(), &format_args!("length of the array `{key}`"))?;
    let field = &format_args!("element of `{key}`");
    Ok(match element_type {
        ValueType::U8 => cursor.numbers(count, field, u8::from_le_bytes)?.into(),
        ValueType::I8 => cursor.numbers(count, field, i8::from_le_bytes)?.into(),
        ValueType::U16 => cursor.numbers(count, field, u16::from_le_bytes)?.into(),
        ValueType::I16 => cursor.numbers(count, field, i16::from_le_bytes)?.into(),
        ValueType::U32 => cursor.numbers(count, field, u32::from_le_bytes)?.into(),
        ValueType::I32 => cursor.numbers(count, field, i32::from_le_bytes)?.into(),
        ValueType::F32 => cursor.numbers(count, field, f32::from_le_bytes)?.into(),
        ValueType::U64 => cursor.numbers(count, field, u64::from_le_bytes)?.into(),
        ValueType::I64 => cursor.numbers(count, field, i64::from_le_bytes)?.into(),
        ValueType::F64 => cursor.numbers(count, field, f64::from_le_bytes)?.into(),
        ValueType::Bool => elements(count, |_| read_bool(cursor, field))?.into(),
        ValueType::String => elements(count, |index| cursor.string(usize::MAX, &format_args!("element {index} of `{key}`")))?.into(),
        ValueType::Array => elements(count, |_| read_array(cursor, key, depth + 1))?.into(),
    })
}

/// `count` elements, for which there is room in the file: the cursor counted them.
fn elements<T>(count: usize, mut read: impl FnMut(usize) -> Result<T>) -> Result<Vec<T>> {
    let mut elements = Vec::with_capacity(count);
    for index in 0..count {
        elements.push(read(index)?);
    }
    Ok(elements)
}

fn read_type(cursor: &mut Cursor<'_>, field: &dyn Display) -> Result<ValueType> {
    let at = cursor.position();
    let id = cursor.u32(field)?;
    ValueType::from_id(id).ok_or_else(|| cursor.malformed_at(at, field, format!("there is no type {id}; the types are 0 to 12")))
}

fn read_bool(cursor: &mut Cursor<'_>, field: &dyn Display) -> Result<bool> {
    let at = cursor.position();
    match cursor.take(field)? {
        [0] => Ok(false),
        [1] => Ok(true),
        [other] => Err(cursor.malformed_at(at, field, format!("a bool is 0 or 1 and not {other}"))),
    }
}

/// Appends the type and the value of a key.
pub(super) fn write(out: &mut Vec<u8>, key: &str, value: &Value) -> Result<()> {
    out.extend(value.value_type().id().to_le_bytes());
    match value {
        Value::U8(value) => out.extend(value.to_le_bytes()),
        Value::I8(value) => out.extend(value.to_le_bytes()),
        Value::U16(value) => out.extend(value.to_le_bytes()),
        Value::I16(value) => out.extend(value.to_le_bytes()),
        Value::U32(value) => out.extend(value.to_le_bytes()),
        Value::I32(value) => out.extend(value.to_le_bytes()),
        Value::F32(value) => out.extend(value.to_le_bytes()),
        Value::U64(value) => out.extend(value.to_le_bytes()),
        Value::I64(value) => out.extend(value.to_le_bytes()),
        Value::F64(value) => out.extend(value.to_le_bytes()),
        Value::Bool(value) => out.push(u8::from(*value)),
        Value::String(text) => write_string(out, text),
        Value::Array(array) => write_array(out, key, array, 1)?,
    }
    Ok(())
}

/// Appends a string with its length before it.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn write_array(out: &mut Vec<u8>, key: &str, array: &Array, depth: usize) -> Result<()> {
    if depth > MAX_ARRAY_DEPTH {
        return Err(Error::unwritable(
            format_args!("`{key}`"),
            format!("arrays lie in arrays more than {MAX_ARRAY_DEPTH} deep; flatten it"),
        ));
    }
    out.extend(array.element_type().id().to_le_bytes());
    out.extend((array.len() as u64).to_le_bytes());
    match array {
        Array::U8(elements) => out.extend_from_slice(elements),
        Array::I8(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::U16(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::I16(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::U32(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::I32(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::F32(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::U64(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::I64(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::F64(elements) => out.extend(elements.iter().flat_map(|one| one.to_le_bytes())),
        Array::Bool(elements) => out.extend(elements.iter().map(|&one| u8::from(one))),
        Array::String(elements) => elements.iter().for_each(|one| write_string(out, one)),
        Array::Array(elements) => elements.iter().try_for_each(|one| write_array(out, key, one, depth + 1))?,
    }
    Ok(())
}
