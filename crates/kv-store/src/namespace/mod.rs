//! A typed view of a part of a store.

mod ordered_key;

use std::marker::PhantomData;

pub use ordered_key::OrderedKey;
pub(crate) use ordered_key::{escape, unescape};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Entry, Error, KeyRange, Op, RangeRequest, Result, Revision, Store, Txn};

/// The records of one kind in a store: keys of type `K`, in their order, and values of type `V` as JSON, so that a field can be added with
/// `#[serde(default)]` while older records stay readable.
///
/// ```
/// use jarre_kv_store::{Memory, Namespace};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Step {
///     text: String,
/// }
///
/// # pollster::block_on(async {
/// let steps: Namespace<(String, u64), Step, _> = Namespace::new(Memory::new(), "steps")?;
/// for number in [10, 9] {
///     steps.put(&("run".to_owned(), number), &Step { text: number.to_string() }).await?;
/// }
/// let page = steps.range(steps.under(&"run".to_owned()).into()).await?;
/// assert_eq!(page.records.iter().map(|step| step.key.1).collect::<Vec<_>>(), [9, 10], "by number, not by digits");
/// # Ok::<(), jarre_kv_store::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Namespace<K, V, S> {
    store: S,
    prefix: Vec<u8>,
    marker: PhantomData<fn() -> (K, V)>,
}

/// A record with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record<K, V> {
    /// Its key.
    pub key: K,
    /// Its value.
    pub value: V,
    /// When it was last written: what [`Namespace::compare_and_swap`] expects.
    pub revision: Revision,
    /// How often it was written since it came to be.
    pub version: u64,
}

/// Records of a range, and how to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Records<K, V> {
    /// The records in the order asked for.
    pub records: Vec<Record<K, V>>,
    /// Where the store was.
    pub revision: Revision,
    /// The request for the next page; `None` after the last.
    pub next: Option<RangeRequest>,
}

impl<K: OrderedKey, V: Serialize + DeserializeOwned, S: Store> Namespace<K, V, S> {
    /// The records under `name` in `store`. Their keys begin with the name and a slash.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) where the name is empty or has a slash, so that no two namespaces meet.
    pub fn new(store: S, name: &str) -> Result<Self> {
        if name.is_empty() || name.contains('/') {
            return Err(Error::Invalid("the name of a namespace is empty or has a slash".into()));
        }
        Ok(Self { store, prefix: format!("{name}/").into_bytes(), marker: PhantomData })
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The key in the store, for transactions and watches.
    pub fn key(&self, key: &K) -> Vec<u8> {
        self.prefixed(key)
    }

    /// Every key of the namespace.
    pub fn all(&self) -> KeyRange {
        KeyRange::prefix(self.prefix.clone())
    }

    /// The keys that begin with `part`: where `K` is a tuple, the first of its fields.
    pub fn under<P: OrderedKey>(&self, part: &P) -> KeyRange {
        KeyRange::prefix(self.prefixed(part))
    }

    /// The keys from `from` on, up to and without `to`.
    pub fn between(&self, from: &K, to: &K) -> KeyRange {
        KeyRange::new(self.prefixed(from), self.prefixed(to))
    }

    /// The record at `key`.
    ///
    /// # Errors
    /// [`Codec`](Error::Codec) where what is stored is no such record; otherwise as [`Store::get`].
    pub async fn get(&self, key: &K) -> Result<Option<Record<K, V>>> {
        self.store.get(&self.prefixed(key)).await?.map(|entry| self.record(&entry)).transpose()
    }

    /// Reads a page of records.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`Store::range`].
    pub async fn range(&self, request: RangeRequest) -> Result<Records<K, V>> {
        let page = self.store.range(request).await?;
        let records = page.entries.iter().map(|entry| self.record(entry)).collect::<Result<_>>()?;
        Ok(Records { records, revision: page.revision, next: page.next })
    }

    /// Writes a record, and returns when.
    ///
    /// # Errors
    /// [`Codec`](Error::Codec) where the value has no JSON; otherwise as [`Store::put`].
    pub async fn put(&self, key: &K, value: &V) -> Result<Revision> {
        Ok(self.store.txn(Txn::new().then(self.put_op(key, value)?)).await?.revision)
    }

    /// Writes a record where it was last written at `expected`, or is not there where that is `None`, and returns when.
    ///
    /// # Errors
    /// [`Conflict`](Error::Conflict) where something else is there; otherwise as [`put`](Self::put).
    pub async fn compare_and_swap(&self, key: &K, expected: Option<Revision>, value: &V) -> Result<Revision> {
        self.store.compare_and_swap(&self.prefixed(key), expected, &encode(value)?).await
    }

    /// Deletes a record, and says whether it was there.
    ///
    /// # Errors
    /// As [`Store::delete`].
    pub async fn delete(&self, key: &K) -> Result<bool> {
        self.store.delete(&self.prefixed(key)).await
    }

    /// The operation that writes a record, for a transaction.
    ///
    /// # Errors
    /// [`Codec`](Error::Codec) where the value has no JSON.
    pub fn put_op(&self, key: &K, value: &V) -> Result<Op> {
        Ok(Op::put(self.prefixed(key), encode(value)?))
    }

    /// The record in an entry of the namespace, as a range or a watch of the store gave it.
    ///
    /// # Errors
    /// [`Codec`](Error::Codec) where it is no such record.
    pub fn record(&self, entry: &Entry) -> Result<Record<K, V>> {
        let unreadable = |reason: String| Error::Codec { action: "read a record", reason };
        let key = entry.key.strip_prefix(&*self.prefix).and_then(|mut rest| K::decode(&mut rest).filter(|_| rest.is_empty()));
        let key = key.ok_or_else(|| unreadable(format!("the key {} is not one of this namespace", entry.key.escape_ascii())))?;
        let value = serde_json::from_slice(&entry.value);
        let value = value.map_err(|error| unreadable(format!("the value at {}: {error}", entry.key.escape_ascii())))?;
        Ok(Record { key, value, revision: entry.mod_revision, version: entry.version })
    }

    fn prefixed<P: OrderedKey>(&self, key: &P) -> Vec<u8> {
        let mut bytes = self.prefix.clone();
        key.encode(&mut bytes);
        bytes
    }
}

fn encode<V: Serialize>(value: &V) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::Codec { action: "write a record", reason: error.to_string() })
}
