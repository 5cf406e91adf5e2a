use std::io::{self, BufWriter, Read, Write};

use crate::{
    Error, Result, Revision,
    machine::{self, Rows},
};

const MAGIC: [u8; 8] = *b"jarre-kv";
const FORMAT: u32 = 1;
/// A block is written once it holds so many bytes.
const BLOCK: usize = 64 << 10;
/// No block is longer: a row of the longest value there can be.
const LONGEST_BLOCK: u32 = 1 << 28;

/// What a snapshot holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotInfo {
    /// Where the store was.
    pub revision: Revision,
    /// Rows: versions, changes, leases and sessions.
    pub rows: u64,
    /// BLAKE3 over all rows, by which stores with the same content are known.
    pub digest: [u8; 32],
}

/// What a store was found to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Where the store is.
    pub revision: Revision,
    /// Commands that were carried out. Members of a cluster that carried out the same number hold the same.
    pub applied: u64,
    /// Keys that exist.
    pub keys: u64,
    /// Rows: versions, changes, leases and sessions.
    pub rows: u64,
    /// BLAKE3 over all rows, by which stores with the same content are known.
    pub digest: [u8; 32],
}

/// Writes all rows: a header, blocks of rows with their length and checksum, an empty block, and the number and digest of the rows.
pub(crate) fn write(rows: &dyn Rows, to: impl Write) -> Result<SnapshotInfo> {
    let cannot = |error| Error::io("write the snapshot", error);
    let mut out = BufWriter::new(to);
    out.write_all(&header()).map_err(cannot)?;
    let (mut block, mut tally) = (Vec::new(), Tally::default());
    for row in rows.scan(&[], &[0xff; 2], false)? {
        let (key, value) = row?;
        tally.add(&key, &value);
        for part in [&key, &value] {
            block.extend((part.len() as u32).to_le_bytes());
        }
        block.extend(key);
        block.extend(value);
        if block.len() >= BLOCK {
            write_block(&mut out, &block).map_err(cannot)?;
            block.clear();
        }
    }
    if !block.is_empty() {
        write_block(&mut out, &block).map_err(cannot)?;
    }
    let info = tally.finish(machine::state(rows)?.revision);
    write_block(&mut out, &[]).and_then(|()| out.write_all(&info.rows.to_le_bytes())).map_err(cannot)?;
    out.write_all(&info.digest).and_then(|()| out.flush()).map_err(cannot)?;
    tracing::debug!(revision = %info.revision, rows = info.rows, "a snapshot was written");
    Ok(info)
}

/// Gives every row of a snapshot to `take`, in order. What it took is to be dropped where this fails. Memory is bounded by the longest
/// block, and by what is really there.
pub(crate) fn read(from: impl Read, mut take: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<SnapshotInfo> {
    let mut input = Input { from, at: 0 };
    input.header()?;
    let (mut last, mut tally, mut revision): (Option<Vec<u8>>, _, _) = (None, Tally::default(), Revision::FIRST);
    loop {
        let at = input.at;
        let block = input.block()?;
        if block.is_empty() {
            break;
        }
        let mut rest = &block[..];
        while !rest.is_empty() {
            let (key, value) = split_row(&mut rest).ok_or_else(|| damaged(at, "a row is cut off"))?;
            if last.as_deref().is_some_and(|last| last >= key) {
                return Err(damaged(at, "rows are out of order"));
            }
            tally.add(key, value);
            revision = machine::revision(key, value)?.unwrap_or(revision);
            take(key, value)?;
            last = Some(key.to_vec());
        }
    }
    let info = tally.finish(revision);
    input.end(&info)?;
    Ok(info)
}

/// Copies a snapshot, and holds it to its checksums on the way.
#[cfg(feature = "client")]
pub(crate) fn copy(from: impl Read, to: impl Write) -> Result<SnapshotInfo> {
    let mut to = BufWriter::new(to);
    let info = read(Copying { from, to: &mut to }, |_, _| Ok(()))?;
    to.flush().map_err(|error| Error::io("write the snapshot", error))?;
    Ok(info)
}

/// Writes what is read.
#[cfg(feature = "client")]
struct Copying<'a, R, W> {
    from: R,
    to: &'a mut W,
}

#[cfg(feature = "client")]
impl<R: Read, W: Write> Read for Copying<'_, R, W> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(out)?;
        self.to.write_all(&out[..count])?;
        Ok(count)
    }
}

#[derive(Default)]
struct Tally {
    rows: u64,
    digest: blake3::Hasher,
}

impl Tally {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows += 1;
        for part in [key, value] {
            self.digest.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
    }

    fn finish(&self, revision: Revision) -> SnapshotInfo {
        SnapshotInfo { revision, rows: self.rows, digest: self.digest.finalize().into() }
    }
}

fn header() -> [u8; 16] {
    let mut header = [0; 16];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    let sum = crc32c::crc32c(&header[..12]);
    header[12..].copy_from_slice(&sum.to_le_bytes());
    header
}

fn write_block(out: &mut impl Write, block: &[u8]) -> io::Result<()> {
    let length = u32::try_from(block.len()).ok().filter(|length| *length <= LONGEST_BLOCK);
    let length = length.ok_or_else(|| io::Error::other("a row is too long for a snapshot"))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&checksum(length, block).to_le_bytes())?;
    out.write_all(block)
}

fn checksum(length: u32, block: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_le_bytes()), block)
}

fn split_row<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let length = |rest: &mut &'a [u8]| Some(u32::from_le_bytes(*rest.split_off(..4)?.first_chunk()?) as usize);
    let (key, value) = (length(rest)?, length(rest)?);
    Some((rest.split_off(..key)?, rest.split_off(..value)?))
}

fn damaged(at: u64, reason: &str) -> Error {
    Error::corrupt(format!("the snapshot, at byte {at},"), reason)
}

/// A snapshot that is read, and how far.
struct Input<R> {
    from: R,
    at: u64,
}

impl<R: Read> Input<R> {
    fn header(&mut self) -> Result<()> {
        let found: [u8; 16] = self.array()?;
        if found[..8] != MAGIC {
            return Err(damaged(0, "it does not begin as a snapshot does"));
        }
        if crc32c::crc32c(&found[..12]).to_le_bytes() != found[12..] {
            return Err(damaged(0, "the checksum of the header does not match"));
        }
        let format = u32::from_le_bytes([found[8], found[9], found[10], found[11]]);
        if format == FORMAT { Ok(()) } else { Err(Error::Format { place: "the snapshot".to_owned(), found: format, known: FORMAT }) }
    }

    fn block(&mut self) -> Result<Vec<u8>> {
        let at = self.at;
        let length = u32::from_le_bytes(self.array()?);
        let sum = u32::from_le_bytes(self.array()?);
        if length > LONGEST_BLOCK {
            return Err(damaged(at, "a block is too long"));
        }
        let block = self.bytes(length as usize)?;
        if checksum(length, &block) == sum { Ok(block) } else { Err(damaged(at, "the checksum of a block does not match")) }
    }

    fn end(&mut self, found: &SnapshotInfo) -> Result<()> {
        let at = self.at;
        let (rows, digest) = (u64::from_le_bytes(self.array()?), self.array::<32>()?);
        if (rows, digest) != (found.rows, found.digest) {
            return Err(damaged(at, "it has not the rows that were written"));
        }
        let mut byte = [0];
        match self.from.read(&mut byte).map_err(|error| Error::io("read the snapshot", error))? {
            0 => Ok(()),
            _ => Err(damaged(self.at, "something follows")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.bytes(N)?.try_into().expect("so many bytes were read"))
    }

    /// Allocates as bytes come, whatever length was claimed.
    fn bytes(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.from.by_ref().take(length as u64).read_to_end(&mut bytes).map_err(|error| Error::io("read the snapshot", error))?;
        self.at += read as u64;
        if read == length { Ok(bytes) } else { Err(damaged(self.at, "it ends here")) }
    }
}
