use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

/// A row: its key and its sealed value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// What the state lies in: rows in the order of their keys' bytes.
pub(crate) trait Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// The rows from `from` on, up to and without `to`.
    fn scan(&self, from: &[u8], to: &[u8], reverse: bool) -> Result<Box<dyn Iterator<Item = Result<Row>> + '_>>;
}

/// Rows that can be changed.
pub(crate) trait RowsMut: Rows {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()>;
    fn remove(&mut self, key: &[u8]) -> Result<()>;
}

/// The record at `key`.
pub(crate) fn load<T: DeserializeOwned>(rows: &dyn Rows, key: &[u8]) -> Result<Option<T>> {
    rows.get(key)?.map(|sealed| decode(key, &sealed)).transpose()
}

/// Writes `record` at `key`, with a checksum over both.
pub(crate) fn store<T: Serialize>(rows: &mut dyn RowsMut, key: &[u8], record: &T) -> Result<()> {
    let mut bytes = postcard::to_allocvec(record).expect("records are plain data, which postcard can always write");
    bytes.extend(checksum(key, &bytes).to_le_bytes());
    rows.put(key, &bytes)
}

/// The record in a row, where the row is what was written.
pub(crate) fn decode<T: DeserializeOwned>(key: &[u8], sealed: &[u8]) -> Result<T> {
    let (bytes, sum) = sealed.split_last_chunk::<4>().map(|(bytes, sum)| (bytes, *sum)).ok_or_else(|| damaged(key, "it is too short"))?;
    if sum != checksum(key, bytes).to_le_bytes() {
        return Err(damaged(key, "its checksum does not match"));
    }
    match postcard::take_from_bytes(bytes) {
        Ok((record, [])) => Ok(record),
        Ok(_) => Err(damaged(key, "something follows the record")),
        Err(error) => Err(damaged(key, &error.to_string())),
    }
}

/// That the row at `key` is not what it should be.
pub(crate) fn damaged(key: &[u8], reason: &str) -> Error {
    Error::corrupt(format!("row {}", key.escape_ascii()), reason)
}

fn checksum(key: &[u8], bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), bytes)
}

impl Rows for BTreeMap<Vec<u8>, Vec<u8>> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], reverse: bool) -> Result<Box<dyn Iterator<Item = Result<Row>> + '_>> {
        if from >= to {
            return Ok(Box::new(std::iter::empty()));
        }
        let rows = self.range(from.to_vec()..to.to_vec()).map(|(key, value)| Ok((key.clone(), value.clone())));
        Ok(if reverse { Box::new(rows.rev()) } else { Box::new(rows) })
    }
}

impl RowsMut for BTreeMap<Vec<u8>, Vec<u8>> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.remove(key);
        Ok(())
    }
}
