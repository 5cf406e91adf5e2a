//! Rows in a table of redb.

use redb::{ReadableTable, TableDefinition};

use crate::{
    Error, Result,
    machine::{Row, Rows, RowsMut},
};

/// Every row of the state.
pub(crate) const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
/// The table in which a member of a cluster keeps what it knows besides the rows.
pub(crate) const RAFT: &str = "raft";
/// The format of the file, under `format`.
pub(crate) const ABOUT: TableDefinition<'static, &str, u32> = TableDefinition::new("jarre-kv-store");
/// The format that this version reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// A table as rows; `place` names the file in errors.
pub(crate) struct Table<'a, T> {
    pub(crate) table: T,
    pub(crate) place: &'a str,
}

impl<T: ReadableTable<&'static [u8], &'static [u8]>> Rows for Table<'_, T> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = self.table.get(key).map_err(|error| failed(self.place, error))?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    fn scan(&self, from: &[u8], to: &[u8], reverse: bool) -> Result<Box<dyn Iterator<Item = Result<Row>> + '_>> {
        if from >= to {
            return Ok(Box::new(std::iter::empty()));
        }
        let range = self.table.range::<&[u8]>(from..to).map_err(|error| failed(self.place, error))?;
        let row = |row: Result<_, redb::StorageError>| match row {
            Ok((key, value)) => {
                let (key, value): (redb::AccessGuard<'_, &[u8]>, redb::AccessGuard<'_, &[u8]>) = (key, value);
                Ok((key.value().to_vec(), value.value().to_vec()))
            }
            Err(error) => Err(failed(self.place, error)),
        };
        Ok(if reverse { Box::new(range.rev().map(row)) } else { Box::new(range.map(row)) })
    }
}

impl RowsMut for Table<'_, redb::Table<'_, &'static [u8], &'static [u8]>> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.table.insert(key, value).map(drop).map_err(|error| failed(self.place, error))
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.table.remove(key).map(drop).map_err(|error| failed(self.place, error))
    }
}

/// What a failure of redb is to our callers.
pub(crate) fn failed(place: &str, error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::Corrupted(reason) => Error::corrupt(place, reason),
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Error::corrupt(place, error.to_string()),
        redb::Error::Io(error) => Error::io(format!("read or write {place}"), error),
        redb::Error::DatabaseAlreadyOpen => Error::InUse { path: place.into() },
        redb::Error::UpgradeRequired(found) => Error::Format { place: place.to_owned(), found: found.into(), known: FORMAT },
        error @ (redb::Error::TableTypeMismatch { .. } | redb::Error::TableIsMultimap(_) | redb::Error::RepairAborted) => {
            Error::corrupt(place, error.to_string())
        }
        error => Error::io(format!("read or write {place}"), std::io::Error::other(error)),
    }
}
