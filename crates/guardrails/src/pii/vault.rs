use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Pseudonyms of one conversation and what they stand for. Clones share what they hold.
#[derive(Clone, Default)]
pub struct Vault(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    pseudonyms: HashMap<(String, String), String>,
    values: HashMap<String, String>,
    counts: HashMap<String, usize>,
}

impl Vault {
    /// Holds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands for `value`, which is of this kind, as `<EMAIL_1>` for an `email`: the same each time.
    pub fn pseudonym(&self, kind: &str, value: &str) -> String {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind.to_owned(), value.to_owned());
        if let Some(known) = entries.pseudonyms.get(&key) {
            return known.clone();
        }
        let count = entries.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        let pseudonym = format!("<{}_{count}>", kind.to_uppercase());
        entries.values.insert(pseudonym.clone(), value.to_owned());
        entries.pseudonyms.insert(key, pseudonym.clone());
        pseudonym
    }

    /// What `pseudonym` stands for.
    pub fn value(&self, pseudonym: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values.get(pseudonym).cloned()
    }
}

impl fmt::Debug for Vault {
    /// Tells nothing of what it holds.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Vault").finish_non_exhaustive()
    }
}
