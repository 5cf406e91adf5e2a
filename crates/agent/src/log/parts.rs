use jarre_kv_store::{Entry, KeyRange, Op, RangeRequest, Revision, Store, namespace::OrderedKey};

use crate::{Error, Result};

/// The most bytes of a value: half of what a store takes, so that a larger one is split over several keys of one transaction.
const PART: usize = 512 << 10;

/// The most bytes in all: a transaction of a store takes 4 MiB.
pub(crate) const MOST: usize = 3 << 20;

/// The operations that write `bytes` under `prefix`: part 0, 1, and so on, each at a key of its own.
///
/// # Errors
/// [`Error::Invalid`] where there are too many bytes for one transaction.
pub(crate) fn put(prefix: &[u8], bytes: &[u8], what: &str) -> Result<Vec<Op>> {
    if bytes.len() > MOST {
        return Err(Error::Invalid(format!(
            "{what} of {} bytes is over the {MOST} that are kept at once: cap what is written",
            bytes.len()
        )));
    }
    let parts = if bytes.is_empty() { vec![bytes] } else { bytes.chunks(PART).collect() };
    Ok((0_u16..).zip(parts).map(|(number, part)| Op::put(key(prefix, number), part)).collect())
}

/// The key that is there where anything is under `prefix`.
pub(crate) fn first(prefix: &[u8]) -> Vec<u8> {
    key(prefix, 0)
}

/// What was written under `prefix`, and when.
///
/// # Errors
/// Where the store cannot be read.
pub(crate) async fn get(store: &dyn Store, prefix: &[u8]) -> Result<Option<(Vec<u8>, Revision)>> {
    let (mut whole, mut request) = (None, Some(RangeRequest::new(KeyRange::prefix(prefix))));
    while let Some(asked) = request {
        let page = store.range(asked).await?;
        for entry in page.entries {
            let (bytes, _) = whole.get_or_insert((Vec::new(), entry.mod_revision));
            bytes.extend(entry.value);
        }
        request = page.next;
    }
    Ok(whole)
}

/// The operation that deletes what was written under `prefix`.
pub(crate) fn delete(prefix: &[u8]) -> Op {
    Op::delete_range(KeyRange::prefix(prefix))
}

fn key(prefix: &[u8], part: u16) -> Vec<u8> {
    let mut key = prefix.to_vec();
    part.encode(&mut key);
    key
}

/// Puts parts that come in the order of their keys together again.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    prefix: Vec<u8>,
    bytes: Option<Vec<u8>>,
}

impl Joiner {
    /// Takes the next entry, and gives what is whole before it, with its prefix.
    pub(crate) fn push(&mut self, entry: Entry) -> Option<(Vec<u8>, Vec<u8>)> {
        let prefix = &entry.key[..entry.key.len().saturating_sub(size_of::<u16>())];
        if prefix == self.prefix
            && let Some(bytes) = &mut self.bytes
        {
            bytes.extend(entry.value);
            return None;
        }
        let whole = self.finish();
        self.prefix = prefix.to_vec();
        self.bytes = Some(entry.value);
        whole
    }

    /// What is whole at the end.
    pub(crate) fn finish(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let bytes = self.bytes.take()?;
        Some((std::mem::take(&mut self.prefix), bytes))
    }
}
