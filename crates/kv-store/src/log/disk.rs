use std::{fmt, io, sync::Arc};

/// A folder of files, as far as a log needs one. Real ones are [`FsDisk`](super::FsDisk); tests bring one that loses writes.
///
/// What [`DiskFile::sync_data`] has not confirmed may be lost at a crash, in pieces of 512 bytes and in any order; so may names that
/// [`sync_dir`](Self::sync_dir) has not confirmed.
pub trait Disk: fmt::Debug + Send + Sync {
    /// The names of all files.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// A new file of `len` zeros, whose space is reserved where the system can do that. One of that name is replaced. The length is durable once
    /// the file was synced.
    ///
    /// # Errors
    /// Where there is no room, among others.
    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>>;

    /// A file that is there.
    ///
    /// # Errors
    /// Where it is not.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name, at once for all who look.
    ///
    /// # Errors
    /// Where it is not there.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a name; whoever has the file open keeps it.
    ///
    /// # Errors
    /// Where it is not there.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes names durable: what was created, renamed and removed.
    ///
    /// # Errors
    /// Where that is not certain. It must not be tried again.
    fn sync_dir(&self) -> io::Result<()>;
}

/// An open file of a [`Disk`].
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// Where the system does not say.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// Where the file ends before, among others.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`; the file grows where it must.
    ///
    /// # Errors
    /// Where there is no room, among others. Any part of `bytes` may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes all that was written durable.
    ///
    /// # Errors
    /// Where that is not certain. It must not be tried again: the system may have dropped what it could not write.
    fn sync_data(&self) -> io::Result<()>;
}
