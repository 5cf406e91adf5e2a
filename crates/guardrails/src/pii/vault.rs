use std::{
    collections::HashMap,
    fmt, hint,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::pseudonym;

/// Pseudonyms of one conversation and what they stand for. Clones share what they hold.
///
/// What it holds is overwritten when the last clone goes. Nothing of it is printed or serialised, but by [`export`](Self::export).
#[derive(Clone, Default)]
pub struct Vault(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    /// By kind and value.
    pseudonyms: HashMap<(String, String), String>,
    values: HashMap<String, String>,
    counts: HashMap<String, u64>,
    /// How often it was asked.
    asked: u64,
}

/// All that a [`Vault`] holds, in clear: whoever stores it has to encrypt it.
#[derive(Clone, Serialize, Deserialize)]
pub struct VaultRecord {
    /// Kinds, numbers and values.
    entries: Vec<(String, u64, String)>,
}

impl Vault {
    /// Holds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands for `value`, which is of this kind, as `<EMAIL_1>` for an `email`: the same each time.
    pub fn pseudonym(&self, kind: &str, value: &str) -> String {
        let mut entries = self.entries();
        entries.asked += 1;
        let key = (kind.to_owned(), value.to_owned());
        if let Some(known) = entries.pseudonyms.get(&key) {
            return known.clone();
        }
        let number = entries.counts.get(kind).map_or(1, |count| count + 1);
        entries.insert(kind, number, value)
    }

    /// What `pseudonym` stands for.
    pub fn value(&self, pseudonym: &str) -> Option<String> {
        let mut entries = self.entries();
        entries.asked += 1;
        entries.values.get(pseudonym).cloned()
    }

    /// How often it was asked for a pseudonym or a value: what was said in between goes by what it holds.
    pub(crate) fn asked(&self) -> u64 {
        self.entries().asked
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.entries().values.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a conversation that goes on later needs.
    pub fn export(&self) -> VaultRecord {
        let held = self.entries();
        let number = |pseudonym: &str| pseudonym.trim_end_matches('>').rsplit('_').next().and_then(|number| number.parse().ok());
        let entry = |((kind, value), pseudonym): (&(String, String), &String)| Some((kind.clone(), number(pseudonym)?, value.clone()));
        let mut entries: Vec<_> = held.pseudonyms.iter().filter_map(entry).collect();
        entries.sort_unstable();
        VaultRecord { entries }
    }

    /// The vault that `record` was taken from. Of two entries for one pseudonym the first counts; numbers that no vault gives are left out.
    pub fn import(record: &VaultRecord) -> Self {
        let vault = Self::new();
        for (kind, number, value) in record.entries.iter().filter(|(_, number, _)| *number < pseudonym::MANY) {
            let mut entries = vault.entries();
            if !entries.values.contains_key(&pseudonym::write(kind, *number)) {
                entries.insert(kind, *number, value);
            }
        }
        vault
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn insert(&mut self, kind: &str, number: u64, value: &str) -> String {
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count = number.max(*count);
        let pseudonym = pseudonym::write(kind, number);
        self.values.insert(pseudonym.clone(), value.to_owned());
        self.pseudonyms.insert((kind.to_owned(), value.to_owned()), pseudonym.clone());
        pseudonym
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        self.values.drain().for_each(|(_, value)| wipe(value));
        self.pseudonyms.drain().for_each(|((_, value), _)| wipe(value));
    }
}

impl Drop for VaultRecord {
    fn drop(&mut self) {
        self.entries.drain(..).for_each(|(_, _, value)| wipe(value));
    }
}

/// Overwrites `value` before its memory is given back; what was copied elsewhere stays.
fn wipe(value: String) {
    let mut bytes = value.into_bytes();
    bytes.fill(0);
    // So that the writes are not left out as having no use.
    hint::black_box(bytes);
}

impl fmt::Debug for Vault {
    /// Tells nothing of what it holds.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl fmt::Debug for VaultRecord {
    /// Tells nothing of what it holds.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("VaultRecord").finish_non_exhaustive()
    }
}
