use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use redb::{Builder, StorageBackend};

use super::{disk::failed, open::make_tables};
use crate::Result;

/// A new store's file, byte for byte. Made in memory, so that the file can appear whole: one that was made in place and cut off by a crash
/// could not be told from a file that is something else.
pub(crate) fn of_a_new_store() -> Result<Vec<u8>> {
    let image = Image::default();
    let database = Builder::new().create_with_backend(image.clone()).map_err(|error| failed("a new store", error))?;
    make_tables(&database).map_err(|error| failed("a new store", error))?;
    drop(database);
    Ok(std::mem::take(&mut image.bytes()))
}

/// A file in memory.
#[derive(Clone, Debug, Default)]
struct Image(Arc<Mutex<Vec<u8>>>);

impl Image {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for Image {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes();
        let there = bytes.get(offset as usize..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let (mut bytes, at) = (self.bytes(), offset as usize);
        let end = bytes.len().max(at + data.len());
        bytes.resize(end, 0);
        bytes[at..at + data.len()].copy_from_slice(data);
        Ok(())
    }
}
