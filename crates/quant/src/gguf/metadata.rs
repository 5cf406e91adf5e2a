use std::collections::BTreeMap;

use super::error::{Error, Result};
use super::{Array, Value};

/// What a file says about itself: values by key, in the order of the keys.
///
/// Keys of models in general are listed in the
/// [specification](https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#standardized-key-value-pairs). The getters convert where
/// nothing is lost, because converters do not agree on the width of an integer; their errors name the key.
///
/// ```
/// # use jarre_quant::gguf::Metadata;
/// let mut metadata = Metadata::new();
/// metadata.insert("llama.block_count", 22_u32);
/// metadata.insert("tokenizer.ggml.token_type", vec![2, 3, 3, 1]);
/// assert_eq!(metadata.get_u64("llama.block_count")?, 22);
/// assert_eq!(metadata.get_i32s("tokenizer.ggml.token_type")?, [2, 3, 3, 1]);
///
/// let error = metadata.get_str("llama.block_count").unwrap_err();
/// assert_eq!(error.to_string(), "`llama.block_count` is u32 (22) and not a string; read it as what it is");
/// # Ok::<(), jarre_quant::gguf::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    values: BTreeMap<String, Value>,
}

impl Metadata {
    /// Without any key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key, and returns the value that it had.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.values.insert(key.into(), value.into())
    }

    /// Takes a key away, and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.values.remove(key)
    }

    /// The value of a key, if it has one.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// All keys with their values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A string.
    ///
    /// # Errors
    /// [`Error::MissingKey`], or [`Error::ValueType`] where it is something else; so for every getter.
    pub fn get_str(&self, key: &str) -> Result<&str> {
        match self.present(key)? {
            Value::String(text) => Ok(text),
            other => Err(mismatch(key, other, "a string")),
        }
    }

    /// True or false.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str).
    pub fn get_bool(&self, key: &str) -> Result<bool> {
        match self.present(key)? {
            Value::Bool(value) => Ok(*value),
            other => Err(mismatch(key, other, "a bool")),
        }
    }

    /// An integer of any width that is not negative.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str).
    pub fn get_u64(&self, key: &str) -> Result<u64> {
        let value = self.present(key)?;
        integer(value).and_then(|wide| wide.try_into().ok()).ok_or_else(|| mismatch(key, value, "an integer of at least 0"))
    }

    /// An integer of any width that fits.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str).
    pub fn get_i64(&self, key: &str) -> Result<i64> {
        let value = self.present(key)?;
        integer(value).and_then(|wide| wide.try_into().ok()).ok_or_else(|| mismatch(key, value, "an integer of 64 bits"))
    }

    /// A number with a fraction; one of 64 bits is rounded.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str).
    pub fn get_f32(&self, key: &str) -> Result<f32> {
        match self.present(key)? {
            Value::F32(value) => Ok(*value),
            Value::F64(value) => Ok(*value as f32),
            other => Err(mismatch(key, other, "a number with a fraction")),
        }
    }

    /// An array of any type.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str).
    pub fn get_array(&self, key: &str) -> Result<&Array> {
        match self.present(key)? {
            Value::Array(array) => Ok(array),
            other => Err(mismatch(key, other, "an array")),
        }
    }

    /// An array of strings, for example `tokenizer.ggml.tokens`.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str).
    pub fn get_strings(&self, key: &str) -> Result<&[String]> {
        match self.get_array(key)? {
            Array::String(elements) => Ok(elements),
            other => Err(array_mismatch(key, other, "an array of strings")),
        }
    }

    /// An array of `f32`, for example `tokenizer.ggml.scores`.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str).
    pub fn get_f32s(&self, key: &str) -> Result<&[f32]> {
        match self.get_array(key)? {
            Array::F32(elements) => Ok(elements),
            other => Err(array_mismatch(key, other, "an array of f32")),
        }
    }

    /// An array of `i32`, for example `tokenizer.ggml.token_type`.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str).
    pub fn get_i32s(&self, key: &str) -> Result<&[i32]> {
        match self.get_array(key)? {
            Array::I32(elements) => Ok(elements),
            other => Err(array_mismatch(key, other, "an array of i32")),
        }
    }

    /// An array of integers of any one width.
    ///
    /// # Errors
    /// As [`get_str`](Self::get_str); also where one of the integers does not fit into 64 bits with a sign.
    pub fn get_i64s(&self, key: &str) -> Result<Vec<i64>> {
        let array = self.get_array(key)?;
        integers(array).ok_or_else(|| array_mismatch(key, array, "an array of integers of 64 bits"))
    }

    fn present(&self, key: &str) -> Result<&Value> {
        self.values.get(key).ok_or_else(|| Error::MissingKey { key: key.to_owned() })
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::U8(value) => Some((*value).into()),
        Value::I8(value) => Some((*value).into()),
        Value::U16(value) => Some((*value).into()),
        Value::I16(value) => Some((*value).into()),
        Value::U32(value) => Some((*value).into()),
        Value::I32(value) => Some((*value).into()),
        Value::U64(value) => Some((*value).into()),
        Value::I64(value) => Some((*value).into()),
        _ => None,
    }
}

fn integers(array: &Array) -> Option<Vec<i64>> {
    match array {
        Array::U8(elements) => Some(elements.iter().map(|&one| one.into()).collect()),
        Array::I8(elements) => Some(elements.iter().map(|&one| one.into()).collect()),
        Array::U16(elements) => Some(elements.iter().map(|&one| one.into()).collect()),
        Array::I16(elements) => Some(elements.iter().map(|&one| one.into()).collect()),
        Array::U32(elements) => Some(elements.iter().map(|&one| one.into()).collect()),
        Array::I32(elements) => Some(elements.iter().map(|&one| one.into()).collect()),
        Array::U64(elements) => elements.iter().map(|&one| one.try_into().ok()).collect(),
        Array::I64(elements) => Some(elements.clone()),
        _ => None,
    }
}

fn mismatch(key: &str, value: &Value, expected: &'static str) -> Error {
    let found = value.value_type();
    match (integer(value), value) {
        (Some(number), _) => Error::value_type(key, format_args!("{found} ({number})"), expected),
        (None, Value::Array(array)) => array_mismatch(key, array, expected),
        (None, _) => Error::value_type(key, found, expected),
    }
}

fn array_mismatch(key: &str, array: &Array, expected: &'static str) -> Error {
    Error::value_type(key, format_args!("an array of {}", array.element_type()), expected)
}
