use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jarre_core::ErrorKind;
use jarre_kv_store::{Compare, Revision, Store, Txn};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::parts;
use crate::{Error, Result};

/// Before the hash of a key.
const EFFECTS: &[u8] = b"agent_effect/";

/// What effects came to, by idempotency key, so that each happens once however often it is asked for: in this process, after a crash, or on
/// another machine with the same store.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::log::{Effects, InDoubt};
/// use jarre_kv_store::Memory;
///
/// # pollster::block_on(async {
/// let effects = Effects::new(Arc::new(Memory::new()));
/// let sent: String = effects.once("mail-7", InDoubt::Refuse, async || Ok("sent".into())).await?;
/// let again: String = effects.once("mail-7", InDoubt::Refuse, async || panic!("it happened")).await?;
/// assert_eq!(sent, again);
/// # Ok::<(), jarre_agent::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Effects {
    store: Arc<dyn Store>,
    under_way: Arc<Mutex<BTreeSet<String>>>,
}

/// What is done about an effect that was begun and of which nobody knows how it ended: its process was killed, or it failed on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InDoubt {
    /// It is not done again.
    #[default]
    Refuse,
    /// It is done again: right for what comes to the same when it is done twice, as reading, or a file that is written whole and renamed.
    Repeat,
}

/// What is kept of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "output", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kept<T> {
    /// Nothing: it was not asked for, or failed before it did anything.
    Nothing,
    /// It was begun, and is under way or in doubt.
    Begun,
    /// It came to this.
    Done(T),
}

impl Effects {
    /// The effects in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, under_way: Arc::default() }
    }

    /// Does `effect`, unless one of this key was done: then gives what that came to. It is kept before it is returned, and unless it may be repeated
    /// that it begins is kept before that.
    ///
    /// A failure is kept as doubt, but for [`InvalidRequest`](ErrorKind::InvalidRequest), which says that nothing was done.
    ///
    /// # Errors
    /// [`Error::InDoubt`] where an effect of this key is under way, or was begun and must not be repeated; what `effect` failed with;
    /// [`Error::Invalid`] where it came to more than 3 MiB; [`Error::Store`] where the store failed. After these two it is in doubt.
    pub async fn once<T, F>(&self, key: &str, in_doubt: InDoubt, effect: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: AsyncFnOnce() -> Result<T>,
    {
        let Some(_entered) = Entered::new(&self.under_way, key) else { return Err(Error::InDoubt { key: key.to_owned() }) };
        let mut at = match self.read(key).await? {
            (Kept::Done(output), _) => return Ok(output),
            (Kept::Begun, _) if in_doubt == InDoubt::Refuse => return Err(Error::InDoubt { key: key.to_owned() }),
            (_, at) => at,
        };
        if in_doubt == InDoubt::Refuse {
            at = self.write(key, at, &Kept::<T>::Begun).await?;
            if at.is_none() {
                return Err(Error::InDoubt { key: key.to_owned() });
            }
        }
        match effect().await {
            Ok(output) => self.finish(key, at, output).await,
            Err(error) => {
                if matches!(&error, Error::Core(core) if core.kind() == ErrorKind::InvalidRequest) {
                    self.forget(key).await?;
                }
                Err(error)
            }
        }
    }

    /// What is kept of the effect of this key.
    ///
    /// # Errors
    /// [`Error::Store`] where the store cannot be read, or what is kept is no `T`.
    pub async fn kept<T: DeserializeOwned>(&self, key: &str) -> Result<Kept<T>> {
        Ok(self.read(key).await?.0)
    }

    /// Forgets the effect of this key: it may happen again. For a person who looked and knows that it did not happen, and for runs that are over.
    ///
    /// # Errors
    /// [`Error::Store`] where the store failed.
    pub async fn forget(&self, key: &str) -> Result<()> {
        self.store.txn(Txn::new().then(parts::delete(&place(key)))).await?;
        Ok(())
    }

    /// Keeps an output, or gives the one of whoever did the same meanwhile.
    async fn finish<T: Serialize + DeserializeOwned>(&self, key: &str, at: Option<Revision>, output: T) -> Result<T> {
        let done = Kept::Done(output);
        if self.write(key, at, &done).await?.is_none()
            && let (Kept::Done(first), _) = self.read(key).await?
        {
            return Ok(first);
        }
        match done {
            Kept::Done(output) => Ok(output),
            Kept::Nothing | Kept::Begun => Err(Error::InDoubt { key: key.to_owned() }),
        }
    }

    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<(Kept<T>, Option<Revision>)> {
        let Some((bytes, at)) = parts::get(&*self.store, &place(key)).await? else { return Ok((Kept::Nothing, None)) };
        let unreadable = |error: serde_json::Error| jarre_kv_store::Error::Codec { action: "read an effect", reason: error.to_string() };
        Ok((serde_json::from_slice(&bytes).map_err(unreadable)?, Some(at)))
    }

    /// Writes what is kept, where it was last written at `at`, and returns when; `None` where something else is there.
    async fn write<T: Serialize>(&self, key: &str, at: Option<Revision>, kept: &Kept<T>) -> Result<Option<Revision>> {
        let place = place(key);
        let unwritable = |error: serde_json::Error| jarre_kv_store::Error::Codec { action: "write an effect", reason: error.to_string() };
        let bytes = serde_json::to_vec(kept).map_err(unwritable)?;
        let compare = at.map_or_else(|| Compare::missing(parts::first(&place)), |at| Compare::unchanged(parts::first(&place), at));
        let mut txn = Txn::new().when(compare);
        txn.then = parts::put(&place, &bytes, "the output of an effect")?;
        let outcome = self.store.txn(txn).await?;
        Ok(outcome.succeeded.then_some(outcome.revision))
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

/// Keys may be of any length and content, so their hash stands in the store.
fn place(key: &str) -> Vec<u8> {
    [EFFECTS, blake3::hash(key.as_bytes()).as_bytes()].concat()
}

/// A key whose effect is under way in this process.
struct Entered<'a> {
    under_way: &'a Mutex<BTreeSet<String>>,
    key: &'a str,
}

impl<'a> Entered<'a> {
    /// `None` where the effect of this key is under way already.
    fn new(under_way: &'a Mutex<BTreeSet<String>>, key: &'a str) -> Option<Self> {
        let is_first = lock(under_way).insert(key.to_owned());
        is_first.then(|| Self { under_way, key })
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        lock(self.under_way).remove(self.key);
    }
}

fn lock(under_way: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
